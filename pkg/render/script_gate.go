package render

// gateScript stands at the head of the container: it waits for the server's
// line in the gate and then becomes ZooKeeper (exec), so that nothing has to be
// scheduled, pulled or mounted at that moment.
//
// What it rests on:
//   - Who it is, and which host must be down, stands in the pod's own template: what
//     is edited later, the gate's ConfigMap too, cannot change it.
//   - A running server whose client port is asked again and again writes a line
//     into its log each time (3.8 a stack trace). So the gate asks once and keeps
//     the connection, idle, until the server closes it (3.5 and later do so
//     after 10 s) or 30 s are over; its end is the hint to ask again, and what
//     is reported always comes from a new connect. A server that stops is seen
//     within half a second.
//   - A connect is a fork and starts no program, and only its answer is waited for:
//     on a busy node three programs take longer than a connect may.
//   - A read can also time out halfway through a line there. The next read completes
//     it; otherwise the message that the watched connection has ended would be lost,
//     and the host reported open for another 30 s.
//   - The election port is asked only when the client port does not answer: a
//     connect there costs a live server a warning with a stack trace, and a
//     silent connection held open there keeps every peer out for syncLimit ticks
//     (QuorumCnxManager reads the peer's id on its accepting thread; seen on
//     3.4.13, 3.8.0 and 3.9.3).
//   - A gate generation stands for one proof that an empty member may start, or
//     for one complete copy of the host's data. Data of another generation is put
//     aside: it is stale. Data of the same generation is a plain restart, once
//     the server has synced (zkmigrate-joined, written by the readiness probe);
//     before that it may be half of a first sync, which ZooKeeper before 3.5.10
//     and 3.6.3 completes wrongly (ZOOKEEPER-3642).
//   - A learner writes currentEpoch before it acknowledges anything of a leader's
//     (Learner.syncWithLeader at NEWLEADER); an empty server begins with 0. So a
//     volume on which ZooKeeper was started and that shows none never voted for a
//     write.
//   - Only the pod that the line names may start from nothing: a later pod that
//     finds no data has lost what it acknowledged, and needs a new proof.
//   - A kubelet may show an older gate after a newer one: it lists ConfigMaps from
//     whatever API server answers, with resourceVersion 0 (its watch cache), when
//     it starts and for each new pod. A line that was taken out must not come back
//     that way, so the volume remembers the newest generation.
//   - With reconfigEnabled ZooKeeper writes newer dynamic files beside zoo.cfg and
//     names them there (QuorumPeerConfig.editStaticConfig), so a restart must not
//     go back to the one that was rendered.
//   - A ConfigMap may be edited, or written anew by a later wrap, long after the
//     release. Where its zoo.cfg names other directories, ZooKeeper begins from
//     what is there; only 3.4.12, 3.5.4 and later look for logs in a wrong place,
//     and only while the two directories differ (ZOOKEEPER-2967).
//   - A host that runs while the line is out of the gate makes what is on the
//     volume old. The volume remembers that, and the same line opens nothing any
//     more, should somebody put back a journal of before.
//   - What it reports goes into a file that another container repeats (relayScript),
//     with the pod's uid and the time: ZooKeeper's log shows what clients send.
//   - ConfigMap volumes change by a rename of ..data; all files are read through
//     one target of it.
const gateScript = `#!/usr/bin/env bash
# gate.sh COMMAND [ARGS...]
# Waits until this pod's server is released and its host is seen to be down, then
# replaces itself by COMMAND ARGS... ZOO.CFG. Written by kubectl-zkmigrate.
set -uf

gate=${ZKMIGRATE_GATE:-/zkmigrate/gate}
conf=${ZKMIGRATE_CONF:-/zkmigrate/conf}
volume=${ZKMIGRATE_VOLUME:-/zookeeper}
reports=${ZKMIGRATE_REPORT:-/zkmigrate/report}
data=$volume/data
datalog=$volume/datalog
marker=$volume/zkmigrate-generation
started=$volume/zkmigrate-started
joined=$volume/zkmigrate-joined
newest=$volume/zkmigrate-newest
born=$volume/zkmigrate-born
outlived=$volume/zkmigrate-outlived
cfg=$volume/conf/zoo.cfg
# The volume as zoo.cfg names it.
named=${ZKMIGRATE_NAMED:-$volume}

here=$PWD
number='^(0|[1-9][0-9]{0,9})$'
address='^([0-9a-fA-F:.]+|-)$'
begin='^(empty:[a-z0-9-]+|seed:[a-z0-9]+)$'
letters='^[a-z0-9]+$'
ordinal=${POD_NAME-}
ordinal=${ordinal##*-}
state= detail= cause= seed= synced= holds=0 since= generation=0 id=0 release= start=
host= client_port= election_port=
client=unasked election=unasked
have= stamp= joint= older= seen=
due=0 said= told= said_at=-9 child= watcher= tag=0 watched= heard= from= word=
# Since when the host has refused both ports at each look; -1 while it has not.
closed_at=-1 probed=0

# An fd that never has data, unless a watcher writes: waiting on it is
# interruptible by signals and costs no process.
exec {idle}<> <(:)
trap 'stop "$child"; stop "$watcher"; hush; exit 143' TERM INT

# A child: one connect, kept for SECONDS at most. Writes "TAG open" and, at its
# end, "TAG end"; or "TAG closed", or "TAG silent".
dial() { # TAG PORT SECONDS
  local word=silent LC_ALL=C
  { echo "$1 open"; read -rt "$3" -u 3 _; word=end; } 2>/dev/null 3<>"/dev/tcp/$host/$2"
  [[ $word == silent && $( { : 3<>"/dev/tcp/$host/$2"; } 2>&1 ) == *refused* ]] && word=closed
  echo "$1 $word"
}

stop() { # CHILD
  [[ -z $1 ]] || { kill "$1" && wait "$1"; } 2>/dev/null
}

# Sets from and word to the next message. The time may be over in the middle of one
# on a busy node; what was read of it is kept.
hear() { # SECONDS
  local line= whole=
  IFS= read -rt "$1" -u "$idle" line && whole=yes
  heard+=$line
  [[ -n $whole ]] || return
  from=${heard%% *} word=${heard#* } heard=
}

# Sets answer by a new connection of child; what former ones still say is told
# from it by the tag.
ask() { # PORT SECONDS
  tag=$((tag + 1)) answer=silent
  dial "$tag" "$1" "$2" >&"$idle" &
  child=$!
  while hear 2; do
    [[ $from == "$tag" ]] && answer=$word && break
  done
}

# The connection stays, as the watcher.
ask_client() {
  local old=$watcher
  ask "$client_port" 30
  watcher=$child child= watched=$tag
  stop "$old"
  [[ $answer == open ]] && return
  [[ $answer == end ]] && answer=open && due=0 && return
  stop "$watcher"
  watcher=
}

ask_election() {
  ask "$election_port" 0
  stop "$child"
  child=
}

probe() {
  local since=$closed_at
  due=$((SECONDS + 40)) closed_at=-1
  if [[ $host == - ]]; then
    # Its operator has declared the host gone: whoever has its address now is somebody else.
    client=closed election=closed
  else
    ask_client
    client=$answer election=unasked
    [[ $client == open ]] && return
    ask_election
    election=$answer
  fi
  due=$((SECONDS + 2))
  # Frozen, or the clock was set: nobody looked meanwhile.
  ((SECONDS >= probed && SECONDS - probed <= 15)) || since=-1
  probed=$SECONDS
  [[ $client$election != closedclosed ]] || closed_at=$((since < 0 ? SECONDS : since))
  # A server that is going down closes this port last.
  [[ $election == open ]] && due=$((SECONDS + 1))
  [[ $client == silent || $election == silent ]] && due=$((SECONDS + 4))
}

# Writes the report, in full or not at all, when it has changed, each second at
# first and every 5 s later. The log gets the words alone: nobody reads it but people.
report() {
  local LC_ALL=C now words=${detail//\"/\'}
  words=${words//[^[:print:]]/?} words=${words:0:1000}
  local key="$state $generation $id $client $election $cause $seed $synced $holds $since $listens $words"
  [[ $key != "$said" ]] || ((SECONDS - said_at >= (SECONDS < 5 ? 1 : 5))) || return 0
  said=$key said_at=$SECONDS
  [[ $told == "$state $words" ]] || printf 'gate: %s: %s\n' "$state" "$words"
  told="$state $words"
  now=${EPOCHREALTIME-}
  [[ -n $now ]] || printf -v now '%(%s)T' -1
  { printf 'zkmigrate-gate pod=%s at=%s state=%s ordinal=%s id=%s generation=%s host-client=%s host-election=%s closed=%s cause=%s seed=%s synced=%s data=%s since=%s version=%s listens=%s detail="%s"\n' \
    "${POD_UID:--}" "${now/,/.}" "$state" "$ordinal" "$id" "$generation" "$client" "$election" "$((closed_at < 0 ? 0 : SECONDS - closed_at))" \
    "${cause:--}" "${seed:--}" "${synced:--}" "$holds" "${since:--}" "${version:--}" "$listens" "$words" >"$reports/gate.tmp" &&
    mv -fT "$reports/gate.tmp" "$reports/gate"; } || echo "gate: cannot write $reports/gate"
}

refuse() { # TEXT [CAUSE]
  state=refused detail=$1 cause=${2-}
  return 1
}

# The token of the one complete copy on the volume, if there is one.
find_seed() {
  local dir name
  seed=
  set +f
  for dir in "$volume"/seed-*; do
    name=${dir##*/seed-}
    [[ -d $dir && $name =~ $letters ]] || continue
    [[ -z $seed ]] || { seed=; break; }
    seed=$name
  done
  set -f
}

# Reads a note of the volume's. One that is there and cannot be read is none that is
# missing: what the data is would be unknown, and taken for nothing.
note() { # VARIABLE FILE
  local value=
  if [[ -e $2 || -L $2 ]]; then
    { read -r value _ <"$2"; } 2>/dev/null && [[ $value =~ $number ]] ||
      { refuse "the note $2 cannot be read, so it is unknown what the data on this volume is: see to the volume"; return; }
  fi
  printf -v "$1" %s "$value"
}

# Sets what the volume remembers: of which generation its data is, of which one
# ZooKeeper was started, has synced, and was outlived by its host, the newest seen,
# and the one when the volume was in its place first.
notes() {
  have= stamp= joint= older= seen= since=
  note have "$marker" && note stamp "$started" && note joint "$joined" && note older "$outlived" && note seen "$newest" && note since "$born"
}

# Whether a ZooKeeper that was started on this volume has followed a leader;
# nothing when none was started, old when its host has run since; and of which
# generation the data is.
find_synced() {
  local epoch=
  synced= holds=${have:-0}
  [[ -n $have && $have == "$stamp" && -e $data/myid ]] || return 0
  synced=yes
  if [[ -e $data/version-2/currentEpoch ]]; then
    read -r epoch <"$data/version-2/currentEpoch"
    [[ $epoch == 0 || $epoch == -1 ]] && synced=no
  elif [[ ! -e $data/version-2/acceptedEpoch ]]; then
    synced=no
  fi
  [[ $synced != yes || $older != "$have" ]] || synced=old
}

# Reads released and generation from one view of the volume.
load() {
  local view try
  for try in 1 2 3 4 5; do
    cd -P "$gate/..data" 2>/dev/null || cd -P "$gate" 2>/dev/null || return 1
    view=$PWD
    { mapfile -t released_lines <released && mapfile -t generation_lines <generation; } 2>/dev/null || view=
    cd -P "$gate/..data" 2>/dev/null || cd -P "$gate" 2>/dev/null || return 1
    [[ -n $view && $view == "$PWD" ]] && return 0
  done
  return 1
}

# Sets id, host and ports from the table in this pod's own template.
identify() {
  local line f lines seen_ordinals=' ' seen_ids=' ' mine= IFS=$'\n'
  id=0
  lines=(${ZKMIGRATE_SERVERS-})
  IFS=$' \t\n'
  [[ $ordinal =~ $number ]] || { ordinal=-1; refuse "POD_NAME does not end in an ordinal"; return; }
  for line in ${lines[@]+"${lines[@]}"}; do
    f=($line)
    [[ ${#f[@]} == 5 && ${f[0]} =~ $number && ${f[1]} =~ $number && ${f[2]} =~ $address &&
      ${f[3]} =~ $number && ${f[4]} =~ $number && $seen_ordinals != *" ${f[0]} "* && $seen_ids != *" ${f[1]} "* ]] ||
      { refuse "ZKMIGRATE_SERVERS in the pod's template is garbled: $line"; return; }
    seen_ordinals+="${f[0]} " seen_ids+="${f[1]} "
    [[ ${f[0]} == "$ordinal" ]] && mine=$line
  done
  [[ -n $mine ]] || { refuse "ZKMIGRATE_SERVERS in the pod's template has no line for ordinal $ordinal"; return; }
  f=($mine)
  id=${f[1]} host=${f[2]} client_port=${f[3]} election_port=${f[4]}
}

# Sets generation and, when released, release and start.
look() {
  local line f old
  release= start= cause= generation=0
  find_seed
  notes || { synced= holds=0; return 1; }
  find_synced
  identify || return
  load
  local loaded=$?
  cd "$here" 2>/dev/null || cd /
  ((loaded == 0)) || { refuse "the gate's released and generation cannot be read in $gate"; return; }
  f=(${generation_lines[*]-})
  [[ ${#f[@]} == 1 && ${f[0]} =~ $number ]] || { refuse "the gate's generation is garbled"; return; }
  generation=${f[0]}
  newer || return
  for line in ${released_lines[@]+"${released_lines[@]}"}; do
    f=($line)
    ((${#f[@]})) || continue
    [[ ${#f[@]} == 4 && ${f[0]} =~ $number && ${f[1]} =~ $number && ${f[2]} =~ $number && ${f[3]} =~ $begin ]] ||
      { refuse "the gate's released list is garbled: $line"; return; }
    [[ ${f[0]} == "$ordinal" || ${f[1]} == "$id" ]] || continue
    [[ ${f[0]} == "$ordinal" && ${f[1]} == "$id" ]] ||
      { refuse "the gate's released list says ordinal ${f[0]} id ${f[1]}, and this pod's template says ordinal $ordinal id $id"; return; }
    [[ -z $release ]] || { refuse "ordinal $ordinal is released twice"; return; }
    release=${f[2]} start=${f[3]}
  done
  if [[ -e $data/myid || -L $data/myid ]]; then
    old=
    read -r old 2>/dev/null <"$data/myid"
    [[ $old == "$id" ]] || { refuse "the volume belongs to another server: myid is '$old', this pod's template says $id"; return; }
  fi
  return 0
}

` + putScript + `
# Refuses a view of the gate that is older than one seen before on this volume.
newer() {
  seen=${seen:-0}
  ((generation >= seen)) ||
    { refuse "the gate was at generation $seen here and is at $generation: an old view of it opens nothing (if it was made anew by hand, set its generation above $seen)"; return; }
  ((generation == seen)) || put "$newest" "$generation" || { refuse "cannot write $newest"; return; }
  # A volume that is in its place for the first time is none of an earlier release.
  [[ -n $since ]] && return
  since=$((seen > 0 ? seen : generation))
  put "$born" "$since" || { since=; refuse "cannot write $born"; return; }
}

` + volumeScript + versionScript + listenScript + filesScript + handshakeScript + `
find_java
find_version "$@"
while :; do
  # A clock that was set back would put the next look off for as long.
  ((due <= SECONDS + 40 && said_at <= SECONDS)) || due=$SECONDS said_at=$((SECONDS - 9))
  if ! look || ! place; then
    hush # the reason stands in detail
  else
    # With the client port known to be open the watcher tells when to ask again.
    if ((SECONDS >= due)) || [[ -n $release && $client != open ]]; then probe; fi
    if [[ -z $release && ( $client == open || $election == open ) ]]; then listen; else hush; fi
    if [[ -z $release && $client$election == *open* ]] && ! shake; then
      # The reason stands in detail, or will be known in a moment.
      [[ -z $hand ]] || { hear 0.5; continue; }
    elif [[ -z $release ]]; then
      state=parked detail="waits for its line in the gate${version_why:+; which ZooKeeper the image holds is unknown: $version_why}${deaf:+; nothing listens at its ports meanwhile: $deaf}"
      [[ $client != open && $election != open ]] || outlive
    elif [[ $client == open || $election == open ]]; then
      state=vetoed detail="released, but the server on host $host still accepts connections"
    elif other_release; then
      : # the reason stands in detail
    elif prepare; then
      state=started detail="generation $release"
      report
      break
    fi
  fi
  report
  # The watched connection has ended: ask again now.
  if hear 0.5 && [[ $from == "$watched" ]]; then due=0; fi
  [[ -z $watcher ]] || kill -0 "$watcher" 2>/dev/null || due=0
done

stop "$watcher"
hush
trap - TERM INT
exec {idle}>&-
flags
exec "$@" "$cfg"
`
