package migration_test

import (
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestWhoMustHaveAcknowledged: the wait for the other servers' disks is left out only
// where no quorum can be without one of them.
func TestWhoMustHaveAcknowledged(t *testing.T) {
	ids := func(n ensemble.ID) (out []ensemble.ID) {
		for id := ensemble.ID(1); id <= n; id++ {
			out = append(out, id)
		}
		return out
	}
	grouped := func(groups ...int) func(*scene) {
		return func(s *scene) {
			for i := range s.o.Record.Servers {
				s.o.Record.Servers[i].Group = groups[i]
			}
		}
	}
	for name, c := range map[string]struct {
		ids   []ensemble.ID
		set   func(*scene)
		waits bool
	}{
		"three voters": {ids: ids(3)},
		"four voters":  {ids: ids(4)},
		"five voters":  {ids: ids(5), waits: true},
		"six voters":   {ids: ids(6), waits: true},
		"seven voters": {ids: ids(7), waits: true},
		"an observer is not one of them": {ids: ids(4), set: func(s *scene) {
			s.server(2).Role = ensemble.Observer
			s.view(4).Live.SyncedFollowers = 1
		}},
		"an observer goes":    {ids: ids(4), set: func(s *scene) { s.server(1).Role = ensemble.Observer }, waits: true},
		"one has more weight": {ids: ids(4), set: func(s *scene) { s.server(4).Weight = 3 }, waits: true},
		"one has none":        {ids: ids(4), set: func(s *scene) { s.server(4).Weight = 0 }},
		"three groups of two": {ids: ids(6), set: grouped(1, 1, 2, 2, 3, 3), waits: true},
		"three groups of one": {ids: ids(3), set: grouped(1, 2, 3)},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", c.ids...)
			if c.set != nil {
				c.set(s)
			}
			s.unbridged(1).After.At = t0()
			d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1}, s.o)
			if waits := d.Code == migration.CodeHold; waits != c.waits || !waits && d.Step != migration.StepRelease {
				t.Errorf("%s %s %s: %s", d.Kind, d.Code, d.Step, d.Reason)
			}
		})
	}
}
