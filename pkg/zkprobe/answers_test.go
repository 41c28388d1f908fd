package zkprobe

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// TestSightRecorded looks at servers that say what real ones said. After
// recording anew run with -update and read the difference.
func TestSightRecorded(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("testdata", "*", "*", "srvr.txt"))
	if err != nil || len(folders) != 15 {
		t.Fatalf("recorded servers: got %d, %v", len(folders), err)
	}
	for _, path := range folders {
		dir := filepath.Dir(path)
		t.Run(dir, func(t *testing.T) {
			addr := tcpfake.Listen(t, func(c net.Conn) {
				// A file that is missing is answered with nothing.
				b, _ := os.ReadFile(filepath.Join(dir, string(word(c))+".txt"))
				_, _ = c.Write(b)
			})
			s := Prober{}.Learn(t.Context(), addr)
			if s.Addr != addr || s.At.IsZero() || s.Took <= 0 {
				t.Errorf("addr %s, at %s, took %s", s.Addr, s.At, s.Took)
			}
			s.Addr, s.At, s.Took, s.Error = "", time.Time{}, 0, ""
			got, err := json.MarshalIndent(s, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			golden := filepath.Join(dir, "sighting.golden.json")
			if updating() {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("sighting (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGlance: what decisions use is the same, and only a leader is asked for mntr.
func TestGlance(t *testing.T) {
	for _, tt := range []struct {
		server string
		mntr   int
	}{{"leader", 2}, {"follower", 1}} {
		dir := filepath.Join("testdata", "3.8.0", tt.server)
		var mntr atomic.Int32
		addr := tcpfake.Listen(t, func(c net.Conn) {
			asked := word(c)
			if asked == Mntr {
				mntr.Add(1)
			}
			b, err := os.ReadFile(filepath.Join(dir, string(asked)+".txt"))
			if err != nil {
				t.Error(err)
			}
			_, _ = c.Write(b)
		})
		whole, brief := Prober{}.Learn(t.Context(), addr), Prober{}.Glance(t.Context(), addr)
		if int(mntr.Load()) != tt.mntr {
			t.Errorf("%s: asked %d times for mntr, want %d", tt.server, mntr.Load(), tt.mntr)
		}
		if brief.Mode != whole.Mode || brief.SyncedFollowers != whole.SyncedFollowers || brief.Learners != whole.Learners || brief.ServerID != whole.ServerID {
			t.Errorf("%s: a glance says %+v, a look %+v", tt.server, brief, whole)
		}
	}
}

func TestSightOfNoServer(t *testing.T) {
	asked := 0
	s := Prober{Timeout: 100 * time.Millisecond}.Learn(t.Context(), tcpfake.Listen(t, func(c net.Conn) {
		asked++
		_, _ = io.WriteString(c, notServingText+"\n")
	}))
	if s.Reach != vantage.NotServing || s.Mode != ensemble.NotServing || s.Error == "" || asked != 1 {
		t.Errorf("not serving: got %+v after %d questions", s, asked)
	}
	for _, tt := range []struct {
		addr string
		want vantage.Reach
	}{{closedPort(t), vantage.Refused}, {tcpfake.Listen(t, tcpfake.Silent), vantage.Timeout}} {
		s := Prober{Timeout: 100 * time.Millisecond}.Learn(t.Context(), tt.addr)
		if s.Reach != tt.want || s.Mode != "" || s.Error == "" || s.Reach.Alive() || s.Sighting().Silent != (tt.want == vantage.Timeout) {
			t.Errorf("got %+v, want %s", s, tt.want)
		}
		for name, n := range map[string]int64{
			"learners": s.Learners, "synced followers": s.SyncedFollowers, "synced observers": s.SyncedObservers,
			"connections": s.Connections, "nodes": s.Nodes, "outstanding": s.Outstanding, "max client cnxns": int64(s.MaxClientCnxns),
			"data size": s.DataSize, "ephemerals": s.Ephemerals, "watches": s.Watches, "received": s.Received, "sent": s.Sent,
		} {
			if n != -1 {
				t.Errorf("%s of a server that said nothing: got %d, want -1", name, n)
			}
		}
	}
}
