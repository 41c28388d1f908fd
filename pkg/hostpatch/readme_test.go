package hostpatch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manager"
)

func TestReadmeWarnsOfReleasesThatStopCommitting(t *testing.T) {
	for release, want := range map[string]bool{
		"3.4.13": false, "3.5.7": true, "3.5.8": true, "3.5.9": false, "3.6.1": true, "3.6.2": false, "3.9.2": false,
	} {
		in := input(t, plainCfg, 1, 2, 3)
		in.Version = version(t, release)
		plan, err := Reconfigure(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(plan.Readme), "DO NOT restart servers one by one"); got != want {
			t.Errorf("%s: warned = %v", release, got)
		}
	}
}

// TestCommandsDoWhatTheyPromise runs a host's commands with a shell.
func TestCommandsDoWhatTheyPromise(t *testing.T) {
	h := newFenceHost(t)
	conf := filepath.Join(h.dir, "my conf")
	in := dynamicInput(t, "1", "1", "1")
	for i := range in.Hosts {
		in.Hosts[i].Path = filepath.Join(conf, "zoo.cfg")
	}
	in.Hosts[0].Config.DynamicConfigFile = filepath.Join(conf, "zoo.cfg.dynamic.1")
	plan, err := Reconfigure(in)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Hosts[0]
	h.write("my conf/zoo.cfg", string(in.Hosts[0].Config.Props.Bytes()))
	h.write("my conf/zoo.cfg.dynamic.1", string(in.Hosts[0].Config.Dynamic.Bytes()))
	for _, f := range p.Files() {
		h.write("zkmigrate/"+PatchDir(p)+"/"+PatchName(f, false), string(f.Patch))
		h.write("zkmigrate/"+PatchDir(p)+"/"+PatchName(f, true), string(f.Undo))
	}
	script := []byte("set -e; HOME='" + h.dir + "'\n" + strings.Join(p.Commands, "\n") + "\n")
	if out, err := h.run(script); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, script)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(h.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if diff := cmp.Diff(string(p.New)+string(p.Dynamic.New), read("my conf/zoo.cfg")+read("my conf/zoo.cfg.dynamic.1")); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(string(in.Hosts[0].Config.Props.Bytes()), read("my conf/zoo.cfg.before-zkmigrate")); diff != "" {
		t.Errorf("the copy of the original (-want +got):\n%s", diff)
	}
	if got := read("state/calls"); got != "systemctl restart zookeeper\n" {
		t.Errorf("calls: %q", got)
	}
	// A second time the patch does not apply: nothing changes, nothing restarts.
	if out, err := h.run(script); err == nil || read("state/calls") != "systemctl restart zookeeper\n" || read("my conf/zoo.cfg") != string(p.New) {
		t.Errorf("%v: %s", err, out)
	}
}

// dynamicInput is an ensemble whose list is in a dynamic file; each host has
// it under the given version.
func dynamicInput(t *testing.T, versions ...string) Input {
	t.Helper()
	in := Input{Version: version(t, "3.5.7"), ServiceHosts: services(1, 2, 3)}
	for i, v := range versions {
		zoo := "dataDir=/d\ninitLimit=10\nsyncLimit=5\nreconfigEnabled=true\ndynamicConfigFile=/etc/zk/zoo.cfg.dynamic." + v + "\n"
		c, err := ensemble.ParseConfig("zoo.cfg", []byte(zoo), []byte("server.1=a:2888:3888;2181\nserver.2=b:2888:3888;2181\nserver.3=c:2888:3888;2181\n"))
		if err != nil {
			t.Fatal(err)
		}
		in.Hosts = append(in.Hosts, Host{ID: ensemble.ID(i + 1), Address: "10.0.0.1", Path: "/etc/zk/zoo.cfg", Config: c})
		in.Ensemble = ensemble.Ensemble{Name: "zk", Servers: c.Servers}
	}
	return in
}

