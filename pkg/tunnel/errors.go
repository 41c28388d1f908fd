package tunnel

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// brokenError: the stream to the pod ended or stalled, so nothing was learnt of whoever
// was talked to. It counts as a time-out: an answer that did not come.
type brokenError struct{ pod, why string }

func (e *brokenError) Error() string {
	return fmt.Sprintf("the stream to pod %s broke: %s", e.pod, e.why)
}

// Timeout makes it one for those who ask net.Error.
func (e *brokenError) Timeout() bool { return true }

// StreamBroke tells it from a server that does not answer.
func (e *brokenError) StreamBroke() bool { return true }

// Temporary completes net.Error.
func (e *brokenError) Temporary() bool { return true }

// dialError turns the words of the pod's system into an error that says the same to
// errors.Is. Words that are not known mean that nothing was learnt.
func dialError(pod, addr, words string) error {
	host, _, _ := net.SplitHostPort(addr)
	cause := error(nil)
	for _, known := range []struct {
		words string
		err   error
	}{
		{"Connection refused", syscall.ECONNREFUSED},
		{"timed out", os.ErrDeadlineExceeded},
		{"No route to host", syscall.EHOSTUNREACH},
		{"is unreachable", syscall.ENETUNREACH},
		{"invalid host", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}},
		{"not known", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}},
		{"name resolution", &net.DNSError{Err: "name resolution failed", Name: host, IsTemporary: true}},
	} {
		if strings.Contains(words, known.words) {
			cause = known.err
			break
		}
	}
	if cause == nil {
		return fmt.Errorf("connect to %s from pod %s: %s", addr, pod, words)
	}
	return fmt.Errorf("connect to %s from pod %s: %w", addr, pod, cause)
}
