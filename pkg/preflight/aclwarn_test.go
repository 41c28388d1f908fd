package preflight

import (
	"fmt"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestACLWarnings: whose addresses ACLs have, whose schemes no pod knows, and what was not read.
func TestACLWarnings(t *testing.T) {
	ip := func(id string) vantage.ACLEntry {
		return vantage.ACLEntry{Scheme: "ip", ID: id, Permissions: "cdrwa", Znodes: 1, Paths: []string{"/a"}}
	}
	of := func(scheme string, n int) vantage.ACLEntry {
		return vantage.ACLEntry{Scheme: scheme, ID: "x", Permissions: "r", Znodes: n, Paths: []string{"/a", "/b", "/c"}}
	}
	const providers = "acl-providers"
	pods := func(zooCfg, flags string) func(*Facts) {
		return func(f *Facts) { f.Record.Pods.ZooCfg, f.Record.Pods.JVMFlags = zooCfg, flags }
	}
	for name, c := range map[string]struct {
		scan   vantage.ACLScan
		change func(*Facts)
		code   string
		// says must be in the evidence, none must not; no says: the warning does not come.
		says []string
		none string
	}{
		"a connected client":  {vantage.ACLScan{Entries: []vantage.ACLEntry{ip("10.9.0.1")}}, nil, "ip-acls", []string{"ip:10.9.0.1 may cdrwa /a: connected now from 10.9.0.1"}, "host"},
		"nobody connected":    {vantage.ACLScan{Entries: []vantage.ACLEntry{ip("10.9.0.7")}}, nil, "ip-acls", []string{"no client is connected from there now"}, ""},
		"a server is unasked": {vantage.ACLScan{Entries: []vantage.ACLEntry{ip("10.9.0.7")}}, func(f *Facts) { delete(f.Sources, 2) }, "ip-acls", []string{"whether a client is connected from there is not known"}, ""},
		"a range":             {vantage.ACLScan{Entries: []vantage.ACLEntry{ip("10.0.0.0/8")}}, nil, "ip-acls", []string{"the host of servers 1, 2, 3, and what runs there besides", "connected now from 10.9.0.1, 10.9.0.2 and 10.9.0.3"}, ""},
		"loopback":            {vantage.ACLScan{Entries: []vantage.ACLEntry{ip("127.0.0.1")}}, nil, "ip-acls", []string{"what runs on a server's own machine"}, ""},
		"no address":          {vantage.ACLScan{Entries: []vantage.ACLEntry{ip("zk1.example.com")}}, nil, "ip-acls", []string{"no address that a client can have"}, ""},
		"the server list": {vantage.ACLScan{Entries: []vantage.ACLEntry{{Scheme: "ip", ID: "10.9.0.1", Permissions: "w", Znodes: 9, Paths: []string{"/zookeeper/config", "/a"}}}}, nil, "ip-acls",
			[]string{"9 znodes (/zookeeper/config, /a and 7 more)", "who may write /zookeeper/config can reconfigure"}, ""},
		"others alone": {vantage.ACLScan{Entries: []vantage.ACLEntry{of("digest", 3), of("sasl", 3)}}, nil, "ip-acls", nil, ""},
		"no scan":      {vantage.ACLScan{}, func(f *Facts) { f.ACLs = nil }, "unread-acls", nil, ""},

		"sasl without a provider": {vantage.ACLScan{Entries: []vantage.ACLEntry{of("sasl", 5), of("digest", 3), of("sasl", 2)}}, pods("clientPort=2181\n", ""), providers, []string{"ACLs with sasl: on 7 znodes (/a, /b, /c and 4 more)"}, "digest"},
		"sasl with one":           {vantage.ACLScan{Entries: []vantage.ACLEntry{of("sasl", 5)}}, pods("authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n", ""), providers, nil, ""},
		"sasl by a JVM flag":      {vantage.ACLScan{Entries: []vantage.ACLEntry{of("sasl", 5)}}, pods("x=y\n", "-Dzookeeper.authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider"), providers, nil, ""},
		"somebody's own":          {vantage.ACLScan{Entries: []vantage.ACLEntry{of("token", 5)}}, pods("authProvider.1=com.example.Tokens\n", ""), providers, nil, ""},
		"x509 without a port":     {vantage.ACLScan{Entries: []vantage.ACLEntry{of("x509", 1)}}, pods("x=y\n", ""), providers, []string{"ACLs with x509"}, ""},
		"x509 with a secure port": {vantage.ACLScan{Entries: []vantage.ACLEntry{of("x509", 1)}}, pods("secureClientPort=2281\n", ""), providers, nil, ""},
		"nothing recorded":        {vantage.ACLScan{Entries: []vantage.ACLEntry{of("sasl", 1)}}, nil, providers, nil, ""},

		"all was read":    {vantage.ACLScan{Read: 9}, nil, "unread-acls", nil, ""},
		"some is hidden":  {vantage.ACLScan{Hidden: 2, HiddenPaths: []string{"/s"}}, nil, "unread-acls", []string{"may not read the ACL of 2 znodes (/s and 1 more), nor see what is below"}, ""},
		"some is closed":  {vantage.ACLScan{Closed: 1, ClosedPaths: []string{"/s"}}, nil, "unread-acls", []string{"may not see what is below /s"}, ""},
		"it was stopped":  {vantage.ACLScan{Stopped: "at the bound of 5 znodes", Skipped: 70}, nil, "unread-acls", []string{"the scan stopped at the bound of 5 znodes: 70 znodes that exist were not read"}, ""},
		"it did not come": {vantage.ACLScan{}, func(f *Facts) { f.ACLs, f.ACLsError = nil, "no server serves" }, "unread-acls", []string{"no ACL was read: no server serves"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := Facts{ACLs: &c.scan, Sources: map[ensemble.ID]ClientCount{}}
			for id := ensemble.ID(1); id <= 3; id++ {
				s := migration.ServerRecord{HostIP: "10.0.0." + id.String()}
				s.ID = id
				f.Servers = append(f.Servers, s)
				f.Sources[id] = ClientCount{By: map[string]int{"10.9.0." + id.String(): 1}}
			}
			if c.change != nil {
				c.change(&f)
			}
			_, evidence := warned(t, f, c.code, c.says)
			if c.none != "" && strings.Contains(evidence, c.none) {
				t.Errorf("%q is in\n%s", c.none, evidence)
			}
		})
	}
}

// TestACLWarningsOfReports: an address that servers see as another through the Services, and that
// other one.
func TestACLWarningsOfReports(t *testing.T) {
	n := newNetwork()
	n.tryAll()
	for i, p := range n.Reports[3].Paths {
		if p.Host == "10.96.0.1" && p.Port == 2181 {
			n.Reports[3].Paths[i].SeenAs = "10.0.7.7"
		}
	}
	own := n.Reports[3].Addresses[0]
	for id, want := range map[string]string{
		own:        "client machine app1, which servers see as 10.0.7.7 through Services",
		"10.0.7.7": "client machine app1 and all others that servers see as 10.0.7.7 through Services",
	} {
		n.ACLs = &vantage.ACLScan{Entries: []vantage.ACLEntry{{Scheme: "ip", ID: id, Permissions: "r", Znodes: 1, Paths: []string{"/a"}}}}
		if got := fmt.Sprint(n.addressACLs()); !strings.Contains(got, want) {
			t.Errorf("%s: got %s", id, got)
		}
	}
}

// TestManyACLs: what is shown is bounded, and says how much more there is.
func TestManyACLs(t *testing.T) {
	f := Facts{ACLs: &vantage.ACLScan{}}
	for i := range maxACLs + 5 {
		f.ACLs.Entries = append(f.ACLs.Entries, vantage.ACLEntry{Scheme: "ip", ID: fmt.Sprintf("10.0.0.%d", i), Znodes: 1, Paths: []string{"/a"}})
	}
	if got := f.addressACLs(); len(got) != maxACLs+1 || !strings.HasPrefix(got[maxACLs], "5 more addresses") {
		t.Errorf("got %d lines, the last is %s", len(got), got[len(got)-1])
	}
}
