package vantage

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// Via is the way on which a server is asked.
type Via string

// The ways.
const (
	// ViaHost: at the address of the server's own host.
	ViaHost Via = "host"
	// ViaService: at its Service's address, wherever that leads.
	ViaService Via = "service"
	// ViaPod: at its pod's own address.
	ViaPod Via = "pod"
)

// Target is one port of one server, on one way.
type Target struct {
	Server ensemble.ID
	Via    Via
	// Host is an address or a name, without brackets.
	Host string
	Port int
	// Secure: the port speaks TLS.
	Secure bool
}

// Address is host:port, as dialers take it.
func (t Target) Address() string { return ensemble.JoinHostPort(t.Host, t.Port) }
