package fleet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// world is a run that is played: ensembles that end well or badly, by themselves, at any time.
type world struct {
	t     *testing.T
	rng   *rand.Rand
	plan  Plan
	state State
	now   time.Time
	// left is how long each one that is under way still takes, forced when its elections
	// were, which nobody tells Decide.
	left   map[string]time.Duration
	forced []time.Time
	// sick are not healthy for now; halted have an annotation; failing is how likely an
	// ensemble fails.
	sick    map[string]bool
	halted  map[string]string
	halt    string
	failing float64
}

func span(d time.Duration) metav1.Duration { return metav1.Duration{Duration: d} }

// someWorld has a plan that uses every rule, some of the time.
func someWorld(t *testing.T, seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{t: t, rng: r, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), left: map[string]time.Duration{}, sick: map[string]bool{}, halted: map[string]string{}}
	w.plan = Plan{Name: "f", Until: Replaced, MaxConcurrency: 1 + r.IntN(4)}
	if r.IntN(2) == 0 {
		w.plan.ElectionsPerHour = 2 + r.IntN(5)
	}
	if r.IntN(3) == 0 {
		w.plan.Windows = []Window{{Cron: "0 22 * * *", Duration: span(time.Duration(1+r.IntN(8)) * time.Hour), TimeZone: "UTC"}}
	}
	for i := range 1 + r.IntN(3) {
		s := Stage{Name: fmt.Sprint("s", i), Concurrency: 1 + r.IntN(4), Tolerate: r.IntN(2) * r.IntN(3)}
		if r.IntN(3) == 0 {
			s.Soak = span(time.Duration(r.IntN(90)) * time.Minute)
		}
		if r.IntN(4) == 0 {
			s.SoakEach = span(time.Duration(r.IntN(30)) * time.Minute)
		}
		if r.IntN(4) == 0 {
			s.ApproveBefore = s.Name + "-go"
		}
		if r.IntN(4) == 0 {
			s.ApproveAfter = s.Name + "-ok"
		}
		w.plan.Stages = append(w.plan.Stages, s)
		for j := range 1 + r.IntN(5) {
			target := Target{ID: fmt.Sprintf("n/e%d%d", i, j), Stage: s.Name}
			if r.IntN(2) == 0 {
				target.Consumers = []string{strconv.Itoa(r.IntN(3))}
			}
			w.plan.Targets = append(w.plan.Targets, target)
		}
	}
	w.state.Digest = w.plan.Digest()
	return w
}

func (w *world) facts() Facts {
	f := Facts{Halt: w.halt, Targets: map[string]Fact{}}
	for _, t := range w.plan.Targets {
		f.Targets[t.ID] = Fact{Seen: true, Ready: true, Healthy: !w.sick[t.ID], Halt: w.halted[t.ID], Left: Ahead(Replaced), Elections: 2, Servers: 3}
	}
	return f
}

func (w *world) underWay() []Target {
	var out []Target
	for _, t := range w.plan.Targets {
		if w.state.Phase(t.ID) == UnderWay {
			out = append(out, t)
		}
	}
	return out
}

// step asks Decide, holds what it says against the rules in words of their own, and plays on.
func (w *world) step() Decision {
	before := w.state.Phase
	d := Decide(w.plan, w.state, w.facts(), w.now)
	for _, id := range d.Begin {
		w.mayBegin(id, before)
		w.state.Begin(id, w.facts().Targets[id], Mark{At: w.now, By: "me"})
		w.left[id] = time.Duration(1+w.rng.IntN(80)) * time.Minute
		for range 2 {
			w.forced = append(w.forced, w.now.Add(time.Duration(w.rng.Int64N(int64(w.left[id])))))
		}
	}
	w.limits()
	return d
}

