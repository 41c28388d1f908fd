package stats

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWrites(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	w := NewWrites(start, 200*time.Millisecond)
	w.Acked(at(100), 1*time.Millisecond)
	w.Acked(at(400), 2*time.Millisecond)  // 300 ms
	w.Acked(at(390), 3*time.Millisecond)  // acknowledged earlier, added later
	w.Acked(at(600), 4*time.Millisecond)  // exactly the threshold
	w.Acked(at(2100), 9*time.Millisecond) // 1.5 s
	got := w.Summary(at(2400))            // and 300 ms until the end
	want := Summary{
		Acked:   5,
		Longest: Stall{At: at(600), Seconds: 1.5},
		Stalls:  []Stall{{at(100), 0.3}, {at(600), 1.5}, {at(2100), 0.3}},
		P50:     3 * time.Millisecond, P99: 4 * time.Millisecond, Max: 9 * time.Millisecond,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestNoWriteAtAllIsOneStall(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	got := NewWrites(start, time.Second).Summary(start.Add(time.Minute))
	if got.Acked != 0 || got.Longest.Seconds != 60 || len(got.Stalls) != 1 {
		t.Errorf("got %+v", got)
	}
}
