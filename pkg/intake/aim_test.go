package intake

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestAim: what a first wrap aims at.
func TestAim(t *testing.T) {
	aim := Aim{Name: "demo", Namespace: "zk", EndpointsAPI: migration.EndpointSlices}
	rec, err := aim.Record(described(t, file), addressBook)
	if err != nil {
		t.Fatal(err)
	}
	want := recorded()
	want.Settings.Version = "" // running servers tell it
	for i := range want.Servers {
		want.Servers[i].ClusterIP, want.Servers[i].DataDir = "", "/var/lib/zookeeper" // the API server gives the address
	}
	if !rec.Equal(want) {
		t.Errorf("(-want +got)\n%s", cmp.Diff(want, rec))
	}
	if sketch, err := aim.Sketch(described(t, head+"server.1=zk1.example.com:2888:3888\n"), addressBook); err != nil || len(sketch.Servers) != 1 || sketch.Servers[0].HostIP != "198.51.100.1" {
		t.Errorf("a check takes what a wrap refuses: %+v, %v", sketch, err)
	}
}

// TestAimAgain: what is recorded stays, whatever the input says.
func TestAimAgain(t *testing.T) {
	const stays = "membership does not change during a migration"
	for name, c := range map[string]struct {
		old, new    string
		moved       bool
		usage       bool
		reason, tip string
		vote        string
	}{
		"the same":                {},
		"as reconfigured":         {old: "server.2=zk2.example.com", new: "server.2=192.0.2.2"},
		"another host":            {old: "server.2=zk2.example.com", new: "server.2=zk9.example.com", reason: "server 2 is recorded at 198.51.100.2 client 2181, peer 2888, election 3888, the input says 198.51.100.9 client 2181, peer 2888, election 3888", tip: "if the host has really moved"},
		"another port":            {old: "zk3.example.com:2888", new: "zk3.example.com:2889", reason: "peer 2889"},
		"one more":                {old: "server.1=", new: "server.4=zk4.example.com:2888:3888\nserver.1=", reason: "server 4 is not in the recorded ensemble demo, which has [1 2 3]", tip: stays},
		"another id":              {old: "server.3=", new: "server.5=", reason: "server 5 is not in the recorded", tip: stays},
		"one fewer":               {old: "server.3=zk3.example.com:2888:3888\n", new: "", reason: "the input has servers [1 2], recorded are [1 2 3]", tip: stays},
		"weights, on hosts":       {old: "server.1=", new: "group.1=1:2:3\nweight.2=2\nserver.1=", vote: "participant of weight 2 in group 1"},
		"weights, in the middle":  {old: "server.1=", new: "group.1=1:2:3\nweight.2=2\nserver.1=", moved: true, reason: "the input says participant of weight", tip: stays + ": bring the hosts' files back"},
		"one that cannot be used": {old: "zk1.example.com", new: "nowhere.example.com", usage: true, reason: `host "nowhere.example.com" does not resolve here`},
	} {
		t.Run(name, func(t *testing.T) {
			rec := recorded()
			if c.moved {
				rec.Flight = &migration.Flight{Kind: migration.Replace, ID: 1}
			}
			d := described(t, strings.Replace(file, c.old, c.new, 1))
			d.Lint = nil // two voters are refused for another reason
			got, err := Aim{Name: "demo", Namespace: "zk", Recorded: &rec}.Record(d, addressBook)
			var e *Error
			if c.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				if c.vote != "" && got.Servers[1].Vote() != c.vote || got.Servers[1].ClusterIP != "192.0.2.2" || got.Servers[1].HostIP != "198.51.100.2" {
					t.Errorf("%+v", got.Servers[1])
				}
				return
			}
			if !errors.As(err, &e) || e.Usage != c.usage || !strings.Contains(e.Reason, c.reason) || !strings.Contains(e.Next, c.tip) {
				t.Errorf("got %+v, want %+v", e, c)
			}
		})
	}
}

