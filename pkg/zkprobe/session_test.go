package zkprobe

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

func TestSplitSession(t *testing.T) {
	tests := []struct {
		id     uint64
		server int
		clock  time.Duration
	}{
		{0x10000143e940000, 1, 1326740 * time.Millisecond},      // 3.4.13, recorded
		{0x10000143e940007, 1, 1326740 * time.Millisecond},      // the eighth session of it
		{0xff00000143e90001, 255, 82921 * time.Millisecond},     // ids above 127 make negative numbers
		{0x09ffffffffffffff, 9, (1<<40 - 1) * time.Millisecond}, // all bits of the clock
		{0x0500000000000000, 5, 0},
	}
	for _, tt := range tests {
		got := SplitSession(int64(tt.id))
		if int(got.IDByte) != tt.server || got.Clock != tt.clock {
			t.Errorf("0x%x: got server %d, clock %s, want %d, %s", tt.id, got.IDByte, got.Clock, tt.server, tt.clock)
		}
	}
}

func TestOriginWallClock(t *testing.T) {
	now := time.Date(2026, 11, 22, 11, 0, 0, 0, time.UTC)
	start := now.Add(-90 * 24 * time.Hour)
	id := int64(uint64(start.UnixMilli())<<24>>8 | 3<<56)
	got, ok := SplitSession(id).WallClock(now)
	if !ok || !got.Equal(start) {
		t.Errorf("id made from the wall clock: got %s, %t, want %s", got, ok, start)
	}
	for _, uptime := range []time.Duration{0, time.Minute, 1000 * 24 * time.Hour} {
		if got, ok := (SessionOrigin{IDByte: 3, Clock: uptime}).WallClock(now); ok {
			t.Errorf("id made from an uptime of %s: taken for %s", uptime, got)
		}
	}
}

// TestOf: a session tells its server among the ids of an ensemble, unless two of them share
// the byte that it holds.
func TestOf(t *testing.T) {
	for name, c := range map[string]struct {
		id   ensemble.ID
		ids  []ensemble.ID
		want ensemble.MaybeID
	}{
		"1":                   {1, []ensemble.ID{1, 2, 3}, ensemble.ID(1).Known()},
		"0":                   {0, []ensemble.ID{0, 1, 2}, ensemble.ID(0).Known()},
		"a large one":         {300, []ensemble.ID{1, 300, 1023}, ensemble.ID(300).Known()},
		"one of two":          {257, []ensemble.ID{1, 257, 3}, ensemble.MaybeID{}},
		"beside two":          {3, []ensemble.ID{1, 257, 3}, ensemble.ID(3).Known()},
		"of another ensemble": {7, []ensemble.ID{1, 300, 1023}, ensemble.ID(7).Known()},
	} {
		session := int64(uint64(c.id)<<56 | 0x143e90000) // as SessionTrackerImpl does
		if got := SplitSession(session).Of(c.ids); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestOriginServingSince(t *testing.T) {
	clients, _ := ParseCons("/127.0.0.1:51814[1](sid=0x10000143e940000,est=1795345899154,to=20000,lresp=1326806)\n")
	c := clients[0]
	got, ok := SplitSession(c.SessionID).ServingSince(c)
	if want := time.UnixMilli(1795345899154 - 66).UTC(); !ok || !got.Equal(want) {
		t.Errorf("got %s, %t, want %s", got, ok, want)
	}
	if _, ok := (SessionOrigin{IDByte: 2, Clock: c.Established.Sub(time.UnixMilli(0))}).ServingSince(c); ok {
		t.Error("a line of another stretch of serving was taken")
	}
	c.Values["lresp"] = "7"
	if _, ok := SplitSession(c.SessionID).ServingSince(c); ok {
		t.Error("a response before the server began to serve was taken")
	}
}
