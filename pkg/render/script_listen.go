package render

// listenScript is the part of the gate's script that listens at the server's own ports,
// so that the ways to a parked pod can be tried before its host is stopped: a
// NetworkPolicy is about ports, and what drops or rejects is told from what answers.
// What it rests on:
//   - Every image that runs ZooKeeper has a JVM; bash cannot listen, and nothing else is
//     in all of them.
//   - It listens only while the host is seen to serve, whose Service leads there. So it
//     stands in for no server, says no word, and is gone before ZooKeeper can be
//     started here.
//   - It is a child of the gate, which is the container's first process: whatever ends
//     the gate ends it.
const listenScript = `
listener= listens=- deaf= mouth= spoken=

# Accepts connections at the ports and closes them: pkg/render/listen/Listen.java.
listen_class='
yv66vgAAADQAQgoAAgADBwAEDAAFAAYBABBqYXZhL2xhbmcvVGhyZWFkAQAGPGluaXQ+AQADKClW
CQAIAAkHAAoMAAsADAEABkxpc3RlbgEABnNvY2tldAEAF0xqYXZhL25ldC9TZXJ2ZXJTb2NrZXQ7
BwAOAQAVamF2YS9uZXQvU2VydmVyU29ja2V0CgAQABEHABIMABMAFAEAEWphdmEvbGFuZy9JbnRl
Z2VyAQAIcGFyc2VJbnQBABUoTGphdmEvbGFuZy9TdHJpbmc7KUkKAA0AFgwABQAXAQAEKEkpVgoA
CAAZDAAFABoBABooTGphdmEvbmV0L1NlcnZlclNvY2tldDspVgoACAAcDAAdAAYBAAVzdGFydAkA
HwAgBwAhDAAiACMBABBqYXZhL2xhbmcvU3lzdGVtAQADb3V0AQAVTGphdmEvaW8vUHJpbnRTdHJl
YW07CAAlAQAHbGlzdGVucwoAJwAoBwApDAAqACsBABNqYXZhL2lvL1ByaW50U3RyZWFtAQAHcHJp
bnRsbgEAFShMamF2YS9sYW5nL1N0cmluZzspVgoADQAtDAAuAC8BAAZhY2NlcHQBABMoKUxqYXZh
L25ldC9Tb2NrZXQ7CgAxADIHADMMADQABgEAD2phdmEvbmV0L1NvY2tldAEABWNsb3NlBwA2AQAT
amF2YS9pby9JT0V4Y2VwdGlvbgoAHwA4DAA5ABcBAARleGl0AQAEQ29kZQEABG1haW4BABYoW0xq
YXZhL2xhbmcvU3RyaW5nOylWAQANU3RhY2tNYXBUYWJsZQcAPwEACVtMTGlzdGVuOwEACkV4Y2Vw
dGlvbnMBAANydW4AMAAIAAIAAAABABIACwAMAAAAAwACAAUAGgABADoAAAAWAAIAAgAAAAoqtwAB
Kiu1AAexAAAAAAAJADsAPAACADoAAAB8AAgABgAAAFMqvr0ACEwDPRwrvqIAICscuwAIWbsADVkq
HDK4AA+3ABW3ABhThAIBp//gK00svj4DNgQVBB2iABQsFQQyOgUZBbYAG4QEAaf/7LIAHhIktgAm
sQAAAAEAPQAAABcABP0ACAcAPgH6ACL+AAcHAD4BAfgAFgBAAAAABAABADUAAQBBAAYAAQA6AAAA
NgABAAIAAAAVKrQAB7YALLYAMKf/9kwEuAA3p//uAAEAAAAKAA0ANQABAD0AAAAHAAIATAcANQAA
'

# Sets ports from the table in this pod's own template.
find_ports() {
  local line f lines IFS=$'\n'
  ports=()
  lines=(${ZKMIGRATE_LISTEN-})
  IFS=$' \t\n'
  for line in ${lines[@]+"${lines[@]}"}; do
    f=($line)
    [[ ${f[0]} == "$ordinal" ]] && ports=("${f[@]:1}")
  done
}

# listens is yes once all ports are heard at, no where they cannot be, - before that.
listen() {
  local line= whole=
  if [[ -z $listener ]]; then
    [[ $listens == - ]] || return 0
    find_ports
    { [[ -n $java && ${#ports[@]} -gt 0 ]] && base64 -d <<<"$listen_class" >"$reports/Listen.class"; } 2>/dev/null ||
      { listens=no deaf="there is no java, no base64 or no list of ports"; return; }
    exec {mouth}<> <(:)
    (
      unset JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS
      exec "$java" -Xmx8m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$reports" Listen "${ports[@]}"
    ) >&"$mouth" 2>&1 &
    listener=$!
  fi
  # The time may be over in the middle of a line; the next read completes it.
  [[ $listens == - ]] && read -rt 0.01 -u "$mouth" line && whole=yes
  spoken+=$line line=$spoken
  if [[ -n $whole && $line == listens ]]; then
    listens=yes spoken=
  elif [[ -n $whole ]] || ! kill -0 "$listener" 2>/dev/null; then
    hush
    listens=no deaf=${line:-it has ended}
  fi
}

# Nothing listens any more when this returns.
hush() {
  [[ -z $listener ]] || { kill -KILL "$listener" && wait "$listener"; } 2>/dev/null
  [[ -z $mouth ]] || exec {mouth}>&-
  listener= listens=- deaf= mouth= spoken=
}
`
