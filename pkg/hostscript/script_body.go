package hostscript

// The body is the same for every ensemble. What it rests on:
//   - Everything is in functions, called by the last line: of a script that was cut
//     off on its way nothing runs. That line also closes standard input, from which
//     the rest of the script would be read away.
//   - The functions write lines; one awk program makes JSON of them. So there is one
//     place that quotes, and what runs at the same time needs no files: a line is one
//     write, whole on a pipe.
//   - A connect is closed at once. One that is held keeps the peers of a live server
//     from its election port for syncLimit ticks (see the gate's script).
//   - iptables-legacy and nft may load kernel modules when they list rules, and a NAT
//     module begins to track connections. Neither is asked unless its module is loaded.
//   - In IPVS mode every ClusterIP is an address of the interface kube-ipvs0: those are
//     not the host's own.
//   - Files of a process with another root, or in a container, are not the ones that
//     their paths name here: they are left unknown.
//   - Java reads backslashes in zoo.cfg as escapes and continued lines. A file that has
//     one outside its comments is not understood here: its settings are left unknown.
const helpers = `set -u
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
nl='
'
rs=$(printf '\036')

# Lines for json: "{ NAME", "[ NAME", "}", "]", "s NAME TEXT", "n NAME NUMBER", "b NAME yes|no".
# An element of a list has the name "-". A value that is empty or does not fit is unknown: null.
say() {
  clean "${3-}"
  printf '%s %s %s\n' "$1" "${2-}" "$cleaned"
}
clean() {
  cleaned=$1
  while case $cleaned in *["$nl$rs"]*) ;; *) false ;; esac; do
    cleaned=${cleaned%%["$nl$rs"]*}' '${cleaned#*["$nl$rs"]}
  done
}
json() {
  awk '
    function text(s,   i, j, n, c, o, k, out) { # escaped, as ASCII; what is not UTF-8 becomes U+FFFD
      n = length(s)
      for (i = 1; i <= n; i++) {
        c = substr(s, i, 1); o = ord[c]
        if (o == 34 || o == 92) { out = out "\\" c; continue }
        if (o >= 32 && o < 127) { out = out c; continue }
        k = o < 194 || o > 244 ? 0 : o < 224 ? 1 : o < 240 ? 2 : 3
        if (o > 127) {
          o -= k == 3 ? 240 : k == 2 ? 224 : 192
          for (j = 1; j <= k && ord[substr(s, i + j, 1)] ~ /^(1[3-8]|12[89]|19[01])/; j++) o = o * 64 + ord[substr(s, i + j, 1)] - 128
          if (k == 0 || j <= k || k == 2 && (o < 2048 || o > 55295 && o < 57344) || k == 3 && (o < 65536 || o > 1114111)) { o = 65533; k = 0 }
          i += k
        }
        if (o > 65535) { out = out sprintf("\\u%04x", 55296 + int((o - 65536) / 1024)); o = 56320 + o % 1024 }
        out = out sprintf("\\u%04x", o)
      }
      return "\"" out "\""
    }
    function put(s,   t, k, v) {
      t = substr(s, 1, 1)
      if (t == "}" || t == "]") { depth--; printf "%s", t; return }
      k = substr(s, 3); sub(/ .*/, "", k); v = substr(s, length(k) + 4)
      printf "%s%s", (some[depth]++ ? "," : ""), (k == "-" ? "" : "\"" k "\":")
      if (t == "{" || t == "[") { some[++depth] = 0; printf "%s", t }
      else if (t == "s") printf "%s", (v == "" || length(v) > 1024 ? "null" : text(v))
      else if (t == "b") printf "%s", (v == "yes" ? "true" : v == "no" ? "false" : "null")
      else printf "%s", (v ~ /^(0|[1-9][0-9]*)$/ && length(v) < 16 ? v : "null")
    }
    BEGIN { for (i = 1; i < 256; i++) ord[sprintf("%c", i)] = i }
    { n = split($0, lines, "\036"); for (l = 1; l <= n; l++) put(lines[l]) }
    END { print "" }'
}

have() { command -v "$1" >/dev/null 2>&1; }
first() { { read -r line <"$1"; } 2>/dev/null || line=; }
# Runs a program for 3 s at most; 124 or more when that was too short.
within() {
  if [ -n "$timeout" ]; then timeout 3 "$@"; return; fi
  "$@" & child=$!
  { sleep 3; kill "$child"; } >/dev/null 2>&1 & guard=$!
  wait "$child"; code=$?
  kill "$guard" 2>/dev/null
  return "$code"
}

# One connect and its end, nothing sent.
dial() { # HOST PORT
  case $means in
  bash) within bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" ;;
  python*) within "$means" -c 'import socket, sys
try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()
except Exception as e: sys.exit(str(e))' "$1" "$2" ;;
  perl) case $1 in *:*) of=IP ;; *) of=INET ;; esac
    within perl -MIO::Socket::$of -e 'IO::Socket::'$of'->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 3) or die "$@\n"' "$1" "$2" ;;
  nc) within nc -z -v -w 3 "$1" "$2" ;;
  *) echo "none of bash, python3, python, perl, nc is here"; return 1 ;;
  esac
}
try() { # SERVER VIA HOST PORT
  said=$(dial "$3" "$4" 2>&1) && result=open || case "$? $said" in
  12[4-9]\ *|1[34]?\ *|*"timed out"*|*timeout*) result=silent ;;
  *refused*) result=closed ;;
  *nreachable*|*"No route"*|*"Host is down"*) result=unreachable ;;
  *) result='' ;;
  esac
  case $result in '') clean "$(printf %.200s "$said")" ;; *) cleaned= ;; esac
  printf "{ -${rs}n server %s${rs}s via %s${rs}s host %s${rs}n port %s${rs}s result %s${rs}s detail %s${rs}}\n" "$1" "$2" "$3" "$4" "$result" "$cleaned"
}
resolve() { # NAME
  result='' list=''
  if have getent; then
    found=$(within getent ahosts "$1" 2>/dev/null) && result=found || case $? in 2) result=not-found ;; esac
    list=$(printf '%s\n' "$found" | awk '$1 ~ /^[0-9a-fA-F:.]+$/ && !seen[$1]++ && n++ < 16 { printf "\036s - %s", $1 }')
  fi
  printf "{ -${rs}s name %s${rs}s result %s${rs}[ addresses%s${rs}]${rs}}\n" "$1" "$result" "$list"
}
# 32 at a time.
batch() {
  "$@" &
  asked=$((asked + 1))
  [ $((asked % 32)) != 0 ] || wait
}
`
