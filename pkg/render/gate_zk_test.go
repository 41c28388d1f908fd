//go:build zk

package render

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// What a parked pod does to the live server on its host, on real servers: some
// lines in its log, no more, nothing on the election port; and it sees the
// server's end at once.
//
//	go test -tags zk -run RealServer ./pkg/render
func TestGateBesideARealServer(t *testing.T) {
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			e, err := zkreal.New(ctx, zkreal.Options{Version: version, IDs: []int{1, 2, 3}, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			if err := e.Start(ctx); err != nil {
				t.Fatal(err)
			}
			follower := e.LeaderLast(ctx)[0]
			s := e.Server(follower)
			before := logLines(t, s.LogFile())

			p := newPod(t)
			p.client.down()
			p.election.down()
			p.client.port, p.election.port = s.ClientPort, s.ElectionPort
			p.gate("")
			p.start()
			beats := 0
			p.waitReport("15 s of parking", func(r GateReport) bool {
				if r.HostClient != vantage.PortOpen || r.HostElection != vantage.PortUnknown {
					t.Errorf("report %+v", r)
				}
				beats++
				return beats == 4
			})
			written := logLines(t, s.LogFile())[len(before):]
			t.Logf("the server wrote %d lines in 15 s of parking:\n%s", len(written), strings.Join(written, "\n"))
			if len(written) > 20 {
				t.Errorf("%d lines in the server's log", len(written))
			}
			for _, line := range written {
				if strings.Contains(line, "QuorumCnxManager") {
					t.Errorf("the election port was touched: %s", line)
				}
			}
			if mode := s.Mode(ctx); mode != "follower" {
				t.Errorf("the server is %q now", mode)
			}
			p.forget()
			stopped := time.Now()
			s.Stop()
			p.waitReport("the server's end", func(r GateReport) bool { return r.HostClosed() })
			t.Logf("its end was reported %s after the stop was asked for", time.Since(stopped).Round(time.Millisecond))
		})
	}
}

func logLines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimRight(string(data), "\n"), "\n")
}
