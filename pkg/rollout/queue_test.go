package rollout

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestQueue: the leader goes last, and an election is planned after it alone: what
// comes before is held to the epoch in which the command began.
func TestQueue(t *testing.T) {
	rec := three()
	observer := rec.Servers[0]
	observer.ID, observer.Role = 4, ensemble.Observer
	rec.Servers = append(rec.Servers, observer)
	q := Queue{Order: migration.Replacements}
	for i, c := range []struct {
		leader ensemble.ID
		epoch  uint32
		id     ensemble.ID
		held   uint32
	}{
		{0, 0, 1, 0}, // nobody knows the leader yet
		{2, 4, 1, 4},
		{2, 5, 3, 4}, // an election that nobody planned: migration stops it
		{2, 5, 2, 4},
		{3, 6, 4, 6}, // the leader has moved
	} {
		id, epoch, ok := q.Next(led(rec, c.leader, c.epoch))
		if !ok || id != c.id || epoch != c.held {
			t.Fatalf("%d: server %d, held to epoch %d, %t; want %+v", i, id, epoch, ok, c)
		}
		if i > 0 {
			q.Moved()
			sr, _ := rec.Server(id)
			sr.Replaced = &time.Time{}
		}
	}
	if id, _, ok := q.Next(led(rec, 3, 6)); ok {
		t.Errorf("all are replaced, and server %d goes next", id)
	}
}

// TestQueueGoesOn: the server on its way comes first.
func TestQueueGoesOn(t *testing.T) {
	rec := three()
	rec.Flight = &migration.Flight{Kind: migration.Replace, ID: 3}
	if id, epoch, ok := (&Queue{Order: migration.Replacements}).Next(led(rec, 3, 4)); !ok || id != 3 || epoch != 4 {
		t.Errorf("server %d, epoch %d, %t", id, epoch, ok)
	}
}
