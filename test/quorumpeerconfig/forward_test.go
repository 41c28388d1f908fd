//go:build zk && linux

package quorumpeerconfig

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

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
		f, err := zkreal.NewForward(r.t.Context(), ensemble.JoinHostPort(serviceAddr(id), port), ensemble.JoinHostPort(hostAddr(id), port))
		if err != nil {
			r.t.Fatal(err)
		}
		r.forward[id] = append(r.forward[id], f)
	}
}

func (r *rolling) endForward(id ensemble.ID) {
	for _, f := range r.forward[id] {
		f.Close()
	}
	delete(r.forward, id)
}
