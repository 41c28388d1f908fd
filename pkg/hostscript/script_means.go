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
//   - Some shells keep a here-document in a file. There is none.
const means = `set -u
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
# Several lines of say as one that begins with +, so that no other's come between.
whole() { printf '+%s\n' "$(printf %s "$1" | tr '\n' '\036')"; }
json() {
  awk '
    function text(s,   i, j, n, o, k, out) { # in ASCII; what is not UTF-8 becomes U+FFFD
      n = length(s)
      for (i = 1; i <= n; i++) {
        o = ord[substr(s, i, 1)]
        if (o >= 32 && o < 127) { out = out (o == 34 || o == 92 ? "\\" : "") substr(s, i, 1); continue }
        if (o > 127) {
          k = o < 194 || o > 244 ? 0 : o < 224 ? 1 : o < 240 ? 2 : 3
          o -= k == 3 ? 240 : k == 2 ? 224 : 192
          for (j = 1; j <= k && ord[substr(s, i + j, 1)] >= 128 && ord[substr(s, i + j, 1)] < 192; j++) o = o * 64 + ord[substr(s, i + j, 1)] - 128
          if (!k || j <= k || k == 2 && (o < 2048 || o > 55295 && o < 57344) || k == 3 && (o < 65536 || o > 1114111)) { o = 65533; k = 0 }
          i += k
        }
        if (o > 65535) { out = out sprintf("\\u%04x", 55296 + int((o - 65536) / 1024)); o = 56320 + o % 1024 }
        out = out sprintf("\\u%04x", o)
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
    BEGIN { for (i = 1; i < 256; i++) ord[sprintf("%c", i)] = i }
    !/^[+]/ { put($0) }
    /^[+]/ { n = split(substr($0, 2), lines, "\036"); for (l = 1; l <= n; l++) put(lines[l]) }
    END { print "" }'
}

have() { command -v "$1" >/dev/null 2>&1; }
# Runs a program for 3 s at most; 124 when that was too short.
within() { timeout 3 "$@"; }
yes() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }

dial() { # HOST PORT: one connect and its end, nothing sent
  case $means in
  bash) within bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" ;;
  python*) within "$means" -c 'import socket, sys
try: socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()
except Exception as e: sys.exit(str(e))' "$1" "$2" ;;
  perl) within perl -MIO::Socket -e 'IO::Socket::INET->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1], Timeout => 3) or die "$@\n"' "$1" "$2" ;;
  nc) within nc -z -v -w 3 "$1" "$2" ;;
  *) echo 'none of bash, python3, python, perl, nc is here'; return 1 ;;
  esac
}
try() { # SERVER VIA HOST PORT
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
  whole "$(say '{' -; say n server "$1"; say s via "$2"; say s host "$3"; say n port "$4"; say s result "$result"; say s detail "$(printf %.200s "$said")"; say '}')"
}
resolve() { # NAME
  result='' found=''
  if have getent; then
    found=$(within getent ahosts "$1" 2>/dev/null)
    case $? in 0) result=found ;; 2) result=not-found ;; esac
  fi
  found=$(printf '%s\n' "$found" | awk '$1 ~ /^[0-9a-fA-F:.]+$/ && !seen[$1]++ && n++ < 16 { print "s - " $1 }')
  whole "$(say '{' -; say s name "$1"; say s result "$result"; say '[' addresses; [ -z "$found" ] || printf '%s\n' "$found"; say ']'; say '}')"
}
batch() { # 32 at a time
  "$@" &
  asked=$((asked + 1))
  [ $((asked % 32)) != 0 ] || wait
}
`
