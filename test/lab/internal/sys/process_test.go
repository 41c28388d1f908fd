package sys

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func TestAlive(t *testing.T) {
	self, err := Identify("self", os.Getpid(), "")
	if err != nil {
		t.Fatal(err)
	}
	if !self.Alive() {
		t.Error("this process should be alive")
	}
	other := self
	other.Start++
	if other.Alive() {
		t.Error("a process with another start time is another process")
	}
}

func TestZombieIsNotAlive(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := Identify("sleep", cmd.Process.Pid, "")
	if err != nil {
		t.Fatal(err)
	}
	if !p.Alive() {
		t.Error("it should be alive")
	}
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Nobody waits for it, so it stays a zombie.
	if !Poll(context.Background(), 5*time.Second, func() bool { return !p.Alive() }) {
		t.Error("a zombie is not alive")
	}
	_ = cmd.Wait()
}

func TestPollLooksOnceMoreAtTheEnd(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	looks := 0
	look := func() bool { looks++; return looks == 2 }
	if !Poll(ended, time.Minute, look) || looks != 2 {
		t.Errorf("after the context ended: %d looks", looks)
	}
	if Poll(context.Background(), time.Millisecond, func() bool { return false }) {
		t.Error("it never was so")
	}
}

func TestPortNamesAreShortAndDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, address := range []string{"10.77.0.10", "10.77.1.1", "10.77.11.0", "10.77.255.255"} {
		name := portName(address)
		if len(name) > 15 || seen[name] {
			t.Errorf("%s: port name %q", address, name)
		}
		seen[name] = true
	}
}
