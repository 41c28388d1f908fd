package hostscript

// servers tells of the ZooKeeper servers that run on the host. What it rests on:
//   - Files of a process with another root, or in a container, are not the ones that
//     their paths name here: they are left unknown.
//   - Java reads backslashes in zoo.cfg as escapes and continued lines, and bytes as
//     Latin-1. A file that has a backslash or a byte beyond ASCII outside its comments is
//     not understood here: its settings are left unknown.
//   - One that hangs, as files on a lost server do, must not hang the script: cat reads
//     it first, for 3 s at most.
const servers = `
main_class='^org[.]apache[.]zookeeper[.]server[.](quorum[.]QuorumPeerMain|ZooKeeperServerMain)$'
words() { tr '\n\000' '?\n' 2>/dev/null <"/proc/$1/cmdline"; }
servers() { # the pids of ZooKeeper servers, 16 at most
  grep -lE 'QuorumPeerMai[n]|ZooKeeperServerMai[n]' /proc/[0-9]*/cmdline 2>/dev/null | while IFS=/ read -r _ _ pid _; do
    # Not sudo java, nor a shell that has started it.
    words "$pid" | awk -v pid="$pid" -v main="$main_class" 'NR == 1 && !/(^|\/)java$/ { exit } $0 ~ main { print pid; exit }'
  done | head -n 16
}
contained() { # PID: whether it is in a container, by its control group: yes, no, or nothing
  case $(cat "/proc/$1/cgroup" 2>/dev/null) in
  *docker[-/]*|*kubepods*|*libpod*|*containerd-*|*crio-*|*/lxc*|*machine.slice*) echo yes ;;
  *.slice*|*.service*|*.scope*) echo no ;;
  esac
}
unit_of() { # PID
  cat "/proc/$1/cgroup" 2>/dev/null | awk -F/ '{ for (i = NF; i > 1; i--) if ($i ~ /[.](service|scope)$/) { print $i; exit } }'
}
engine_of() { # PID: docker or podman, and the id of the container that it runs in, by its control group
  cat "/proc/$1/cgroup" 2>/dev/null | awk -F/ '{
    for (i = 2; i <= NF; i++) {
      id = $i; sub(/[.]scope$/, "", id)
      engine = sub(/^docker-/, "", id) || $(i - 1) == "docker" ? "docker" : sub(/^libpod-/, "", id) ? "podman" : ""
      if (engine && id ~ /^[0-9a-f]+$/) { print engine, id; exit }
    } }'
}
container() { # ENGINE NAME...: what the engine says of the first that there is, or null
  engine=$1
  shift
  found=$(have "$engine" && within "$engine" inspect --type container --format '{{println .Name}}{{println .State.Running}}{{println .HostConfig.RestartPolicy.Name}}{{println .Config.Image}}{{println (index .Config.Labels "com.docker.compose.project.working_dir")}}{{println (index .Config.Labels "PODMAN_SYSTEMD_UNIT")}}' "$@" 2>/dev/null)
  [ -n "$found" ] || { echo null; return; }
  told() { printf '%s\n' "$found" | sed -n "$1p"; }
  printf '{"engine":"%s","name":%s,"running":%s,"restart":%s,"image":%s,"compose":%s,"unit":%s}\n' "$engine" "$(text "$(told 1 | sed 's,^/,,')")" \
    "$(truth "$(told 2 | sed 's/true/yes/; s/false/no/')")" "$(text "$(told 3)")" "$(text "$(told 4)")" "$(text "$(told 5)")" "$(text "$(told 6)")"
}
setting() { # KEY FILE: its value as Java reads it
  awk -v wanted="$1" '
    { sub(/\r$/, ""); sub(/^[ \t\f]+/, "") }
    /^[#!]/ { next }
    /[^ -~\t\f]|\\/ { odd = 1 }
    { key = $0; sub(/[=: \t\f].*/, "", key) }
    key == wanted { value = substr($0, length(key) + 1); sub(/^[ \t\f]*[=:]?[ \t\f]*/, "", value); sub(/[ \t\f]+$/, "", value) }
    END { if (!odd) print value }' "$2" 2>/dev/null
}
space() { # DIR: free bytes
  case $1 in /*) within df -Pk "$1" 2>/dev/null | awk 'NR == 2 && $(NF - 2) ~ /^[0-9]+$/ { printf "%.0f", $(NF - 2) * 1024 }' ;; esac
}
comments() { # PATH: the comments at its head
  within awk '
    { sub(/\r$/, "") }
    !/^[ \t]*([#!]|$)/ || n == 5 || NR > 50 { exit }
    /[^ \t#!]/ { n++; print tolower($0) ~ /password|passwd|passphrase|superdigest|secret/ ? "(hidden)" : substr($0, 1, 200) }' "$1" 2>/dev/null |
    while IFS= read -r line; do text "$line"; done | list
}
file() { # PATH of a zoo.cfg
  printf '{"target":%s,"symlink":%s,"modified":%s,"sha256":%s,"comments":%s}\n' "$(text "$(readlink -f "$1")")" "$(truth "$(yes [ -L "$1" ])")" \
    "$(number "$(stat -Lc %Y "$1" 2>/dev/null)")" "$(text "$(sha256sum <"$1" 2>/dev/null | cut -c 1-64)")" "$(comments "$1")"
}
server() { # PID
  inside=$(contained "$1") dir='' logs='' file=null
  config=$(words "$1" | awk -v main="$main_class" 'found { print; exit } $0 ~ main { found = 1 }')
  case $config in ''|/*) ;; *) cwd=$(readlink "/proc/$1/cwd" 2>/dev/null) && config=$cwd/$config ;; esac
  started=$(cat /proc/stat "/proc/$1/stat" 2>/dev/null | awk -v hz="$(getconf CLK_TCK 2>/dev/null || echo 100)" '
    /^btime/ { boot = $2 } { last = $0 } END { sub(/.*[)] /, "", last); split(last, f, " "); if (boot && f[20]) printf "%.0f", boot + f[20] / hz }')
  flags=$(words "$1" | grep -E '^-D(java|sun|jdk)[.]net[.]' | head -n 16 | cut -c 1-200 | while IFS= read -r flag; do text "$flag"; done | list)
  # A file is the server's only if both see the same files.
  path=$config
  [ "$inside" = no ] || [ "$(readlink "/proc/$1/ns/mnt" 2>/dev/null)" = "$(readlink /proc/self/ns/mnt)" ] || path=''
  case $(readlink "/proc/$1/root" 2>/dev/null) in ''|/) ;; *) path='' ;; esac
  if [ -f "$path" ] && within cat "$path" >/dev/null 2>&1; then
    file=$(file "$path") dir=$(setting dataDir "$path") logs=$(setting dataLogDir "$path")
  fi
  printf '{"started":%s,"container":%s,"in":%s,"unit":%s,"config":%s,"flags":%s,"file":%s,' "$(number "$started")" "$(truth "$inside")" "$(engine_of "$1" | { read -r engine id; container "$engine" "$id"; })" \
    "$(text "$(unit_of "$1")")" "$(text "$config")" "$flags" "$file"
  printf '"dataDir":%s,"dataLogDir":%s,"myid":%s,"dataDirFree":%s,"dataLogDirFree":%s}\n' "$(text "$dir")" "$(text "${logs:-$dir}")" \
    "$(number "$(case $dir in /*) within head -n 1 "$dir/myid" 2>/dev/null ;; esac)")" "$(number "$(space "$dir")")" "$(number "$(space "${logs:-$dir}")")"
}
`