func TestReadmeOfDynamicFiles(t *testing.T) {
	plan, err := Reconfigure(dynamicInput(t, "100000000", "100000000", "100000000"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`patch "$file" < ~/zkmigrate/1-10.0.0.1/zoo.cfg.dynamic.100000000.patch`,
		"reconfig -add server.1=10.96.7.1:2888:3888;2181",
		"back: the same with zoo.cfg.undo.patch and zoo.cfg.dynamic.100000000.undo.patch",
	} {
		if !strings.Contains(string(plan.Readme), want) {
			t.Errorf("no %q in\n%s", want, plan.Readme)
		}
	}
	if strings.Contains(string(plan.Readme), "DO NOT") {
		t.Error("warned although the list is in dynamic files with reconfig on")
	}
	if strings.Contains(string(plan.Hosts[0].New), "server.") || plan.Hosts[0].Dynamic == nil {
		t.Errorf("zoo.cfg:\n%s", plan.Hosts[0].New)
	}
}

func TestDynamicFilesThatAreNotSettledAreRefused(t *testing.T) {
	if _, err := Reconfigure(dynamicInput(t, "100000000", "200000000", "100000000")); err == nil ||
		!strings.Contains(err.Error(), "dynamic configuration version differs: server 1: 100000000; server 2: 200000000") {
		t.Errorf("got %v", err)
	}
	in := dynamicInput(t, "1", "1", "1")
	in.Hosts[1].Next = true
	if _, err := Reconfigure(in); err == nil || !strings.Contains(err.Error(), "server 2: /etc/zk/zoo.cfg.dynamic.next lies on its host") {
		t.Errorf("got %v", err)
	}
}

// TestALoopbackClientPortStays: the patch opens nothing that only the host itself could
// reach, and the README says what is needed.
func TestALoopbackClientPortStays(t *testing.T) {
	for name, text := range map[string]string{
		"in zoo.cfg":          plainCfg + "clientPortAddress=127.0.0.1\n",
		"in the server lines": strings.NewReplacer("clientPort=2181\n", "", ":3888\n", ":3888:participant;127.0.0.1:2181\n").Replace(plainCfg),
	} {
		t.Run(name, func(t *testing.T) {
			in := input(t, text, 1, 2, 3)
			in.Version = version(t, "3.8.0")
			in.Hosts[0].Address = "10.0.0.1"
			plan, err := Reconfigure(in)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(plan.Hosts[0].New); strings.Count(got, "127.0.0.1") != strings.Count(text, "127.0.0.1") || strings.Contains(got, "10.0.0.1") {
				t.Errorf("the address was changed:\n%s", got)
			}
			if !strings.Contains(string(plan.Readme), "bound to 127.0.0.1, and stays so") || !strings.Contains(string(plan.Readme), "bind it to 10.0.0.1") {
				t.Errorf("nothing is said of it:\n%s", plan.Readme)
			}
		})
	}
}

// TestReadmeNamesManagers: who writes the files of which hosts, by what it was seen, what it does,
// how it is held and let go; not of servers in pods.
func TestReadmeNamesManagers(t *testing.T) {
	in := input(t, "# Managed by Puppet\n"+plainCfg, 1, 2, 3)
	in.InPods = []ensemble.ID{3}
	in.Hosts[1].Managers = []manager.Sign{{Code: "managed-by-ansible", File: "/etc/systemd/system/zk.service.d/x.conf", Text: "# Ansible managed"}, {Code: "managed-by-cloudera", File: "/run/x"}}
	in.Hosts[2].Managers = []manager.Sign{{Code: "managed-by-salt", File: "/x"}}
	plan, err := Reconfigure(in)
	if err != nil {
		t.Fatal(err)
	}
	got := string(plan.Readme)
	for _, want := range []string{
		"  Puppet, on the hosts of 1, 2 (zoo.cfg:1: # Managed by Puppet)\n", "    puppet agent --disable 'zkmigrate: zoo.cfg is patched by hand'\n", "    puppet agent --enable && puppet agent --test --noop",
		"  Ansible, on the hosts of 2 (/etc/systemd/system/zk.service.d/x.conf: # Ansible managed)\n", "  Cloudera Manager, on the hosts of 2 (/run/x)\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "Salt") || strings.Count(got, "Puppet, on") != 1 {
		t.Errorf("a host without a server is named, or one twice:\n%s", got)
	}
	if plan, err = Reconfigure(input(t, plainCfg, 1, 2, 3)); err != nil || strings.Contains(string(plan.Readme), "Hold these first") {
		t.Errorf("held where nobody writes the files: %v\n%s", err, plan.Readme)
	}
}

// TestFirewallIsTaken has the real nft take the lines, in a network of its own.
func TestFirewallIsTaken(t *testing.T) {
	lines := Firewall(Peer{Ports: []int{2888, 3888}}, []Peer{{Address: "10.0.0.1"}, {Address: "::ffff:10.0.0.2"}, {Address: "2001:db8::1"}, {Address: "10.0.0.1"}, {Address: "zk1"}})
	script := strings.Join(lines, "\n")
	if !strings.Contains(script, "ip saddr '{ 10.0.0.1, 10.0.0.2, PODS, NODES, HERE }' tcp dport '{ 2888, 3888 }' accept") || !strings.Contains(script, "ip6 saddr '{ 2001:db8::1, PODS, NODES, HERE }'") {
		t.Errorf("the lines are\n%s", script)
	}
	unshare := []string{"unshare", "--net"}
	if os.Getuid() != 0 {
		unshare = append(unshare, "--user", "--map-root-user")
	}
	check := exec.Command(unshare[0], append(unshare[1:], "nft", "list", "tables")...)
	if err := check.Run(); err != nil {
		t.Skip("no nft, or no network of our own: ", err)
	}
	script = "set -e\n" + strings.NewReplacer("{ 2001:db8::1, PODS, NODES, HERE }", "{ 2001:db8::1, fd00::/48, fd01::/64 }", "PODS, NODES, HERE", "10.244.0.0/16, 192.0.2.0/24, 198.51.100.9").Replace(script) + "\nnft list table inet " + FirewallTable
	out, err := exec.Command(unshare[0], append(unshare[1:], "sh", "-c", script)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, script)
	}
	for _, want := range []string{`iif "lo" accept`, "tcp dport { 2888, 3888 } accept", "tcp dport { 2888, 3888 } drop", "10.244.0.0/16", "fd00::/48"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestPatchDirIsNoHostOfScp(t *testing.T) {
	for address, want := range map[string]string{"10.1.0.5": "5-10.1.0.5", "fd00:77::2:1": "5-fd00-77--2-1"} {
		if got := PatchDir(HostPatch{ID: 5, Address: address}); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
