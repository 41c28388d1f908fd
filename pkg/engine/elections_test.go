package engine

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func TestElections(t *testing.T) {
	// look is one at that second that took half a second; epoch 0 is one that saw no leader.
	type look struct{ second, epoch int }
	for name, c := range map[string]struct {
		looks []look
		want  time.Duration
	}{
		"no election":                     {[]look{{0, 1}, {1, 1}, {60, 1}}, 0},
		"no leader was seen for a while":  {[]look{{0, 1}, {1, 0}, {2, 0}, {3, 1}}, 0},
		"one":                             {[]look{{0, 1}, {1, 1}, {2, 0}, {4, 2}, {5, 2}}, 3500 * time.Millisecond},
		"one between two looks":           {[]look{{0, 1}, {1, 2}}, 1500 * time.Millisecond},
		"the longest of two":              {[]look{{0, 1}, {2, 2}, {3, 2}, {10, 3}, {11, 4}}, 7500 * time.Millisecond},
		"nobody saw what was before":      {[]look{{0, 0}, {9, 2}}, 0},
		"an old leader still says it is":  {[]look{{0, 2}, {1, 1}, {2, 2}}, 0},
		"two at once in one gap of looks": {[]look{{0, 1}, {4, 3}}, 4500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			var e Elections
			for _, l := range c.looks {
				at := time.Unix(int64(l.second), 0)
				v := migration.ServerView{ID: 1}
				if l.epoch > 0 {
					v.Live = vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Leader, Zxid: ensemble.Zxid(l.epoch) << 32}
				}
				e.Look(migration.Observation{At: at, Servers: []migration.ServerView{v}}, at.Add(500*time.Millisecond))
			}
			if e.Longest != c.want {
				t.Errorf("%s, want %s", e.Longest, c.want)
			}
		})
	}
}
