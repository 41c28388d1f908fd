package zkprobe

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

func TestParseConfOfRealServers(t *testing.T) {
	tests := []struct {
		version, role string
		id            ensemble.ID
		listed        bool
	}{
		{"3.4.13", "follower", 1, false},
		{"3.4.13", "leader", 3, false},
		{"3.4.13", "observer", 4, false},
		{"3.8.0", "follower", 1, true},
		{"3.8.0", "leader", 3, true},
		{"3.8.0", "observer", 4, true},
		{"3.9.3", "follower", 1, true},
		{"3.9.3", "leader", 3, true},
		{"3.9.3", "observer", 4, true},
	}
	for _, tt := range tests {
		t.Run(tt.version+"/"+tt.role, func(t *testing.T) {
			got := ParseConf(recorded(t, tt.version, tt.role, Conf))
			if !got.ServerID.Is(tt.id) {
				t.Errorf("server id: got %s, want %d", got.ServerID, tt.id)
			}
			role := ensemble.Participant
			if tt.role == "observer" {
				role = ensemble.Observer
			}
			if got.Role != role || got.TickTime != time.Second || got.InitLimit != 10 || got.SyncLimit != 5 ||
				got.MinSessionTimeout != 2*time.Second || got.MaxSessionTimeout != 20*time.Second || got.MaxClientCnxns != 0 {
				t.Errorf("settings: got %+v", got)
			}
			if got.ClientPort == 0 || got.PeerPort == 0 || got.ElectionPort == 0 || got.DataLogDir != got.DataDir {
				t.Errorf("ports, dirs: got %+v", got)
			}
			if !tt.listed {
				if got.Members != nil || got.ConfigVersion != "" {
					t.Errorf("members of 3.4: got %v, version %q", got.Members, got.ConfigVersion)
				}
				return
			}
			if got.ConfigVersion != "0" || len(got.Members) != 4 {
				t.Fatalf("members: got %v, version %q", got.Members, got.ConfigVersion)
			}
			for i, m := range got.Members {
				if m.ID != ensemble.ID(i+1) || m.Host != "127.0.0.1" || m.Weight != 1 || (m.Role == ensemble.Observer) != (m.ID == 4) {
					t.Errorf("member %d: got %+v", i, m)
				}
				if m.ID == tt.id && (m.PeerPort != got.PeerPort || m.ElectionPort != got.ElectionPort) {
					t.Errorf("own ports: list has %+v, settings %d and %d", m, got.PeerPort, got.ElectionPort)
				}
			}
		})
	}
}

func TestParseConfMembership(t *testing.T) {
	peer := func(host string, ports ...int) ensemble.PeerAddress {
		return ensemble.PeerAddress{Host: host, PeerPort: ports[0], ElectionPort: ports[1]}
	}
	tests := []struct {
		name, text string
		want       []ensemble.Server
	}{
		{"client part", "server.2=zk2:2888:3888:participant;0.0.0.0:2181\nserver.1=zk1:2888:3888:observer;10.0.0.1:2182\n", []ensemble.Server{
			{ID: 1, Role: ensemble.Observer, PeerAddress: peer("zk1", 2888, 3888), ClientAddress: "10.0.0.1", ClientPort: 2182, Weight: 1},
			{ID: 2, Role: ensemble.Participant, PeerAddress: peer("zk2", 2888, 3888), ClientPort: 2181, Weight: 1},
		}},
		{"IPv6", "server.7=[2001:db8:0:0:0:0:0:7]:2888:3888:participant;[::]:2181\n", []ensemble.Server{
			{ID: 7, Role: ensemble.Participant, PeerAddress: peer("2001:db8::7", 2888, 3888), ClientPort: 2181, Weight: 1},
		}},
		{"several addresses", "server.1=a:2888:3888|b:2889:3889:participant;2181\n", []ensemble.Server{
			{ID: 1, Role: ensemble.Participant, PeerAddress: peer("a", 2888, 3888), More: []ensemble.PeerAddress{peer("b", 2889, 3889)}, ClientPort: 2181, Weight: 1},
		}},
		{"groups and weights", "server.1=a:1:2:participant\nserver.2=b:1:2:participant\ngroup.3=1:2\nweight.1=4\nweight.2=0\nversion=100000002\n", []ensemble.Server{
			{ID: 1, Role: ensemble.Participant, PeerAddress: peer("a", 1, 2), Weight: 4, Group: 3},
			{ID: 2, Role: ensemble.Participant, PeerAddress: peer("b", 1, 2), Weight: 0, Group: 3},
		}},
		{"one line broken hides the list", "server.1=a:1:2:participant\nserver.2=b\n", nil},
		{"ids beyond a byte", "server.0=a:1:2:participant\nserver.300=b:1:2:participant\n", []ensemble.Server{
			{ID: 0, Role: ensemble.Participant, PeerAddress: peer("a", 1, 2), Weight: 1},
			{ID: 300, Role: ensemble.Participant, PeerAddress: peer("b", 1, 2), Weight: 1},
		}},
		{"id out of range", "server.-1=a:1:2:participant\n", nil},
		{"port out of range", "server.1=a:1:70000:participant\n", nil},
		{"weight broken", "server.1=a:1:2:participant\nweight.1=x\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ParseConf(tt.text).Members); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseConfUnknown(t *testing.T) {
	got := ParseConf("serverId=-1\nclientPort=99999\ntickTime=-5\nnew.key=a=b\nwhat is this\n")
	if !got.ServerID.IsZero() || got.ClientPort != 0 || got.TickTime != 0 || got.MaxClientCnxns != -1 || got.DataDirSize != -1 {
		t.Errorf("got %+v, want everything unknown", got)
	}
	if got.Values["new.key"] != "a=b" {
		t.Errorf("new.key: got %q", got.Values["new.key"])
	}
	if diff := cmp.Diff([]string{"what is this"}, got.Rest); diff != "" {
		t.Errorf("rest (-want +got):\n%s", diff)
	}
}

func FuzzParseConf(f *testing.F) {
	eachRecorded(f, Conf, func(_, text string) { f.Add(text) })
	f.Add("server.1=[::1]:1:2|b:3:4:observer;[::]:5\ngroup.1=1:2:3\nweight.1=3\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := ParseConf(text)
		for _, m := range r.Members {
			if m.ID < ensemble.MinID || m.ID > ensemble.MaxID || m.Host == "" || m.PeerPort < 1 || m.ElectionPort > 65535 {
				t.Errorf("member %+v", m)
			}
		}
		if id, _ := r.ServerID.Get(); id < 0 || id > ensemble.MaxID || r.ClientPort < 0 || r.TickTime < 0 {
			t.Errorf("settings %+v", r)
		}
	})
}
