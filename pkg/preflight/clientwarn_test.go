package preflight

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestClientWarnings: each warning comes with what was seen, and only where it was.
func TestClientWarnings(t *testing.T) {
	const (
		sasl    = "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"
		unknown = "nothing recorded tells whether by Kerberos"
	)
	quiet := func() Facts {
		f := Facts{Record: migration.Record{Name: "zk1", Namespace: "zk"}, Through: map[ensemble.ID]vantage.Sighting{}, Sources: map[ensemble.ID]ClientCount{}}
		for id := ensemble.ID(1); id <= 3; id++ {
			s := migration.ServerRecord{HostIP: "10.0.0." + id.String(), ClusterIP: "10.96.0." + id.String(), Service: "zk1-" + id.String(), Ordinal: int(id) - 1}
			s.ID, s.ClientPort, s.Host = id, 2181, s.HostIP
			f.Servers = append(f.Servers, s)
			f.Through[id] = vantage.Sighting{Reach: vantage.Answered}
			f.Sources[id] = ClientCount{Limit: 60, By: map[string]int{"10.9.0." + id.String(): 20}}
		}
		f.Record.Servers = f.Servers
		return f
	}
	// lists has every server show a list with those hosts, client parts and ports.
	lists := func(host func(migration.ServerRecord) string, client string, port int) func(*Facts) {
		return func(f *Facts) {
			var members []ensemble.Server
			for _, s := range f.Servers {
				m := ensemble.Server{ID: s.ID, ClientAddress: client, ClientPort: port}
				m.Host = host(s)
				members = append(members, m)
			}
			for _, s := range f.Servers {
				f.Through[s.ID] = vantage.Sighting{Reach: vantage.Answered, Members: members}
			}
		}
	}
	atHost := func(s migration.ServerRecord) string { return s.HostIP }
	atService := func(s migration.ServerRecord) string { return s.ClusterIP }
	named := func(f *Facts) {
		for i := range f.Servers {
			f.Servers[i].Host = "zk" + f.Servers[i].ID.String() + ".example.com"
		}
	}
	conf := func(text string) func(*Facts) { return func(f *Facts) { f.Record.Pods.ZooCfg = text } }
	for name, c := range map[string]struct {
		change []func(*Facts)
		code   string
		// says must be in its evidence, hint in its hint, none in neither; no says: the warning does not come.
		says []string
		hint string
		none string
	}{
		"names of hosts": {[]func(*Facts){named}, "names-too-early", []string{"server 1 binds zk1.example.com", "server 2 binds", "server 3 binds"}, "reconfigure zk1 --verify", ""},
		"one was restarted, one replaced": {[]func(*Facts){named, func(f *Facts) {
			f.Servers[0].Reconfigured, f.Servers[1].Replaced = &migration.Confirmation{}, &time.Time{}
		}}, "names-too-early", []string{"server 3 binds zk3.example.com"}, "", "server 1"},
		"hosts without names": {nil, "names-too-early", nil, "", ""},

		"a list of hosts": {[]func(*Facts){lists(atHost, "", 2181)}, "ensemble-tracker",
			[]string{"servers 1, 2, 3: /zookeeper/config leads clients to the hosts: 10.0.0.1:2181, 10.0.0.2:2181, 10.0.0.3:2181"}, "ensembleTracker(false)", ""},
		"a list of names": {[]func(*Facts){named, lists(func(s migration.ServerRecord) string { return "ZK" + s.ID.String() + ".example.com" }, "", 2181)}, "ensemble-tracker",
			[]string{"ZK2.example.com:2181"}, "", ""},
		"a list of Services":             {[]func(*Facts){lists(atService, "", 2181)}, "ensemble-tracker", nil, "", ""},
		"Services, and a host's address": {[]func(*Facts){lists(atService, "10.0.0.2", 2181)}, "ensemble-tracker", []string{"leads clients to the hosts: 10.0.0.2:2181"}, "", "10.96.0.1"},
		"a list without client parts":    {[]func(*Facts){lists(atHost, "", 0)}, "ensemble-tracker", nil, "", ""},
		"one is not restarted": {[]func(*Facts){lists(atHost, "", 2181), func(f *Facts) {
			f.Through[2], f.Through[3] = vantage.Sighting{Reach: vantage.Answered}, vantage.Sighting{Reach: vantage.Answered}
		}}, "ensemble-tracker", []string{"server 1: /zookeeper/config leads"}, "", "servers"},
		"conf is closed": {[]func(*Facts){func(f *Facts) { f.Through[3] = vantage.Sighting{Reach: vantage.NotWhitelisted} }}, "ensemble-tracker", []string{"server 3: the list is not known"}, "", "server 1"},

		"conf is closed, and 3.4": {[]func(*Facts){func(f *Facts) {
			f.Record.Settings.Version, f.Through[3] = "3.4.13", vantage.Sighting{Reach: vantage.Timeout}
		}}, "ensemble-tracker", nil, "", ""},

		"Kerberos": {[]func(*Facts){conf("authProvider.1=" + sasl + "\nkerberos.removeHostFromPrincipal=true\n")}, "kerberos",
			[]string{"zoo.cfg has authProvider.1", "zoo.cfg has kerberos.removeHostFromPrincipal"}, "zookeeper/zk1-1.zk.svc.cluster.local, zookeeper/zk1-2.zk.svc.cluster.local and zookeeper/zk1-3", unknown},
		"another domain": {[]func(*Facts){conf("authProvider.1=" + sasl + "\n"), func(f *Facts) { f.Record.Hosts.ClusterDomain = "corp.example" }}, "kerberos", []string{unknown}, "zookeeper/zk1-1.zk.svc.corp.example", "cluster.local"},
		"Kerberos by flags": {[]func(*Facts){func(f *Facts) {
			f.Record.Pods.JVMFlags = "-Xmx1g -Dzookeeper.authProvider.sasl=" + sasl + " -Djava.security.krb5.conf=/etc/krb5.conf"
		}}, "kerberos", []string{"a JVM flag has authProvider.sasl", "a JVM flag has java.security.krb5.conf"}, "", unknown},
		"lines of one server": {[]func(*Facts){func(f *Facts) {
			f.Record.Pods.Own = []migration.OwnLines{{ID: 2, ZooCfg: "authProvider.1=" + sasl + "\n"}}
		}}, "kerberos", []string{"zoo.cfg has authProvider.1", unknown}, "", ""},
		"Kerberos between servers":    {[]func(*Facts){conf("quorum.auth.kerberos.servicePrincipal=zookeeper/_HOST\n")}, "kerberos", nil, "", ""},
		"another provider":            {[]func(*Facts){conf("authProvider.1=org.apache.zookeeper.server.auth.X509AuthenticationProvider\n")}, "kerberos", nil, "", ""},
		"a text that nobody can read": {[]func(*Facts){conf("authProvider.1=" + sasl + "\nx=\\u12\n")}, "kerberos", nil, "", ""},

		"as many as fit": {nil, "connection-limit", nil, "", ""},
		"one more":       {[]func(*Facts){func(f *Facts) { f.Sources[2].By["10.9.0.9"] = 1 }}, "connection-limit", []string{"server 1 takes 60 connections of one address (maxClientCnxns), and clients have 61 in all"}, "raise maxClientCnxns", "default"},
		"a limit that is not told": {[]func(*Facts){func(f *Facts) {
			f.Sources = map[ensemble.ID]ClientCount{2: {Limit: 60, Assumed: true, By: map[string]int{"10.9.0.9": 70}}}
		}}, "connection-limit", []string{"server 2 takes 60 connections of one address (the default of maxClientCnxns; the server does not answer conf), and clients have 70"}, "", "server 1"},
		"no limit": {[]func(*Facts){func(f *Facts) {
			f.Sources = map[ensemble.ID]ClientCount{1: {By: map[string]int{"10.9.0.9": 4000}}}
		}}, "connection-limit", nil, "", ""},

		"names that are looked up once": {[]func(*Facts){named}, "cached-addresses", []string{"hosts by name: zk1.example.com, zk2.example.com and zk3.example.com"}, "ZOOKEEPER-2184", ""},
		"nothing to look up":            {nil, "cached-addresses", nil, "", ""},
		"addresses that are kept":       {nil, "stored-addresses", []string{"nobody answers at 10.0.0.1, 10.0.0.2 and 10.0.0.3 once"}, "zookeeper.connect (Kafka)", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := quiet()
			for _, change := range c.change {
				change(&f)
			}
			w, evidence := warned(t, f, c.code, c.says)
			if c.says == nil {
				return
			}
			if !strings.Contains(w.Hint, c.hint) || c.none != "" && strings.Contains(evidence+w.Hint, c.none) {
				t.Errorf("%s\nhint: %s", evidence, w.Hint)
			}
		})
	}
}

