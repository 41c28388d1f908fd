package render

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// pod is a directory tree like a pod's, and the gate that runs in it.
type pod struct {
	t          *testing.T
	dir        string
	client     *host
	election   *host
	name       string
	cmd        *exec.Cmd
	exited     chan struct{}
	mu         sync.Mutex
	lines      []string
	changed    chan struct{}
	generation int
}

// host is one port of the host; it can be up or down.
type host struct {
	t        *testing.T
	port     int
	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
	accepted int
}

func newHost(t *testing.T) *host {
	h := &host{t: t}
	h.up()
	t.Cleanup(h.down)
	return h
}

func (h *host) up() {
	h.t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(h.port)))
	if err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	h.listener, h.port = l, l.Addr().(*net.TCPAddr).Port
	h.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.accepted++
			if h.listener == l {
				h.conns = append(h.conns, c)
			} else {
				// Accepted while the host went down.
				_ = c.Close()
			}
			h.mu.Unlock()
		}
	}()
}

func (h *host) down() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listener != nil {
		_ = h.listener.Close()
		h.listener = nil
	}
	for _, c := range h.conns {
		_ = c.Close()
	}
	h.conns = nil
}

func (h *host) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.accepted
}

// newPod has ordinal 0 and id 2; its host's ports are up.
func newPod(t *testing.T) *pod {
	t.Helper()
	p := &pod{t: t, dir: t.TempDir(), client: newHost(t), election: newHost(t), name: "main-pod-0", changed: make(chan struct{}, 1), generation: 1}
	for _, d := range []string{"gate", "conf", "volume"} {
		p.mkdir(d)
	}
	p.write("conf/gate.sh", gateScript)
	p.write("conf/zoo.cfg", "dataDir=/zookeeper/data\n")
	// What stands for ZooKeeper: says its arguments and stays.
	p.write("zookeeper", "#!/usr/bin/env bash\necho \"zookeeper $*\"\ntrap 'exit 0' TERM\nwhile :; do read -rt 1 <> <(:); done\n")
	if err := os.Chmod(filepath.Join(p.dir, "zookeeper"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.gate("")
	return p
}

func (p *pod) mkdir(name string) {
	if err := os.MkdirAll(filepath.Join(p.dir, name), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pod) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pod) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

func (p *pod) exists(name string) bool {
	_, err := os.Stat(filepath.Join(p.dir, name))
	return err == nil
}

// gate writes the three files the way the kubelet does: a new directory and a
// rename of ..data.
func (p *pod) gate(released string) {
	p.gateData(map[string]string{
		"map":        fmt.Sprintf("0 2 127.0.0.1 %d %d\n1 5 10.1.0.5 2181 3888\n", p.client.port, p.election.port),
		"released":   released,
		"generation": strconv.Itoa(p.generation) + "\n",
	})
}

func (p *pod) gateData(data map[string]string) {
	p.t.Helper()
	gate := filepath.Join(p.dir, "gate")
	version, err := os.MkdirTemp(gate, "..v")
	if err != nil {
		p.t.Fatal(err)
	}
	for key, text := range data {
		if err := os.WriteFile(filepath.Join(version, key), []byte(text), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	old, _ := os.Readlink(filepath.Join(gate, "..data"))
	link := filepath.Join(gate, "..data_tmp")
	if err := os.Symlink(filepath.Base(version), link); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(link, filepath.Join(gate, "..data")); err != nil {
		p.t.Fatal(err)
	}
	if old != "" {
		if err := os.RemoveAll(filepath.Join(gate, old)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// start runs the gate until the test ends or stop is called.
func (p *pod) start() {
	p.t.Helper()
	p.cmd = exec.Command("bash", filepath.Join(p.dir, "conf/gate.sh"), filepath.Join(p.dir, "zookeeper"), "start")
	p.cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "POD_NAME=" + p.name,
		"ZKMIGRATE_GATE=" + filepath.Join(p.dir, "gate"),
		"ZKMIGRATE_CONF=" + filepath.Join(p.dir, "conf"),
		"ZKMIGRATE_VOLUME=" + filepath.Join(p.dir, "volume"),
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	p.lines = nil
	p.mu.Unlock()
	exited := make(chan struct{})
	p.exited = exited
	go func() {
		scan := bufio.NewScanner(out)
		for scan.Scan() {
			p.mu.Lock()
			p.lines = append(p.lines, scan.Text())
			p.mu.Unlock()
			select {
			case p.changed <- struct{}{}:
			default:
			}
		}
		_ = p.cmd.Wait()
		close(exited)
	}()
	p.t.Cleanup(p.kill)
}

func (p *pod) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.exited
}

// waitLine waits for a line for which match holds, looking at every line once.
func (p *pod) waitLine(what string, match func(string) bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	seen := 0
	for {
		p.mu.Lock()
		lines := p.lines[min(seen, len(p.lines)):]
		p.mu.Unlock()
		for _, l := range lines {
			if match(l) {
				return
			}
		}
		seen += len(lines)
		select {
		case <-p.changed:
		case <-p.exited:
			if seen == len(p.all()) {
				p.t.Fatalf("the gate ended before %s:\n%s", what, strings.Join(p.all(), "\n"))
			}
		case <-ctx.Done():
			p.t.Fatalf("no line for %s:\n%s", what, strings.Join(p.all(), "\n"))
		}
	}
}

func (p *pod) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines...)
}

// forget drops what was said so far.
func (p *pod) forget() {
	p.mu.Lock()
	p.lines = nil
	p.mu.Unlock()
}

func (p *pod) waitReport(what string, match func(GateReport) bool) {
	p.t.Helper()
	p.waitLine(what, func(line string) bool {
		if !IsGateLine(line) {
			return false
		}
		r, err := ParseGateLine(line)
		if err != nil {
			p.t.Errorf("the gate wrote what cannot be read: %v", err)
			return false
		}
		return match(r)
	})
}

func (p *pod) waitState(s migration.GateState) {
	p.t.Helper()
	p.waitReport(string(s), func(r GateReport) bool { return r.State == s })
}

func (p *pod) waitZooKeeper() {
	p.t.Helper()
	want := "zookeeper start " + filepath.Join(p.dir, "volume/conf/zoo.cfg")
	p.waitLine("ZooKeeper", func(line string) bool { return line == want })
}

func (p *pod) hostDown() { p.client.down(); p.election.down() }

// release opens the gate in a new generation.
func (p *pod) release() string {
	p.generation++
	line := fmt.Sprintf("0 2 %d\n", p.generation)
	p.gate(line)
	return line
}

func TestGateParksWatchesAndStarts(t *testing.T) {
	p := newPod(t)
	p.start()
	p.waitReport("parked, host up", func(r GateReport) bool {
		return r.State == migration.GateParked && r.Ordinal == 0 && r.ID == 2 && r.Generation == 1 &&
			r.HostClient == migration.PortOpen && r.HostElection == migration.PortUnknown
	})
	if n := p.election.count(); n != 0 {
		t.Errorf("the election port of a live server was asked %d times", n)
	}
	down := time.Now()
	p.hostDown()
	p.waitReport("host seen closed", func(r GateReport) bool { return r.HostClosed() })
	if took := time.Since(down); took > 3*time.Second {
		t.Errorf("the host's end was seen after %s", took)
	}
	p.release()
	opened := time.Now()
	p.waitReport("started", func(r GateReport) bool { return r.State == migration.GateStarted && r.Generation == 2 })
	p.waitZooKeeper()
	if took := time.Since(opened); took > 3*time.Second {
		t.Errorf("release to start took %s", took)
	}
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
		if r.HostClient == migration.PortOpen {
			n++
		}
		return n == 2
	})
	if asked := p.client.count(); asked > 4 {
		t.Errorf("the host's client port was asked %d times in 5 s", asked)
	}
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
	p := newPod(t)
	p.hostDown()
	p.release()
	p.start()
	p.waitZooKeeper()
	p.kill()
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

func TestGateRefusesWhenStartedDataHasVanished(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	p.release()
	p.start()
	p.waitZooKeeper()
	p.kill()
	if err := os.RemoveAll(filepath.Join(p.dir, "volume/data")); err != nil {
		t.Fatal(err)
	}
	p.start()
	p.waitReport("refused", func(r GateReport) bool {
		return r.State == migration.GateRefused && strings.Contains(r.Detail, "vanished")
	})
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
	for name, data := range garbled() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPod(t)
			p.hostDown()
			p.gateData(data)
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
	t.Run("ordinal not in map", func(t *testing.T) {
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
	p.gate("1 5 2\n")
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
			began := time.Now()
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			select {
			case <-p.exited:
			case <-time.After(10 * time.Second):
				t.Fatal("the gate ignores TERM")
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it took %s", took)
			}
			if code := p.cmd.ProcessState.ExitCode(); code != 143 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestGateBecomesZooKeeper(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	p.release()
	p.start()
	p.waitZooKeeper()
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.cmd.Process.Pid))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no /proc on this system")
	}
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
