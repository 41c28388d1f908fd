package rollout

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Watch is what one who watches a rolling restart remembers. The zero Watch begins.
type Watch struct {
	servers map[ensemble.ID]*Watched
	epoch   uint32
}

// Server is what is remembered of a server; nothing at its first look.
func (w *Watch) Server(id ensemble.ID) *Watched {
	if w.servers == nil {
		w.servers = map[ensemble.ID]*Watched{}
	}
	if w.servers[id] == nil {
		w.servers[id] = &Watched{}
	}
	return w.servers[id]
}

// Seen returns what is remembered of a server, if it was looked at.
func (w *Watch) Seen(id ensemble.ID) (*Watched, bool) {
	s, ok := w.servers[id]
	return s, ok
}

// Epoch is that of the last leader that was seen, 0 when none was.
func (w *Watch) Epoch() uint32 { return w.epoch }

// Election is what a look says about elections.
type Election string

const (
	// ElectionNone: the leader is the one it was, or none is seen.
	ElectionNone Election = ""
	// ElectionUnmarked: the patches left no epoch to count from, for no leader was
	// seen then; this one's is the mark.
	ElectionUnmarked Election = "unmarked"
	// ElectionHeld: there is a new leader since the look before.
	ElectionHeld Election = "held"
)

// Elections looks for a new leader.
func (w *Watch) Elections(o migration.Observation) Election {
	now, _ := o.Epoch()
	if now == 0 || now == w.epoch {
		return ElectionNone
	}
	first := w.epoch == 0
	w.epoch = now
	switch {
	case o.Record.Elections.AtReconfigure == 0:
		return ElectionUnmarked
	case first:
		return ElectionNone
	}
	return ElectionHeld
}
