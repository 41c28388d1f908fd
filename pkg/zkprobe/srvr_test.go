package zkprobe

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func TestParseSrvrOfRealServers(t *testing.T) {
	tests := []struct {
		version, role string
		mode          ensemble.Mode
		rest          []string
	}{
		{"3.4.13", "leader", ensemble.Leader, []string{"Proposal sizes last/min/max: 36/36/36"}},
		{"3.4.13", "follower", ensemble.Follower, nil},
		{"3.4.13", "observer", ensemble.Observing, nil},
		{"3.8.0", "leader", ensemble.Leader, []string{"Proposal sizes last/min/max: 48/48/48"}},
		{"3.8.0", "follower", ensemble.Follower, nil},
		{"3.8.0", "observer", ensemble.Observing, nil},
		{"3.9.3", "leader", ensemble.Leader, []string{"Proposal sizes last/min/max: 48/48/48"}},
		{"3.9.3", "follower", ensemble.Follower, nil},
		{"3.9.3", "observer", ensemble.Observing, nil},
	}
	for _, tt := range tests {
		t.Run(tt.version+"/"+tt.role, func(t *testing.T) {
			got := ParseSrvr(recorded(t, tt.version, tt.role, Srvr))
			if got.Version.String() != tt.version {
				t.Errorf("version: got %s", got.Version)
			}
			if got.Mode != tt.mode {
				t.Errorf("mode: got %q", got.Mode)
			}
			if !got.ZxidKnown || got.Zxid != 0x100000001 {
				t.Errorf("zxid: got %s, known %t", got.Zxid, got.ZxidKnown)
			}
			if got.Latency == nil || got.Connections < 1 || got.Nodes < 4 || got.Received < 1 || got.Sent < 1 || got.Outstanding != 0 {
				t.Errorf("numbers missing: %+v", got)
			}
			if diff := cmp.Diff(tt.rest, got.Rest); diff != "" {
				t.Errorf("rest (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseSrvrKeepsWhatItDoesNotKnow(t *testing.T) {
	text := "Zookeeper version: not one\r\nMode: president\nZxid: 0xzz\nLatency min/avg/max: 1/2\n" +
		"Received: -4\nSent: many\nNew thing: 7\nno colon\n\nNode count: 12\n"
	got := ParseSrvr(text)
	want := SrvrReply{
		Received: -1, Sent: -1, Connections: -1, Outstanding: -1, Nodes: 12,
		Rest: []string{
			"Zookeeper version: not one", "Mode: president", "Zxid: 0xzz", "Latency min/avg/max: 1/2",
			"Received: -4", "Sent: many", "New thing: 7", "no colon",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reply (-want +got):\n%s", diff)
	}
}

func TestParseSrvrReadsTheHeadOfStat(t *testing.T) {
	eachRecorded(t, Stat, func(path, text string) {
		if classifyText(text) != vantage.Answered {
			return
		}
		if got := ParseSrvr(text); got.Mode == "" || !got.ZxidKnown || got.Version.IsZero() {
			t.Errorf("%s: %+v", path, got)
		}
	})
}

func FuzzParseSrvr(f *testing.F) {
	eachRecorded(f, Srvr, func(_, text string) { f.Add(text) })
	eachRecorded(f, Stat, func(_, text string) { f.Add(text) })
	f.Fuzz(func(t *testing.T, text string) {
		r := ParseSrvr(text)
		for _, n := range []int64{r.Received, r.Sent, r.Connections, r.Outstanding, r.Nodes} {
			if n < -1 {
				t.Errorf("a count of %d", n)
			}
		}
		if !r.ZxidKnown && r.Zxid != 0 {
			t.Errorf("unknown zxid %s", r.Zxid)
		}
	})
}
