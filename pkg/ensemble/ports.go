package ensemble

// PortName says what a port is for. The ports of Services and pods have these names.
type PortName string

// The names.
const (
	PortClient   PortName = "client"
	PortPeer     PortName = "peer"
	PortElection PortName = "election"
)

// Port is one port of a server.
type Port struct {
	Name   PortName
	Number int
}

// Ports are those that the server listens on and others use, alike on its host and in its
// pod: a server binds what its own files say, and nothing maps ports on the way. Whoever
// needs to know a server's ports asks here.
func (s Server) Ports() []Port {
	var out []Port
	for _, p := range []Port{{PortClient, s.ClientPort}, {PortPeer, s.PeerPort}, {PortElection, s.ElectionPort}} {
		if p.Number != 0 {
			out = append(out, p)
		}
	}
	return out
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
