//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestFleet: a canary from its files to its pods, an approval, then two ensembles that have a
// consumer in common, one after the other although two at once are allowed. The runner is
// killed again and again, and run again.
func TestFleet(t *testing.T) {
	t.Parallel()
	canary := scene.New(t, "fl1", "3.8.0", []int{1, 2, 3})
	rest := []*scene.Scene{scene.New(t, "fl2", "3.4.13", []int{1, 2, 3}), scene.New(t, "fl3", "3.8.0", []int{1, 2, 3})}
	canary.Declare()
	for _, s := range rest {
		s.Declare()
		s.Wrap()
		s.StartMovedLoad()
	}
	f := newFleet(t, canary, rest)
	f.zkmigrate(0, "fleet", "plan", "-f", f.file, "-o", "markdown")
	if r := f.zkmigrate(4, "fleet", "run", "-f", f.file, "--yes", "--wait=false"); !strings.Contains(r.Stderr, "fleet approve wave --approval=canary-ok") {
		t.Errorf("it does not say what it waits for:\n%s", r.Stderr)
	}
	if s := canary.Status(); s.Replaced != 3 || !s.Healthy {
		t.Fatalf("the canary: %+v", s)
	}
	f.zkmigrate(0, "fleet", "approve", "wave", "--approval=canary-ok", "--reason=e2e")
	kills := f.killUntilDone()
	t.Logf("killed %d times", kills)
	if kills == 0 {
		t.Error("it was never killed")
	}
	o := f.status(0)
	if o.Verdict != fleet.Finished || o.Counts.Done != 3 {
		t.Errorf("%+v", o)
	}
	f.neverTogether(o)
	for _, s := range rest {
		if st := s.Status(); st.Replaced != 3 || !st.Healthy {
			t.Errorf("%s: %+v", s.Name, st)
		}
		s.NothingLost()
	}
	if r := f.zkmigrate(0, "fleet", "report", "wave", "-o", "markdown"); !strings.Contains(r.Stdout, "canary-ok") {
		t.Errorf("the report:\n%s", r.Stdout)
	}
}

// wave is one fleet in a lab; its operator is the lab's administrator, who may write in all
// three namespaces.
type wave struct {
	t    *testing.T
	lab  labkit.Lab
	file string
}

func newFleet(t *testing.T, canary *scene.Scene, rest []*scene.Scene) *wave {
	t.Helper()
	f := &wave{t: t, lab: *canary.Lab, file: canary.File("wave.yaml")}
	f.lab.Kubeconfig = ""
	text := "apiVersion: zkmigrate.io/v1alpha1\nkind: Fleet\nmetadata: {name: wave, namespace: " + canary.Name + "}\nspec:\n  ensembles:\n"
	entry := func(s *scene.Scene, more string) string {
		return fmt.Sprintf("  - {name: %s, namespace: %s, manifest: %s, acceptClientLoss: \"100,unknown\", %s}\n", s.Name, s.Name, s.File("zkmigrate.yaml"), more)
	}
	text += entry(canary, "labels: {wave: canary}")
	for _, s := range rest {
		text += entry(s, "labels: {wave: rest}, consumers: [the-client]")
	}
	text += "  strategy:\n    electionsPerHour: 6\n    timeout: 10m\n    stages:\n    - {name: canary, selector: wave=canary, approveAfter: canary-ok}\n    - {name: rest, selector: wave=rest, concurrency: 2}\n"
	if err := os.WriteFile(f.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *wave) zkmigrate(code int, args ...string) labkit.Result {
	f.t.Helper()
	r, err := f.lab.Zkmigrate(f.t.Context(), append(args, f.where(args)...)...)
	if err != nil {
		f.t.Fatal(err)
	}
	if r.Code != code {
		f.t.Fatalf("kubectl zkmigrate %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), r.Code, code, r.Stdout, r.Stderr)
	}
	return r
}

// where names the fleet's namespace to the commands that read no file.
func (f *wave) where(args []string) []string {
	if args[2] == "-f" {
		return nil
	}
	return []string{"-n", "fl1"}
}

func (f *wave) status(code int) fleet.Overview {
	f.t.Helper()
	var o fleet.Overview
	if err := json.Unmarshal([]byte(f.zkmigrate(code, "fleet", "status", "wave", "-o", "json").Stdout), &o); err != nil {
		f.t.Fatal(err)
	}
	return o
}

// killUntilDone kills the runner as soon as it has written something more, a different number
// of times into each run, until it ends by itself.
func (f *wave) killUntilDone() int {
	f.t.Helper()
	for kills := 0; ; kills++ {
		if kills > 20 {
			f.t.Fatal("it does not end")
		}
		log := fmt.Sprintf("fleet-%d.log", kills)
		p, err := f.lab.Start(context.WithoutCancel(f.t.Context()), log, f.lab.Plugin("fleet", "run", "-f", f.file, "--yes", "--wait=false")...)
		if err != nil {
			f.t.Fatal(err)
		}
		lines := 6 * (kills + 1)
		scene.Within(f.t, 20*time.Minute, "the runner writes more", func() error {
			text, _ := os.ReadFile(filepath.Join(f.lab.Dir, log))
			if n := strings.Count(string(text), "\n"); n < lines && !p.Ended() {
				return fmt.Errorf("%d lines", n)
			}
			return nil
		})
		if p.Ended() {
			if err := p.Wait(time.Second); err != nil {
				f.t.Fatal(err)
			}
			return kills
		}
		p.Kill()
	}
}

// neverTogether: the two of one consumer were not under way at the same time.
func (f *wave) neverTogether(o fleet.Overview) {
	f.t.Helper()
	a, b := o.Ensembles[1], o.Ensembles[2]
	if a.Begun.Before(b.Ended) && b.Begun.Before(a.Ended) {
		f.t.Errorf("%s: %s to %s, and %s: %s to %s", a.ID, a.Begun, a.Ended, b.ID, b.Begun, b.Ended)
	}
}
