package intake

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestPatchable: patches are made from files that are known to be the hosts'.
func TestPatchable(t *testing.T) {
	members, err := FromMembers("demo", []string{"1=zk1.example.com:2888:3888;2181"})
	if err != nil {
		t.Fatal(err)
	}
	nobody := described(t, file, file, file)
	nobody.Hosts[1].ID = ensemble.MaybeID{}
	reconfigured := strings.Replace(file, "zk1.example.com", "192.0.2.1", 1)
	for name, c := range map[string]struct {
		d    Description
		says string
	}{
		"one for all":                        {described(t, file), ""},
		"one each":                           {described(t, file, file, file), ""},
		"one each, some patched":             {described(t, reconfigured, file, file), ""},
		"members":                            {members, "--member says nothing"},
		"whose is it":                        {nobody, "host2/zoo.cfg: whose file is this?"},
		"one missing":                        {described(t, file, file), "server 3: its host's file is missing"},
		"another ensemble":                   {described(t, file+"server.4=zk4.example.com:2888:3888\n"), "the files have servers [1 2 3 4], the wrapped ensemble has [1 2 3]"},
		"one names another machine":          {described(t, file, strings.Replace(file, "zk1.example.com", "zk9.example.com", 1), file), "server.1 address differs"},
		"two name others than the Service's": {described(t, reconfigured, strings.Replace(file, "zk1.example.com", "zk9.example.com", 1), file), "server.1 address differs"},
	} {
		err := Patchable(c.d, recorded())
		var e *Error
		if c.says == "" && err != nil || c.says != "" && (!errors.As(err, &e) || !e.Usage || !strings.Contains(e.Reason, c.says)) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}

// TestUnpatched: what reconfigure puts into files one by one is no difference, the
// rest is.
func TestUnpatched(t *testing.T) {
	d := described(t, strings.Replace(file, "initLimit=10", "initLimit=20", 1), strings.Replace(file, "syncLimit=5", "syncLimit=6", 1), strings.Replace(file, "zk1.example.com", "192.0.2.1", 1))
	if len(d.Differences) != 3 {
		t.Fatalf("%v", d.Differences)
	}
	if got := d.Unpatched().Differences; len(got) != 1 || got[0].Key != "syncLimit" || len(d.Differences) != 3 {
		t.Errorf("%v", got)
	}
}

// TestOtherVote: the first server that counts differently in the files.
func TestOtherVote(t *testing.T) {
	d := described(t, file)
	if srv, _, found := OtherVote(d.Ensemble, recorded()); found {
		t.Errorf("%+v", srv)
	}
	d.Ensemble.Servers[1].Weight = 3
	if srv, old, found := OtherVote(d.Ensemble, recorded()); !found || srv.ID != 2 || srv.Weight != 3 || old.Weight != 1 {
		t.Errorf("%+v, %+v, %t", srv, old, found)
	}
}

// TestUnrecordedPort: nobody is sent to a port that no Service has.
func TestUnrecordedPort(t *testing.T) {
	d := described(t, file)
	if srv, port, found := UnrecordedPort(d.Ensemble, recorded()); found {
		t.Errorf("%+v, %+v", srv, port)
	}
	d = described(t, file+"observerMasterPort=2191\n")
	rec := recorded()
	rec.Servers[0].ObserverMasterPort = 2191
	if srv, port, found := UnrecordedPort(d.Ensemble, rec); !found || srv.ID != 2 || port != (ensemble.Port{Name: ensemble.PortObserverMaster, Number: 2191}) {
		t.Errorf("%+v, %+v, %t", srv, port, found)
	}
	rec.Servers[1].ObserverMasterPort, rec.Servers[2].Role = 2191, ensemble.Observer
	d.Ensemble.Servers[2].Role = ensemble.Observer // it follows, and nobody follows it
	if srv, port, found := UnrecordedPort(d.Ensemble, rec); found {
		t.Errorf("%+v, %+v", srv, port)
	}
}

// TestInputs: nothing is done on the hosts of servers that run in their pods or are
// on their way, and each host's patch comes from its own file.
func TestInputs(t *testing.T) {
	rec := recorded()
	rec.Servers[0].Replaced = &time.Time{}
	rec.Flight = &migration.Flight{Kind: migration.Replace, ID: 2}
	rec.Hosts = migration.HostOptions{Supervisor: "supervisord", Unit: "zk", Own: []migration.OwnUnit{{ID: 3, Unit: "zk-c"}}}
	d := described(t, file+"# one\n", file, file)
	d.Hosts[2].Next = true
	in, dns := Patching{Leader: ensemble.ID(3).Known(), InitLimit: 12, Leave: []string{"x"}, Path: "zoo.cfg", Zone: "example.com"}.Inputs(d, rec)
	if !slices.Equal(in.InPods, []ensemble.ID{1, 2}) || in.ServiceHosts[3] != "192.0.2.3" || !in.Leader.Is(3) || in.InitLimit != 12 || in.Hosts[0].Unit != "zk" || in.Hosts[2].Unit != "zk-c" || in.Supervisor != hostpatch.Supervisord {
		t.Errorf("%+v", in)
	}
	for i, h := range in.Hosts {
		if h.Config != d.Hosts[i].Config || h.Next != (h.ID == 3) || h.Address != rec.Servers[i].HostIP {
			t.Errorf("%+v", h)
		}
	}
	if dns.Targets[2] != "192.0.2.2" || dns.Addresses[2] != "198.51.100.2" || dns.Zone != "example.com" {
		t.Errorf("%+v", dns)
	}
	rec.Flight.Kind = migration.Reconfigure
	if in, _ := (Patching{}).Inputs(d, rec); !slices.Equal(in.InPods, []ensemble.ID{1}) {
		t.Errorf("a restart is done on the host: %v", in.InPods)
	}
}

// TestHandedOut: the same patch handed out once more keeps its time, and pods get
// their file from the patched one until a server has moved.
func TestHandedOut(t *testing.T) {
	rec := recorded()
	d := described(t, file)
	v, err := ensemble.ParseVersion(rec.Settings.Version)
	if err != nil {
		t.Fatal(err)
	}
	in, _ := Patching{Version: v, InitLimit: 20, Path: "zoo.cfg"}.Inputs(d, rec)
	plan, err := hostpatch.Reconfigure(in)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	out := HandedOut{At: at, By: "alice", Epoch: 4, Options: migration.HostOptions{Unit: "zk"}, Hosts: in.Hosts, Plan: plan}
	if _, err := out.Keep(&rec); err != nil {
		t.Fatal(err)
	}
	s := rec.Servers[2]
	if s.Emitted == nil || !s.Emitted.At.Equal(at) || s.Emitted.Epoch != 4 || s.DataDir != "/var/lib/zookeeper" || rec.Hosts.Unit != "zk" || rec.Elections.AtReconfigure != 4 ||
		rec.Settings.InitLimit != 20 || !strings.Contains(rec.Pods.ZooCfg, "initLimit=20") || len(rec.Audit) != 1 {
		t.Errorf("%+v\n%+v", s, rec)
	}
	had := rec.Pods.ZooCfg
	rec.Pods.ZooCfg, rec.Flight = "as it was", &migration.Flight{Kind: migration.Replace, ID: 1}
	out.At, out.Epoch = at.Add(time.Hour), 5
	if _, err := out.Keep(&rec); err != nil || !rec.Servers[2].Emitted.At.Equal(at) || rec.Elections.AtReconfigure != 4 || rec.Pods.ZooCfg != "as it was" {
		t.Errorf("once more: %v, %+v", err, rec.Servers[2].Emitted)
	}
	out.Plan.Hosts[2].New = append(out.Plan.Hosts[2].New, "# changed\n"...)
	if _, err := out.Keep(&rec); err != nil || !rec.Servers[2].Emitted.At.Equal(out.At) || !rec.Servers[1].Emitted.At.Equal(at) || had == "" {
		t.Errorf("another patch: %v, %+v", err, rec.Servers[2].Emitted)
	}
}

// TestJVM: a command line whose JVM may lose writes is refused.
func TestJVM(t *testing.T) {
	const main = "\x00org.apache.zookeeper.server.quorum.QuorumPeerMain\x00"
	for data, says := range map[string]string{
		"java\x00-Xmx1g" + main: "", "java -Xmx1g": "cmdline1 is no copy of /proc/PID/cmdline", "java\x00-Dzookeeper.forceSync=no" + main: "server 1 runs with -Dzookeeper.forceSync=no",
	} {
		line, err := JVM(1, "cmdline1", []byte(data))
		var e *Error
		if says == "" && (err != nil || len(line.Flags) != 1) || says != "" && (!errors.As(err, &e) || !e.Usage || !strings.Contains(e.Reason, says)) {
			t.Errorf("%q: %+v, %v", data, line, err)
		}
	}
}
