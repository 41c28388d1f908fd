package host

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func start(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	s := &Supervisor{Dir: dir, Log: io.Discard, Command: func() *exec.Cmd { return exec.Command("sleep", "60") }}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	eventually(t, func() bool {
		st, err := Ask(ctx, dir, "status")
		return err == nil && st.Running
	})
	return dir
}

func eventually(t *testing.T, yes func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if yes() {
			return
		}
	}
	t.Fatal("it did not come to pass in 10 s")
}

func ask(t *testing.T, dir, verb string) Status {
	t.Helper()
	st, err := Ask(context.Background(), dir, verb)
	if err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
	return st
}

func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

func TestKilledServerComesBack(t *testing.T) {
	dir := start(t)
	before := ask(t, dir, "status").PID
	ask(t, dir, "kill")
	if !gone(before) {
		t.Error("kill must return when the process is gone")
	}
	eventually(t, func() bool { st := ask(t, dir, "status"); return st.Running && st.PID != before && st.Restarts == 1 })
}

func TestStoppedServerStaysDown(t *testing.T) {
	dir := start(t)
	pid := ask(t, dir, "status").PID
	if st := ask(t, dir, "stop"); st.Running || st.Wanted || !gone(pid) {
		t.Errorf("after stop: %+v", st)
	}
	time.Sleep(3 * restartDelay) // Longer than a restart would take.
	if st := ask(t, dir, "status"); st.Running {
		t.Error("a stopped server came back")
	}
	if st := ask(t, dir, "start"); !st.Running {
		t.Error("start after stop has no effect")
	}
}

func TestMaskedServer(t *testing.T) {
	dir := start(t)
	if st := ask(t, dir, "mask"); !st.Running || !st.Masked {
		t.Errorf("mask must not stop a running server: %+v", st)
	}
	ask(t, dir, "stop")
	for _, verb := range []string{"start", "restart"} {
		if _, err := Ask(context.Background(), dir, verb); err == nil || !strings.Contains(err.Error(), "masked") {
			t.Errorf("%s of a masked server: %v", verb, err)
		}
	}
	if st := ask(t, dir, "unmask"); st.Running || st.Masked {
		t.Errorf("unmask must not start the server: %+v", st)
	}
	if st := ask(t, dir, "start"); !st.Running {
		t.Error("start after unmask has no effect")
	}
}

func TestMaskedServerIsNotRestarted(t *testing.T) {
	dir := start(t)
	ask(t, dir, "mask")
	ask(t, dir, "kill")
	time.Sleep(3 * restartDelay)
	if st := ask(t, dir, "status"); st.Running {
		t.Error("a masked server came back")
	}
}

// TestPausedServerStandsStill: it keeps its process, goes on after that, and
// ends at once when it is asked to.
func TestPausedServerStandsStill(t *testing.T) {
	dir := start(t)
	pid := ask(t, dir, "pause").PID
	state := func() string {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(data), ") ")
		return after[:1]
	}
	eventually(t, func() bool { return state() == "T" })
	ask(t, dir, "resume")
	eventually(t, func() bool { return state() != "T" })
	ask(t, dir, "pause")
	if st := ask(t, dir, "stop"); st.Running || !gone(pid) {
		t.Errorf("%+v; want a paused server stopped", st)
	}
	if _, err := Ask(t.Context(), dir, "pause"); err == nil {
		t.Error("a server that does not run cannot be paused")
	}
}
