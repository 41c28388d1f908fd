// Package zkprobe asks ZooKeeper servers what they are and whether they
// commit: four-letter words, TCP probes of the ports, and a canary write that
// leaves no znode. Everything takes a Dialer, so that a question can travel
// through the cluster instead of directly.
package zkprobe

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// Dialer opens connections; *net.Dialer is the direct one. Others should
// return errors that wrap syscall.ECONNREFUSED for a port that answers with a
// reset and os.ErrDeadlineExceeded (or a net.Error whose Timeout is true) for
// one that does not answer: Reach and PortState are read off them.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Reach is how far one question came.
type Reach string

const (
	// Unknown: not asked, or the caller gave up before anything was learnt.
	Unknown Reach = ""
	// Answered: the server gave the answer asked for.
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
	// Garbled: something answers without end, and is no ZooKeeper.
	Garbled Reach = "garbled"
)

// Alive reports whether a ZooKeeper process certainly answered.
func (r Reach) Alive() bool { return r == Answered || r == NotServing || r == NotWhitelisted }

// What servers say instead of an answer, see
// NIOServerCnxn.ZK_NOT_SERVING (3.4) and FourLetterCommands/NopCommand.
const (
	notServingText     = "This ZooKeeper instance is not currently serving requests"
	notWhitelistedText = "is not executed because it is not in the whitelist"
)

func classifyText(text string) Reach {
	switch {
	case text == "":
		return ClosedEmpty
	case strings.HasPrefix(text, notServingText):
		return NotServing
	case strings.Contains(firstLine(text), notWhitelistedText):
		return NotWhitelisted
	}
	return Answered
}

// classifyError sorts an error met before a byte was read. caller is the
// context the caller gave, without this package's own limits: when it has
// ended, nothing was learnt about the server.
func classifyError(caller context.Context, err error) Reach {
	var netErr net.Error
	var dnsErr *net.DNSError
	switch {
	case err == nil:
		return Answered
	case caller.Err() != nil:
		return Unknown
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.As(err, &dnsErr):
		return Unreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &netErr) && netErr.Timeout():
		return Timeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return ClosedEmpty
	}
	return Unreachable
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
