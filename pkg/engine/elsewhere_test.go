package engine_test

import (
	"context"
	"slices"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestAskedFromElsewhere: a command that asks from the node of the pod that is the other
// witness looks for another pod, before anything is stopped, and goes on from there.
func TestAskedFromElsewhere(t *testing.T) {
	w := newWorld()
	e := w.engine()
	e.From = vantage.Point{Pod: "zk-probe-1", Node: "n"}
	asked := 0
	e.Elsewhere = func(_ context.Context, _ migration.Record, id ensemble.ID) {
		if asked++; id != 1 || slices.Contains(w.acts(), "stop") {
			t.Errorf("asked for server %d, after %v", id, w.acts())
		}
		e.From = vantage.Point{Pod: "zk-pod-1", Node: "node-2"}
	}
	if d, err := e.Run(t.Context(), replaceOne()); err != nil || d.Kind != migration.Done {
		t.Fatalf("%+v, %v", d, err)
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
