//go:build linux

package zkreal

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Forward plays a Service for one port: what dials its address reaches another.
type Forward struct {
	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn
}

// NewForward listens at one address for another. It tries again for ten seconds
// while the server that had the address is still going.
func NewForward(ctx context.Context, at, to string) (*Forward, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at)
		if err == nil {
			f := &Forward{listener: l}
			go f.run(to)
			return f, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("forward from %s: %w", at, err)
		case <-tick.C:
		}
	}
}

// Close ends it and every connection through it.
func (f *Forward) Close() {
	_ = f.listener.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		_ = c.Close()
	}
}

func (f *Forward) run(to string) {
	for {
		from, err := f.listener.Accept()
		if err != nil {
			return
		}
		target, err := net.DialTimeout("tcp", to, 2*time.Second)
		if err != nil {
			_ = from.Close()
			continue
		}
		f.mu.Lock()
		f.conns = append(f.conns, from, target)
		f.mu.Unlock()
		for _, pair := range [][2]net.Conn{{from, target}, {target, from}} {
			go func() {
				_, _ = io.Copy(pair[0], pair[1])
				_ = pair[0].Close()
				_ = pair[1].Close()
			}()
		}
	}
}
