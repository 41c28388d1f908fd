package vantage

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// Vantage is where a look was taken from: this machine, where it is empty, or else who
// looked for it.
type Vantage string

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
	Server ensemble.ID `json:"server"`
	Via    Via         `json:"via"`
	// Host is an address or a name, without brackets.
	Host string `json:"host"`
	Port int    `json:"port"`
}

// Address is host:port, as dialers take it.
func (t Target) Address() string { return ensemble.JoinHostPort(t.Host, t.Port) }