// run is the order of what is told, and the call that starts it.
const run = `
main() {
  for means in bash nc ''; do have "$means" && break; done
  asked=0 pids=$(servers) zookeeper=null units=null container=no
  [ ! -e /.dockerenv ] && [ ! -e /run/.containerenv ] && [ -z "${KUBERNETES_SERVICE_HOST-}" ] && container=$(contained self) || container=yes
  [ ! -r /proc/1/cmdline ] || zookeeper=$(for pid in $pids; do server "$pid"; done | list)
  ! have systemctl || units=$({
    for name in $unit; do unit "$name"; done
    for pid in $pids; do found=$(unit_of "$pid"); case " $unit /$found" in */|*.scope|*" $found "*|*" ${found%.service} "*) ;; *) unit "$found" ;; esac; done
  } | list)
  printf '{"kind":"HostReport","schema":1,"ensemble":%s,"asked":"%s","time":%s,"hostname":%s,"uid":%s,"container":%s,"addresses":%s,"listening":%s,' \
    "$(text "$ensemble")" "$digest" "$(date +%s)" "$(text "$(cat /proc/sys/kernel/hostname 2>/dev/null)")" "$(number "$(id -u)")" "$(truth "$container")" "$(addresses)" "$(listening)"
  printf '"zookeeper":%s,"units":%s,"recorded":%s,"kubernetes":{"processes":%s,"rules":%s},"names":%s,"paths":%s}\n' \
    "$zookeeper" "$units" "$(container "$engine" $recorded)" "$(processes)" "$(truth "$(rules)")" "$({ names; wait; } | list)" "$({ paths; wait; } | list)"
}

main </dev/null
`
