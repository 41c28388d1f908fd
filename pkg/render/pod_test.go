package render

import (
	"bufio"
	"context"
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
	path       string
	env        []string // more of the environment
	cmd        *exec.Cmd
	exited     chan struct{}
	began      time.Time
	mu         sync.Mutex
	lines      []string
	changed    chan struct{}
	generation int
	uid        string
	servers    string // the table in the template; "-" is one with the two ports
	ports      string // the table of ports to listen at
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
	p := &pod{t: t, dir: t.TempDir(), client: newHost(t), election: newHost(t), name: "main-pod-0", changed: make(chan struct{}, 1), generation: 1, uid: "uid-1", servers: "-"}
	for _, d := range []string{"gate", "conf", "volume", "report"} {
		p.mkdir(d)
	}
	p.write("conf/gate.sh", gateScript)
	p.write("conf/relay.sh", relayScript)
	p.write("conf/zoo.cfg", "dataDir=/zookeeper/data\n")
	// What stands for ZooKeeper: says its arguments and stays.
	p.write("zookeeper", "#!/usr/bin/env bash\necho \"zookeeper $*\"\necho \"flags ${SERVER_JVMFLAGS-}\"\ntrap 'exit 0' TERM\nwhile :; do read -rt 1 <> <(:); done\n")
	if err := os.Chmod(filepath.Join(p.dir, "zookeeper"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.gate("")
	return p
}

// startedPod was released and runs ZooKeeper.
func startedPod(t *testing.T) *pod {
	t.Helper()
	p := newPod(t)
	p.hostDown()
	p.release()
	p.start()
	p.waitZooKeeper()
	return p
}

// stoppedPod has run ZooKeeper, in sync, and does not run any more.
func stoppedPod(t *testing.T) *pod {
	t.Helper()
	p := startedPod(t)
	p.joined()
	p.kill()
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

// gate writes the two files the way the kubelet does: a new directory and a
// rename of ..data.
func (p *pod) gate(released string) {
	p.gateData(map[string]string{
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

// start runs the gate, and beside it the relay, until the test ends or kill is
// called.
func (p *pod) start() {
	p.t.Helper()
	p.mu.Lock()
	p.lines = nil
	p.mu.Unlock()
	p.began = time.Now()
	p.cmd = p.run(filepath.Join(p.dir, "conf/gate.sh"), filepath.Join(p.dir, "zookeeper"), "start")
	relay := p.run(filepath.Join(p.dir, "conf/relay.sh"))
	p.exited = p.listen(p.cmd)
	p.t.Cleanup(p.kill)
	heard := p.listen(relay)
	p.t.Cleanup(func() {
		_ = syscall.Kill(-relay.Process.Pid, syscall.SIGKILL)
		<-heard
	})
}

// run begins a script as a container would.
func (p *pod) run(args ...string) *exec.Cmd {
	servers := p.servers
	if servers == "-" {
		servers = fmt.Sprintf("0 2 127.0.0.1 %d %d\n1 5 10.1.0.5 2181 3888", p.client.port, p.election.port)
	}
	path := p.path
	if path == "" {
		path = os.Getenv("PATH")
	}
	cmd := exec.Command("bash", args...)
	cmd.Env = []string{
		"PATH=" + path, "POD_NAME=" + p.name, "POD_UID=" + p.uid, "ZKMIGRATE_VERSION=" + os.Getenv("ZKMIGRATE_VERSION"),
		"ZKMIGRATE_GATE=" + filepath.Join(p.dir, "gate"),
		"ZKMIGRATE_CONF=" + filepath.Join(p.dir, "conf"),
		"ZKMIGRATE_VOLUME=" + filepath.Join(p.dir, "volume"), "ZKMIGRATE_NAMED=/zookeeper",
		"ZKMIGRATE_SERVERS=" + servers, "ZKMIGRATE_LISTEN=" + p.ports, "ZKMIGRATE_REPORT=" + filepath.Join(p.dir, "report"),
		"ZKMIGRATE_PRIVATE=" + filepath.Join(p.dir, "private"), "ZKMIGRATE_FILES_DIR=" + filepath.Join(p.dir, "files"),
		"ZKMIGRATE_SOURCES=" + filepath.Join(p.dir, "files-configmap") + " " + filepath.Join(p.dir, "files-secret"),
	}
	cmd.Env = append(cmd.Env, p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// listen starts cmd and keeps every line it writes.
func (p *pod) listen(cmd *exec.Cmd) chan struct{} {
	p.t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
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
		_ = cmd.Wait()
		close(ended)
	}()
	return ended
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
		if !strings.HasPrefix(line, gateLinePrefix) {
			return false
		}
		r, err := ParseGateLine(line)
		if err == nil && r.At.Before(p.began) {
			return false // of the run before
		}
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

// release opens the gate in a new generation, for this pod.
func (p *pod) release() string { return p.releaseFor("empty:" + p.uid) }

func (p *pod) releaseFor(start string) string {
	p.generation++
	line := fmt.Sprintf("0 2 %d %s\n", p.generation, start)
	p.gate(line)
	return line
}

// joined is what the readiness probe notes once the server has synced.
func (p *pod) joined() { p.write("volume/zkmigrate-joined", strconv.Itoa(p.generation)+"\n") }

func (p *pod) remove(name string) {
	p.t.Helper()
	if err := os.RemoveAll(filepath.Join(p.dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pod) waitRefused(cause migration.GateCause, word string) {
	p.t.Helper()
	p.waitReport("refused "+string(cause), func(r GateReport) bool {
		return r.State == migration.GateRefused && r.Cause == cause && strings.Contains(r.Detail, word)
	})
}
