package tunnel

// hello is the first line of the program in the pod.
const hello = "zkmigrate-tunnel 1"

// Program is what has to be run in the pod: bash alone, with its /dev/tcp.
//
// It reads one command a line and answers in lines that a pipe does not mix up (they are
// shorter than PIPE_BUF, 4096 bytes):
//
//	o ID HOST PORT   connect           ID o         connected
//	s ID \xNN...     send these bytes  ID f WORDS   not connected, in the system's words
//	c ID             close             ID d QUOTED  bytes that came
//	p                still there?      ID e         the other side has closed
//	                                   p            yes
//
// It ends, and all that it started, when its input does, or when nothing came for a
// minute. Each conversation is one process that starts no other: in a pod whose first
// process is ZooKeeper nobody buries the dead of somebody else.
func Program() []string { return []string{"bash", "-c", script, "zkmigrate-tunnel"} }

// quoteMark begins what bash quotes, so that it always takes the form $'...'.
const quoteMark = `\001`

const script = `
set -uf
LC_ALL=C
trap '' PIPE
declare -A to=() pid=()

# A conversation: its commands come by descriptor $2, bytes by descriptor 5.
converse() {
  local id=$1 commands=$2 words=$3 line= rest chunk rc
  { exec 5<>"/dev/tcp/$4/$5"; } 2>&"$words" || {
    IFS= read -rt 1 -u "$words" rest
    printf '%s f %.300s\n' "$id" "${rest:-no reason}"
    return
  }
  printf '%s o\n' "$id"
  while kill -0 $$ 2>/dev/null; do
    if read -t 0 -u "$commands"; then
      # What has come of a line when the time is over is its beginning.
      IFS= read -rt 0.01 -u "$commands" rest
      rc=$? line+=$rest
      ((rc == 0)) || continue
      [[ $line == s* ]] || return
      printf "${line#s}" >&5
      line=
    fi
    IFS= read -rt 0.01 -d '' -n 1000 -u 5 chunk
    rc=$?
    [[ -z $chunk && $rc -ne 0 ]] || printf '%s d %q\n' "$id" $'\001'"$chunk"
    if ((rc == 0 && ${#chunk} < 1000)); then printf '%s z\n' "$id"; fi
    if ((rc > 0 && rc <= 128)); then printf '%s e\n' "$id"; return; fi
  done
} 2>/dev/null

finish() {
  if [[ -n ${pid[$1]-} ]]; then
    [[ $2 == kill ]] && kill -9 "${pid[$1]}"
    wait "${pid[$1]}"
    exec {to[$1]}>&-
    unset "to[$1]" "pid[$1]"
  fi
} 2>/dev/null

printf '%s\n' '` + hello + `'
while IFS=' ' read -rt 60 what id rest; do
  case $what in
  o)
    exec {fd}<> <(:) {words}<> <(:)
    converse "$id" "$fd" "$words" $rest &
    to[$id]=$fd pid[$id]=$!
    exec {words}>&-
    ;;
  s) [[ -z ${to[$id]-} ]] || printf 's%s\n' "$rest" >&"${to[$id]}" ;;
  c) [[ -z ${to[$id]-} ]] || printf 'c\n' >&"${to[$id]}"; finish "$id" end ;;
  k) finish "$id" kill ;;
  p) printf 'p\n' ;;
  esac
done
for id in "${!pid[@]}"; do finish "$id" kill; done
`
