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

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Dialer opens connections; *net.Dialer is the direct one. Others should
// return errors that wrap syscall.ECONNREFUSED for a port that answers with a
// reset and os.ErrDeadlineExceeded (or a net.Error whose Timeout is true) for
// one that does not answer: vantage.Reach and vantage.PortState are read off them.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// What servers say instead of an answer, see
// NIOServerCnxn.ZK_NOT_SERVING (3.4) and FourLetterCommands/NopCommand.
const (
	notServingText     = "This ZooKeeper instance is not currently serving requests"
	notWhitelistedText = "is not executed because it is not in the whitelist"
)

func classifyText(text string) vantage.Reach {
	switch {
	case text == "":
		return vantage.ClosedEmpty
	case strings.HasPrefix(text, notServingText):
		return vantage.NotServing
	case strings.Contains(firstLine(text), notWhitelistedText):
		return vantage.NotWhitelisted
	}
	return vantage.Answered
}

// classifyError sorts an error met before a byte was read. caller is the
// context the caller gave, without this package's own limits: when it has
// ended, nothing was learnt about the server.
func classifyError(caller context.Context, err error) vantage.Reach {
	var netErr net.Error
	var dnsErr *net.DNSError
	switch {
	case err == nil:
		return vantage.Answered
	case caller.Err() != nil:
		return vantage.NotAsked
	case tlsFailed(err):
		return vantage.TLSFailed
	case errors.Is(err, syscall.ECONNREFUSED):
		return vantage.Refused
	case errors.As(err, &dnsErr):
		return vantage.Unreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &netErr) && netErr.Timeout():
		return vantage.Timeout
	case hungUp(err):
		return vantage.ClosedEmpty
	}
	return vantage.Unreachable
}

// hungUp reports whether the other side closed the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// streamBroke reports whether the way to the server, and not the server, is at fault: a
// dialer that goes through something says so.
func streamBroke(err error) bool {
	var broken interface{ StreamBroke() bool }
	return errors.As(err, &broken) && broken.StreamBroke()
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
