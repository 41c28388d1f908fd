package engine

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestWatchedSince: a look long after the last one that told something begins
// anew.
func TestWatchedSince(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	begun := at.Add(-time.Hour)
	for name, c := range map[string]struct{ since, seen, want time.Time }{
		"the first look":      {time.Time{}, time.Time{}, at},
		"right after a look":  {begun, at.Add(-time.Second), begun},
		"after a gap":         {begun, at.Add(-migration.WatchGap - time.Second), at},
		"nothing told so far": {begun, time.Time{}, at},
	} {
		if got := watchedSince(c.since, c.seen, migration.Observation{At: at}); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTold(t *testing.T) {
	for name, row := range map[string]struct {
		host migration.HostView
		want bool
	}{
		"answers":                 {migration.HostView{Client: vantage.PortOpen, Election: vantage.PortOpen, Answer: vantage.Sighting{Reach: vantage.NotServing}}, true},
		"accepts, without a word": {migration.HostView{Client: vantage.PortOpen, Election: vantage.PortOpen, Answer: vantage.Sighting{Reach: vantage.Timeout}}, false},
		"refuses":                 {migration.HostView{Client: vantage.PortClosed, Election: vantage.PortClosed}, true},
		"silent":                  {migration.HostView{Client: vantage.PortSilent, Election: vantage.PortSilent}, false},
		"nobody asked":            {migration.HostView{}, false},
	} {
		o := migration.Observation{Servers: []migration.ServerView{{ID: 1, Host: row.host}}}
		if told(o, 1) != row.want {
			t.Errorf("%s: %t", name, !row.want)
		}
	}
}

func TestSpans(t *testing.T) {
	at := time.Unix(1700000000, 0)
	blind := func(at time.Time) migration.Observation {
		return migration.Observation{At: at, Servers: []migration.ServerView{{ID: 1}}}
	}
	var s spans
	if unseen, _ := s.look(blind(at)); !unseen.Equal(at) {
		t.Errorf("the first look: %s", unseen)
	}
	if unseen, _ := s.look(blind(at.Add(time.Hour))); !unseen.Equal(at) {
		t.Errorf("still unseen: %s", unseen)
	}
	seen := blind(at.Add(time.Hour))
	seen.Servers[0].Live.Reach = vantage.Refused
	if unseen, _ := s.look(seen); !unseen.IsZero() {
		t.Errorf("seen: %s", unseen)
	}
	if got := since(at, at.Add(time.Hour), true, true); !got.Equal(at.Add(time.Hour)) {
		t.Errorf("after a gap: %s", got)
	}
}
