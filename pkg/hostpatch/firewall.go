package hostpatch

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Peer is a host, and the ports on which its server listens for peers.
type Peer struct {
	ID      ensemble.ID
	Address string
	Ports   []int
}

// PeerPorts are the ports on which a server listens for peers.
func PeerPorts(s ensemble.Server) (out []int) {
	for _, p := range s.Ports() {
		if (p.Name == ensemble.PortPeer || p.Name == ensemble.PortElection) && !slices.Contains(out, p.Number) {
			out = append(out, p.Number)
		}
	}
	return out
}

// FirewallTable is the table of nftables that Firewall fills.
const FirewallTable = "zkmigrate_peers"

// FirewallNote says what is to be put into its lines.
const FirewallNote = `PODS are the networks of the pods (spec.podCIDRs of the nodes, or as the network plugin has them), NODES the nodes' own addresses, behind which many clusters hide pods, HERE the machine that this tool runs on, which asks the election ports`

// Firewall are the lines for one host that keep its peer and election ports for the others, the
// pods and itself. They last until a reboot; nft delete table inet zkmigrate_peers takes them back.
func Firewall(host Peer, peers []Peer) []string {
	var four, six []string
	for _, p := range peers {
		a, err := netip.ParseAddr(p.Address)
		if err != nil {
			continue
		}
		family := &six
		if a = a.Unmap(); a.Is4() {
			family = &four
		}
		if !slices.Contains(*family, a.String()) {
			*family = append(*family, a.String())
		}
	}
	var ports []string
	for _, n := range host.Ports {
		ports = append(ports, fmt.Sprint(n))
	}
	dport := "tcp dport '{ " + strings.Join(ports, ", ") + " }'"
	rule := "nft add rule inet " + FirewallTable + " input "
	out := []string{
		"nft add table inet " + FirewallTable,
		"nft add chain inet " + FirewallTable + " input '{ type filter hook input priority -5; policy accept; }'",
		rule + "iif lo accept",
	}
	for _, f := range []struct {
		family string
		from   []string
	}{{"ip", four}, {"ip6", six}} {
		if len(f.from) > 0 {
			out = append(out, rule+f.family+" saddr '{ "+strings.Join(f.from, ", ")+", PODS, NODES, HERE }' "+dport+" accept")
		}
	}
	return append(out, rule+dport+" drop")
}

// firewallSection says that servers will listen on all addresses, and who should reach them.
func firewallSection(in Input, plan Plan) string {
	if slices.Contains(in.Leave, ChangeListen) || len(plan.Order) == 0 {
		return ""
	}
	var peers []Peer
	for _, h := range in.Hosts {
		srv, _ := in.Ensemble.Server(h.ID)
		peers = append(peers, Peer{h.ID, h.Address, PeerPorts(srv)})
	}
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	w("With quorumListenOnAllIPs=true a server listens for peers on all addresses of its host, and lets in whoever reaches it there,")
	w("unless quorum TLS or SASL is on; SASL does not keep strangers out before 3.7.2, 3.8.3 and 3.9.1 (CVE-2023-44981). These lines")
	w("keep the ports for peers and pods, if your firewall does not.")
	w("%s.", strings.ReplaceAll(FirewallNote, ", NODES", ",\nNODES"))
	seen := map[string]bool{}
	for _, p := range peers {
		lines := strings.Join(Firewall(p, peers), "\n  ")
		if slices.Contains(in.InPods, p.ID) || seen[lines] {
			continue
		}
		seen[lines] = true
		var same []ensemble.ID
		for _, o := range peers {
			if slices.Equal(o.Ports, p.Ports) && !slices.Contains(in.InPods, o.ID) {
				same = append(same, o.ID)
			}
		}
		w("  # on the hosts of %s, before the restart", ensemble.JoinIDs(same))
		w("  %s", lines)
	}
	w("")
	return b.String()
}
