package render

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func TestGateParksWatchesAndStarts(t *testing.T) {
	p := newPod(t)
	p.start()
	p.waitReport("parked, host up", func(r GateReport) bool {
		return r.State == migration.GateParked && r.Ordinal == 0 && r.ID == 2 && r.Generation == 1 &&
			r.HostClient == vantage.PortOpen && r.HostElection == vantage.PortUnknown
	})
	if n := p.election.count(); n != 0 {
		t.Errorf("the election port of a live server was asked %d times", n)
	}
	p.hostDown()
	p.waitReport("host seen closed", func(r GateReport) bool { return r.HostClosed() })
	p.release()
	p.waitReport("started", func(r GateReport) bool { return r.State == migration.GateStarted && r.Generation == 2 })
	p.waitZooKeeper()
	if got := strings.TrimSpace(p.read("volume/data/myid")); got != "2" {
		t.Errorf("myid is %q", got)
	}
	if got := strings.TrimSpace(p.read("volume/zkmigrate-generation")); got != "2" {
		t.Errorf("generation is %q", got)
	}
	if p.read("volume/conf/zoo.cfg") != p.read("conf/zoo.cfg") {
		t.Error("zoo.cfg was not copied")
	}
}

func TestGateHeartbeat(t *testing.T) {
	p := newPod(t)
	p.start()
	n := 0
	p.waitReport("a second report without any change", func(r GateReport) bool {
		if r.HostClient == vantage.PortOpen {
			n++
		}
		return n == 2
	})
	if asked := p.client.count(); asked > 4 {
		t.Errorf("the host's client port was asked %d times in 5 s", asked)
	}
}

// TestGateDidNotLookWhileItWasFrozen: what it says of that time it cannot know.
func TestGateDidNotLookWhileItWasFrozen(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	p.start()
	p.waitReport("a while", func(r GateReport) bool { return r.HostClosed() && *r.HostClosedFor >= 3*time.Second })
	group := -p.cmd.Process.Pid
	if err := syscall.Kill(group, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thaw := time.NewTimer(20 * time.Second)
	defer thaw.Stop()
	select {
	case <-thaw.C:
	case <-t.Context().Done():
	}
	p.forget()
	if err := syscall.Kill(group, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	p.waitReport("from the beginning", func(r GateReport) bool {
		if r.HostClosed() && *r.HostClosedFor >= 20*time.Second {
			t.Errorf("it says %s", *r.HostClosedFor)
		}
		return r.HostClosed() && *r.HostClosedFor >= 3*time.Second
	})
}

// TestGateTellsHowLongItsHostIsClosed: a host that came up in between breaks it.
func TestGateTellsHowLongItsHostIsClosed(t *testing.T) {
	p := newPod(t)
	p.start()
	p.waitReport("not while it is up", func(r GateReport) bool { return r.HostClient == vantage.PortOpen && !r.HostClosed() })
	p.hostDown()
	p.waitReport("from its end", func(r GateReport) bool { return r.HostClosed() && *r.HostClosedFor < 3*time.Second })
	p.waitReport("a while", func(r GateReport) bool { return r.HostClosed() && *r.HostClosedFor >= 3*time.Second })
	p.election.up()
	p.waitReport("not while one port answers", func(r GateReport) bool { return r.HostElection == vantage.PortOpen && !r.HostClosed() })
	p.election.down()
	p.waitReport("from the beginning", func(r GateReport) bool { return r.HostClosed() && *r.HostClosedFor < 3*time.Second })
}

func TestGateVeto(t *testing.T) {
	for name, alive := range map[string]func(*pod){
		"client port":   func(p *pod) { p.election.down() },
		"election port": func(p *pod) { p.client.down() },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			alive(p)
			p.release()
			p.start()
			p.waitState(migration.GateVetoed)
			if p.exists("volume/data") {
				t.Error("the volume was touched while the host was up")
			}
			p.hostDown()
			p.waitZooKeeper()
		})
	}
}

func TestGateVetoesARestartWhenTheHostIsBack(t *testing.T) {
	p := stoppedPod(t)
	p.client.up()
	p.start()
	p.waitState(migration.GateVetoed)
}

func TestGateGenerations(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	first := p.release()
	p.start()
	p.waitZooKeeper()
	p.mkdir("volume/data/version-2")
	p.write("volume/data/version-2/log.1", "data")
	p.mkdir("volume/datalog")
	p.write("volume/datalog/log.1", "log")
	p.joined()
	p.kill()

	t.Log("a restart in the same generation keeps the data")
	p.start()
	p.waitZooKeeper()
	if !p.exists("volume/data/version-2/log.1") || !p.exists("volume/datalog/log.1") {
		t.Fatal("data of the same generation is gone")
	}
	p.kill()

	t.Log("a new generation puts it aside")
	p.release()
	p.start()
	p.waitZooKeeper()
	if p.exists("volume/data/version-2") || p.exists("volume/datalog") {
		t.Error("data of another generation is in use")
	}
	if !p.exists("volume/data.stale-3/version-2/log.1") || !p.exists("volume/datalog.stale-3/log.1") {
		t.Error("data of another generation was not kept aside")
	}
	p.kill()

	t.Log("the next one keeps only the latest")
	p.release()
	p.start()
	p.waitZooKeeper()
	if p.exists("volume/data.stale-3") || p.exists("volume/datalog.stale-3") || !p.exists("volume/data.stale-4/myid") {
		t.Error("old stale data stays, or the latest is gone")
	}
	p.kill()

	t.Log("an older gate is just another generation")
	p.gate(first)
	p.start()
	p.waitZooKeeper()
	if !p.exists("volume/data.stale-2") {
		t.Error("data was kept")
	}
}

