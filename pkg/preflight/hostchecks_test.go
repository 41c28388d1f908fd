package preflight

import (
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestHostChecks: each thing that a host tells of its server and that is not as recorded is
// found by one check, and nothing is said where nothing is told.
func TestHostChecks(t *testing.T) {
	number := func(n int64) *int64 { return &n }
	yes, no := true, false
	// own is the process on the first host.
	own := func(n *network) *hostreport.Process { return &n.Reports[0].ZooKeeper[0] }
	for name, c := range map[string]struct {
		change func(*network)
		id     string
		result Result
		says   string
	}{
		"all right":                  {func(*network) {}, "", OK, ""},
		"another id":                 {func(n *network) { own(n).MyID = number(7) }, rightServer, Fail, "host 10.0.0.1: it runs server 7 by myid, and server 1 is recorded"},
		"an id that is not known":    {func(n *network) { own(n).MyID = nil }, "", OK, ""},
		"another dataDir":            {func(n *network) { own(n).DataDir = "/old" }, rightServer, Fail, "dataDir of server 1 is /old there, and /data is recorded"},
		"a slash more":               {func(n *network) { own(n).DataDir, own(n).DataLogDir = "/data/", "/data/" }, "", OK, ""},
		"no such unit":               {func(n *network) { n.Reports[0].Units[0].Load = "not-found" }, rightUnit, Warn, "there is no unit zookeeper"},
		"another unit":               {func(n *network) { own(n).Unit = "zk@1.service" }, rightUnit, Warn, "runs in unit zk@1.service, and zookeeper is recorded"},
		"by hand":                    {func(n *network) { own(n).Unit = "session-3.scope" }, rightUnit, Warn, "was started by hand (session-3.scope)"},
		"another supervisor":         {func(n *network) { own(n).Unit, n.Record.Hosts.Supervisor = "x.service", "supervisord" }, "", OK, ""},
		"in a container of nobody's": {func(n *network) { own(n).Container, own(n).Unit = &yes, "docker-0.scope" }, rightUnit, Warn, "runs in a container (docker-0.scope) that nobody tells of"},
		"in a container that is not recorded": {func(n *network) {
			own(n).Container, own(n).In = &yes, &hostreport.Container{Engine: "docker", Name: "zk1", Restart: "always", Compose: "/srv/zk"}
		}, rightUnit, Warn, "server 1 runs in the container zk1 of docker, restart policy always, made by compose in /srv/zk: reconfigure --supervisor=docker --unit=1=zk1"},
		"in the container that is recorded": {func(n *network) {
			n.Record.Hosts.Supervisor, n.Record.Hosts.Unit = "docker", "zk1"
			for i := range n.Reports {
				for j := range n.Reports[i].ZooKeeper {
					p := &n.Reports[i].ZooKeeper[j]
					p.Container, p.In = &yes, &hostreport.Container{Engine: "docker", Name: "zk1"}
				}
			}
		}, "", OK, ""},
		"run by another unit": {func(n *network) {
			own(n).Container, own(n).In = &yes, &hostreport.Container{Engine: "podman", Name: "systemd-zk", Unit: "zk.service"}
		}, rightUnit, Warn, "run by the unit zk.service: reconfigure --supervisor=systemd --unit=1=zk.service"},
		"run by the unit that is recorded": {func(n *network) {
			own(n).Container, own(n).In = &yes, &hostreport.Container{Engine: "podman", Name: "systemd-zk", Unit: "zookeeper.service"}
		}, "", OK, ""},
		"in no container": {func(n *network) {
			n.Record.Hosts.Supervisor, own(n).Container = "podman", &no
			n.Reports[1].ZooKeeper, n.Reports[2].ZooKeeper = nil, nil
		}, rightUnit, Warn, "server 1 runs in no container, and zookeeper of podman is recorded"},
		"little room":                   {func(n *network) { own(n).DataDirFree = number(100 << 20) }, diskSpace, Warn, "100 MiB are free in dataDir /data; a snapshot and a log need 138 MiB"},
		"another file":                  {func(n *network) { own(n).File.SHA256 = "b" }, rightFile, Warn, "/zoo.cfg is another file than the one given for server 1"},
		"a file that is not in use yet": {func(n *network) { own(n).File.Modified = number(200) }, rightFile, Warn, "was changed after server 1 started"},
		"a link":                        {func(n *network) { own(n).File.Symlink, own(n).File.Target = &yes, "/real/zoo.cfg" }, rightFile, Warn, "is a link: the patch is for /real/zoo.cfg"},
		"two servers on one host": {func(n *network) {
			n.Reports[0].ZooKeeper = append(n.Reports[0].ZooKeeper, hostreport.Process{MyID: number(9)})
		}, "", OK, ""},
		"in a container": {func(n *network) { own(n).MyID, n.Reports[0].Container = number(7), &yes }, "HOST001 HOST002 HOST003 HOST004", Unknown, "ran in a container"},
		"not reported":   {func(n *network) { n.Reports = n.Reports[1:] }, "HOST001 HOST002 HOST003 HOST004", Unknown, "host 10.0.0.1: the host has not reported"},
		"a host that is left, silent": {func(n *network) {
			n.replaced(1)
			n.Reports = n.Reports[1:]
		}, staysDown, Skip, "host 10.0.0.1: the host has not reported"},
		"one host that is left, silent": {func(n *network) {
			n.replaced(1, 2)
			n.Reports[1].Units, n.Reports[1].ZooKeeper = nil, nil
			n.Reports = n.Reports[1:]
		}, staysDown, Unknown, "host 10.0.0.1: the host has not reported"},
		"a host that is left, its container runs": {func(n *network) {
			n.replaced(1)
			n.Record.Hosts.Supervisor = "docker"
			n.Reports[0].Units, n.Reports[0].ZooKeeper = nil, nil
			n.Reports[1].ZooKeeper, n.Reports[2].ZooKeeper = nil, nil
			n.Reports[0].Recorded = &hostreport.Container{Engine: "docker", Name: "zk1", Running: &yes, Restart: "no"}
		}, staysDown, Fail, "host 10.0.0.1: the container zk1 of server 1 runs there, beside its pod"},
		"a host that is left, its container restarts": {func(n *network) {
			n.replaced(1)
			n.Record.Hosts.Supervisor = "docker"
			n.Reports[0].Units, n.Reports[0].ZooKeeper = nil, nil
			n.Reports[1].ZooKeeper, n.Reports[2].ZooKeeper = nil, nil
			n.Reports[0].Recorded = &hostreport.Container{Engine: "docker", Name: "zk1", Running: &no, Restart: "always"}
		}, staysDown, Fail, "the container zk1 has the restart policy always"},
		"a host that is left, another server's container runs": {func(n *network) {
			n.replaced(1)
			n.Record.Hosts = migration.HostOptions{Supervisor: "docker", Unit: "zk1", Own: []migration.OwnUnit{{ID: 2, Unit: "zk2"}}}
			n.Reports[0].Units, n.Reports[0].ZooKeeper = nil, nil
			n.Reports[1].ZooKeeper, n.Reports[2].ZooKeeper = nil, nil
			n.Reports[0].Recorded = &hostreport.Container{Engine: "docker", Name: "zk2", Running: &yes, Restart: "always"}
		}, staysDown, OK, ""},
		"a host that is left, enabled": {func(n *network) { n.replaced(1) }, staysDown, Fail, "host 10.0.0.1: unit zookeeper is enabled: a reboot would start server 1 beside its pod"},
		"a host that is left, running": {func(n *network) {
			n.replaced(1)
			n.Reports[0].Units[0].Load, n.Reports[0].Units[0].Enabled = "masked", "masked"
		}, staysDown, Fail, "server 1 runs there, beside its pod"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork()
			n.tryAll()
			n.FileSHA256 = map[ensemble.ID]string{1: "a"}
			n.DataBytes = 10 << 20
			for i := range 3 {
				n.Servers[i].DataDir = "/data"
				n.Reports[i].Container = &no
				n.Reports[i].Units = []hostreport.Unit{{Name: "zookeeper", Load: "loaded", Enabled: "enabled"}}
				n.Reports[i].ZooKeeper = []hostreport.Process{{
					Started: number(100), Unit: "zookeeper.service", Config: "/zoo.cfg", DataDir: "/data", DataLogDir: "/data", MyID: number(int64(i + 1)), DataDirFree: number(1 << 40),
					File: &hostreport.File{Target: "/zoo.cfg", Symlink: &no, Modified: number(50), SHA256: "a", Comments: []string{"# ours"}},
				}}
			}
			c.change(n)
			for _, got := range Run(n.Facts) {
				if !strings.HasPrefix(got.ID, "HOST") {
					continue
				}
				want := OK
				switch {
				case strings.Contains(c.id, got.ID):
					want = c.result
				case got.ID == staysDown && n.Servers[0].Replaced == nil:
					want = Skip
				}
				if got.Result != want || want == c.result && !strings.Contains(strings.Join(got.Detail, "\n"), c.says) {
					t.Errorf("%s is %s, want %s with %q: %q", got.ID, got.Result, want, c.says, got.Detail)
				}
				if got.Result == Unknown && got.Blocks {
					t.Errorf("%s blocks for what a host does not tell", got.ID)
				}
			}
		})
	}
}

