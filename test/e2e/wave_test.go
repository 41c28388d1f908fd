//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// budget is what a run of TestWave may force within an hour: two elections for each ensemble,
// and two more for the one that is tried again.
const budget = 14

// TestWave is what docs/fleet.md asks for, at once: six ensembles of two releases, first
// until they are wrapped; their clients move; then a canary, a budget that is too small, an
// approval, and the rest two at a time. The hosts of one ensemble cannot be reached any more
// while it is moved; the run is paused, and halted with kubectl alone. Throughout it is killed
// at random moments and goes on in another place. It runs outside of CI: make test-wave.
func TestWave(t *testing.T) {
	if os.Getenv("WAVE") == "" {
		t.Skip("the whole wave runs on its own: make test-wave")
	}
	began := time.Now()
	f := newWave(t, "wv", []member{
		{scene.New(t, "wv1", "3.8.0", []int{1, 2, 3}), "labels: {wave: canary}"},
		{scene.New(t, "wv2", "3.4.13", []int{1, 2, 3}), "tier: 8, labels: {wave: rest}, consumers: [the-client]"},
		{scene.New(t, "wv3", "3.8.0", []int{1, 2, 3}), "tier: 8, labels: {wave: rest}"},
		{scene.New(t, "wv4", "3.8.0", []int{1, 2, 3, 4}, "observers=4"), "tier: 5, labels: {wave: rest}"},
		{scene.New(t, "wv5", "3.8.0", []int{1, 2, 3}), "tier: 3, labels: {wave: rest}, consumers: [the-client, another]"},
		{scene.New(t, "wv6", "3.4.13", []int{2, 5, 9}), "tier: 2, labels: {wave: rest}"},
	})
	wrapped(f)
	for _, s := range f.scenes {
		s.Pace = 200 * time.Millisecond
		s.StartMovedLoad()
	}
	epochs := map[string]uint32{}
	for _, s := range f.scenes {
		epochs[s.Name] = s.Status().Epoch
	}
	verdicts := f.watch(f.scenes)
	f.t.Logf("%.0f s: wrapped, with six clients", time.Since(began).Seconds())

	canary(f)
	kills := f.killedAtRandom(4)
	kills += turnsRed(f)
	kills += f.killedAtRandom(4)
	pausedAndResumed(f)
	kills += f.killedAtRandom(4)
	haltedByKubectl(f)
	kills += f.killedAtRandom(20 - kills)
	f.run(0)
	f.t.Logf("%.0f s: all done, killed %d times in %d runs", time.Since(began).Seconds(), kills, f.runs)
	if kills < 15 {
		t.Errorf("killed %d times only", kills)
	}

	o := f.status(0)
	if o.Verdict != fleet.Finished || o.Counts.Done != len(f.scenes) {
		t.Errorf("%+v", o)
	}
	f.neverTogether(o)
	f.judge(verdicts, f.scenes)
	forced := 0
	for i, s := range f.scenes {
		n, recorded := int(s.Status().Epoch-epochs[s.Name]), o.Ensembles[i].Elections
		t.Logf("%s: %d elections, %d recorded, %d s", s.Name, n, recorded, int(o.Ensembles[i].Ended.Sub(o.Ensembles[i].Begun).Seconds()))
		forced += n
		if n > 2 {
			t.Errorf("%s: %d elections: the leader was not last", s.Name, n)
		}
	}
	if forced > budget {
		t.Errorf("%d elections in %s, and %d in an hour may be", forced, time.Since(began), budget)
	}
	t.Logf("%.0f s: %d elections", time.Since(began).Seconds(), forced)
	for _, s := range f.scenes[2:] {
		s.NothingLost()
	}
	finalized(f)
	for _, s := range f.scenes[:2] {
		s.NothingLost()
	}
	t.Logf("%.0f s: the end", time.Since(began).Seconds())
}

// finalized ends the migration of two ensembles, one of each release, in a run that names them,
// and is killed as well.
func finalized(f *wave) {
	f.t.Helper()
	f.write(fleet.Finalized, 3*budget, 2)
	f.run(4, "--restart")
	f.approve()
	kills := f.killedAtRandom(3)
	f.run(0)
	for _, s := range f.scenes[:2] {
		st := s.Status()
		if !st.Healthy || slices.ContainsFunc(st.Servers, func(s scene.ServerStatus) bool { return s.Phase != "finalized" }) {
			f.t.Errorf("%s: %+v", s.Name, st)
		}
	}
	f.t.Logf("finalized two, killed %d times", kills)
}

// wrapped has a run end where every ensemble is wrapped: what clients need to move.
func wrapped(f *wave) {
	f.t.Helper()
	f.write(fleet.Wrapped, budget, len(f.scenes))
	f.run(4)
	f.approve()
	f.run(0)
}

