//go:build linux

package render

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// silent returns a port of the loopback that answers no connect.
func silent(t *testing.T) int {
	t.Helper()
	addr, ok := tcpfake.Full(t)
	if !ok {
		t.Skip("this kernel accepts connections past the backlog")
	}
	return addr.Port
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