// TestSources: machines whose address is translated on the way through a Service are named, with
// what that does to maxClientCnxns.
func TestSources(t *testing.T) {
	through := func(on int, address string) func(*network) {
		return func(n *network) {
			for i, p := range n.Reports[on].Paths {
				if p.Host == "10.96.0.1" && p.Port == 2181 {
					n.Reports[on].Paths[i].SeenAs = address
				}
			}
		}
	}
	direct := func(on int, address string) func(*network) {
		return func(n *network) {
			for i, p := range n.Reports[on].Paths {
				if p.Host == "10.0.0.1" && p.Port == 2181 {
					n.Reports[on].Paths[i].SeenAs = address
				}
			}
		}
	}
	counts := func(n *network) {
		n.Sources = map[ensemble.ID]ClientCount{1: {Limit: 60, By: map[string]int{"10.9.9.9": 40, "10.0.0.3": 25, "10.1.1.1": 7}}, 2: {Limit: 0, By: map[string]int{"10.9.9.9": 4000}}}
	}
	for name, c := range map[string]struct {
		change []func(*network)
		result Result
		says   string
	}{
		"nobody says":          {nil, Skip, "4lw.commands.whitelist"},
		"its own":              {[]func(*network){through(3, "10.9.9.9")}, OK, ""},
		"another way to write": {[]func(*network){through(3, "::ffff:10.9.9.9")}, OK, ""},
		"its own Service": {[]func(*network){func(n *network) {
			n.PodLooks[0].Tried[vantage.Target{Server: 1, Via: vantage.ViaService, Host: "10.96.0.1", Port: 2181}] = Tried{State: vantage.PortOpen, SeenAs: "10.8.1.1"}
		}}, OK, ""},
		"a pod": {[]func(*network){func(n *network) {
			n.PodLooks[0].Tried[vantage.Target{Server: 2, Via: vantage.ViaService, Host: "10.96.0.2", Port: 2181}] = Tried{State: vantage.PortOpen, SeenAs: "10.8.1.1"}
		}}, Warn, "sees pod zk1-pod-1 on node node1 as 10.8.1.1"},
		"a pod of unknown address": {[]func(*network){func(n *network) {
			n.PodLooks[0].Address = ""
			n.PodLooks[0].Tried[vantage.Target{Server: 2, Via: vantage.ViaService, Host: "10.96.0.2", Port: 2181}] = Tried{State: vantage.PortOpen, SeenAs: "10.8.1.1"}
		}}, Skip, "no server has said"},
		"translated":        {[]func(*network){through(3, "10.0.7.7")}, Warn, "through Services, ZooKeeper sees client machine app1 as 10.0.7.7: all clients behind"},
		"translated before": {[]func(*network){through(3, "10.0.7.7"), direct(3, "10.0.7.7")}, OK, ""},
		"too many":          {[]func(*network){through(3, "10.0.7.7"), through(2, "10.0.7.7"), counts}, Warn, "sees host 10.0.0.3 and client machine app1 as 10.0.7.7; server 1 has 65 connections of theirs now, and takes 60 of one address (maxClientCnxns)"},
		"not too many":      {[]func(*network){through(3, "10.0.7.7"), counts}, Warn, "as 10.0.7.7: all clients behind"},
		"an old report":     {[]func(*network){through(3, "10.0.7.7"), func(n *network) { n.Reports[3].Age = 2 * time.Hour }}, Skip, "no server has said"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork()
			n.tryAll()
			for _, f := range c.change {
				f(n)
			}
			for _, got := range Run(n.Facts) {
				if got.ID == sourceAddress && (got.Result != c.result || !strings.Contains(strings.Join(got.Detail, "\n"), c.says)) {
					t.Errorf("%s, want %s with %q: %q", got.Result, c.result, c.says, got.Detail)
				}
			}
		})
	}
}
