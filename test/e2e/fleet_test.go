//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestFleet: a canary from its files to its pods, an approval, then two ensembles that have a
// consumer in common, one after the other although two at once are allowed. The runner is
// killed again and again, and run again, in two places in turn. make test-wave plays the rest.
func TestFleet(t *testing.T) {
	t.Parallel()
	f := newWave(t, "fl", []member{
		{scene.New(t, "fl1", "3.8.0", []int{1, 2, 3}), "labels: {wave: canary}"},
		{scene.New(t, "fl2", "3.4.13", []int{1, 2, 3}), "labels: {wave: rest}, consumers: [the-client]"},
		{scene.New(t, "fl3", "3.8.0", []int{1, 2, 3}), "labels: {wave: rest}, consumers: [the-client]"},
	})
	rest := f.scenes[1:]
	for _, s := range rest {
		s.Wrap()
		s.StartMovedLoad()
	}
	f.write(fleet.Replaced, 6, 3)
	f.zkmigrate(0, "fleet", "plan", "-f", f.file(0), "-o", "markdown")
	if r := f.run(4); !strings.Contains(r, "fleet approve fl --approval=canary-ok") {
		t.Errorf("it does not say what it waits for:\n%s", r)
	}
	if s := f.scenes[0].Status(); s.Replaced != 3 || !s.Healthy {
		t.Fatalf("the canary: %+v", s)
	}
	f.approve()
	verdicts := f.watch(rest)
	kills := f.killedAtRandom(5)
	t.Logf("killed %d times", kills)
	if kills == 0 {
		t.Error("it was never killed")
	}
	f.run(0)
	o := f.status(0)
	if o.Verdict != fleet.Finished || o.Counts.Done != 3 {
		t.Errorf("%+v", o)
	}
	if canary := o.Ensembles[0]; canary.Stall == 0 {
		t.Errorf("the canary was moved with its leader, by a command that lived, and no election was timed: %+v", canary)
	}
	f.neverTogether(o)
	f.judge(verdicts, rest)
	for _, s := range rest {
		s.NothingLost()
	}
	if r := f.zkmigrate(0, "fleet", "report", "fl", "-o", "markdown"); !strings.Contains(r.Stdout, "canary-ok") {
		t.Errorf("the report:\n%s", r.Stdout)
	}
}
