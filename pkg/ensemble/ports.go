package ensemble

import "slices"

// PortName says what a port is for. The ports of Services and pods have these names.
type PortName string

// The names.
const (
	PortClient         PortName = "client"
	PortPeer           PortName = "peer"
	PortElection       PortName = "election"
	PortSecureClient   PortName = "secure-client"
	PortObserverMaster PortName = "observer-master"
	PortAdmin          PortName = "admin"
	PortMetrics        PortName = "metrics"
)

// Exposable are the ports that are reachable through a Service only where an operator asks
// for it: they are for administrators, and some commands of the AdminServer write.
func Exposable() []PortName { return []PortName{PortAdmin, PortMetrics} }

// Port is one port of a server.
type Port struct {
	Name   PortName
	Number int
}

// Ports are those that the server listens on, at one time or another, and others use; alike
// on its host and in its pod: a server binds what its own files say, and nothing maps ports
// on the way. Whoever needs to know a server's ports asks here.
//
// Who leads binds the peer port, who follows the observer master port (Leader,
// Follower.followLeader): an observer does neither.
func (s Server) Ports() []Port {
	all := []Port{
		{PortClient, s.ClientPort}, {PortPeer, s.PeerPort}, {PortElection, s.ElectionPort},
		{PortSecureClient, s.SecureClientPort}, {PortObserverMaster, s.ObserverMasterPort}, {PortAdmin, s.AdminPort}, {PortMetrics, s.MetricsPort},
	}
	return slices.DeleteFunc(all, func(p Port) bool {
		return p.Number == 0 || s.Role == Observer && (p.Name == PortPeer || p.Name == PortObserverMaster)
	})
}

// Lacks are the ports that the server has by its files (said), and not as it is known here.
func (s Server) Lacks(said Server) []Port {
	return slices.DeleteFunc(said.Ports(), func(p Port) bool { return s.Port(p.Name) == p.Number })
}

// Port is the port of that name, 0 where there is none.
func (s Server) Port(name PortName) int {
	for _, p := range s.Ports() {
		if p.Name == name {
			return p.Number
		}
	}
	return 0
}

// PortName is what the server uses a port for; empty where it is none of its own.
func (s Server) PortName(number int) PortName {
	for _, p := range s.Ports() {
		if p.Number == number {
			return p.Name
		}
	}
	return ""
}

// AskedPort is the port at which the server is asked: its plain-text client port, or the
// secure one where it has no other.
func (s Server) AskedPort() (port int, secure bool) {
	if s.ClientPort == 0 {
		return s.SecureClientPort, true
	}
	return s.ClientPort, false
}

// LocalPort is the plain-text port of pods whose servers have none: at it nobody but the
// pod itself asks. It is a port that no server of the ensemble has.
func LocalPort(servers []Server) int {
	port := DefaultClientPort
	for slices.ContainsFunc(servers, func(s Server) bool { return s.PortName(port) != "" }) {
		port++
	}
	return port
}

// expose makes a port of Exposable one that others use.
func (s *Server) expose(p Port) {
	switch p.Name {
	case PortAdmin:
		s.AdminPort = p.Number
	case PortMetrics:
		s.MetricsPort = p.Number
	default:
	}
}
