package cli

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestNamesBesidePaths: a host that does not find a Service by the name in its list has no path
// to it, though the address answers; with addresses in the lists names do not matter.
func TestNamesBesidePaths(t *testing.T) {
	rec := migration.Record{Name: "demo", Namespace: "zk", Servers: []migration.ServerRecord{{Server: ensemble.Server{ID: 1}, Service: "demo-1", ClusterIP: "10.96.0.1"}}}
	service := vantage.Target{Server: 1, Via: vantage.ViaService, Host: "10.96.0.1", Port: 3888}
	const name = "demo-1.zk.svc.cluster.local"
	for title, c := range map[string]struct {
		address string
		target  vantage.Target
		names   []hostreport.Name
		state   vantage.PortState
		why     string
	}{
		"found":              {migration.AddressDNS, service, []hostreport.Name{{Name: name, Result: hostreport.NameFound, Addresses: []string{"::ffff:10.96.0.1"}}}, vantage.PortOpen, ""},
		"elsewhere":          {migration.AddressDNS, service, []hostreport.Name{{Name: name, Result: hostreport.NameFound, Addresses: []string{"10.0.0.1"}}}, vantage.PortUnreachable, "leads to 10.0.0.1 there, instead of 10.96.0.1"},
		"not known":          {migration.AddressDNS, service, []hostreport.Name{{Name: name, Result: hostreport.NameNotFound}}, vantage.PortUnreachable, name + " is not known there"},
		"could not be asked": {migration.AddressDNS, service, []hostreport.Name{{Name: name}}, vantage.PortOpen, ""},
		"was not asked":      {migration.AddressDNS, service, nil, vantage.PortOpen, ""},
		"addresses in lists": {migration.AddressIP, service, []hostreport.Name{{Name: name, Result: hostreport.NameNotFound}}, vantage.PortOpen, ""},
		"a pod has no name":  {migration.AddressDNS, vantage.Target{Server: 1, Via: vantage.ViaPod, Host: "10.96.0.1", Port: 3888}, []hostreport.Name{{Name: name, Result: hostreport.NameNotFound}}, vantage.PortOpen, ""},
	} {
		rec.Hosts.Address = c.address
		r := hostreport.Report{Names: c.names, Paths: []hostreport.Path{{Server: 1, Via: c.target.Via, Host: "10.96.0.1", Port: 3888, Result: vantage.PortOpen}}}
		got := toldOf(rec, r, []vantage.Target{c.target})[0]
		if got.state != c.state || !strings.Contains(got.why, c.why) || (got.why == "") != (c.why == "") {
			t.Errorf("%s: %+v, want %s %q", title, got, c.state, c.why)
		}
		if asked := len(namesOf(rec, []vantage.Target{c.target, c.target})); (asked == 1) != (c.address == migration.AddressDNS && c.target.Via == vantage.ViaService) {
			t.Errorf("%s: %d names are asked for", title, asked)
		}
	}
}
