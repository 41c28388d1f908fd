package fleet

import (
	"testing"
	"time"
)

// TestForetell: the forecast is what the run then does, whatever the plan, if every ensemble takes
// that long and nothing goes wrong.
func TestForetell(t *testing.T) {
	for seed := range uint64(200) {
		w := someWorld(t, seed)
		facts := map[string]Fact{}
		for _, target := range w.plan.Targets {
			facts[target.ID] = Fact{Seen: true, Healthy: true, Ready: true, Left: []Part{Replace}, Servers: 3, Elections: 1}
		}
		const per = 4 * time.Minute
		got := Foretell(w.plan, w.state, facts, per, w.now)
		if got.Ends.IsZero() {
			t.Fatalf("seed %d: it does not end", seed)
		}
		// Played minute by minute.
		s, now, ends := w.state, w.now, map[string]time.Time{}
		for range 60 * 24 * 60 {
			for id, at := range ends {
				if s.Phase(id) == UnderWay && !at.After(now) {
					s.End(id, Ending{}, Mark{At: now})
				}
			}
			d := Decide(w.plan, s, Facts{Targets: facts}, now)
			if d.Verdict == Finished {
				break
			}
			for _, id := range d.Begin {
				s.Begin(id, facts[id], Mark{At: now})
				ends[id] = now.Add(3 * per)
				if !got.Begins[id].Equal(now) {
					t.Fatalf("seed %d: %s begins at %s, foretold was %s", seed, id, now, got.Begins[id])
				}
			}
			for _, wait := range d.Waits {
				if wait.Approval != "" {
					_ = s.Approve(w.plan, wait.Approval, Mark{At: now})
				}
			}
			if len(d.Begin) == 0 && !gives(d) {
				now = now.Add(time.Minute)
			}
		}
		for id, at := range ends {
			if !got.Ended[id].Equal(at) {
				t.Errorf("seed %d: %s ends at %s, foretold was %s", seed, id, at, got.Ended[id])
			}
		}
	}
}

func gives(d Decision) bool {
	for _, w := range d.Waits {
		if w.Approval != "" {
			return true
		}
	}
	return false
}

// TestAlternatives: more at once never ends later here, and what is written is among them.
func TestAlternatives(t *testing.T) {
	p := Plan{Name: "f", Until: Replaced, MaxConcurrency: 8, Stages: []Stage{{Name: "all", Concurrency: 2}}}
	facts := map[string]Fact{}
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		p.Targets = append(p.Targets, Target{ID: id, Stage: "all"})
		facts[id] = Fact{Seen: true, Servers: 3, Left: []Part{Replace}}
	}
	now := time.Unix(0, 0)
	var took []Seconds
	for _, a := range Alternatives(p, State{}, facts, time.Minute, now) {
		took = append(took, a.Takes)
		if a.Written != (a.AtOnce == 2) {
			t.Errorf("%+v", a)
		}
	}
	if len(took) != 4 || took[0] != 24*60 || took[1] != 12*60 || took[2] != 6*60 || took[3] != 3*60 {
		t.Errorf("%v", took)
	}
	if Alternatives(p, State{}, facts, 0, now) != nil {
		t.Error("it is foretold from nothing")
	}
}
