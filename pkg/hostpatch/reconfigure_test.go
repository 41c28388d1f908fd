package hostpatch

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run go test -update to write it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestMain is also docker inspect.
func TestMain(m *testing.M) {
	if format := os.Getenv("ZKMIGRATE_TEMPLATE"); format != "" {
		if err := inspect(format, os.Getenv("ZKMIGRATE_MOUNTS")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Bool("update", false, "rewrite golden files")
	flag.Parse()
	os.Exit(m.Run())
}

// host builds a host with the given extra lines.
func host(t *testing.T, id ensemble.ID, text string) Host {
	t.Helper()
	c, err := ensemble.ParseConfig("zoo.cfg", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return Host{ID: id, Address: fmt.Sprintf("10.0.0.%d", id), Config: c, Path: "/etc/zookeeper/conf/zoo.cfg"}
}

const plainCfg = `# the ensemble
tickTime=2000
dataDir=/var/lib/zookeeper
clientPort=2181
initLimit=10
syncLimit=5
server.1=zk1.example.com:2888:3888
server.2=zk2.example.com:2888:3888
server.3=zk3.example.com:2888:3888
`

func services(ids ...ensemble.ID) map[ensemble.ID]string {
	out := map[ensemble.ID]string{}
	for _, id := range ids {
		out[id] = fmt.Sprintf("10.96.7.%d", id)
	}
	return out
}

// input makes an Input of one text for all hosts.
func input(t *testing.T, text string, ids ...ensemble.ID) Input {
	t.Helper()
	in := Input{ServiceHosts: services(ids...)}
	var files []ensemble.HostConfig
	for _, id := range ids {
		h := host(t, id, text)
		in.Hosts = append(in.Hosts, h)
		files = append(files, ensemble.HostConfig{ID: id.Known(), Source: h.Address, Config: h.Config})
	}
	ens, diffs, err := ensemble.FromHosts("zk", files)
	if err != nil || len(diffs) > 0 {
		t.Fatal(err, diffs)
	}
	in.Ensemble = ens
	return in
}

func version(t *testing.T, s string) ensemble.Version {
	t.Helper()
	v, err := ensemble.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestReconfigureGolden(t *testing.T) {
	tests := map[string]struct {
		text    string
		version string
		edit    func(*Input)
	}{
		"plain-3.4.13": {plainCfg, "3.4.13", func(in *Input) { in.Leader = ensemble.ID(2).Known() }},
		"plain-3.8.0":  {plainCfg, "3.8.0", func(in *Input) { in.Leader = ensemble.ID(3).Known(); in.InitLimit = 40; in.Supervisor = Supervisord }},
		"crlf-client-parts": {strings.ReplaceAll(strings.Replace(plainCfg, "server.3=zk3.example.com:2888:3888",
			"server.3 = zk3.example.com:2888:3888:observer;zk3.example.com:2181", 1)+
			"server.4 = zk4.example.com:2888:3888\n4lw.commands.whitelist=mntr, stat", "\n", "\r\n"), "3.9.2",
			func(in *Input) { in.Leader = ensemble.ID(1).Known() }},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			ids := []ensemble.ID{1, 2, 3}
			if strings.Contains(tc.text, "server.4") {
				ids = append(ids, 4)
			}
			in := input(t, tc.text, ids...)
			in.Version = version(t, tc.version)
			tc.edit(&in)
			plan, err := Reconfigure(in)
			if err != nil {
				t.Fatal(err)
			}
			h, _ := plan.Host(3)
			golden(t, name+".patch", h.Patch)
			golden(t, name+".README.txt", plan.Readme)
		})
	}
}

func TestReconfigureTwiceChangesNothing(t *testing.T) {
	in := input(t, plainCfg, 1, 2, 3)
	in.Version = version(t, "3.5.7")
	plan, err := Reconfigure(in)
	if err != nil {
		t.Fatal(err)
	}
	// Host 2 is patched already, the others are not.
	h2, _ := plan.Host(2)
	in.Hosts[1] = host(t, 2, string(h2.New))
	again, err := Reconfigure(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []ensemble.ID{1, 2, 3} {
		first, _ := plan.Host(id)
		second, _ := again.Host(id)
		if !bytes.Equal(first.New, second.New) {
			t.Errorf("server %s: the second plan ends elsewhere:\n%s", id, cmp.Diff(string(first.New), string(second.New)))
		}
		if second.Unchanged() != (id == 2) {
			t.Errorf("server %s: unchanged = %v", id, second.Unchanged())
		}
	}
}

func TestReconfigureRefuses(t *testing.T) {
	tests := map[string]struct {
		edit func(*testing.T, *Input)
		want string
	}{
		"a host is missing":         {func(_ *testing.T, in *Input) { in.Hosts = in.Hosts[:2] }, "server 3: its host's configuration was not given"},
		"a host twice":              {func(_ *testing.T, in *Input) { in.Hosts[2] = in.Hosts[1] }, "server 2: two hosts were given"},
		"a service is missing":      {func(_ *testing.T, in *Input) { delete(in.ServiceHosts, 2) }, "server 2 has no Service address"},
		"an unknown change":         {func(_ *testing.T, in *Input) { in.Leave = []string{"nonsense"} }, `no change is called "nonsense"`},
		"no listen, but addresses":  {func(_ *testing.T, in *Input) { in.Leave = []string{ChangeListen} }, "cannot be left out"},
		"a leader from elsewhere":   {func(_ *testing.T, in *Input) { in.Leader = ensemble.ID(9).Known() }, "leader 9 is not in ensemble"},
		"a host of another server":  {func(t *testing.T, in *Input) { in.Hosts[2] = host(t, 9, plainCfg) }, "server 9 is not in ensemble"},
		"different ids in one file": {func(t *testing.T, in *Input) { in.Hosts[2] = host(t, 3, plainCfg+"server.4=zk4:2888:3888\n") }, "its file lists servers [1 2 3 4]"},
		"a different tickTime": {func(t *testing.T, in *Input) {
			in.Hosts[2] = host(t, 3, strings.Replace(plainCfg, "tickTime=2000", "tickTime=3000", 1))
		}, "tickTime differs: server 1: 2000; server 2: 2000; server 3: 3000"},
		"a different port": {func(t *testing.T, in *Input) {
			in.Hosts[2] = host(t, 3, strings.Replace(plainCfg, "zk1.example.com:2888", "zk1.example.com:2889", 1))
		}, "server.1 ports differs"},
		"a role that differs": {func(t *testing.T, in *Input) {
			in.Hosts[0] = host(t, 1, strings.Replace(plainCfg, "server.2=zk2.example.com:2888:3888", "server.2=zk2.example.com:2888:3888:observer", 1))
		}, "server.2 role differs"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(t, plainCfg, 1, 2, 3)
			tc.edit(t, &in)
			_, err := Reconfigure(in)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want an error with %q", err, tc.want)
			}
			var disagree *DisagreeError
			if strings.Contains(tc.want, "differs") != errors.As(err, &disagree) {
				t.Errorf("error type %T", err)
			}
		})
	}
}

func TestLeaveOut(t *testing.T) {
	in := input(t, strings.Replace(plainCfg, "clientPort=2181", "clientPort=2181\nclientPortAddress=zk1.example.com", 1), 1, 2, 3)
	in.Version, in.InitLimit = version(t, "3.5.7"), 30
	all, err := Reconfigure(in)
	if err != nil {
		t.Fatal(err)
	}
	names := func(p Plan) map[string]bool {
		out := map[string]bool{}
		for _, h := range p.Hosts {
			for _, c := range h.Changes {
				if c.Reason == "" {
					t.Errorf("%s has no reason", c.Name)
				}
				out[c.Name] = true
			}
		}
		return out
	}
	for _, c := range Catalogue() {
		if !names(all)[c.Name] {
			t.Errorf("the example does not need %s", c.Name)
		}
		in.Leave = []string{c.Name}
		if c.Name == ChangeListen {
			in.Leave = append(in.Leave, ChangeAddresses)
		}
		less, err := Reconfigure(in)
		if err != nil {
			t.Fatal(err)
		}
		if names(less)[c.Name] {
			t.Errorf("%s was left out and is there", c.Name)
		}
		if len(names(less)) != len(Catalogue())-len(in.Leave) {
			t.Errorf("leaving out %v also took others away: %v", in.Leave, names(less))
		}
	}
}

func TestRestartOrder(t *testing.T) {
	ens := ensemble.Ensemble{Servers: []ensemble.Server{
		{ID: 9, Role: ensemble.Participant, Weight: 1}, {ID: 2, Role: ensemble.Observer, Weight: 1},
		{ID: 5, Role: ensemble.Participant, Weight: 1}, {ID: 7, Role: ensemble.Participant, Weight: 1},
	}}
	tests := map[string]struct {
		leader ensemble.MaybeID
		want   []ensemble.ID
	}{
		"leader in the middle": {ensemble.ID(7).Known(), []ensemble.ID{5, 9, 7, 2}},
		"leader is last":       {ensemble.ID(9).Known(), []ensemble.ID{5, 7, 9, 2}},
		"unknown leader":       {ensemble.MaybeID{}, []ensemble.ID{5, 7, 9, 2}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, RestartOrder(ens, tc.leader)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
