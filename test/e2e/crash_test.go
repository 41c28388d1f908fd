//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestKilledAroundEveryWrite kills the command with SIGKILL before and after
// every write of a replacement, of a revert that is turned back into the pod, and
// of a revert (see killer), around each kind of
// write of its lock, in every kind of wait and in the hook's calls. The same
// command, run again, goes on; at every moment the Service has exactly one
// address.
func TestKilledAroundEveryWrite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, version string
		lateFirst     bool
	}{{"kill380", "3.8.0", false}, {"kill3413", "3.4.13", true}} {
		t.Run(c.version, func(t *testing.T) {
			t.Parallel()
			s := scene.New(t, c.name, c.version, []int{1, 2, 3})
			s.Ready()
			before := s.Status()
			id := scene.But(s.IDs, before.Leader)[0]
			verdict := s.WatchSlices()
			k := newKiller(s, c.lateFirst)
			began := time.Now()
			for _, way := range []struct{ name, verb string }{{"replace", "replace"}, {"turned-back", "replace"}, {"revert", "revert"}} {
				if way.name == "turned-back" {
					// With the pod parked: before that nobody but a command that is not
					// killed can tell that the host was down all the time.
					k.halfway("revert", id, migration.StepNoteDead)
				}
				runs := k.drive(way.name, way.verb, id)
				t.Logf("%s: %d runs, at %.0f s", way.name, runs, time.Since(began).Seconds())
			}
			verdict()
			if st := s.Status(); !st.Healthy || st.Replaced != 0 || st.Epoch != before.Epoch {
				t.Errorf("at the end: %+v; want all on hosts, healthy, and no election (epoch %d)", st, before.Epoch)
			}
			s.NothingLost()
		})
	}
}

// TestManual is the road without a hook: the command prints what to do, waits,
// and sees it done.
func TestManual(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "manual", "3.8.0", []int{1, 2, 3})
	s.Wrap()
	s.StartLoad()
	ctx := t.Context()

	// The operator patches and restarts while --verify watches.
	s.Zkmigrate(0, append([]string{"reconfigure", s.Name, "--output-dir", s.File("patches")}, s.Files()...)...)
	verify, err := s.Lab.Start(ctx, "verify.log", "kubectl", "zkmigrate", "reconfigure", s.Name, "--verify", "-n", s.Name)
	if err != nil {
		t.Fatal(err)
	}
	leader := s.Status().Leader
	for _, id := range append(scene.But(s.IDs, leader), leader) {
		h := s.Host(id)
		dir := strings.TrimSuffix(h.ZooCfg, "/zoo.cfg")
		s.Must(s.Lab.OnClient(ctx, "sh", "-c", fmt.Sprintf("cd %s && patch -p0 < %s/%d-%s/zoo.cfg.patch", dir, s.File("patches"), id, h.Address)))
		s.OnHost(id, "restart")
		want := fmt.Sprintf("server %d: verified", id)
		scene.Eventually(t, want, func() error { return scene.Contains(verify.Log(), want) })
	}
	if err := verify.Wait(time.Minute); err != nil {
		t.Fatal(err)
	}

	// Without a confirmation it waits, state saved; the confirmation goes on.
	id := scene.But(s.IDs, s.Status().Leader)[0]
	r := s.Zkmigrate(4, "replace", s.Name, fmt.Sprintf("--id=%d", id))
	if !strings.Contains(r.Stderr, "--fenced") || !strings.Contains(r.Stderr, "systemctl mask") {
		t.Errorf("the wait does not say what to do:\n%s", r.Stderr)
	}
	p, err := s.Lab.Start(ctx, "replace.log", "kubectl", "zkmigrate", "replace", s.Name, fmt.Sprintf("--id=%d", id), "--fenced", "-n", s.Name)
	if err != nil {
		t.Fatal(err)
	}
	scene.Eventually(t, "it asks for the stop", func() error { return scene.Contains(p.Log(), "stop the server now") })
	// A second operator, meanwhile, is refused by name.
	second := s.Zkmigrate(3, "replace", s.Name, "--all", "--yes", "--host-hook", s.Lab.HookCommand())
	if !strings.Contains(second.Stderr, "is at work on") {
		t.Errorf("the second command is not refused by name:\n%s", second.Stderr)
	}
	s.OnHost(id, "mask", "stop")
	if err := p.Wait(2 * time.Minute); err != nil {
		t.Fatal(err)
	}
	if st := s.Status(); !st.Healthy || st.Replaced != 1 {
		t.Errorf("at the end: %+v", st)
	}
	s.NothingLost()
}
