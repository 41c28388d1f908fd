package hostscript

// means are how the script says what it has found, and how it asks. The body is the
// same for every ensemble. What it rests on:
//   - Everything is in functions, called by the last line: of a script that was cut
//     off on its way nothing runs. That line also closes standard input, from which
//     the rest of the script would be read away.
//   - The functions write lines; one awk program makes JSON of them. So there is one
//     place that quotes, and what runs at the same time needs no files: a line is one
//     write, whole on a pipe.
//   - A connect is closed at once. One that is held keeps the peers of a live server
//     from its election port for syncLimit ticks (see the gate's script).
//   - In the answer to cons the connection that asks is the one with one request and
//     no answer yet, and without any interest: [0] (seen on 3.4.13, 3.8.0 and 3.9.3).
//     Where several ask at once it is not known which one is ours.
//   - Some shells keep a here-document in a file. There is none.
const means = `set -u
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
nl='
' rs=$(printf '\036')

# Lines for json: "{ NAME", "[ NAME", "}", "]", "s NAME TEXT", "n NAME NUMBER", "b NAME yes|no".
# An element of a list has the name "-". A value that is empty or does not fit is unknown: null.
say() {
  case ${3-} in *["$nl$rs"]*) set -- "$1" "$2" "$(printf %s "$3" | tr '\n\036' '  ')" ;; esac
  printf '%s %s %s\n' "$1" "${2-}" "${3-}"
}
# Several lines of say as one that begins with +, so that no other's come between.
whole() { printf '+%s\n' "$(tr '\n' '\036')"; }
json() {
  awk '
    function text(s,   i, c, out) { # in ASCII; any other byte is shown as a question mark
      for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        out = out (c == "\"" || c == "\\" ? "\\" c : c >= " " && c <= "~" ? c : "?")
      }
      return "\"" out "\""
    }
    function put(s,   t, k, v) {
      t = substr(s, 1, 1); k = substr(s, 3); sub(/ .*/, "", k); v = substr(s, length(k) + 4)
      if (t == "}" || t == "]") { depth--; printf "%s", t; return }
      printf "%s%s", (some[depth]++ ? "," : ""), (k == "-" ? "" : "\"" k "\":")
      if (t == "{" || t == "[") { some[++depth] = 0; printf "%s", t }
      else if (t == "s") printf "%s", (v == "" || length(v) > 1024 ? "null" : text(v))
      else if (t == "b") printf "%s", (v == "yes" ? "true" : v == "no" ? "false" : "null")
      else printf "%s", (v ~ /^(0|[1-9][0-9]*)$/ && length(v) < 16 ? v : "null")
    }
    !/^[+]/ { put($0); next }
    { n = split(substr($0, 2), lines, "\036"); for (l = 1; l < n; l++) put(lines[l]) }
    END { print "" }'
}

have() { command -v "$1" >/dev/null 2>&1; }
# Runs a program for 3 s at most; 124 when that was too short.
within() { timeout 3 "$@"; }
yes() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }

dial() { # HOST PORT: one connect and its end, nothing sent
  case $means in
  bash) within bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" ;;
  python3) within python3 -c 'import socket, sys
try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()
except Exception as e: sys.exit(str(e))' "$1" "$2" ;;
  nc) within nc -z -v -w 3 "$1" "$2" ;;
  *) echo 'none of bash, python3 and nc is here'; return 1 ;;
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
  124\ *|*'timed out'*|*'connect: timeout'*) result=silent ;;
  *refused*) result=closed ;;
  *nreachable*|*'No route'*|*'Host is down'*) result=unreachable ;;
  *) result='' ;;
  esac
  case $result in '') ;; *) said='' ;; esac
  {
    say '{' -; say n server "$1"; say s via "$2"; say s host "$3"; say n port "$4"; say s result "$result"
    case $result${5-} in opencons) say s seenAs "$(own "$3" "$4")" ;; esac
    case $said in ?*) say s detail "$(printf %.200s "$said")" ;; esac
    say '}'
  } | whole
}
resolve() { # NAME
  found=$(within getent ahosts "$1" 2>/dev/null)
  case $? in 0) result=found ;; 2) result=not-found ;; *) result='' ;; esac
  {
    say '{' -; say s name "$1"; say s result "$result"; say '[' addresses
    printf '%s\n' "$found" | awk '$1 ~ /^[0-9a-fA-F:.]+$/ && !seen[$1]++ && n++ < 16 { print "s - " $1 }'
    say ']'; say '}'
  } | whole
}
batch() { # 32 at a time
  "$@" &
  asked=$((asked + 1))
  [ $((asked % 32)) != 0 ] || wait
}
`
