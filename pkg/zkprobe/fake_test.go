package zkprobe

import (
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
)

// listen serves every connection on a loopback port with handle, until the
// test ends, and returns the address.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				handle(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

// hang says nothing until the other side, or the test, closes.
func hang(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

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
