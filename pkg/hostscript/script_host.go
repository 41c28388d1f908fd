package hostscript

// host tells of the host itself. What it rests on:
//   - iptables and nft may load kernel modules when they list rules, and a NAT module
//     begins to track connections. Neither is asked unless its part is loaded.
//   - In IPVS mode every ClusterIP is an address of the interface kube-ipvs0: those are
//     not the host's own.
const host = `
addresses() {
  found=$(ip -o addr show scope global 2>/dev/null) || { echo null; return; }
  printf '%s\n' "$found" | awk 'NF > 3 && $2 != "kube-ipvs0" && n++ < 64 { sub("/.*", "", $4); print "\"" $4 "\"" }' | list
}
listening() {
  [ -r /proc/net/tcp ] || { echo null; return; }
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v ports="$ports" '
    $4 == "0A" && split($2, a, ":") == 2 && (at = index(ports, " " a[2] "=")) {
      port = substr(ports, at + 6); sub(/ .*/, "", port); all = a[1] ~ /^0+$/ ? "true" : "false"
      if (!seen[port all]++) print "{\"port\":" port ",\"all\":" all "}"
    }' | list
}
unit() { # NAME
  states=$(within systemctl show -p LoadState -p UnitFileState -p FragmentPath -p SourcePath -p DropInPaths -- "$1" 2>/dev/null)
  state() { text "$(printf '%s\n' "$states" | sed -n "s/^$1=//p")"; }
  files=$(printf '%s\n' "$states" | sed -n -e 's/^FragmentPath=//p' -e 's/^SourcePath=//p' -e 's/^DropInPaths=//p' | tr ' ' '\n' | grep '^/' | head -n 8 |
    while IFS= read -r path; do printf '{"path":%s,"comments":%s}\n' "$(text "$path")" "$(comments "$path")"; done | list)
  printf '{"name":%s,"load":%s,"enabled":%s,"files":%s}\n' "$(text "$1")" "$(state LoadState)" "$(state UnitFileState)" "$files"
}
loaded() { # whether the kernel has nf_tables: yes, no, or nothing
  awk '/ nf_tables_/ { found = 1; exit } END { if (NR) print found ? "yes" : "no" }' /proc/kallsyms 2>/dev/null
}
chains() { # legacy or nf_tables, and whether it is loaded: whether iptables of that kind has kube-proxy's chains
  for tool in iptables-legacy iptables-nft iptables; do
    case $2/$($tool -V 2>/dev/null) in yes/) continue ;; yes/*nf_tables*) kind=nf_tables ;; yes/*) kind=legacy ;; *) echo "$2"; return ;; esac
    [ "$kind" = "$1" ] || continue
    within "$tool" -t nat -S KUBE-SERVICES >/dev/null 2>&1
    case $? in 0) echo yes ;; 1) echo no ;; esac
    return
  done
}
tables() { # whether nf_tables is loaded: whether it has kube-proxy's table
  [ "$1" = yes ] || { echo "$1"; return; }
  found=$(within nft list tables 2>/dev/null) || return
  case $found in *' kube-proxy'*) echo yes ;; *) echo no ;; esac
}
rules() { # whether the kernel holds kube-proxy's rules of any mode; those of iptables and nftables are shown to root only
  ! grep '^ *kube-ipvs0:' /proc/net/dev >/dev/null 2>&1 || { echo yes; return; }
  [ "$(id -u)" = 0 ] || return
  new=$(loaded)
  case $(chains legacy "$(yes grep -x nat /proc/net/ip_tables_names)")/$(chains nf_tables "$new")/$(tables "$new") in *yes*) echo yes ;; no/no/no) echo no ;; esac
}
processes() {
  [ -r /proc/1/comm ] || { echo null; return; }
  cat /proc/[0-9]*/comm 2>/dev/null | sort -u | grep -xE 'kube-proxy|kubelet|kube-router|cilium-agent|calico-node|flanneld|k3s-server|k3s-agent|rke2' | sed 's/.*/"&"/' | list
}
`