// canary moves the first ensemble, in a run whose budget is spent by that, and begins another
// run with a larger one, in which the canary is done already.
func canary(f *wave) {
	f.t.Helper()
	f.write(fleet.Replaced, 2, len(f.scenes))
	if says := f.run(3); !strings.Contains(says, "the strategy has another electionsPerHour, until") || !strings.Contains(says, "--restart") {
		f.t.Errorf("it does not say what has changed:\n%s", says)
	}
	f.run(4, "--restart")
	if s := f.scenes[0].Status(); s.Replaced != 3 || !s.Healthy {
		f.t.Fatalf("the canary: %+v", s)
	}
	o := f.status(4)
	if len(o.Waits) != 1 || o.Waits[0].Code != fleet.WaitApproval || o.Counts.Done != 1 {
		f.t.Errorf("%+v", o)
	}
	f.approve()
	if says := f.run(4); !strings.Contains(says, "would force 2 elections, 2 of 2 within an hour are spent or set aside") {
		f.t.Errorf("the budget does not hold it up:\n%s", says)
	}
	f.write(fleet.Replaced, budget, len(f.scenes))
	f.run(4, "--restart")
	if o := f.status(4); o.Counts.Done != 1 || o.Ensembles[0].Attempts != 0 {
		f.t.Errorf("what is done is not passed over: %+v", o)
	}
	f.approve()
}

// turnsRed makes the hosts of the second ensemble of the stage unreachable once one server of
// it is in its pod. What is under way ends, nothing else begins, and the way out is printed.
func turnsRed(f *wave) (kills int) {
	f.t.Helper()
	s := f.scenes[2]
	p := f.start()
	f.within("a server of it is in its pod", p, func() error {
		return scene.Contains(p.Log(), "runs in pod "+s.Name+"-pod-")
	})
	unreachable := filepath.Join(f.broken, s.Name+".unreachable")
	if err := os.WriteFile(unreachable, nil, 0o600); err != nil {
		f.t.Fatal(err)
	}
	p.Kill()
	kills = 1 + f.killedAtRandom(1)
	says := f.run(4)
	o := f.status(1)
	want := map[string]fleet.Phase{"wv1": fleet.Done, "wv2": fleet.Done, "wv3": fleet.Red}
	for i, e := range o.Ensembles {
		if name := f.scenes[i].Name; e.Phase != want[name] {
			f.t.Errorf("%s is %q, want %q\n%s", name, e.Phase, want[name], says)
		}
	}
	retry := fmt.Sprintf("fleet retry wv --ensemble=%s/%[1]s", s.Name)
	if len(o.Waits) == 0 || o.Waits[0].Code != fleet.WaitRed || !strings.Contains(o.Waits[0].Next, retry) || !strings.Contains(o.Waits[0].Text, "no route to host") {
		f.t.Errorf("it does not say what is wrong and the way out: %+v", o.Waits)
	}
	f.t.Logf("red: %+v", o.Waits)
	// Run again, nothing happens.
	f.run(4)
	if err := os.Remove(unreachable); err != nil {
		f.t.Fatal(err)
	}
	f.as(f.approver, 0, "fleet", "retry", f.name, "--ensemble="+s.Name)
	return kills
}

// pausedAndResumed: what is under way ends, and nothing begins before somebody resumes.
func pausedAndResumed(f *wave) {
	f.t.Helper()
	f.as(f.approver, 0, "fleet", "pause", f.name, "--reason=e2e")
	before := f.overview(0, "report")
	f.run(4)
	o := f.status(4)
	if o.Verdict != fleet.Halted || o.Counts.UnderWay != 0 || o.Counts.NotBegun != before.Counts.NotBegun {
		f.t.Errorf("paused with %s, now %s: %+v", before.Counts, o.Counts, o.Waits)
	}
	f.as(f.approver, 0, "fleet", "resume", f.name)
}

// haltedByKubectl stops a run with nothing but kubectl, by somebody who may do nothing else.
// No server is away then.
func haltedByKubectl(f *wave) {
	f.t.Helper()
	annotate := func(text string) {
		f.scenes[0].Must(f.halter.OnClient(f.t.Context(), "kubectl", "annotate", "configmap", f.name+"-zkfleet", "-n", f.name, text))
	}
	p := f.start()
	f.within("something is under way", p, func() error {
		return scene.Contains(p.Log(), "  ok    ")
	})
	annotate("zkmigrate.io/halt=the site is slow")
	asked := time.Now()
	f.ends(p, 4)
	f.t.Logf("halted %.0f s after the annotation", time.Since(asked).Seconds())
	if says := p.Log(); !strings.Contains(says, "the fleet is halted: the site is slow") || !strings.Contains(says, "zkmigrate.io/halt- -n "+f.name) {
		f.t.Errorf("it does not say that and why it was halted:\n%s", says)
	}
	if o := f.status(4); o.Verdict != fleet.Halted || o.Counts.UnderWay == 0 {
		f.t.Errorf("%+v", o)
	}
	for _, s := range f.scenes {
		st := s.Status()
		if !st.Healthy || slices.ContainsFunc(st.Servers, func(s scene.ServerStatus) bool { return s.Place == "moving" }) {
			f.t.Errorf("%s: a server is away in a run that is halted: %+v", s.Name, st)
		}
	}
	annotate("zkmigrate.io/halt-")
}
