package fleet

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
)

func frozen(t *testing.T, spec string) (Plan, error) {
	t.Helper()
	doc, err := manifest.ParseFleet("f", []byte("apiVersion: zkmigrate.io/v1alpha1\nkind: Fleet\nmetadata: {name: w}\nspec:\n"+spec))
	if err != nil {
		t.Fatal(err)
	}
	var all []Member
	for i, e := range doc.Spec.Ensembles {
		e.Namespace = "n"
		all = append(all, Member{FleetEnsemble: e, Path: fmt.Sprintf("spec.ensembles[%d]", i)})
	}
	return Freeze(doc, "ops", all, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
}

// TestOrder: by the stage's label, numbers as numbers, those without it last; then the least
// critical; then by name.
func TestOrder(t *testing.T) {
	p, err := frozen(t, `
  ensembles:
  - {name: z, tier: 1}
  - {name: a, tier: 1}
  - {name: m, tier: 8}
  - {name: ten, tier: 1, labels: {rank: "10"}}
  - {name: nine, tier: 1, labels: {rank: "9"}}
  strategy: {stages: [{name: s, orderBy: rank, concurrency: 50%}]}
`)
	var order []string
	for _, target := range p.Targets {
		order = append(order, target.Name)
	}
	if want := []string{"nine", "ten", "m", "a", "z"}; err != nil || !slices.Equal(order, want) {
		t.Errorf("%q, %v, want %q", order, err, want)
	}
	if p.Stages[0].Concurrency != 2 || p.MaxConcurrency != 5 || p.Until != Replaced || p.Targets[0].Labels["tier"] != "1" {
		t.Errorf("%+v", p)
	}
}

// TestConcurrency: rounded down, one at least.
func TestConcurrency(t *testing.T) {
	for text, want := range map[string]int{"": 1, "3": 3, "25%": 2, "1%": 1, "100%": 11} {
		if got := concurrency(text, 11); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// TestWindows: open from its moment on for its duration, in its own time zone, also over
// midnight and over the change of summer time.
func TestWindows(t *testing.T) {
	berlin := Window{Cron: "0 22 * * 6", Duration: span(6 * time.Hour), TimeZone: "Europe/Berlin"} // Saturdays
	for at, want := range map[string]bool{
		"2026-03-28T20:59:59Z": false, "2026-03-28T21:00:00Z": true, // 22:00 in winter
		"2026-03-29T02:59:59Z": true, "2026-03-29T03:00:00Z": false, // 6 h on, an hour was left out
		"2026-04-04T20:00:00Z": true, "2026-04-04T19:59:59Z": false, // 22:00 in summer
		"2026-04-03T21:00:00Z": false,
	} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		is, next := open([]Window{berlin}, now)
		if is != want || !is && !next.After(now) {
			t.Errorf("%s: open %t, next %s", at, is, next)
		}
	}
	if is, _ := open(nil, time.Time{}); !is {
		t.Error("without a window it is always open")
	}
}

// TestThreeHundred: a run of that many fits into a ConfigMap, ends, and passes over what fails.
func TestThreeHundred(t *testing.T) {
	var spec strings.Builder
	spec.WriteString("  ensembles:\n")
	for i := range 300 {
		fmt.Fprintf(&spec, "  - {name: ensemble-%03d, hook: ./hooks/stop-and-start.sh, hostFiles: hosts/, tier: %d, labels: {wave: w%d}, consumers: [team-%d]}\n", i, 1+i%9, min(i/10, 2), i%40)
	}
	spec.WriteString("  strategy: {electionsPerHour: 40, maxConcurrency: 10, stages: [{name: w0, selector: wave=w0}, {name: w1, selector: wave=w1, concurrency: 5}, {name: w2, selector: wave=w2, concurrency: 10%, tolerate: 30}]}\n")
	p, err := frozen(t, spec.String())
	if err != nil {
		t.Fatal(err)
	}
	w := someWorld(t, 1)
	w.plan, w.state = p, State{Digest: p.Digest()}
	var d Decision
	rounds, began := 0, w.now
	for ; rounds < 3000 && d.Verdict != Finished; rounds++ {
		if Count(p, w.state).Done >= 20 {
			w.failing = 0.05
		}
		d = w.step()
		if d.Verdict == Stopped {
			t.Fatalf("%+v", d.Waits)
		}
		if w.pass(d) || len(d.Begin) > 0 {
			continue
		}
		// What is left has consumers in common with one that is red: somebody leaves that out.
		for _, target := range p.Targets {
			if w.state.Phase(target.ID) == Red {
				if err := w.state.Skip(p, target.ID, Mark{At: w.now, By: "me"}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	plan, _ := json.MarshalIndent(p, "", " ")
	state, _ := json.MarshalIndent(w.state, "", " ")
	c := Count(p, w.state)
	t.Logf("%s; %d rounds, %s of played time, plan and state %d KiB", c, rounds, w.now.Sub(began), (len(plan)+len(state))>>10)
	if d.Verdict != Finished || c.Skipped == 0 || len(plan)+len(state) > 700<<10 {
		t.Errorf("%+v, %d bytes", c, len(plan)+len(state))
	}
	o := Oversee(p, w.state, "", nil, "", w.now)
	if o.Verdict != Finished || o.Elections < 2*c.Done || o.PerServer == 0 || o.Left != 0 {
		t.Errorf("%+v", o.Counts)
	}
}

// TestStateRefuses: what makes no sense is refused, and changes nothing.
func TestStateRefuses(t *testing.T) {
	p, err := frozen(t, "  ensembles: [{name: a}, {name: b}]\n  strategy: {stages: [{name: s, approveBefore: go}]}\n")
	if err != nil {
		t.Fatal(err)
	}
	m := Mark{At: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), By: "me"}
	s := State{Digest: p.Digest()}
	s.Begin("n/a", Fact{Elections: 2}, m)
	for says, err := range map[string]error{
		"has no approval \"gone\"; it has go":           s.Approve(p, "gone", m),
		"has no ensemble n/x":                           s.Skip(p, "n/x", m),
		"n/a is under way: only one that has not begun": s.Skip(p, "n/a", m),
		"n/a is under way: only a red or skipped one":   s.Retry(p, "n/a", m),
		"n/b is not begun: only a red or skipped one":   s.Retry(p, "n/b", m),
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
	s.End("n/b", Ending{Red: true}, m) // it never began
	if s.Phase("n/b") != "" || len(s.Audit) != 1 {
		t.Errorf("%+v", s)
	}
	s.End("n/a", Ending{Red: true, Reason: strings.Repeat("x", 10000), Evidence: make([]string, 100)}, m)
	if r := s.Results["n/a"]; r.Phase != Red || len(r.Reason) > maxText+4 || len(r.Evidence) != maxEvidence {
		t.Errorf("%+v", r)
	}
	for range 3 * maxAudit {
		s.Pause(m)
		s.Resume(m)
	}
	if len(s.Audit) != maxAudit {
		t.Errorf("%d entries", len(s.Audit))
	}
}

// TestForcedElections: where the epochs show more than was set aside, that many count.
func TestForcedElections(t *testing.T) {
	m := Mark{At: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	for epoch, want := range map[uint32]int{0: 2, 4: 2, 6: 2, 9: 5} {
		var s State
		s.Begin("a", Fact{Elections: 2, Epoch: 4}, m)
		s.End("a", Ending{Epoch: epoch, Stall: 1500 * time.Millisecond}, m)
		if s.Results["a"].Stall != 1500 {
			t.Errorf("the longest election: %d ms", s.Results["a"].Stall)
		}
		if s.Results["a"].Elections != want || s.Spent[0].N != want {
			t.Errorf("epoch %d: %+v", epoch, s)
		}
	}
}
