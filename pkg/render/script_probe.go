package render

// probeScript answers the kubelet.
//
// live: a waiting gate is alive, and so is a server that answers ruok in any
// way (the word may not be whitelisted; "not in the whitelist" is an answer
// too). Liveness never asks for a quorum: restarting a server because others
// are away makes it worse. While a large snapshot is loaded nothing listens
// yet, and the startup probe has passed long before, at the gate; so a fresh
// start has ten minutes before silence counts.
//
// ready: srvr shows a mode in which the server takes part in a quorum. ruok
// would say imok to a server without one. Once after each start the data is
// flushed first: ZooKeeper before 3.5.10 and 3.6.0 acknowledges a received
// snapshot that it has not fsynced (ZOOKEEPER-2872), and no other server may be
// stopped while a power failure could still take it back.
//
// Both are asked every few seconds, of every pod on a node: an answer that is as it
// was starts no program.
const probeScript = `#!/usr/bin/env bash
# probe.sh live|ready. Written by kubectl-zkmigrate.
set -uf
# A server that closes the connection early ends no probe.
trap '' PIPE

volume=${ZKMIGRATE_VOLUME:-/zookeeper}
process=${ZKMIGRATE_PROCESS:-/proc/1/cmdline}
grace=600

# Process 1 is the gate until it becomes ZooKeeper.
{ while IFS= read -rd '' word || [[ -n $word ]]; do
  if [[ $word == */gate.sh ]]; then
    [[ ${1-} == live ]] && exit 0
    echo "waits at its gate"
    exit 1
  fi
done <"$process"; } 2>/dev/null

ordinal=${POD_NAME##*-} port=
IFS=$'\n'
lines=(${ZKMIGRATE_SERVERS-})
IFS=$' \t\n'
for line in ${lines[@]+"${lines[@]}"}; do
  f=($line)
  [[ ${f[0]} == "$ordinal" ]] && port=${f[3]-}
done
# Where others find TLS alone, this pod has a port of its own.
[[ -n $port ]] && port=${ZKMIGRATE_LOCAL_PORT:-$port}
if [[ -z $port ]]; then
  echo "no line for ordinal $ordinal in ZKMIGRATE_SERVERS"
  [[ ${1-} == live ]] && exit 0
  exit 1
fi

ask() { # WORD: sets reply
  local line end=$((SECONDS + 3))
  reply=
  { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null && printf '%s' "$1" >&3 2>/dev/null || return
  while ((SECONDS < end && ${#reply} < 4096)) && { IFS= read -rn 4096 -t 3 -u 3 line || [[ -n $line ]]; }; do
    reply+=$line$'\n'
  done
  reply=${reply%$'\n'}
  exec 3>&-
}

first() { # FILE: sets line to its first line
  { read -r line <"$1"; } 2>/dev/null
}

` + putScript + `
case ${1-} in
live)
  ask ruok
  [[ -n $reply ]] && exit 0
  read -r _ since 2>/dev/null <"$volume/zkmigrate-started" || since=0
  printf -v now '%(%s)T' -1
  ((now - since < grace)) && exit 0
  echo "no answer to ruok on port $port"
  exit 1
  ;;
ready)
  ask srvr
  if [[ ! $reply =~ Mode:\ (leader|follower|observer) ]]; then
    echo "srvr on port $port: ${reply:-no answer}"
    exit 1
  fi
  first "$volume/zkmigrate-started" && started=$line || started=none
  first "$volume/zkmigrate-synced" && synced=$line || synced=
  [[ $started == "$synced" ]] && exit 0
  # File by file: flushing the whole file system would wait for others' writes.
  shopt -s globstar nullglob
  set +f
  files=("$volume/data"/** "$volume/datalog"/**)
  set -f
  # In slices: a program takes no more than some MiB of arguments.
  for ((i = 0; i < ${#files[@]}; i += 500)); do
    sync -- "${files[@]:i:500}" || { echo "cannot flush $volume"; exit 1; }
  done
  # From now on its data may be built on: the first sync is over and on disk.
  first "$volume/zkmigrate-joined" && joined=$line || joined=
  [[ $joined == "${started%% *}" ]] || put "$volume/zkmigrate-joined" "${started%% *}" || { echo "cannot write to $volume"; exit 1; }
  put "$volume/zkmigrate-synced" "$started" && exit 0
  echo "cannot write to $volume"
  exit 1
  ;;
*)
  echo "usage: probe.sh live|ready" >&2
  exit 2
  ;;
esac
`
