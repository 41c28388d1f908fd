package render

// volumeScript is the part of the gate's script that makes the volume ready for
// a start. What it rests on stands at gateScript.
const volumeScript = `# Sets value to that of a key of a zoo.cfg; empty where it is not there.
setting() { # KEY FILE
  local key text
  value=
  while IFS=$'=: \t\r' read -r key text || [[ -n $key ]]; do
    [[ $key == "$1" ]] && value=$text
  done 2>/dev/null <"$2"
}

# Copies the configuration to where ZooKeeper may write. The dynamic file is
# copied once a generation; a newer one that ZooKeeper has written stays named. zoo.cfg is
# put together of what all pods have, this server's own lines, and those that nobody else
# may read.
configure() {
  local dir=${cfg%/*} dynamic name line part
  setting dynamicConfigFile "$conf/zoo.cfg"
  dynamic=$value name=${value##*/}
  if [[ -n $dynamic ]]; then
    if [[ ! -e $dir/$name ]]; then
      cp "$conf/$name" "$dir/$name.tmp" && mv -fT "$dir/$name.tmp" "$dir/$name" || return
    fi
    setting dynamicConfigFile "$cfg"
    [[ -n $value && -e $dir/${value##*/} ]] && dynamic=$value
  fi
  rm -f -- "$cfg.tmp" && (umask 077 && : >"$cfg.tmp") || return
  for part in "$conf/zoo.cfg" "$conf/$id.zoo.cfg" "$private/zoo.cfg" "$private/$id.zoo.cfg"; do
    [[ -e $part ]] || continue
    while IFS= read -r line || [[ -n $line ]]; do
      [[ $line == dynamicConfigFile=* ]] && line=dynamicConfigFile=$dynamic
      printf '%s\n' "$line"
    done <"$part" >>"$cfg.tmp" || return
  done
  mv -fT "$cfg.tmp" "$cfg"
}

# Refuses a zoo.cfg that does not name the directories in which this server has
# its data: it would start with an old snapshot and no logs, or with nothing.
directories() {
  local dir logs file other=$datalog
  setting dataDir "$conf/zoo.cfg"
  dir=$value
  setting dataLogDir "$conf/zoo.cfg"
  logs=$value
  [[ $dir == "$named/data" ]] || { refuse "the pods' zoo.cfg has dataDir=$dir, and the data is in $named/data: set it right"; return; }
  [[ -z $logs || $logs == "$named/datalog" ]] ||
    { refuse "the pods' zoo.cfg has dataLogDir=$logs, which is not $named/datalog: set it right"; return; }
  [[ -n $logs ]] && other=$data
  set +f
  for file in "$other"/version-2/log.*; do
    [[ -e $file ]] && break
  done
  set -f
  [[ ! -e $file ]] || refuse "the pods' zoo.cfg has dataLogDir=$logs, and this server has its logs in $named${other#"$volume"}: set it right"
}

# Moves the copied data in place.
plant() {
  local from=$volume/seed-${start#seed:} dir
  for dir in data datalog; do
    [[ -d $from/$dir ]] || continue
    [[ ! -e $volume/$dir ]] || { refuse "$volume/$dir is in the way of the copied data: remove it"; return; }
    mv -T "$from/$dir" "$volume/$dir" || { refuse "cannot rename $from/$dir"; return; }
  done
  sync "$volume" && rmdir "$from" || { refuse "cannot remove $from"; return; }
}

# Notes that the host runs: the data on the volume will not be the newest.
outlive() {
  [[ -z $have || $have == "$older" ]] || put "$outlived" "$have" || refuse "cannot write $outlived"
}

# Makes the volume ready for this generation; repeatable at any point.
prepare() {
  local dir old
  if [[ $older == "$release" ]]; then
    refuse "this server has run on its host since the data of generation $release was made: an empty start needs a new proof" lost
    return
  fi
  if [[ $have == "$release" && $stamp == "$release" ]]; then
    if [[ ! -e $data/myid ]]; then
      refuse "the data of generation $release has vanished: an empty start needs a new proof" lost
      return
    fi
    if [[ $start == empty:* && $joint != "$release" ]]; then
      refuse "an earlier start ended before it had synced: what it left must not be built on, an empty start needs a new proof" interrupted
      return
    fi
  elif [[ $stamp == "$release" ]]; then
    refuse "ZooKeeper was started in generation $release, and the note of which generation the data is has vanished: an empty start needs a new proof" lost
    return
  elif [[ $start == empty:* && $start != "empty:${POD_UID-}" ]]; then
    refuse "there is no data, and the gate was opened for another pod: an empty start needs a new proof" lost
    return
  elif [[ $start == seed:* && $have != "$release" && $seed != "${start#seed:}" ]]; then
    refuse "the copied data ${start#seed:} is not on this volume: an empty start needs a new proof" lost
    return
  fi
  if [[ $have != "$release" ]]; then
    for dir in "$data" "$datalog"; do
      set +f
      for old in "$dir".stale-*; do
        [[ -e $old && $old != "$dir.stale-$release" ]] && rm -rf -- "$old"
      done
      set -f
      [[ -e $dir ]] || continue
      [[ ! -e $dir.stale-$release ]] || { refuse "$dir and $dir.stale-$release both exist: remove one"; return; }
      mv -T "$dir" "$dir.stale-$release" || { refuse "cannot rename $dir"; return; }
    done
    rm -rf -- "${cfg%/*}" || { refuse "cannot remove ${cfg%/*}"; return; }
    sync "$volume" && put "$marker" "$release" || { refuse "cannot write $marker"; return; }
  fi
  if [[ $start == seed:* && -d $volume/seed-${start#seed:} ]]; then
    plant || return
  fi
  if [[ $start == seed:* && ! -e $data/myid ]]; then
    refuse "the copied data has vanished: an empty start needs a new proof" lost
    return
  fi
  mkdir -p "$data" "${cfg%/*}" || { refuse "cannot write to $volume"; return; }
  [[ -e $data/myid ]] || put "$data/myid" "$id" || { refuse "cannot write $data/myid"; return; }
  directories || return
  # What was changed in a file since it was placed.
  placed=
  place || return
  configure || { refuse "cannot copy the configuration from $conf"; return; }
  put "$started" "$release $(printf '%(%s)T' -1)" || { refuse "cannot write $started"; return; }
}
`
