package vantage

// PortState is the outcome of a bare TCP connect.
type PortState string

const (
	// PortUnknown: nobody asked.
	PortUnknown PortState = ""
	// PortOpen: the connection was accepted.
	PortOpen PortState = "open"
	// PortClosed: refused (RST), the machine is up and nothing listens.
	PortClosed PortState = "closed"
	// PortSilent: no answer; a dead machine and a firewall look alike.
	PortSilent PortState = "silent"
	// PortUnreachable: the network says there is no way.
	PortUnreachable PortState = "unreachable"
)
