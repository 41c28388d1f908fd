//go:build zk && linux

package quorumpeerconfig

import (
	"io"
	"net"
	"sync"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// forwarder plays a Service for one port: what dials the Service's address
// reaches the host's.
type forwarder struct {
	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn
}

// startForward begins to play the Service of a server that binds its host's
// address alone; one that binds all addresses needs nobody.
func (r *rolling) startForward(id ensemble.ID) {
	r.t.Helper()
	for _, h := range r.hosts {
		if own, _ := h.Config.Server(id); h.ID == id && own.Host == "0.0.0.0" {
			return
		}
	}
	s := r.real.Server(int(id))
	for _, port := range []int{s.PeerPort, s.ElectionPort} {
		l, err := listen(ensemble.JoinHostPort(serviceAddr(id), port))
		if err != nil {
			r.t.Fatal(err)
		}
		f := &forwarder{listener: l}
		r.forward[id] = append(r.forward[id], f)
		go f.run(ensemble.JoinHostPort(hostAddr(id), port))
	}
}

// listen retries while the server that had the port is still going.
func listen(addr string) (l net.Listener, err error) {
	deadline := time.Now().Add(10 * time.Second)
	for tick := time.NewTicker(100 * time.Millisecond); time.Now().Before(deadline); <-tick.C {
		if l, err = net.Listen("tcp", addr); err == nil {
			return l, nil
		}
	}
	return nil, err
}

func (r *rolling) endForward(id ensemble.ID) {
	for _, f := range r.forward[id] {
		_ = f.listener.Close()
		f.mu.Lock()
		for _, c := range f.conns {
			_ = c.Close()
		}
		f.mu.Unlock()
	}
	delete(r.forward, id)
}

func (f *forwarder) run(to string) {
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
