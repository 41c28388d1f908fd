package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// played is a run whose ensembles are moved by a function, on a fake API server.
type played struct {
	t    *testing.T
	kube kube
	plan fleet.Plan
	// turn moves an ensemble; sick are those that are not healthy.
	turn func(ctx context.Context, id string) (fleet.Ending, bool)
	out  bytes.Buffer

	mu    sync.Mutex
	moved []string
	sick  map[string]bool
}

const threeStages = `apiVersion: zkmigrate.io/v1alpha1
kind: Fleet
metadata: {name: wave, namespace: ops}
spec:
  ensembles:
  - {name: a, labels: {wave: canary}}
  - {name: b, labels: {wave: rest}, tier: 2}
  - {name: c, labels: {wave: rest}, tier: 5}
  - {name: d, labels: {wave: rest}, tier: 5, consumers: [x]}
  strategy:
    stages:
    - {name: canary, selector: wave=canary, approveAfter: canary-ok}
    - {name: rest, selector: wave=rest, concurrency: 2}
`

func members(t *testing.T, text string) (manifest.FleetDocument, []fleet.Member) {
	t.Helper()
	doc, err := manifest.ParseFleet("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var out []fleet.Member
	for i, e := range doc.Spec.Ensembles {
		if e.Namespace == "" {
			e.Namespace = "zk"
		}
		out = append(out, fleet.Member{FleetEnsemble: e, Path: fmt.Sprintf("spec.ensembles[%d]", i)})
	}
	return doc, out
}

func play(t *testing.T, text string) *played {
	t.Helper()
	doc, all := members(t, text)
	plan, err := fleet.Freeze(doc, "ops", all, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	client := fake.NewClientset()
	return &played{t: t, plan: plan, sick: map[string]bool{}, kube: kube{client: client, meta: metadataOf(t, client), namespace: "ops", warn: io.Discard},
		turn: func(context.Context, string) (fleet.Ending, bool) { return fleet.Ending{}, true }}
}

func (p *played) run() *fleetRun { return p.kube.fleet("ops", "wave") }

// runner is the run as another process would have it.
func (p *played) runner(fresh bool) *fleetRunner {
	in := fleetInput{plan: p.plan, targets: map[string]fleetTarget{}}
	for _, t := range p.plan.Targets {
		in.targets[t.ID] = fleetTarget{Target: t}
	}
	return &fleetRunner{run: p.run(), in: in, fresh: fresh, out: &lines{out: &p.out}, poll: time.Millisecond, now: time.Now,
		move: func(ctx context.Context, t fleetTarget) (fleet.Ending, bool) {
			p.mu.Lock()
			p.moved = append(p.moved, t.Name)
			p.mu.Unlock()
			return p.turn(ctx, t.ID)
		},
		looks: func(_ context.Context, targets []fleetTarget) map[string]fleet.Fact {
			out := map[string]fleet.Fact{}
			for _, t := range targets {
				out[t.ID] = fleet.Fact{Seen: true, Ready: true, Healthy: !p.sick[t.ID], Left: []fleet.Part{fleet.Replace}, Elections: 1, Servers: 3}
			}
			return out
		},
		halts: func(context.Context) (map[string]string, error) { return nil, nil },
	}
}

func (p *played) state() fleet.State {
	p.t.Helper()
	rec, err := p.run().store.Load(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return rec.State
}

func (p *played) change(f func(fleet.Plan, *fleet.State) error) {
	p.t.Helper()
	if _, err := p.run().store.Load(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	if err := p.run().store.Change(p.t.Context(), f); err != nil {
		p.t.Fatal(err)
	}
}

// pausedWith is how a run ends that waits for somebody.
func (p *played) pausedWith(err error, next string) {
	p.t.Helper()
	var paused *pausedError
	if !errors.As(err, &paused) || !strings.Contains(paused.next, next) {
		p.t.Fatalf("%v, %+v; want next: %s\n%s", err, paused, next, p.out.String())
	}
}

// TestFleetRun: the canary alone, then nothing without the approval, then the others by tier.
func TestFleetRun(t *testing.T) {
	p := play(t, threeStages)
	p.pausedWith(p.runner(true).locked(t.Context()), "fleet approve wave --approval=canary-ok -n ops")
	if !slices.Equal(p.moved, []string{"a"}) {
		t.Fatalf("moved: %q", p.moved)
	}
	p.change(func(plan fleet.Plan, s *fleet.State) error { return s.Approve(plan, "canary-ok", mark("")) })
	if err := p.runner(false).locked(t.Context()); err != nil {
		t.Fatal(err, p.out.String())
	}
	// What runs at the same time notes in any order that it was moved.
	var begun []string
	for _, e := range p.state().Audit {
		if e.What == "begin" {
			begun = append(begun, e.Target)
		}
	}
	if want := []string{"zk/a", "zk/c", "zk/d", "zk/b"}; !slices.Equal(begun, want) || len(p.moved) != 4 {
		t.Errorf("begun: %q, want %q; moved: %q", begun, want, p.moved)
	}
	if !strings.Contains(p.out.String(), "Fleet wave is done: 4 done, of 4.") {
		t.Error(p.out.String())
	}
	for id, r := range p.state().Results {
		if r.Phase != fleet.Done || r.Attempts != 1 || r.Elections != 1 {
			t.Errorf("%s: %+v", id, r)
		}
	}
	if err := p.runner(false).locked(t.Context()); err != nil || len(p.moved) != 4 {
		t.Errorf("run again: %v, moved %q", err, p.moved)
	}
}

// TestFleetRunIsKilled: what was under way goes on, elsewhere, before anything else.
func TestFleetRunIsKilled(t *testing.T) {
	p := play(t, threeStages)
	ctx, kill := context.WithCancel(t.Context())
	p.turn = func(ctx context.Context, id string) (fleet.Ending, bool) {
		if s := p.state(); s.Phase(id) != fleet.UnderWay {
			t.Errorf("%s is moved and is %q in the state", id, s.Phase(id))
		}
		kill()
		<-ctx.Done()
		return fleet.Ending{}, false
	}
	if err := p.runner(true).locked(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if got := p.state(); got.Phase("zk/a") != fleet.UnderWay || got.Paused != nil {
		t.Fatalf("%+v", got)
	}
	p.turn = func(context.Context, string) (fleet.Ending, bool) { return fleet.Ending{}, true }
	// Paused, nothing else begins; it goes on all the same.
	p.change(func(_ fleet.Plan, s *fleet.State) error { s.Pause(mark("")); return nil })
	p.pausedWith(p.runner(false).locked(t.Context()), "approve wave")
	if got := p.state(); got.Phase("zk/a") != fleet.Done || !slices.Equal(p.moved, []string{"a", "a"}) {
		t.Fatalf("%+v, %q", got, p.moved)
	}
}

// TestFleetRunIsRed: what is under way ends, nothing else of the stage begins, and the way
// out is the ensemble's own.
func TestFleetRunIsRed(t *testing.T) {
	const way = "kubectl zkmigrate fleet retry wave --ensemble=zk/c -n ops   (first: mend it; or leave it out: kubectl zkmigrate fleet skip wave --ensemble=zk/c -n ops)"
	p := play(t, threeStages)
	red := make(chan struct{})
	p.turn = func(ctx context.Context, id string) (fleet.Ending, bool) {
		switch id {
		case "zk/c":
			defer close(red)
			return fleet.Ending{Red: true, Code: "join-hangs", Reason: "the pod does not join", Next: "mend it"}, true
		case "zk/d":
			<-red
			for p.state().Phase("zk/c") != fleet.Red && ctx.Err() == nil { // it ends after the other is red
				_ = clock{}.Sleep(ctx, time.Millisecond)
			}
		}
		return fleet.Ending{}, true
	}
	p.pausedWith(p.runner(true).locked(t.Context()), "approve")
	p.change(func(plan fleet.Plan, s *fleet.State) error { return s.Approve(plan, "canary-ok", mark("")) })
	p.pausedWith(p.runner(false).locked(t.Context()), way)
	s := p.state()
	if s.Phase("zk/c") != fleet.Red || s.Phase("zk/d") != fleet.Done || s.Phase("zk/b") != "" {
		t.Fatalf("%+v", s.Results)
	}
	tolerant := p.plan
	tolerant.Stages = slices.Clone(p.plan.Stages)
	tolerant.Stages[1].Tolerate = 1
	for what, plan := range map[string]fleet.Plan{"it stops its stage": p.plan, "its stage tolerates it": tolerant} {
		o := fleet.Oversee(plan, s, "", nil, "", time.Now())
		p.run().advise(plan, o)
		var out strings.Builder
		if err := (printer.Printer{}).FleetStatus(&out, o); err != nil || strings.Count(out.String(), "- zk/c is red: the pod does not join\n- next: "+way+"\n") != 1 {
			t.Errorf("%s: %v\n%s", what, err, out.String())
		}
	}
	p.turn = func(context.Context, string) (fleet.Ending, bool) { return fleet.Ending{}, true }
	p.change(func(plan fleet.Plan, s *fleet.State) error { return s.Retry(plan, "zk/c", mark("")) })
	if err := p.runner(false).locked(t.Context()); err != nil || p.state().Results["zk/c"].Attempts != 2 {
		t.Errorf("%v, %+v", err, p.state().Results)
	}
}

// TestFleetIsHalted: an annotation that anybody's tool has set stops the run before the next
// server, and whoever takes it away lets it go on.
func TestFleetIsHalted(t *testing.T) {
	p := play(t, threeStages)
	maps := p.kube.client.CoreV1().ConfigMaps("ops")
	annotate := func(value *string) {
		cm, err := maps.Get(t.Context(), render.FleetName("wave"), metav1.GetOptions{})
		if err != nil {
			t.Error(err)
			return
		}
		cm.Annotations = nil
		if value != nil {
			cm.Annotations = map[string]string{render.HaltAnnotation: *value}
		}
		if _, err := maps.Update(t.Context(), cm, metav1.UpdateOptions{}); err != nil {
			t.Error(err)
		}
	}
	r := p.runner(true)
	why := "the site is slow"
	p.turn = func(ctx context.Context, id string) (fleet.Ending, bool) {
		if err := r.safe(ctx, id); err != nil {
			t.Errorf("nobody has halted it: %v", err)
		}
		annotate(&why)
		var halted *haltedError
		if err := r.safe(ctx, id); !errors.As(err, &halted) || !strings.Contains(err.Error(), why) {
			t.Errorf("halted: %v", err)
		}
		return fleet.Ending{}, false
	}
	p.pausedWith(r.locked(t.Context()), "kubectl annotate configmap wave-zkfleet zkmigrate.io/halt- -n ops")
	if s := p.state(); s.Phase("zk/a") != fleet.UnderWay {
		t.Fatalf("%+v", s.Results)
	}
	annotate(nil)
	p.turn = func(context.Context, string) (fleet.Ending, bool) { return fleet.Ending{}, true }
	p.pausedWith(p.runner(false).locked(t.Context()), "approve")
	if s := p.state(); s.Phase("zk/a") != fleet.Done {
		t.Errorf("%+v", s.Results)
	}
}

// TestFleetHasChanged: a run goes on with the plan that it began with, or not at all.
func TestFleetHasChanged(t *testing.T) {
	p := play(t, threeStages)
	p.pausedWith(p.runner(true).locked(t.Context()), "approve")
	was := p.plan
	doc, all := members(t, strings.Replace(threeStages, "concurrency: 2", "concurrency: 3", 1))
	all = append(all[:3], fleet.Member{FleetEnsemble: manifest.FleetEnsemble{Name: "e", Namespace: "zk", Labels: map[string]string{"wave": "rest"}}})
	now, err := fleet.Freeze(doc, "ops", all, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	f := &fleetRunFlags{file: "wave.yaml", yes: true}
	var refused *refusedError
	if _, err := f.fresh(t.Context(), p.run(), fleetInput{plan: now}); !errors.As(err, &refused) {
		t.Fatal(err)
	}
	says := strings.Join(refused.evidence, "\n")
	for _, want := range []string{"ensemble zk/d is not in it any more", "ensemble zk/e is new", "stage rest has another concurrency"} {
		if !strings.Contains(says, want) {
			t.Errorf("%q is not in\n%s", want, says)
		}
	}
	f.restart = true
	if fresh, err := f.fresh(t.Context(), p.run(), fleetInput{plan: now}); !fresh || err != nil {
		t.Errorf("--restart: %t, %v", fresh, err)
	}
	// While something is under way no other run begins.
	p.change(func(_ fleet.Plan, s *fleet.State) error {
		s.Begin("zk/b", fleet.Fact{}, mark(""))
		return nil
	})
	p.plan = now
	if err := p.runner(true).locked(t.Context()); !errors.As(err, &refused) || !strings.Contains(refused.reason, "zk/b is under way") {
		t.Errorf("%v", err)
	}
	p.plan = was
	if err := p.runner(false).locked(t.Context()); err == nil || p.state().Phase("zk/b") != fleet.Done {
		t.Errorf("%v", p.state().Results)
	}
}

// TestFleetIsForged: what others have written into a run's object is refused, and nothing of
// it is carried out.
func TestFleetIsForged(t *testing.T) {
	for name, forge := range map[string]func(data map[string]string){
		"another hook": func(d map[string]string) {
			d[journal.PlanKey] = strings.Replace(d[journal.PlanKey], `"tier": 9`, `"tier": 9, "hook": "/tmp/x"`, 1)
		},
		"an unknown field": func(d map[string]string) {
			d[journal.StateKey] = strings.Replace(d[journal.StateKey], `{`, `{"x": 1,`, 1)
		},
		"a result of a ghost": func(d map[string]string) {
			d[journal.StateKey] = strings.Replace(d[journal.StateKey], `"zk/a"`, `"zk/z"`, 1)
		},
		"two values": func(d map[string]string) { d[journal.StateKey] += "{}" },
		"no state":   func(d map[string]string) { delete(d, journal.StateKey) },
		"a phase of its own": func(d map[string]string) {
			d[journal.StateKey] = strings.Replace(d[journal.StateKey], `"done"`, `"great"`, 1)
		},
		"elections without end": func(d map[string]string) {
			d[journal.StateKey] = strings.Replace(d[journal.StateKey], `"elections": 1`, `"elections": -9`, 1)
		},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			p := play(t, threeStages)
			p.pausedWith(p.runner(true).locked(t.Context()), "approve")
			maps := p.kube.client.CoreV1().ConfigMaps("ops")
			cm, err := maps.Get(t.Context(), render.FleetName("wave"), metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			before := fmt.Sprint(cm.Data)
			if forge(cm.Data); fmt.Sprint(cm.Data) == before {
				t.Fatal("nothing was forged")
			}
			if _, err := maps.Update(t.Context(), cm, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := p.runner(false).locked(t.Context()); !journal.IsBroken(err) || len(p.moved) != 1 {
				t.Errorf("%v, moved %q", err, p.moved)
			}
		})
	}
}

// TestFleetBadInput: what is wrong with a Fleet is told without a cluster.
func TestFleetBadInput(t *testing.T) {
	head := "apiVersion: zkmigrate.io/v1alpha1\nkind: Fleet\nmetadata: {name: w, namespace: ops}\n"
	for name, c := range map[string]struct {
		text string
		args []string
		says string
	}{
		"no file":               {"", []string{"fleet", "run"}, "name the Fleet manifest with -f"},
		"no such file":          {"", []string{"fleet", "plan", "-f", "none.yaml"}, "none.yaml"},
		"a stray argument":      {"", []string{"fleet", "run", "x"}, "takes no arguments"},
		"no such command":       {"", []string{"fleet", "walk"}, "unknown command"},
		"an ensemble":           {"apiVersion: zkmigrate.io/v1alpha1\nkind: Ensemble\n", nil, `kind is "Ensemble" (expected Fleet)`},
		"an unknown field":      {head + "spec: {ensembles: [{name: a, hok: x}]}\n", nil, "spec.ensembles[0].hok: no such field: did you mean spec.ensembles[0].hook?"},
		"no name":               {head + "spec: {ensembles: [{tier: 1}]}\n", nil, "neither name nor selector is given"},
		"no stage":              {head + "spec: {ensembles: [{name: a}], strategy: {stages: [{name: s, selector: x=y}]}}\n", nil, "zk/a is in no stage"},
		"two stages":            {head + "spec: {ensembles: [{name: a}], strategy: {stages: [{name: s}, {name: t}]}}\n", nil, "a is in stages s and t: each ensemble must be in exactly one stage"},
		"a selector":            {head + "spec: {ensembles: [{name: a}], strategy: {stages: [{name: s, selector: '((' }]}}\n", nil, "it is not a label selector"},
		"twice":                 {head + "spec: {ensembles: [{name: a}, {name: a}]}\n", nil, "is named twice, first by spec.ensembles[0]"},
		"a window":              {head + "spec: {ensembles: [{name: a}], strategy: {windows: [{cron: 'TZ=X 1 * * *', duration: 1h}]}}\n", nil, "it needs five fields"},
		"a time zone":           {head + "spec: {ensembles: [{name: a}], strategy: {windows: [{cron: '0 1 * * *', duration: 1h, timeZone: Mars/Base}]}}\n", nil, `there is no time zone "Mars/Base"`},
		"a window of never":     {head + "spec: {ensembles: [{name: a}], strategy: {windows: [{cron: '0 1 30 2 *', duration: 1h}]}}\n", nil, "it never opens"},
		"a percentage":          {head + "spec: {ensembles: [{name: a}], strategy: {stages: [{name: s, concurrency: 101%}]}}\n", nil, "a number from 1 to 50, or a percentage"},
		"too many at once":      {head + "spec: {ensembles: [{name: a}], strategy: {maxConcurrency: 51}}\n", nil, `maxConcurrency is "51" (expected 1 to 50)`},
		"one election":          {head + "spec: {ensembles: [{name: a}], strategy: {electionsPerHour: 1}}\n", nil, "one ensemble alone may need two"},
		"no hook there":         {head + "spec: {ensembles: [{name: a, hook: ./none.sh}]}\n", nil, `f.yaml:4: spec.ensembles[0].hook="`},
		"another namespace":     {head + "spec: {ensembles: [{name: a}]}\n", []string{"fleet", "plan", "-f", "f.yaml", "-n", "other"}, "-n says other"},
		"a manifest of another": {head + "spec: {ensembles: [{name: a, manifest: e.yaml}]}\n", nil, "e.yaml:3: metadata.name says b"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Chdir(t.TempDir())
			put(t, map[string]string{"e.yaml": "apiVersion: zkmigrate.io/v1alpha1\nkind: Ensemble\nmetadata: {name: b}\n"})
			if c.text != "" {
				put(t, map[string]string{"f.yaml": c.text})
			}
			if c.args == nil {
				c.args = []string{"fleet", "plan", "-f", "f.yaml"}
			}
			code, out, errOut := run(t, "", c.args...)
			if says := strings.TrimPrefix(c.says, "zk/"); code != exitUsage || out != "" || !strings.Contains(errOut, says) {
				t.Errorf("exit code %d, %s\n%s", code, out, errOut)
			}
		})
	}
}
