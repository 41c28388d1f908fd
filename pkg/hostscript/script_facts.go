package hostscript

// facts tells of the host and of the ZooKeeper servers that run on it.
const facts = `
main_class='^org[.]apache[.]zookeeper[.]server[.](quorum[.]QuorumPeerMain|ZooKeeperServerMain)$'
words() { tr '\n\000' '?\n' 2>/dev/null <"/proc/$1/cmdline"; }
servers() { # the pids of ZooKeeper servers, 4 at most
  grep -lE 'QuorumPeerMai[n]|ZooKeeperServerMai[n]' /proc/[0-9]*/cmdline 2>/dev/null | while IFS=/ read -r _ _ pid _; do
    if words "$pid" | grep -qE "$main_class"; then echo "$pid"; fi
  done | head -n 4
}
contained() { # PID: whether it is in a container, by its control group: yes, no, or nothing
  case $(cat "/proc/$1/cgroup" 2>/dev/null) in
  *docker[-/]*|*kubepods*|*libpod*|*containerd-*|*crio-*|*/lxc*|*machine.slice*) echo yes ;;
  *.slice*|*.service*|*.scope*) echo no ;;
  esac
}
unit_of() { # PID
  awk -F/ '{ for (i = NF; i > 1; i--) if ($i ~ /[.](service|scope)$/) { print $i; exit } }' "/proc/$1/cgroup" 2>/dev/null
}
setting() { # KEY FILE: its value as Java reads it
  awk -v wanted="$1" '
    { sub(/\r$/, ""); sub(/^[ \t\f]+/, "") }
    /^[#!]/ { next }
    /\\/ { odd = 1 }
    { key = $0; sub(/[=: \t\f].*/, "", key) }
    key == wanted { value = substr($0, length(key) + 1); sub(/^[ \t\f]*[=:]?[ \t\f]*/, "", value); sub(/[ \t\f]+$/, "", value) }
    END { if (!odd) print value }' "$2" 2>/dev/null
}
space() { # DIR: free bytes
  case $1 in /*) within df -Pk "$1" 2>/dev/null | awk 'NR == 2 && $(NF - 2) ~ /^[0-9]+$/ { printf "%.0f", $(NF - 2) * 1024 }' ;; esac
}
secret='function secret(s) { s = tolower(s); return s ~ /password|passwd|passphrase|superdigest|secret/ && s !~ /passwordpath/ }'
flags() { # PID
  words "$1" | awk "$secret"'
    /^-Dzookeeper[.]|^-Djute[.]|^-Xm[sx]|^-Djava[.]net[.]|^-Dsun[.]net[.]|^-Djdk[.]net[.]/ && n++ < 64 {
      name = $0; sub(/=.*/, "", name); if (length(name) > 200) next
      print "s - " (secret(name) ? name "=(hidden)" : length($0) > 1000 ? name "=(too long)" : $0)
    }'
}
file() { # PATH of a zoo.cfg: what it is, and the comments at its head
  say '{' file
  say s target "$(readlink -f "$1")"
  say b symlink "$(if [ -L "$1" ]; then echo yes; else echo no; fi)"
  stat -Lc '%U %a %s %Y' "$1" 2>/dev/null | awk '{ print "s owner " $1 "\ns mode " $2 "\nn bytes " $3 "\nn modified " $4 }'
  say s sha256 "$(sha256sum <"$1" 2>/dev/null | cut -c 1-64)"
  say '[' comments
  awk "$secret"'
    { sub(/\r$/, "") }
    !/^[ \t]*([#!]|$)/ || n == 5 || NR > 50 { exit }
    /[^ \t#!]/ { n++; print "s - " (secret($0) ? "(hidden)" : substr($0, 1, 200)) }' "$1"
  say ']'
  say '}'
}
server() { # PID
  contained=$(contained "$1") config=$(words "$1" | awk -v main="$main_class" 'found { print; exit } $0 ~ main { found = 1 }')
  say '{' -
  say n pid "$1"
  say s user "$(ls -ld "/proc/$1" 2>/dev/null | awk '{ print $3 }')"
  say s parent "$(cat "/proc/$(awk '/^PPid:/ { print $2 }' "/proc/$1/status" 2>/dev/null)/comm" 2>/dev/null)"
  say n started "$(cat /proc/stat "/proc/$1/stat" 2>/dev/null | awk -v hz="$(getconf CLK_TCK 2>/dev/null || echo 100)" '
    /^btime/ { boot = $2 } { last = $0 } END { sub(/.*[)] /, "", last); split(last, f, " "); if (boot && f[20]) printf "%.0f", boot + f[20] / hz }')"
  say b container "$contained"
  say s unit "$(unit_of "$1")"
  say '[' flags; flags "$1"; say ']'
  say s config "$config"
  case $config in ''|/*) ;; *) config=$(readlink "/proc/$1/cwd" 2>/dev/null)/$config ;; esac
  # A file is the server's only if both see the same files.
  java=$(readlink "/proc/$1/exe" 2>/dev/null) || java=/dev/null
  case $contained in no) ;; *) [ "$(readlink "/proc/$1/ns/mnt" 2>/dev/null)" = "$(readlink /proc/self/ns/mnt)" ] || config='' java=/dev/null ;; esac
  case $(readlink "/proc/$1/root" 2>/dev/null) in ''|/) ;; *) config='' java=/dev/null ;; esac
  say s java "$(cat "${java%/bin/java}/release" "${java%/jre/bin/java}/release" 2>/dev/null | sed -n 's/^JAVA_VERSION="\(.*\)"/\1/p' | head -n 1)"
  dir='' logs='' dynamic=''
  if [ -n "$config" ] && within cat "$config" >/dev/null 2>&1; then
    file "$config"
    dir=$(setting dataDir "$config") logs=$(setting dataLogDir "$config") dynamic=$(setting dynamicConfigFile "$config")
  fi
  say s dataDir "$dir"
  say s dataLogDir "${logs:-$dir}"
  say s dynamicConfigFile "$dynamic"
  say n myid "$(case $dir in /*) within head -n 1 "$dir/myid" 2>/dev/null ;; esac)"
  say n dataDirFree "$(space "$dir")"
  say n dataLogDirFree "$(space "${logs:-$dir}")"
  say '}'
}
unit() { # NAME
  say '{' -
  say s name "$1"
  within systemctl show -p LoadState -p ActiveState -p UnitFileState -p Restart -p FragmentPath -- "$1" 2>/dev/null | awk '
    BEGIN { is["LoadState"] = "load"; is["ActiveState"] = "active"; is["UnitFileState"] = "enabled"; is["Restart"] = "restart"; is["FragmentPath"] = "file" }
    { key = $0; sub(/=.*/, "", key); if (key in is) print "s " is[key] " " substr($0, length(key) + 2) }'
  say '}'
}
route() { # ADDRESS
  say '{' -
  say s address "$1"
  ip route get "$1" 2>&1 | awk '
    NR > 1 { exit }
    /nreachable|No route|^blackhole|^prohibit/ { print "s kind none"; exit }
    { print ($1 == "local" ? "s kind local" : $1 ~ /^[0-9a-fA-F:.]+$/ ? "s kind unicast" : "s kind")
      for (i = 1; i < NF; i++) if ($i == "via" || $i == "dev" || $i == "src") print "s " $i " " $(++i) }'
  say '}'
}
loaded() { # MODULE: 0 yes, 1 no, 2 unknown
  if [ -d "/sys/module/$1" ]; then return 0; fi
  grep -q "/$1[.]ko" "/lib/modules/$(uname -r)/modules.builtin" 2>/dev/null
}
chains() { # legacy or nf_tables: whether iptables has kube-proxy's chains there
  case $1 in legacy) grep -qx nat /proc/net/ip_tables_names 2>/dev/null || { echo no; return; } ;; *) loaded nf_tables ;; esac ||
    case $? in 1) echo no; return ;; *) return ;; esac
  for tool in iptables-legacy iptables-nft iptables; do
    case $($tool -V 2>/dev/null) in '') continue ;; *nf_tables*) of=nf_tables ;; *) of=legacy ;; esac
    [ "$of" = "$1" ] || continue
    within "$tool" -t nat -S KUBE-SERVICES >/dev/null 2>&1
    case $? in 0) echo yes ;; 1) echo no ;; esac
    return
  done
}
tables() { # whether nftables has kube-proxy's table
  loaded nf_tables || case $? in 1) echo no; return ;; *) return ;; esac
  list=$(within nft list tables 2>/dev/null) || return
  case $list in *' kube-proxy'*) echo yes ;; *) echo no ;; esac
}
kubernetes() {
  say '{' kubernetes
  if [ -r /proc/1/comm ]; then
    say '[' processes
    cat /proc/[0-9]*/comm 2>/dev/null | sort -u | grep -xE 'kube-proxy|kubelet|kube-router|cilium-agent|calico-node|flanneld|k3s-server|k3s-agent|rke2' | sed 's/^/s - /'
    say ']'
  fi
  say b ipvs "$(if grep -q '^ *kube-ipvs0:' /proc/net/dev; then echo yes; else echo no; fi)"
  if [ "$uid" = 0 ]; then
    say b iptables "$(case $(chains legacy)/$(chains nf_tables) in *yes*) echo yes ;; no/no) echo no ;; esac)"
    say b nftables "$(tables)"
  fi
  say '}'
}
about() {
  uid=$(id -u)
  say s ensemble "$ensemble"
  say s asked "$digest"
  say n time "$(date +%s)"
  first /proc/sys/kernel/hostname
  say s hostname "$line"
  say n uid "$uid"
  say b container "$(if [ -e /.dockerenv ] || [ -e /run/.containerenv ] || [ -n "${KUBERNETES_SERVICE_HOST-}" ]; then echo yes; else contained self; fi)"
  if list=$(ip -o addr show scope global 2>/dev/null); then
    say '[' addresses
    printf '%s\n' "$list" | awk 'NF > 3 && $2 != "kube-ipvs0" && n++ < 64 { sub("/.*", "", $4); print "{ -\036s interface " $2 "\036s address " $4 "\036}" }'
    say ']'
  fi
  if [ -r /proc/net/tcp ]; then
    say '[' listening
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v ports="$ports" '
      $4 == "0A" && split($2, a, ":") == 2 && (at = index(ports, " " a[2] "=")) {
        port = substr(ports, at + 6); sub(/ .*/, "", port); all = a[1] ~ /^0+$/ ? "yes" : "no"
        if (!seen[port all]++) print "{ -\036n port " port "\036b all " all "\036}"
      }'
    say ']'
  fi
  pids=
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
}
`
