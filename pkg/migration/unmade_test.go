package migration_test

import (
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestUnmade: whoever deletes or shrinks what the pods are made from, at
// whatever moment, the command that goes on makes it again.
func TestUnmade(t *testing.T) {
	for name, c := range map[string]struct {
		set    func(s *scene)
		kind   migration.FlightKind
		parked bool
	}{
		"a replaced server":                     {set: func(s *scene) { s.replaced(1) }, parked: true},
		"taken back: its gate is closed first":  {set: func(s *scene) { s.reverting(1); s.host(1, vantage.PortClosed) }, kind: migration.Revert},
		"given up: its gate is closed first":    {set: func(s *scene) { s.started(1).Aborted = "why" }},
		"stopped, not flipped":                  {set: func(s *scene) { s.proven(1) }, parked: true},
		"flipped":                               {set: func(s *scene) { s.flipped(1) }, parked: true},
		"released":                              {set: func(s *scene) { s.released(1) }, parked: true},
		"given up":                              {set: func(s *scene) { s.started(1).Aborted = "why"; s.view(1).Cluster.Gate.Released = false }, parked: true},
		"a revert whose pod was deleted":        {set: func(s *scene) { s.reclaimed(1) }, kind: migration.Revert, parked: true},
		"a revert that is turned back":          {set: func(s *scene) { s.reclaimed(1).Line = &migration.Release{Generation: 2, Start: "empty:a"} }, parked: true},
		"on its host, and nothing is under way": {set: func(*scene) {}, kind: migration.Revert},
		"its restart has nothing to do with it": {set: func(s *scene) { s.flight(migration.Reconfigure, 1) }, kind: migration.Reconfigure},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.4.13", 1, 2, 3)
			c.set(s)
			s.down(1)
			s.view(1).Cluster.Pod = migration.PodView{Name: "demo-pod-0", Source: migration.Source{Missing: true}}
			if c.kind == "" {
				c.kind = migration.Replace
			}
			d := migration.Decide(migration.Intent{Kind: c.kind, ID: 1, By: "test", Since: t0()}, s.o)
			if parks := d.Kind == migration.Do && d.Step == migration.StepPark; parks != c.parked {
				t.Errorf("%s %s %s: %s", d.Kind, d.Step, d.Code, d.Reason)
			}
		})
	}
}
