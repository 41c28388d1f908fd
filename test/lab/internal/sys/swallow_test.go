package sys

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// TestSwallow: who asks is connected, may say anything, and hears nothing.
func TestSwallow(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		t.Fatal("no TCP listener")
	}
	file, err := tcp.File()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- Swallow(t.Context(), file) }()
	for range 2 {
		conn, err := net.Dial("tcp4", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("srvr")); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read %d bytes, %v; want silence", n, err)
		}
	}
	select {
	case err := <-ended:
		t.Errorf("it ended: %v", err)
	default:
	}
}
