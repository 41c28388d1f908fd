//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// TestKilledAtEveryStep kills the command with SIGKILL right after each step
// shows in its output; the same command, run again, goes on, and at every
// moment the Service has exactly one address.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	s := newScene(t, "crash", "3.8.0", []int{1, 2, 3})
	s.ready()
	verdict := s.watchSlices()
	replace := []string{"kubectl", "zkmigrate", "replace", s.name, "--id=1", "--yes", "--verbose", "--host-hook", s.lab.HookCommand(), "-n", s.name}
	for _, after := range []string{
		"create the pods", "note in the journal", "mask the server", "commit a canary write", "note that all n servers", "stop the server",
		"note when the host", "without the stopped server", "note that all n-1", "point the Service", "let the Service select",
		"delete the hand-made", "open the gate", "with the server back",
	} {
		s.killAfter(replace, after)
	}
	s.replace(0, "--id=1")
	revert := []string{"kubectl", "zkmigrate", "revert", s.name, "--id=1", "--yes", "--verbose", "--host-hook", s.lab.HookCommand(), "-n", s.name}
	for _, after := range []string{
		"goes back to its host", "commit a canary write", "close the gate", "write hand-made endpoints", "take the selector", "delete the endpoints",
		"at the host", "delete the pod", "without the stopped server", "unmask", "start the server",
	} {
		s.killAfter(revert, after)
	}
	s.revert(1)
	verdict()
	if st := s.status(); !st.Healthy || st.Replaced != 0 {
		t.Errorf("at the end: %+v", st)
	}
	s.nothingLost()
}

// killAfter runs a command and kills it when a line of its output contains the
// text, or lets it end by itself when that step is past already.
func (s *scene) killAfter(args []string, text string) {
	s.t.Helper()
	p, err := s.lab.Start(s.t.Context(), "killed.log", args...)
	if err != nil {
		s.t.Fatal(err)
	}
	deadline := time.Now().Add(2 * time.Minute)
	for !strings.Contains(p.Log(), text) {
		if p.Ended() {
			s.t.Fatalf("%s: ended before %q:\n%s", strings.Join(args[1:4], " "), text, p.Log())
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: no %q within two minutes:\n%s", strings.Join(args[1:4], " "), text, p.Log())
		}
	}
	p.Kill()
}

// TestManual is the road without a hook: the command prints what to do, waits,
// and sees it done.
func TestManual(t *testing.T) {
	t.Parallel()
	s := newScene(t, "manual", "3.8.0", []int{1, 2, 3})
	s.wrap()
	s.startLoad()
	ctx := t.Context()

	// The operator patches and restarts while --verify watches.
	s.zkmigrate(0, append([]string{"reconfigure", s.name, "--output-dir", s.file("patches")}, s.files()...)...)
	verify, err := s.lab.Start(ctx, "verify.log", "kubectl", "zkmigrate", "reconfigure", s.name, "--verify", "-n", s.name)
	if err != nil {
		t.Fatal(err)
	}
	leader := s.status().Leader
	for _, id := range append(but(s.ids, leader), leader) {
		h := s.host(id)
		dir := strings.TrimSuffix(h.ZooCfg, "/zoo.cfg")
		s.must(s.lab.OnClient(ctx, "sh", "-c", fmt.Sprintf("cd %s && patch -p0 < %s/%d-%s/zoo.cfg.patch", dir, s.file("patches"), id, h.Address)))
		s.must(s.lab.Zklab(ctx, "host", "restart", fmt.Sprintf("%s/%d", s.name, id)))
		want := fmt.Sprintf("server %d: verified", id)
		eventually(t, want, func() error { return contains(verify.Log(), want) })
	}
	if err := verify.Wait(time.Minute); err != nil {
		t.Fatal(err)
	}

	// Without a confirmation it waits, state saved; the confirmation goes on.
	id := but(s.ids, s.status().Leader)[0]
	r := s.zkmigrate(4, "replace", s.name, fmt.Sprintf("--id=%d", id))
	if !strings.Contains(r.Stderr, "--fenced") || !strings.Contains(r.Stderr, "systemctl mask") {
		t.Errorf("the wait does not say what to do:\n%s", r.Stderr)
	}
	p, err := s.lab.Start(ctx, "replace.log", "kubectl", "zkmigrate", "replace", s.name, fmt.Sprintf("--id=%d", id), "--fenced", "-n", s.name)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it asks for the stop", func() error { return contains(p.Log(), "stop the server now") })
	// A second operator, meanwhile, is refused by name.
	second := s.zkmigrate(3, "replace", s.name, "--all", "--yes", "--host-hook", s.lab.HookCommand())
	if !strings.Contains(second.Stderr, "is at work on") {
		t.Errorf("the second command is not refused by name:\n%s", second.Stderr)
	}
	name := fmt.Sprintf("%s/%d", s.name, id)
	s.must(s.lab.Zklab(ctx, "host", "mask", name))
	s.must(s.lab.Zklab(ctx, "host", "stop", name))
	if err := p.Wait(2 * time.Minute); err != nil {
		t.Fatal(err)
	}
	if st := s.status(); !st.Healthy || st.Replaced != 1 {
		t.Errorf("at the end: %+v", st)
	}
	s.nothingLost()
}

// TestHostComesBack: the host's server returns beside its pod; every later step
// is refused until it is gone.
func TestHostComesBack(t *testing.T) {
	t.Parallel()
	s := newScene(t, "ghost", "3.4.13", []int{1, 2, 3})
	s.ready()
	id := but(s.ids, s.status().Leader)[0]
	s.replace(0, fmt.Sprintf("--id=%d", id))
	name := fmt.Sprintf("%s/%d", s.name, id)
	s.must(s.lab.Zklab(t.Context(), "host", "unmask", name))
	s.must(s.lab.Zklab(t.Context(), "host", "start", name))
	eventually(t, "status shows the ghost", func() error {
		return contains(strings.Join(s.status().Problems, "\n"), "two processes with one id")
	})
	r := s.replace(3, "--all")
	if !strings.Contains(r.Stderr, "two processes with one id") {
		t.Errorf("the refusal does not say why:\n%s", r.Stderr)
	}
	s.must(s.lab.Zklab(t.Context(), "host", "stop", name))
	s.must(s.lab.Zklab(t.Context(), "host", "mask", name))
	s.replace(0, "--all")
	s.nothingLost()
}

func but(ids []int, drop int) []int {
	var out []int
	for _, id := range ids {
		if id != drop {
			out = append(out, id)
		}
	}
	return out
}

func (s *scene) host(id int) labkit.Host {
	s.t.Helper()
	for _, h := range s.hosts {
		if h.ID == id {
			return h
		}
	}
	s.t.Fatalf("no host of server %d", id)
	return labkit.Host{}
}

func contains(text, part string) error {
	if strings.Contains(text, part) {
		return nil
	}
	return fmt.Errorf("no %q in:\n%s", part, text)
}
