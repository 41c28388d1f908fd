package preflight

import (
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
)

const wideListening = "ZK032"

// listeningCheck tells who can reach the ports for peers, and become one.
func listeningCheck() Check {
	const hint = "let only peers, pods and this tool reach the peer and election ports: quorumListenOnAllIPs=true opens them on all addresses, peers prove nothing without quorum TLS or SASL, " +
		"and SASL does not keep strangers out before 3.7.2, 3.8.3 and 3.9.1 (CVE-2023-44981)"
	return Check{ID: wideListening, Title: "only peers can join on the peer and election ports", Severity: Warning,
		Codes: []string{"peers-not-authenticated", "quorum-sasl-bypass"}, Hint: hint,
		HintFor: func(f Facts) string {
			if lines := f.firewall(); len(lines) > 0 {
				return hint + ". On each host, " + hostpatch.FirewallNote + ": " + strings.Join(lines, "; ")
			}
			return hint
		}}
}

// firewall are the lines for the hosts, those that differ once each.
func (f Facts) firewall() (out []string) {
	var peers []hostpatch.Peer
	for _, s := range f.Servers {
		peers = append(peers, hostpatch.Peer{ID: s.ID, Address: s.HostIP, Ports: hostpatch.PeerPorts(s.Server)})
	}
	for _, p := range peers {
		for _, line := range hostpatch.Firewall(p, peers) {
			if !slices.Contains(out, line) {
				out = append(out, line)
			}
		}
	}
	return out
}
