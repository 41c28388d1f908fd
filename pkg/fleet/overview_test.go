package fleet

import (
	"testing"
	"time"
)

// TestEnsembleView: what an ensemble has still ahead, by what was measured of others, and the
// elections that it has forced as far as they are known.
func TestEnsembleView(t *testing.T) {
	p, err := frozen(t, "  ensembles: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f}]\n")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	after := func(minutes int) Mark { return Mark{At: at.Add(time.Duration(minutes) * time.Minute)} }
	s := State{Digest: p.Digest()}
	s.Begin("n/a", Fact{Servers: 3, Elections: 2, Epoch: 4}, after(0))
	s.End("n/a", Ending{Epoch: 5}, after(6)) // two minutes per server
	s.Begin("n/b", Fact{Servers: 5, Elections: 2, Epoch: 4}, after(6))
	s.Begin("n/c", Fact{Servers: 3, Elections: 2}, after(0))
	s.Begin("n/d", Fact{Servers: 3, Elections: 2, Epoch: 4}, after(6))
	s.End("n/d", Ending{Red: true}, after(7))
	s.Was("n/f", 3, after(0))
	o := Oversee(p, s, "", nil, "", after(9).At)
	for i, want := range []struct {
		left   Seconds
		forced int // -1: not known
	}{
		{0, 1},
		{(5*2 - 3) * 60, -1},
		{0, -1}, // it takes longer than the others
		{0, -1}, // red, and who led was not seen
		{typicalServers * 2 * 60, -1},
		{0, -1},
	} {
		e := o.Ensembles[i]
		forced := -1
		if e.Forced != nil {
			forced = *e.Forced
		}
		if e.Left != want.left || forced != want.forced {
			t.Errorf("%s: left %d, forced %d; want %+v", e.ID, e.Left, forced, want)
		}
	}
	if o.Elections != 3 {
		t.Errorf("%d elections, want 1 that is known and 2 at most", o.Elections)
	}
}
