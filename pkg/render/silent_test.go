//go:build linux

package render

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// silent returns a port of the loopback that answers no connect, as a machine
// without power would: its queue of connections is full and never emptied.
func silent(t *testing.T) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*syscall.SockaddrInet4).Port
	for range 20 {
		c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), 200*time.Millisecond)
		if err != nil {
			return port
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	t.Skip("this kernel accepts connections past the backlog")
	return 0
}

// Silence is reported as what it is: never as closed. The script itself does
// start then (its veto needs an answer); that a silent host is no dead host is
// decided before the gate opens.
func TestGateTellsSilentFromClosed(t *testing.T) {
	p := newPod(t)
	p.hostDown()
	p.client.port = silent(t)
	p.gate("")
	p.start()
	p.waitReport("a silent host", func(r GateReport) bool {
		return r.State == migration.GateParked && r.HostClient == vantage.PortSilent &&
			r.HostElection == vantage.PortClosed && !r.HostClosed()
	})
	p.release()
	p.waitZooKeeper()
}

// On a busy node a program takes longer to start than a connect may last; a host
// that is down is no silent one for that.
func TestGateStartsNoProgramToConnect(t *testing.T) {
	slow := t.TempDir()
	for _, program := range []string{"timeout", "bash", "cat"} {
		if err := os.WriteFile(filepath.Join(slow, program), []byte("#!/bin/sh\nexec sleep 60\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p := newPod(t)
	p.hostDown()
	p.path = slow + ":" + os.Getenv("PATH")
	p.start()
	p.waitReport("the host is down", func(r GateReport) bool { return r.HostClosed() })
}
