package hostscript

// means are how the script says what it has found, and how it asks. The body is the
// same for every ensemble. What it rests on:
//   - Everything is in functions, called by the last line: of a script that was cut
//     off on its way nothing runs. That line also closes standard input, from which
//     the rest of the script would be read away.
//   - What runs at the same time prints a line each, in one write, whole on a pipe: no
//     files are needed.
//   - A connect is closed at once. One that is held keeps the peers of a live server
//     from its election port for syncLimit ticks (see the gate's script).
//   - In the answer to cons the connection that asks is the one with one request and
//     no answer yet, and without any interest: [0] (seen on 3.4.13, 3.8.0 and 3.9.3).
//     Where several ask at once it is not known which one is ours.
//   - Some shells keep a here-document in a file. There is none.
const means = `set -u
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

# JSON. A value that is empty or does not fit is unknown: null.
text() { # in ASCII; any other byte becomes a question mark
  case $1 in '') echo null ;; *) printf '"%s"\n' "$(printf %.1024s "$1" | tr -c ' -~' '?' | sed 's/["\\]/\\&/g')" ;; esac
}
number() { case $1 in ''|*[!0-9]*|0?*|????????????????*) echo null ;; *) echo "$1" ;; esac; }
truth() { case $1 in yes) echo true ;; no) echo false ;; *) echo null ;; esac; }
list() { printf '[%s]\n' "$(tr '\n' , | sed 's/,$//')"; } # of the values on its lines

have() { command -v "$1" >/dev/null 2>&1; }
within() { timeout 3 "$@"; } # 124 when 3 s were too short
yes() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }

dial() { # HOST PORT: one connect and its end, nothing sent
  case $means in
  bash) within bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" ;;
  nc) within nc -z -v -w 3 "$1" "$2" ;;
  *) echo 'neither bash nor nc is here'; return 1 ;;
  esac
}
own() { # HOST PORT: under which address ZooKeeper sees a connection from here, where it says so
  [ "$means" = bash ] || return
  within bash -c 'exec 3<>"/dev/tcp/$0/$1" && printf cons >&3 && cat <&3' "$1" "$2" 2>/dev/null |
    sed -n 's/^ *\/\(.*\):[0-9]*\[0\](queued=0,recved=1,sent=0).*/\1/p' | awk '{ a = $0 } END { if (NR == 1) print a }'
}
try() { # SERVER VIA HOST PORT [cons]
  said=$(dial "$3" "$4" 2>&1)
  case "$? $said" in
  0\ *) result=open ;;
  *[Uu]sage:*) result='' ;;
  124\ *|*'timed out'*) result=silent ;;
  *refused*) result=closed ;;
  *nreachable*|*'No route'*|*'Host is down'*) result=unreachable ;;
  *) result='' ;;
  esac
  seen='' route=''
  case $result${5-} in opencons) seen=$(own "$3" "$4") ;; silent*|unreachable*) route=$(ip route get "$3" 2>&1 | head -n 1) ;; esac
  case $result in '') ;; *) said='' ;; esac
  printf '{"server":%s,"via":"%s","host":%s,"port":%s,"result":%s,"seenAs":%s,"route":%s,"detail":%s}\n' "$1" "$2" "$(text "$3")" "$4" \
    "$(text "$result")" "$(text "$seen")" "$(text "$route")" "$(text "$(printf %.200s "$said")")"
}
resolve() { # NAME
  found=$(within getent ahosts "$1" 2>/dev/null)
  case $? in 0) result=found ;; 2) result=not-found ;; *) result='' ;; esac
  found=$(printf '%s\n' "$found" | awk '$1 ~ /^[0-9a-fA-F:.]+$/ && !seen[$1]++ && n++ < 16 { print "\"" $1 "\"" }' | list)
  printf '{"name":%s,"result":%s,"addresses":%s}\n' "$(text "$1")" "$(text "$result")" "$found"
}
batch() { # 32 at a time
  "$@" &
  asked=$((asked + 1))
  [ $((asked % 32)) != 0 ] || wait
}
`
