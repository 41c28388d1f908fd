// Package rollout has the rules of what goes over several servers, one after the
// other: the order of a replacement of all, and what is remembered, counted and
// kept while a rolling restart is watched. It judges what was seen; whoever calls
// it looks, waits, asks and prints.
package rollout

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Queue is one operation on all servers by one command.
type Queue struct {
	// Order is who is left to go, as things stand now, the one in flight first.
	Order func(migration.Observation) []ensemble.ID
	// epoch is the leader's since the last election that was planned, 0 when no
	// leader was seen since.
	epoch uint32
	// led: the server that goes was the leader.
	led bool
}

// Next returns the server that goes next as things stand now, and the epoch that
// it is held to: an election since then that nobody planned stops it, see
// migration.Intent. ok is false when none is left.
func (q *Queue) Next(o migration.Observation) (id ensemble.ID, epoch uint32, ok bool) {
	if q.epoch == 0 {
		q.epoch, _ = o.Epoch()
	}
	left := q.Order(o)
	if len(left) == 0 {
		return 0, 0, false
	}
	q.led = o.Leader().Is(left[0])
	return left[0], q.epoch, true
}

// Moved says that the server that Next returned has gone.
func (q *Queue) Moved() {
	if q.led {
		// The leader's own replacement forces one election; that is planned.
		q.epoch = 0
	}
}
