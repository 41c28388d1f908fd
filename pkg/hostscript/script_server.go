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
    words "$pid" | awk -v pid="$pid" -v main="$main_class" 'NR == 1 && !/(^|[/])java$/ { exit } $0 ~ main { print pid; exit }'
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
file() { # PATH of a zoo.cfg: what it is, and the comments at its head
  say '{' file
  say s target "$(readlink -f "$1")"
  say b symlink "$(yes [ -L "$1" ])"
  say n modified "$(stat -Lc %Y "$1" 2>/dev/null)"
  say s sha256 "$(sha256sum <"$1" 2>/dev/null | cut -c 1-64)"
  say '[' comments
  awk '
    { sub(/\r$/, "") }
    !/^[ \t]*([#!]|$)/ || n == 5 || NR > 50 { exit }
    /[^ \t#!]/ { n++; print "s - " (tolower($0) ~ /password|passwd|passphrase|superdigest|secret/ ? "(hidden)" : substr($0, 1, 200)) }' "$1"
  say ']'; say '}'
}
server() { # PID
  inside=$(contained "$1") dir='' logs=''
  config=$(words "$1" | awk -v main="$main_class" 'found { print; exit } $0 ~ main { found = 1 }')
  case $config in ''|/*) ;; *) cwd=$(readlink "/proc/$1/cwd" 2>/dev/null) && config=$cwd/$config ;; esac
  say '{' -
  say n started "$(cat /proc/stat "/proc/$1/stat" 2>/dev/null | awk -v hz="$(getconf CLK_TCK 2>/dev/null || echo 100)" '
    /^btime/ { boot = $2 } { last = $0 } END { sub(/.*[)] /, "", last); split(last, f, " "); if (boot && f[20]) printf "%.0f", boot + f[20] / hz }')"
  say b container "$inside"
  say s unit "$(unit_of "$1")"
  say s config "$config"
  say '[' flags; words "$1" | grep -E '^-D(java|sun|jdk)[.]net[.]' | head -n 16 | cut -c 1-200 | sed 's/^/s - /'; say ']'
  # A file is the server's only if both see the same files.
  [ "$inside" = no ] || [ "$(readlink "/proc/$1/ns/mnt" 2>/dev/null)" = "$(readlink /proc/self/ns/mnt)" ] || config=''
  case $(readlink "/proc/$1/root" 2>/dev/null) in ''|/) ;; *) config='' ;; esac
  if [ -f "$config" ] && within cat "$config" >/dev/null 2>&1; then
    file "$config"
    dir=$(setting dataDir "$config") logs=$(setting dataLogDir "$config")
  fi
  say s dataDir "$dir"
  say s dataLogDir "${logs:-$dir}"
  say n myid "$(case $dir in /*) within head -n 1 "$dir/myid" 2>/dev/null ;; esac)"
  say n dataDirFree "$(space "$dir")"
  say n dataLogDirFree "$(space "${logs:-$dir}")"
  say '}'
}
`

// run is the order of what is told, and the call that starts it.
const run = `
main() {
  for means in bash python3 nc ''; do have "$means" && break; done
  asked=0 pids=''
  say '{' -
  say s kind HostReport
  say n schema 1
  say s ensemble "$ensemble"
  say s asked "$digest"
  say n time "$(date +%s)"
  say s hostname "$(cat /proc/sys/kernel/hostname 2>/dev/null)"
  say n uid "$(id -u)"
  say b container "$(if [ -e /.dockerenv ] || [ -e /run/.containerenv ] || [ -n "${KUBERNETES_SERVICE_HOST-}" ]; then echo yes; else contained self; fi)"
  addresses
  listening
  if [ -r /proc/1/cmdline ]; then
    pids=$(servers)
    say '[' zookeeper; for pid in $pids; do server "$pid"; done; say ']'
  fi
  if have systemctl; then
    say '[' units
    [ -z "$unit" ] || unit "$unit"
    for pid in $pids; do found=$(unit_of "$pid"); case $found in ''|*.scope|"$unit"|"$unit.service") ;; *) unit "$found" ;; esac; done
    say ']'
  fi
  kubernetes
  if have ip; then say '[' routes; routes; say ']'; fi
  say '[' names; names; wait; say ']'
  say '[' paths; paths; wait; say ']'
  say '}'
}

main </dev/null | json
`
