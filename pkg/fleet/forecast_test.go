package fleet

import (
	"fmt"
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

// TestForetellWhatIsThere: an ensemble that is at the goal and well is passed over, one that is not
// well is not, and a run that is over ends now.
func TestForetellWhatIsThere(t *testing.T) {
	p := Plan{Name: "f", Until: Replaced, MaxConcurrency: 1, Stages: []Stage{{Name: "all", Concurrency: 1}}, Targets: []Target{{ID: "a", Stage: "all"}, {ID: "b", Stage: "all"}}}
	now := time.Unix(1000, 0)
	well := Fact{Seen: true, Healthy: true, Servers: 3}
	sick := Fact{Seen: true, Servers: 3}
	for want, facts := range map[time.Duration]map[string]Fact{
		0:               {"a": well, "b": well},
		3 * time.Minute: {"a": well, "b": sick},
		6 * time.Minute: {"a": sick, "b": sick},
	} {
		if got := Foretell(p, State{}, facts, time.Minute, now).Ends; !got.Equal(now.Add(want)) {
			t.Errorf("%+v: ends after %s, want %s", facts, got.Sub(now), want)
		}
	}
}

// TestForetellMany: a fleet of a thousand with one consumer is foretold at once.
func TestForetellMany(t *testing.T) {
	p := Plan{Name: "f", Until: Replaced, MaxConcurrency: 10, Stages: []Stage{{Name: "all", Concurrency: 10}}}
	for i := range 1000 {
		p.Targets = append(p.Targets, Target{ID: fmt.Sprint(i), Stage: "all", Consumers: []string{"one"}})
	}
	now := time.Unix(0, 0)
	if got := Foretell(p, State{}, nil, time.Minute, now).Ends; !got.Equal(now.Add(3000 * time.Minute)) {
		t.Errorf("ends after %s", got.Sub(now))
	}
}

// TestOneForecast: status and plan say how long a run still takes, and both say when it ends by
// the rules: with windows and soaks, and not at all where somebody has to do something first.
func TestOneForecast(t *testing.T) {
	p, err := frozen(t, "  ensembles: [{name: a}, {name: b}, {name: c}]\n  strategy: {windows: [{cron: '0 22 * * *', duration: 6h}], stages: [{name: all, soakEach: 20h}]}\n")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC)
	s := State{Digest: p.Digest()}
	left := func(now time.Time) (status, plan Seconds) {
		return Oversee(p, s, "", nil, "", now).Left, Foresee(p, s, nil, now).Left
	}
	if status, plan := left(at); status != 0 || plan != 0 {
		t.Errorf("nobody knows how long a server takes: %d, %d", status, plan)
	}
	s.Begin("n/a", Fact{Servers: 3}, Mark{At: at})
	s.End("n/a", Ending{}, Mark{At: at.Add(6 * time.Minute)})
	// b begins at 22:00 of the next day, c at 22:00 of the one after: both wait for the window.
	now := at.Add(time.Hour)
	want := Seconds(at.Add(48*time.Hour + 6*time.Minute).Sub(now).Seconds())
	if status, plan := left(now); status != want || plan != want {
		t.Errorf("%d by status, %d by plan, want %d", status, plan, want)
	}
	s.Begin("n/b", Fact{Servers: 3}, Mark{At: at.Add(24 * time.Hour)})
	s.End("n/b", Ending{Red: true}, Mark{At: at.Add(25 * time.Hour)})
	if status, plan := left(at.Add(26 * time.Hour)); status != 0 || plan != 0 {
		t.Errorf("a red ensemble keeps the rest: %d, %d", status, plan)
	}
}

// TestImpossiblePlans: what Freeze does not make is refused, whoever has written it.
func TestImpossiblePlans(t *testing.T) {
	good := func() Plan {
		return Plan{Name: "f", Until: Replaced, MaxConcurrency: 1, Stages: []Stage{{Name: "all", Concurrency: 1}}, Targets: []Target{{ID: "a", Stage: "all"}}}
	}
	for name, spoil := range map[string]func(*Plan){
		"":              func(*Plan) {},
		"a goal":        func(p *Plan) { p.Until = "nonsense" },
		"at once":       func(p *Plan) { p.MaxConcurrency = 0 },
		"in a stage":    func(p *Plan) { p.Stages[0].Concurrency = 0 },
		"no stage":      func(p *Plan) { p.Stages = nil },
		"another stage": func(p *Plan) { p.Targets[0].Stage = "b" },
	} {
		p := good()
		spoil(&p)
		err := State{Digest: p.Digest()}.Validate(p)
		if (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		}
	}
	p, at := good(), time.Unix(1000, 0)
	for _, r := range []Result{{Phase: Done, Begun: at, Ended: at.Add(-1)}, {Phase: UnderWay}} {
		if (State{Digest: p.Digest(), Results: map[string]Result{"a": r}}).Validate(p) == nil {
			t.Errorf("%+v is taken", r)
		}
	}
}
