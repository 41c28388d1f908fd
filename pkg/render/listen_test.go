package render

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestClasses: what the gate unpacks is what its sources are compiled to.
func TestClasses(t *testing.T) {
	for name, c := range map[string]struct{ script, source string }{
		"Listen": {listenScript, "listen/Listen.java"}, "Handshake": {handshakeScript, "handshake/Handshake.java"},
	} {
		dir := t.TempDir()
		cmd := exec.Command("javac", "--release", "8", "-Xlint:-options", "-g:none", "-d", dir, c.source)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("javac (openjdk-17-jdk-headless): %v: %s", err, out)
		}
		want, err := os.ReadFile(filepath.Join(dir, name+".class"))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(c.script, strings.ToLower(name)+"_class='")
		text, _, _ := strings.Cut(rest, "'")
		have, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil || string(have) != string(want) {
			t.Errorf("the script has another class (%v); compiled it is\n%s", err, base64.StdEncoding.EncodeToString(want))
		}
	}
}

// TestGateListensWhileItsHostServes: at all ports of the server with a real JVM, until the
// host goes, again when it comes back, and never once ZooKeeper starts.
func TestGateListensWhileItsHostServes(t *testing.T) {
	p := newPod(t)
	free := []int{freePort(t), freePort(t)}
	p.ports = fmt.Sprintf("1 2181\n0 %d %d", free[0], free[1])
	p.gate("")
	p.start()
	accepts := func(want bool) {
		t.Helper()
		for _, port := range free {
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err == nil {
				conn.Close()
			}
			if (err == nil) != want {
				t.Errorf("port %d: %v, want it open: %t", port, err, want)
			}
		}
	}
	listens := func(want migration.Listening) {
		t.Helper()
		p.waitReport("listens="+string(want), func(r GateReport) bool { return r.Listens == want })
		accepts(want == migration.Listens)
		p.forget()
	}
	listens(migration.Listens)
	p.hostDown()
	listens(migration.ListenUnknown)
	p.client.up()
	listens(migration.Listens)
	p.hostDown()
	p.release()
	p.waitZooKeeper()
	accepts(false)
}

// TestGateCannotListen: a port that is taken, no list, no java; the pod parks all the same.
func TestGateCannotListen(t *testing.T) {
	taken, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct{ ports, java string }{
		"a port that is taken": {ports: fmt.Sprintf("0 %d", taken.Addr().(*net.TCPAddr).Port)},
		"no line":              {ports: "1 2181"},
		"no list":              {},
		"a java that ends":     {ports: "0 1", java: "exit 1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			if c.java != "" {
				p.java(c.java)
			}
			p.ports = c.ports
			p.gate("")
			p.start()
			p.waitReport("it cannot", func(r GateReport) bool {
				return r.State == migration.GateParked && r.Listens == migration.ListensNot && strings.Contains(r.Detail, "nothing listens at its ports meanwhile: ")
			})
		})
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
