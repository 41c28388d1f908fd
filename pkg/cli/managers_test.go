package cli

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
)

// TestReportsManagersAreInTheReadme: what a host has reported of who starts its server is in the
// README of the patches, beside what the files tell.
func TestReportsManagersAreInTheReadme(t *testing.T) {
	t.Chdir(t.TempDir())
	s := wrapped(t, "3.8.0")
	no := false
	s.keepReports(t.Context(), []hostreport.Report{{
		Kind: "HostReport", Schema: 1, Ensemble: "demo", Asked: "0123456789abcdef", Time: time.Now().Unix(), Container: &no, Addresses: []string{"198.51.100.2"},
		ZooKeeper: []hostreport.Process{{Config: "/usr/hdp/current/zookeeper-server/conf/zoo.cfg"}}, Names: []hostreport.Name{}, Paths: []hostreport.Path{},
	}})
	put(t, map[string]string{"zoo.cfg": "# Ansible managed\n" + hostFile("")})
	f, _ := flags(t, "-f", "zoo.cfg", "--output-dir", "out", "--supervisor", "docker", "--unit", "zk,3=zk-c", "--path", "/conf/zoo.cfg")
	if _, err := emit(t, s, f); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  Ansible, on the hosts of 1, 2, 3 (zoo.cfg:1: # Ansible managed)\n",
		"  Ambari, on the hosts of 2 (/usr/hdp/current/zookeeper-server/conf/zoo.cfg)\n",
		"  docker restart zk\n",
		"  docker restart zk-c\n",
	} {
		if readme := read(t, "out/README.txt"); !strings.Contains(readme, want) {
			t.Errorf("no %q in\n%s", want, readme)
		}
	}
	// What was recorded is asked about from now on.
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if q := questions(rec, nil); q.Engine != "docker" || !slices.Equal(q.Recorded, []string{"zk", "zk-c"}) || len(q.Units) != 0 {
		t.Errorf("asked about %q of %q, units %q", q.Recorded, q.Engine, q.Units)
	}
}

// TestFilesTellWhoCanJoin: the checks know by the files whether peers prove who they are.
func TestFilesTellWhoCanJoin(t *testing.T) {
	c, err := ensemble.ParseConfig("zoo.cfg", []byte(hostFile("")), nil)
	if err != nil {
		t.Fatal(err)
	}
	desc, err := intake.FromFiles("demo", []ensemble.HostConfig{{Source: "zoo.cfg", Config: c}}, func(string) ([]netip.Addr, error) { return nil, context.Canceled })
	if err != nil {
		t.Fatal(err)
	}
	var f preflight.Facts
	rec, err := wrapped(t, "3.8.0").record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fileFacts(desc, rec, &f)
	f.Servers = rec.Servers
	for _, got := range preflight.Run(f) {
		if got.ID == "ZK032" && (got.Result != preflight.Warn || !strings.Contains(got.Hint, "ip saddr '{ 198.51.100.1, 198.51.100.2, 198.51.100.3, PODS, NODES, HERE }'")) {
			t.Errorf("%+v", got)
		}
	}
}
