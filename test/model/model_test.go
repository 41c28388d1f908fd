package model

import (
	"slices"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func three() []ensemble.ID { return []ensemble.ID{1, 2, 3} }

// explore visits every state and asks that none breaks an invariant and that
// the migration ends from those that were sampled.
func explore(t *testing.T, cfg Config, limit, samples int) {
	t.Helper()
	if cfg.Limit > 0 {
		limit = cfg.Limit
	}
	r := Explore(cfg, migration.Decide, limit)
	t.Logf("| %s, %s | %d states | %d transitions | depth %d | whole %v | %s |", cfg.Name, cfg.Version, r.States, r.Transitions, r.Depth, r.Whole, r.Took.Round(1e6))
	if r.Broken != fine {
		t.Fatalf("%s:\n  %s", r.Broken, strings.Join(r.Story, "\n  "))
	}
	if !r.Whole && cfg.Limit == 0 {
		t.Errorf("more than %d states: not everything was seen", limit)
	}
	fair(t, r, samples)
}

// walk takes random steps.
func walk(t *testing.T, cfg Config, steps int) {
	t.Helper()
	r := Walk(cfg, migration.Decide, steps, 1)
	t.Logf("| %s, %s | %d steps | %d walks | %d operations ended | %s |", cfg.Name, cfg.Version, r.Steps, r.Walks, r.Operations, r.Took.Round(1e6))
	if r.Broken != fine {
		t.Fatalf("%s:\n  %s", r.Broken, strings.Join(r.Story, "\n  "))
	}
	if r.Stuck != nil {
		t.Errorf("from where a walk ended: %v", r.Stuck)
	}
	if r.Operations == 0 {
		t.Error("no operation ended in any walk: they show nothing")
	}
}

func TestQuick(t *testing.T) {
	for _, cfg := range Quick() {
		t.Run(strings.ReplaceAll(cfg.Name, " ", "_"), func(t *testing.T) { explore(t, cfg, 1_000_000, fairSamples) })
	}
}

func TestQuickWalks(t *testing.T) {
	for _, cfg := range Walks() {
		t.Run(strings.ReplaceAll(cfg.Name, " ", "_"), func(t *testing.T) { walk(t, cfg, 10_000) })
	}
}

// TestIDsMakeNoDifference: 0 and large ids are ids like any other, so with them every state
// is the same.
func TestIDsMakeNoDifference(t *testing.T) {
	for _, quick := range Quick() {
		if quick.Name != "the leader goes last, one fault" && quick.Name != "replace one and go back" {
			continue
		}
		other := quick
		other.IDs = []ensemble.ID{0, 300, 1023}
		for _, ids := range []*[]ensemble.ID{&other.Only, &other.Moved} {
			*ids = slices.Clone(*ids)
			for i, id := range *ids {
				(*ids)[i] = other.IDs[slices.Index(quick.IDs, id)]
			}
		}
		want, got := Explore(quick, migration.Decide, 1_000_000), Explore(other, migration.Decide, 1_000_000)
		if got.Broken != fine || got.States != want.States || got.Transitions != want.Transitions || got.Depth != want.Depth {
			t.Errorf("%s: %d states, %d transitions, depth %d; with other ids %d, %d, %d: %s %v", quick.Name, want.States, want.Transitions, want.Depth,
				got.States, got.Transitions, got.Depth, got.Broken, got.Story)
		}
	}
}