func TestGateSurvivesACrashBetweenItsRenames(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	p.release()
	p.mkdir("volume/data.stale-2")
	p.write("volume/data.stale-2/myid", "2\n")
	p.mkdir("volume/datalog")
	p.write("volume/datalog/log.1", "log")
	p.start()
	p.waitZooKeeper()
	if !p.exists("volume/data.stale-2/myid") || !p.exists("volume/datalog.stale-2/log.1") || p.exists("volume/datalog") {
		t.Error("the second half of the renames was not made up for")
	}
}

func TestGateRefusesAnotherServersVolume(t *testing.T) {
	for name, myid := range map[string]string{"other": "5\n", "garbled": "x", "empty": "", "with more": "2 2\n"} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			p.hostDown()
			p.mkdir("volume/data")
			p.write("volume/data/myid", myid)
			p.release()
			p.start()
			p.waitState(migration.GateRefused)
			if p.exists("volume/data.stale-2") {
				t.Error("data of another server was moved")
			}
			t.Log("it keeps waiting and goes on when the cause is gone")
			p.write("volume/data/myid", "2\n")
			p.waitZooKeeper()
		})
	}
}

func TestGateFailsClosed(t *testing.T) {
	for name, tc := range garbled() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPod(t)
			p.hostDown()
			p.gateData(tc.data)
			p.start()
			p.waitState(migration.GateRefused)
		})
	}
	for name, table := range garbledTables() {
		t.Run("template "+name, func(t *testing.T) {
			t.Parallel()
			p := newPod(t)
			p.hostDown()
			p.servers = table
			p.release()
			p.start()
			p.waitState(migration.GateRefused)
		})
	}
	t.Run("no volume", func(t *testing.T) {
		p := newPod(t)
		if err := os.RemoveAll(filepath.Join(p.dir, "gate")); err != nil {
			t.Fatal(err)
		}
		p.start()
		p.waitState(migration.GateRefused)
	})
	t.Run("pod name", func(t *testing.T) {
		p := newPod(t)
		p.name = "main"
		p.start()
		p.waitState(migration.GateRefused)
	})
	t.Run("ordinal not in the template", func(t *testing.T) {
		p := newPod(t)
		p.name = "main-pod-7"
		p.start()
		p.waitState(migration.GateRefused)
	})
	t.Run("read-only volume", func(t *testing.T) {
		p := newPod(t)
		p.hostDown()
		if err := os.RemoveAll(filepath.Join(p.dir, "volume")); err != nil {
			t.Fatal(err)
		}
		p.write("volume", "a file where a directory should be")
		p.release()
		p.start()
		p.waitState(migration.GateRefused)
	})
}

// TestGateGoesByItsTemplate: whoever edits the gate's ConfigMap cannot send a pod to
// look at another host than its own.
func TestGateGoesByItsTemplate(t *testing.T) {
	p := newPod(t)
	p.generation = 2
	p.gateData(map[string]string{
		"map": "0 2 127.0.0.1 1 1\n1 5 10.1.0.5 2181 3888\n", "released": "0 2 2 empty:uid-1\n", "generation": "2\n",
	})
	p.start()
	p.waitState(migration.GateVetoed)
	if p.exists("volume/data") {
		t.Error("the volume was touched while the host was up")
	}
}

func TestGateClosesAgain(t *testing.T) {
	p := newPod(t)
	p.release()
	p.start()
	p.waitState(migration.GateVetoed)
	p.generation++
	p.gate("")
	p.waitReport("parked in the new generation", func(r GateReport) bool {
		return r.State == migration.GateParked && r.Generation == 3
	})
	p.hostDown()
	p.waitReport("parked with a closed host", func(r GateReport) bool { return r.State == migration.GateParked && r.HostClosed() })
}

func TestGateOnlyItsOwnLine(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	p.generation = 2
	p.gate("1 5 2 empty:uid-5\n")
	p.start()
	p.waitReport("parked", func(r GateReport) bool { return r.State == migration.GateParked && r.Generation == 2 })
}

func TestGateEndsAtOnceOnTerm(t *testing.T) {
	for name, prepare := range map[string]func(*pod){
		"host up":   func(*pod) {},
		"host down": (*pod).hostDown,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			prepare(p)
			p.start()
			p.waitState(migration.GateParked)
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			select {
			case <-p.exited:
			case <-time.After(10 * time.Second):
				t.Fatal("the gate ignores TERM")
			}
			if code := p.cmd.ProcessState.ExitCode(); code != 143 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestGateBecomesZooKeeper(t *testing.T) {
	p := startedPod(t)
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(cmdline), "gate.sh") {
		t.Errorf("the process is still the gate: %q", cmdline)
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", p.cmd.Process.Pid, fd.Name()))
		if err == nil && strings.HasPrefix(target, "socket:") {
			t.Errorf("ZooKeeper inherits fd %s -> %s", fd.Name(), target)
		}
	}
}
