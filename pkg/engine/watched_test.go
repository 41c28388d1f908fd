package engine

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
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
	for port, want := range map[migration.PortState]bool{
		migration.PortOpen: true, migration.PortClosed: true, migration.PortSilent: false, migration.PortUnknown: false,
	} {
		o := migration.Observation{Servers: []migration.ServerView{{ID: 1, Host: migration.HostView{Client: port, Election: port}}}}
		if told(o, 1) != want {
			t.Errorf("%s: %t", port, !want)
		}
	}
}
