package model

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestNothingListedIsUnwrapped: whoever takes the Services back, killed anywhere, beside a rolling
// restart and a wrap, deletes none whose address a server runs with; and where nobody has been
// restarted, all go.
func TestNothingListedIsUnwrapped(t *testing.T) {
	all := []Config{Unwrapping(), unseenUnwrap(Unwrapping())}
	if !full {
		all[0].Begins, all = 1, all[:1]
	}
	for _, cfg := range all {
		ended := false
		r := Explore(cfg, func(in migration.Intent, o migration.Observation) migration.Decision {
			d := migration.Decide(in, o)
			ended = ended || in.Kind == migration.Unwrap && d.Kind == migration.Done
			return d
		}, 3_000_000)
		t.Logf("%d states, %d transitions, depth %d, %s", r.States, r.Transitions, r.Depth, r.Took)
		if r.Broken != fine || !r.Whole {
			t.Errorf("%s (whole %v)\n  %s", r.Broken, r.Whole, strings.Join(r.Story, "\n  "))
		}
		if !ended {
			t.Error("the Services are never all taken back")
		}
	}
}
