package client

import (
	"errors"
	"sync"
	"time"
)

// hosts is a zk.HostProvider whose servers can be exchanged while the client
// runs. Names are left to the dialer, which resolves them at every connect, so
// that a moved CNAME is followed; the library's own provider resolves once.
type hosts struct {
	mu      sync.Mutex
	servers []string
	next    int
	tried   int // since the last success
}

// pause after each server was tried once in vain. The library itself would
// wait a second, which would hide how soon servers are back.
const pause = 50 * time.Millisecond

func (h *hosts) set(servers []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.servers, h.next, h.tried = append([]string(nil), servers...), 0, 0
}

// Init implements zk.HostProvider.
func (h *hosts) Init(servers []string) error {
	if len(servers) == 0 {
		return errors.New("no servers given")
	}
	h.set(servers)
	return nil
}

// Len implements zk.HostProvider.
func (h *hosts) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.servers)
}

// Next implements zk.HostProvider. It never asks for the library's own pause,
// which would also fail what waits to be sent.
func (h *hosts) Next() (string, bool) {
	h.mu.Lock()
	wait := h.tried >= len(h.servers)
	if wait {
		h.tried = 0
	}
	h.mu.Unlock()
	if wait {
		<-time.After(pause)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	server := h.servers[h.next%len(h.servers)]
	h.next++
	h.tried++
	return server, false
}

// Connected implements zk.HostProvider.
func (h *hosts) Connected() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tried = 0
}
