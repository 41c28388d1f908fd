// Package tcpfake listens on loopback for tests that play a server by hand.
package tcpfake

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Listen serves every connection on a loopback port with handle, until the
// test ends, and returns the address.
func Listen(t *testing.T, handle func(net.Conn)) string {
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

// Words serves four-letter words: answer gets each connection's word.
func Words(t *testing.T, answer func(c net.Conn, word string)) string {
	t.Helper()
	return Listen(t, func(c net.Conn) {
		word := make([]byte, 4)
		if _, err := io.ReadFull(c, word); err == nil {
			answer(c, string(word))
		}
	})
}

// Silent says nothing until the other side, or the test, closes.
func Silent(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
