package tunnel

// hello is the first line of the program in the pod, as script prints it.
const hello = "zkmigrate-tunnel 1"

// Program is what has to be run in the pod: bash, with its /dev/tcp, and dd, base64 and tr.
//
// It reads one command a line and answers in lines that are written at once (they fit
// into the buffer of the smallest C library, 1008 bytes) and that a pipe does not mix up:
//
//	o ID HOST PORT   connect           ID o         connected
//	s ID \xNN...     send these bytes  ID f WORDS   not connected, in the system's words
//	c ID             close             ID d BASE64  bytes that came
//	k ID             kill              ID e         the other side has closed
//	p                still there?      p            yes
//
// It ends, and all that it started, when its input does, or when nothing came for a
// minute. In a pod whose first process is ZooKeeper nobody buries the dead of somebody
// else, so each conversation buries its own, and what may hang in a connect has none.
//
// Bytes are read only where some are there: read with a time-out loses what comes in just
// that moment (seen with bash 5.2 on a busy machine).
func Program() []string { return []string{"bash", "-c", script, "zkmigrate-tunnel"} }

const script = `
set -uf
LC_ALL=C
trap '' PIPE
declare -A to=() pid=()
beats=0

# A conversation: its commands come by descriptor $2, bytes by descriptor 5.
converse() {
  local id=$1 commands=$2 idle=$3 line bytes how
  { exec 5<>"/dev/tcp/$4/$5"; } 2>&"$idle" || {
    IFS= read -rt 1 -u "$idle" line
    printf '%s f %.300s\n' "$id" "${line:-no reason}"
    return
  }
  printf '%s o\n' "$id"
  while kill -0 $$ 2>/dev/null; do
    if read -t 0 -u "$commands"; then
      IFS= read -ru "$commands" line
      [[ $line == s* ]] || return
      printf "${line#s}" >&5
    elif read -t 0 -u 5; then
      bytes=$(dd bs=16384 count=1 <&5 2>/dev/null | base64 | tr -d '\n'; printf ' %s' "${PIPESTATUS[*]}")
      how=${bytes#* } bytes=${bytes%% *}
      # dd fails where the other side has reset the connection. Whatever else fails is
      # this pod's fault and no end.
      [[ $how == [01]' 0 0' ]] || kill $$
      [[ -n $bytes ]] || { printf '%s e\n' "$id"; return; }
      while [[ -n $bytes ]]; do
        printf '%s d %s\n' "$id" "${bytes:0:900}"
        bytes=${bytes:900}
      done
    else
      read -rt 0.01 -u "$idle" line
    fi
  done
} 2>/dev/null

finish() {
  local fd=${to[$1]-} process=${pid[$1]-}
  [[ -n $process ]] || return
  [[ $2 == end ]] || kill -9 "$process"
  wait "$process"
  exec {fd}>&-
  unset "to[$1]" "pid[$1]"
} 2>/dev/null

printf '%s\n' 'zkmigrate-tunnel 1'
while IFS=' ' read -rt 60 what id rest; do
  # Who runs a pod for tunnels alone learns that there is one.
  [[ -z ${ZKMIGRATE_ALIVE-} ]] || printf '%s.%s\n' "$$" "$((++beats))" >"$ZKMIGRATE_ALIVE"
  case $what in
  o)
    exec {fd}<> <(:) {idle}<> <(:)
    converse "$id" "$fd" "$idle" $rest &
    to[$id]=$fd pid[$id]=$!
    exec {idle}>&-
    ;;
  s) [[ -z ${to[$id]-} ]] || printf 's%s\n' "$rest" >&"${to[$id]}" ;;
  c) [[ -z ${to[$id]-} ]] || printf 'c\n' >&"${to[$id]}"; finish "$id" end ;;
  k) finish "$id" kill ;;
  p) printf 'p\n' ;;
  esac
done
for id in "${!pid[@]}"; do finish "$id" kill; done
`