// warned is the warning of a code, with its evidence, which must say all that; nil says that there
// must be none.
func warned(t *testing.T, f Facts, code string, says []string) (w ClientWarning, evidence string) {
	t.Helper()
	all := ClientWarnings(f)
	i := slices.IndexFunc(all, func(w ClientWarning) bool { return w.Code == code })
	if (i < 0) != (says == nil) {
		t.Fatalf("got %+v", all)
	}
	if i < 0 {
		return w, ""
	}
	evidence = strings.Join(all[i].Evidence, "\n")
	for _, want := range says {
		if !strings.Contains(evidence, want) {
			t.Errorf("%q is not in the evidence:\n%s", want, evidence)
		}
	}
	return all[i], evidence
}

// TestClientWarningsOfReports: what hosts and clients have reported counts as in NET009.
func TestClientWarningsOfReports(t *testing.T) {
	n := newNetwork()
	n.tryAll()
	for i, p := range n.Reports[3].Paths {
		if p.Host == "10.96.0.1" && p.Port == 2181 {
			n.Reports[3].Paths[i].SeenAs = "10.0.7.7"
		}
	}
	for _, w := range ClientWarnings(n.Facts) {
		if w.Code == "connection-limit" && strings.Contains(strings.Join(w.Evidence, "\n"), "sees client machine app1 as 10.0.7.7") {
			return
		}
	}
	t.Errorf("got %+v", ClientWarnings(n.Facts))
}
