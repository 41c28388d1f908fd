//go:build zk

package cluster

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/test/hostile"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestForgedReports: a client that has not authenticated makes a real server write
// lines into its log that begin like a report, for every field of one; nobody reads
// them there.
//
//	go test -tags zk -run ForgedReports ./pkg/cluster
func TestForgedReports(t *testing.T) {
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			e, err := zkreal.New(ctx, zkreal.Options{Version: version, IDs: []int{1, 2, 3}, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Close)
			if err := e.Start(ctx); err != nil {
				t.Fatal(err)
			}
			// The leader prepares every request, a follower's clients' too, and logs what
			// it does not take.
			s := e.Server(e.Leader(ctx))
			for field, forged := range forgeries(time.Now()) {
				if err := createInvalid(ctx, s.ClientAddr(), "/x\n"+forged+"\n"); err != nil {
					t.Fatal(err)
				}
				log := waitLogged(ctx, t, s.LogFile(), forged)
				for what, relayed := range map[string]string{"nothing reported": "", "started": reportAt(3, startedLine)} {
					c := New(fake.NewClientset(podObject()))
					c.logs = func(_ context.Context, _, _ string, o *corev1.PodLogOptions) ([]byte, error) {
						if o.Container != render.RelayName {
							return log, nil
						}
						return []byte(relayed), nil
					}
					views, err := c.Observe(ctx, record())
					if err != nil {
						t.Fatal(err)
					}
					want := migration.GateUnknown
					if relayed != "" {
						want = migration.GateStarted
					}
					if p := views[5].Pod; p.Report.State != want || p.Report.Generation > 9 || p.Report.Detail == "forged" || p.Report.Volume.Seed != "" || p.Report.Volume.State == migration.VolumeOutlived {
						t.Errorf("%s forged, %s: believed as %+v", field, what, p)
					}
				}
			}
		})
	}
}

// forgeries are reports as the gate would write them now, each with another field
// that somebody would like to be believed.
func forgeries(now time.Time) map[string]string {
	line := strings.Replace(parkedLine, "at=0", fmt.Sprintf("at=%d.000000", now.Unix()+2), 1)
	out := map[string]string{}
	for field, edit := range map[string][2]string{
		"state": {"state=parked", "state=vetoed"}, "generation": {"generation=7", "generation=999999999"},
		"id": {"id=5", "id=9"}, "host-client": {"host-client=open", "host-client=closed"},
		"host-election": {"host-election=unasked", "host-election=closed"}, "closed": {"closed=0", "closed=99999"},
		"cause": {"cause=-", "cause=lost"}, "seed": {"seed=-", "seed=tok1"}, "synced": {"synced=-", "synced=old"},
		"data": {"data=0", "data=8"}, "since": {"since=-", "since=1"}, "detail": {`detail="waits"`, `detail="forged"`},
		"pod": {"pod=u1", "pod=u1"}, "version": {"version=-", "version=9.9.9"}, "ordinal": {"ordinal=1", "ordinal=2"},
	} {
		out[field] = strings.Replace(line, edit[0], edit[1], 1)
	}
	return out
}

// waitLogged returns the log with stamps as a kubelet gives it, once a line of it is
// the forged one.
func waitLogged(ctx context.Context, t *testing.T, path, forged string) []byte {
	t.Helper()
	log := waitLog(ctx, t, path, "a line that begins with "+forged, func(log []byte) bool {
		return bytes.HasPrefix(log, []byte(forged)) || bytes.Contains(log, []byte("\n"+forged))
	})
	var out bytes.Buffer
	for line := range strings.Lines(string(log)) {
		fmt.Fprintf(&out, "%s %s", time.Now().UTC().Format(time.RFC3339Nano), line)
	}
	return out.Bytes()
}

// waitLog reads a server's log until it has something.
func waitLog(ctx context.Context, t *testing.T, path, what string, has func([]byte) bool) []byte {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		log, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if has(log) {
			return log
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the server's log never had %s:\n%s", what, log)
		case <-tick.C:
		}
	}
}

// createInvalid has the server at that address log the path.
func createInvalid(ctx context.Context, addr, path string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	return hostile.CreateInvalid(conn, path)
}
