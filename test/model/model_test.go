package model

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func three() []ensemble.ID { return []ensemble.ID{1, 2, 3} }

func explore(t *testing.T, cfg Config, limit int) Result {
	t.Helper()
	r := Explore(cfg, migration.Decide, limit)
	t.Logf("%s: %d states, %d transitions, depth %d, whole=%v, %s", cfg.Name, r.States, r.Transitions, r.Depth, r.Whole, r.Took.Round(1e6))
	if r.Broken != fine {
		t.Fatalf("%s:\n  %s", r.Broken, strings.Join(r.Story, "\n  "))
	}
	return r
}

func TestOne(t *testing.T) {
	one := []ensemble.ID{1}
	for _, c := range []Config{
		{Name: "replace F1 n5", IDs: []ensemble.ID{1, 2, 3, 4, 5}, Begins: 1, Writes: 1},

		{Name: "replace F1", Begins: 1, Faults: 1},
		{Name: "replace revert F1", Begins: 1, Reverts: 1, Faults: 1},
		{Name: "late replace revert F1", Begins: 1, Reverts: 1, Faults: 1, Late: true},
		{Name: "replace revert F1 W1 3.4", Version: "3.4.13", Begins: 1, Reverts: 1, Faults: 1, Writes: 1, Without: []string{"lease"}},
		{Name: "leader last F1", Begins: 1, Faults: 1, Moved: []ensemble.ID{1, 2}, Only: []ensemble.ID{3}},
		{Name: "revert moved F1", Reverts: 1, Begins: 1, Faults: 1, Moved: []ensemble.ID{1}},
		{Name: "revert moved leader F1", Reverts: 1, Begins: 1, Faults: 1, Moved: []ensemble.ID{1, 2, 3}, Only: []ensemble.ID{3}},
		{Name: "restart F1", Begins: 1, Faults: 1, Restart: true},
		{Name: "restart all", Begins: 3, Restart: true, Only: three()},
		{Name: "replace all", Begins: 3, Only: three()},
	} {
		if c.IDs == nil {
			c.IDs = three()
		}
		if c.Only == nil {
			c.Only = one
		}
		if c.Version == "" {
			c.Version = "3.8.0"
		}
		fair(t, explore(t, c, 400_000))
	}
}
