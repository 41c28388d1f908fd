package vantage

// Reach is how far one question came.
type Reach string

const (
	// NotAsked: nobody asked, or the caller gave up before anything was learnt.
	NotAsked Reach = ""
	// Answered: the server gave the answer that was asked for.
	Answered Reach = "answered"
	// NotServing: the process lives and takes part in no quorum; it said so.
	NotServing Reach = "not-serving"
	// NotWhitelisted: the process lives; 4lw.commands.whitelist leaves the
	// word out (3.4.10+). From 3.5.3 only srvr is in by default; srvr itself is
	// always in, whatever the list says, because zkServer.sh needs it
	// (FourLetterCommands.isEnabled; seen on 3.4.13, 3.8.0 and 3.9.3).
	NotWhitelisted Reach = "not-whitelisted"
	// Refused: a reset came instead of a connection. Nothing listens there, if
	// the address is the host's own; a Service without endpoints or a firewall
	// looks the same.
	Refused Reach = "refused"
	// Timeout: no answer in time; the server may be dead, hung or filtered.
	Timeout Reach = "timeout"
	// Unreachable: no route, or the name does not resolve.
	Unreachable Reach = "unreachable"
	// ClosedEmpty: the connection was accepted and closed without a byte, as
	// maxClientCnxns does, a TLS port, or a process that just ends.
	ClosedEmpty Reach = "closed-empty"
	// TLSFailed: the connection was taken, and the TLS handshake failed.
	TLSFailed Reach = "tls-failed"
	// Garbled: something answers without end, or what is no ZooKeeper's.
	Garbled Reach = "garbled"
	// Other: another server answers, or one that does not say which it is.
	Other Reach = "other"
)

// Alive reports whether a ZooKeeper process certainly answered.
func (r Reach) Alive() bool { return r == Answered || r == NotServing || r == NotWhitelisted }
