package preflight

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// forClients tells the ports that clients use from those that servers use.
func forClients(k ensemble.PortName) bool {
	return k == ensemble.PortClient || k == ensemble.PortSecureClient
}

// binds reports whether a server that serves in that mode listens at the port: the peer port
// is the leader's, that of an observer master a follower's. On its host an AdminServer may
// listen for that host alone.
func binds(k ensemble.PortName, mode ensemble.Mode) bool {
	switch k {
	case ensemble.PortPeer:
		return mode == ensemble.Leader
	case ensemble.PortObserverMaster:
		return mode == ensemble.Follower
	case ensemble.PortAdmin, ensemble.PortMetrics:
		return false
	default:
		return true
	}
}