// TestMembers: --member says nothing of weights, and a server is given once.
func TestMembers(t *testing.T) {
	members := []string{"3=zk3.example.com:2888:3888;2181", "1=zk1.example.com:2888:3888;2181", "2=zk2.example.com:2888:3888;2181"}
	d, err := FromMembers("demo", members)
	if err != nil || d.Ensemble.Servers[0].ID != 1 || d.Config != nil {
		t.Fatalf("%+v, %v", d, err)
	}
	rec := recorded()
	rec.Servers[0].Weight, rec.Servers[0].Replaced = 2, &time.Time{}
	if got, err := (Aim{Name: "demo", Recorded: &rec}).Record(d, addressBook); err != nil || got.Servers[0].Weight != 2 {
		t.Errorf("%+v, %v", got.Servers, err)
	}
	for says, wrong := range map[string][]string{"given twice": append(members, members[0]), "--member": {"1=zk1"}} {
		var e *Error
		if _, err := FromMembers("demo", wrong); !errors.As(err, &e) || !e.Usage || !strings.Contains(e.Reason, says) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	if _, err := (Aim{Name: "demo"}).Record(Description{Ensemble: d.Ensemble}, addressBook); err != nil {
		t.Error(err)
	}
	d.Ensemble.Servers = d.Ensemble.Servers[:2]
	if err := RefuseLint(d); err == nil || !strings.Contains(err.Error(), "2 voters") {
		t.Errorf("two voters: %v", err)
	}
}

// TestMorePorts: a server gains ports that nobody recorded, and keeps those that are.
func TestMorePorts(t *testing.T) {
	tls, master := file+"secureClientPort=2281\n", "observerMasterPort=2191\n"
	admin := []ensemble.PortName{ensemble.PortAdmin}
	has := func(secure, master, admin int) *ensemble.Server {
		return &ensemble.Server{SecureClientPort: secure, ObserverMasterPort: master, AdminPort: admin}
	}
	for name, c := range map[string]struct {
		had    ensemble.Server
		text   string
		expose []ensemble.PortName
		want   *ensemble.Server
		reason string
	}{
		"none there":                     {text: file, want: has(0, 0, 0)},
		"recorded by an earlier release": {text: tls + master, want: has(2281, 2191, 0)},
		"asked for":                      {had: *has(2281, 0, 0), text: tls, expose: admin, want: has(2281, 0, 8080)},
		"asked for before":               {had: *has(2281, 0, 8080), text: tls, want: has(2281, 0, 8080)},
		"another port":                   {had: *has(2282, 0, 0), text: tls, reason: "election 3888, secure-client 2282, the input says"},
		"one that is gone":               {had: *has(2281, 2191, 0), text: tls, reason: "observer-master 2191, the input says"},
		"another AdminServer":            {had: *has(0, 0, 8080), text: file + "admin.serverPort=8081\n", expose: admin, reason: "admin 8080, the input says"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := recorded()
			for i := range rec.Servers {
				s := &rec.Servers[i]
				s.SecureClientPort, s.ObserverMasterPort, s.AdminPort = c.had.SecureClientPort, c.had.ObserverMasterPort, c.had.AdminPort
			}
			d, err := described(t, c.text).Expose(c.expose)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Aim{Name: "demo", Namespace: "zk", Recorded: &rec}.Record(d, addressBook)
			if c.reason != "" {
				if err == nil || !strings.Contains(err.Error(), c.reason) {
					t.Fatalf("got %v, want %q", err, c.reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range got.Servers {
				if diff := cmp.Diff(c.want, has(s.SecureClientPort, s.ObserverMasterPort, s.AdminPort)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	members, err := FromMembers("demo", []string{"1=zk1.example.com:2888:3888;2181", "2=zk2.example.com:2888:3888;2181", "3=zk3.example.com:2888:3888;2181"})
	if err != nil {
		t.Fatal(err)
	}
	rec := recorded()
	rec.Servers[0].SecureClientPort, rec.Servers[0].MetricsPort = 2281, 7000
	if got, err := (Aim{Name: "demo", Recorded: &rec}).Record(members, addressBook); err != nil || got.Servers[0].SecureClientPort != 2281 || got.Servers[0].MetricsPort != 7000 {
		t.Errorf("--member says nothing of those: %+v, %v", got.Servers, err)
	}
	if _, err := members.Expose(admin); err == nil || !strings.Contains(err.Error(), "-f") {
		t.Errorf("%v", err)
	}
	clash := described(t, file+"admin.serverPort=2888\n")
	if clash, err = clash.Expose(admin); err != nil {
		t.Fatal(err)
	}
	if err := RefuseLint(clash); err == nil || !strings.Contains(err.Error(), "port 2888 is both its peer and its admin port") {
		t.Errorf("%v", err)
	}
}
