package zkprobe

import (
	"context"
	"net"
	"syscall"
	"testing"
)

// word reads the four letters a client sends.
func word(c net.Conn) Word {
	var b [4]byte
	n, _ := c.Read(b[:])
	return Word(b[:n])
}

// closedPort returns an address nothing listens on.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	return addr
}

// deadDialer fails every connection with one error; with none it waits until
// the caller gives up, as a firewall that drops does.
type deadDialer struct{ err error }

func (d deadDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d.err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: d.err}
	}
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
}

func unreachable() Dialer { return deadDialer{syscall.EHOSTUNREACH} }
