package workload

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/stats"
)

func TestReportWriteAndRead(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	want := Report{
		Root: "/zkload/x", Connect: []string{"a:2181"}, Started: at, Ended: at.Add(time.Minute), History: "/h",
		Acknowledged: 3, Failed: 1, Unknown: 2, Reads: 9, LongestStall: stats.Stall{At: at, Seconds: 1.5}, Stalls: []stats.Stall{},
		Sessions: Sessions{Expected: 3, Opened: 3, IDs: []string{"0x1"}}, Watches: Watches{Set: 2, Fired: 2},
		EphemeralHeld: true, Latency: Latency{P50: 1, P99: 2, Max: 3},
	}
	path := filepath.Join(t.TempDir(), "r.json")
	if err := want.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := ReadReport(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"stalls": []`) {
		t.Errorf("no stall is no list:\n%s", b)
	}
	if err := want.Write(filepath.Join(path, "below-a-file")); err == nil {
		t.Error("no error for a path that cannot be")
	}
	if _, err := ReadReport(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error for a missing report")
	}
}
