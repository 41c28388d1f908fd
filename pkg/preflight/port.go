package preflight

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// PortKind names a port of a server by what connects to it.
type PortKind string

// The ports of a server.
const (
	// ClientPort and SecurePort are for clients.
	ClientPort PortKind = "client"
	SecurePort PortKind = "secure-client"
	// PeerPort is the leader's, to which the others connect; nobody else listens on it.
	PeerPort     PortKind = "peer"
	ElectionPort PortKind = "election"
	// MasterPort is that of followers to which observers connect.
	MasterPort PortKind = "observer-master"
)

// Port is one port of a server.
type Port struct {
	Kind   PortKind
	Number int
}

// Ports are those at which a server is reached. All that is said of paths and all that
// hosts are asked about comes from here.
func Ports(s migration.ServerRecord) []Port {
	var out []Port
	for _, p := range []Port{{ClientPort, s.ClientPort}, {PeerPort, s.PeerPort}, {ElectionPort, s.ElectionPort}} {
		// An observer never leads.
		if p.Number != 0 && (p.Kind != PeerPort || s.Role != ensemble.Observer) {
			out = append(out, p)
		}
	}
	return out
}

// forClients tells the ports that clients use from those that servers use.
func (k PortKind) forClients() bool { return k == ClientPort || k == SecurePort }
