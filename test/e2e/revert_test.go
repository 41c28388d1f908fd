//go:build e2e

package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/killproxy"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestLateWritesMeetARevert kills a replacement while a write of it is under
// way, runs a whole revert, and only then lets the write arrive. It must change
// nothing: the server runs on its host.
func TestLateWritesMeetARevert(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "late", "3.4.13", []int{1, 2, 3})
	s.Ready()
	id := scene.But(s.IDs, s.Status().Leader)[0]
	verdict := s.WatchSlices()
	k := newKiller(s, false)
	service, gate := fmt.Sprintf("services/late-%d", id), "configmaps/late-zkmigrate-gate"
	for n, write := range []string{
		"point the Service's endpoints at the parked pod: PUT endpointslices/",
		"let the Service select the pod: PATCH " + service,
		"delete the hand-made endpoints: DELETE endpointslices/",
		"open the gate: PUT " + gate,
		"open the gate: PUT configmaps/late-zkmigrate",
	} {
		land := k.hold(fmt.Sprintf("held-%d.log", n), id, write)
		s.Revert(id)
		if status := land(); status < 400 {
			t.Errorf("%s: after a whole revert it was still taken (%d)", write, status)
		}
		cm, err := s.Kube.CoreV1().ConfigMaps(s.Name).Get(t.Context(), "late-zkmigrate-gate", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if cm.Data["released"] != "" {
			t.Errorf("%s: the gate is open while the server runs on its host: %q", write, cm.Data["released"])
		}
		if st := s.Status(); !st.Healthy || st.Replaced != 0 {
			t.Errorf("%s: %+v", write, st)
		}
	}
	verdict()
	s.NothingLost()
}

// TestRevertFromEveryPhase kills a replacement after one of its steps and runs
// revert instead, from before the stop to after the join. Each time the server
// ends on its host, in sync, and the next replacement begins anew.
func TestRevertFromEveryPhase(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "back", "3.4.13", []int{1, 2, 3})
	s.Ready()
	before := s.Status()
	id := scene.But(s.IDs, before.Leader)[0]
	verdict := s.WatchSlices()
	k := newKiller(s, false)
	for n, step := range []string{
		"mask the server's unit on its host",
		"stop the server on its host",
		"note that all n-1 others hold the canary",
		"point the Service's endpoints at the parked pod",
		"let the Service select the pod",
		"open the gate",
		"commit a canary write with the server back",
	} {
		k.until(fmt.Sprintf("until-%d.log", n), id, step)
		s.Revert(id)
		if st := s.Status(); !st.Healthy || st.Replaced != 0 || st.Epoch != before.Epoch {
			t.Fatalf("reverted after %q: %+v; want all on hosts, healthy, and no election (epoch %d)", step, st, before.Epoch)
		}
	}
	verdict()
	s.NothingLost()
}

// until runs a replacement and kills it at its first look after a step.
func (k *killer) until(log string, id int, step string) {
	t := k.s.T
	t.Helper()
	done := regexp.MustCompile(`(?m)^ +[0-9.]+s  ok    ` + regexp.QuoteMeta(step) + ` \(`)
	k.runUntil(log, id, &stopper{here: func(c killproxy.Call, p *labkit.Process) bool {
		return c.Kind == killproxy.Read && done.MatchString(p.Log())
	}})
	k.count(after, "step: "+step)
}

// hold runs a replacement and kills it at a write. The write arrives when the
// function returned is called, which returns its status.
func (k *killer) hold(log string, id int, write string) func() int {
	w := &stopper{land: make(chan struct{}), status: make(chan int, 1), here: func(c killproxy.Call, p *labkit.Process) bool {
		return c.Kind == killproxy.Write && strings.HasPrefix(stepOf(p)+": "+c.String(), write)
	}}
	k.runUntil(log, id, w)
	k.count(late, write)
	return func() int {
		close(w.land)
		return <-w.status
	}
}

func (k *killer) runUntil(log string, id int, w *stopper) {
	t := k.s.T
	t.Helper()
	k.proxy.Watch(w)
	w.mu.Lock() // nothing is judged before there is a process to kill
	proc, err := k.lab.Start(t.Context(), log, "kubectl", "zkmigrate", "replace", k.s.Name, fmt.Sprintf("--id=%d", id),
		"--yes", "--verbose", "--host-hook", k.lab.HookCommand(), "-n", k.s.Name)
	w.proc = proc
	w.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := proc.Wait(maxRun); !dead(err) {
		t.Fatalf("not killed: %v\n%s", err, proc.Log())
	}
}

// stopper is the witness of one run, which is killed at one place.
type stopper struct {
	here func(killproxy.Call, *labkit.Process) bool
	// land, when set, is closed when the call it was killed at is to arrive;
	// status is then what became of it.
	land   chan struct{}
	status chan int

	mu     sync.Mutex
	proc   *labkit.Process
	killed bool
	held   bool
}

// Before is killproxy's question.
func (w *stopper) Before(c killproxy.Call) killproxy.Verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.killed || !w.here(c, w.proc) {
		return killproxy.Verdict(!w.killed)
	}
	w.killed = true
	w.proc.Kill()
	if w.land == nil {
		return killproxy.Drop
	}
	w.mu.Unlock()
	<-w.land
	w.mu.Lock()
	w.held = true
	return killproxy.Pass
}

// After is killproxy's question.
func (w *stopper) After(c killproxy.Call, status int) killproxy.Verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held && c.Kind == killproxy.Write {
		w.status <- status
	}
	return killproxy.Pass
}