// mayBegin are the rules that hold when one begins.
func (w *world) mayBegin(id string, phase func(string) Phase) {
	w.t.Helper()
	t, _ := w.plan.Target(id)
	if phase(id) != "" {
		w.t.Errorf("%s begins and is %s", id, phase(id))
	}
	if w.state.Paused != nil || w.halt != "" || len(w.halted) > 0 {
		w.t.Errorf("%s begins in a run that is paused or halted", id)
	}
	if w.sick[id] && w.state.Results[id].Attempts == 0 {
		w.t.Errorf("%s begins and is not healthy", id)
	}
	if len(w.plan.Windows) > 0 {
		if h := time.Duration(w.now.Hour())*time.Hour + time.Duration(w.now.Minute())*time.Minute; (h+2*time.Hour)%(24*time.Hour) > w.plan.Windows[0].Duration.Duration {
			w.t.Errorf("%s begins at %s, outside of the window", id, w.now)
		}
	}
	for _, other := range w.plan.Targets {
		if phase(other.ID) == Done && w.sick[other.ID] {
			w.t.Errorf("%s begins while %s, which was moved, is sick", id, other.ID)
		}
	}
	for _, s := range w.plan.Stages {
		red, ended := 0, time.Time{}
		for _, o := range w.plan.Of(s.Name) {
			switch r := w.state.Results[o.ID]; {
			case r.Phase == Red:
				red++
				ended = later(ended, r.Ended)
			case s.Name != t.Stage && r.Phase != Done && r.Phase != Skipped:
				w.t.Errorf("%s begins before %s of the stage before is over", id, o.ID)
			case r.Phase == Done:
				ended = later(ended, r.Ended)
			case r.Phase == UnderWay && o.ID != id && s.SoakEach.Duration > 0:
				w.t.Errorf("%s begins beside %s, with no soak between them", id, o.ID)
			}
		}
		if red > s.Tolerate {
			w.t.Errorf("%s begins past a red stage %s", id, s.Name)
		}
		_, before := w.state.Approvals[s.ApproveBefore]
		_, after := w.state.Approvals[s.ApproveAfter]
		if s.ApproveBefore != "" && !before || s.Name != t.Stage && s.ApproveAfter != "" && !after {
			w.t.Errorf("%s begins without an approval of stage %s", id, s.Name)
		}
		soak := s.Soak
		if s.Name == t.Stage {
			soak = s.SoakEach
		}
		if !ended.IsZero() && w.now.Before(ended.Add(soak.Duration)) {
			w.t.Errorf("%s begins while stage %s soaks", id, s.Name)
		}
		if s.Name == t.Stage {
			return
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// limits are the rules that hold at every moment.
func (w *world) limits() {
	w.t.Helper()
	under := w.underWay()
	if len(under) > w.plan.MaxConcurrency {
		w.t.Errorf("%d under way, the cap is %d", len(under), w.plan.MaxConcurrency)
	}
	for _, s := range w.plan.Stages {
		n := 0
		for _, t := range under {
			if t.Stage == s.Name {
				n++
			}
		}
		if n > s.Concurrency {
			w.t.Errorf("%d under way in stage %s, allowed are %d", n, s.Name, s.Concurrency)
		}
	}
	for i, a := range under {
		for _, b := range under[i+1:] {
			if len(a.Consumers)+len(b.Consumers) == 2 && a.Consumers[0] == b.Consumers[0] {
				w.t.Errorf("%s and %s are under way, of one consumer", a.ID, b.ID)
			}
		}
	}
	if w.plan.ElectionsPerHour == 0 {
		return
	}
	slices.SortFunc(w.forced, time.Time.Compare)
	for i, from := range w.forced {
		n := 0
		for _, at := range w.forced[i:] {
			if at.Sub(from) >= time.Hour {
				break
			}
			n++
		}
		if n > w.plan.ElectionsPerHour {
			w.t.Errorf("%d elections within the hour from %s, allowed are %d", n, from, w.plan.ElectionsPerHour)
		}
	}
}

// pass lets time go by: to the next end of one that is under way, or to when a wait is over.
// It reports whether there is any such time.
func (w *world) pass(d Decision) bool {
	var step time.Duration
	for _, t := range w.underWay() {
		if step == 0 || w.left[t.ID] < step {
			step = w.left[t.ID]
		}
	}
	for _, wait := range d.Waits {
		if in := wait.Until.Sub(w.now); in > 0 && (step == 0 || in < step) {
			step = in
		}
	}
	w.now = w.now.Add(step)
	for _, t := range w.underWay() {
		if w.left[t.ID] -= step; w.left[t.ID] > 0 {
			continue
		}
		w.state.End(t.ID, Ending{Red: w.rng.Float64() < w.failing, Reason: "it broke"}, Mark{At: w.now, By: "me"})
	}
	return step > 0
}

// disturb does what people and machines may do at any time.
func (w *world) disturb() {
	m := Mark{At: w.now, By: "somebody"}
	target := w.plan.Targets[w.rng.IntN(len(w.plan.Targets))].ID
	switch w.rng.IntN(12) {
	case 0:
		w.state.Pause(m)
	case 1:
		w.state.Resume(m)
	case 2:
		_ = w.state.Retry(w.plan, target, m)
	case 3:
		_ = w.state.Skip(w.plan, target, m)
	case 4:
		w.sick[target] = true
	case 5:
		clear(w.sick)
	case 6:
		w.halt = "stop"
	case 7:
		w.halted[target] = "stop"
	case 8, 9:
		w.halt = ""
		clear(w.halted)
	case 10:
		if all := w.plan.Approvals(); len(all) > 0 {
			_ = w.state.Approve(w.plan, all[w.rng.IntN(len(all))], m)
		}
	}
}

// TestNeverAgainstARule plays many runs in which everything happens at any time.
func TestNeverAgainstARule(t *testing.T) {
	for seed := range uint64(600) {
		w := someWorld(t, seed)
		w.failing = 0.2
		for range 60 {
			d := w.step()
			if w.rng.IntN(2) == 0 { // a run decides every few seconds
				d = w.step()
			}
			if w.halt != "" && len(d.Resume) > 0 {
				t.Errorf("%v go on in a fleet that is halted", d.Resume)
			}
			for _, id := range d.Resume {
				if w.halted[id] != "" {
					t.Errorf("%s goes on and is halted", id)
				}
			}
			w.pass(d)
			w.disturb()
			if err := w.state.Validate(w.plan); err != nil || t.Failed() {
				t.Fatalf("%v, seed %d: %+v\n%+v\n%+v", err, seed, w.plan, w.state, d)
			}
		}
	}
}

// TestAHealthyRunEnds: where nothing fails, all approvals come and nobody interferes, every
// plan comes to its end, and there is always a moment that is waited for.
func TestAHealthyRunEnds(t *testing.T) {
	for seed := range uint64(600) {
		w := someWorld(t, seed)
		var d Decision
		for range 300 {
			if d = w.step(); d.Verdict == Finished {
				break
			}
			approved := false
			for _, wait := range d.Waits {
				if wait.Approval != "" {
					approved = true
					if err := w.state.Approve(w.plan, wait.Approval, Mark{At: w.now, By: "me"}); err != nil {
						t.Fatal(err)
					}
				}
			}
			if !w.pass(d) && !approved && len(d.Begin) == 0 {
				break
			}
		}
		if d.Verdict != Finished {
			t.Fatalf("seed %d stands still: %+v\n%+v\n%+v", seed, d, w.plan, w.state)
		}
	}
}
