package rollout

import (
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// TestElections: the first leader that is seen is the mark where the patches left
// none, and each new one after it is an election.
func TestElections(t *testing.T) {
	for name, c := range map[string]struct {
		mark   uint32
		epochs []uint32
		want   []Election
	}{
		"marked":         {4, []uint32{4, 4, 0, 4, 5, 5}, []Election{ElectionNone, ElectionNone, ElectionNone, ElectionNone, ElectionHeld, ElectionNone}},
		"begun too late": {4, []uint32{6, 7}, []Election{ElectionNone, ElectionHeld}},
		"unmarked":       {0, []uint32{0, 4}, []Election{ElectionNone, ElectionUnmarked}},
	} {
		rec := three()
		rec.Elections.AtReconfigure = c.mark
		var w Watch
		for i, epoch := range c.epochs {
			leader := ensemble.ID(2)
			if epoch == 0 {
				leader = 0
			}
			if got := w.Elections(led(rec, leader, epoch)); got != c.want[i] {
				t.Errorf("%s: look %d: %q, want %q", name, i, got, c.want[i])
			}
		}
		if last := c.epochs[len(c.epochs)-1]; w.Epoch() != last {
			t.Errorf("%s: epoch %d", name, w.Epoch())
		}
	}
}

// TestSeen: a server that was never looked at is told from one that was.
func TestSeen(t *testing.T) {
	var w Watch
	if _, ok := w.Seen(1); ok {
		t.Error("nothing was looked at")
	}
	first := w.Server(1)
	if again, ok := w.Seen(1); !ok || again != first || w.Server(1) != first {
		t.Error("what was remembered is lost")
	}
}
