package preflight

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestSecretsInClear: a journal of an earlier release is told by the names of what it holds, never
// by the values.
func TestSecretsInClear(t *testing.T) {
	clean := migration.PodOptions{ZooCfg: "tickTime=2000\nssl.keyStore.passwordPath=/etc/zk/pw\n", JVMFlags: "-Xmx1g"}
	for name, c := range map[string]struct {
		pods   migration.PodOptions
		before *migration.PodOptions
		want   []string
	}{
		"none":       {clean, &clean, nil},
		"in zoo.cfg": {migration.PodOptions{ZooCfg: "ssl.keyStore.password=hunter2\n"}, nil, []string{"the journal and its copy hold in pods: ssl.keyStore.password"}},
		"a server's": {migration.PodOptions{Own: []migration.OwnLines{{ID: 1, ZooCfg: "ssl.trustStore.password=hunter2\n"}, {ID: 2, ZooCfg: "ssl.trustStore.password=hunter2\n"}}}, nil, []string{"hold in pods: ssl.trustStore.password"}},
		"in a flag":  {migration.PodOptions{JVMFlags: "-Xmx1g -Djavax.net.ssl.keyStorePassword=hunter2"}, nil, []string{"hold in pods: -Djavax.net.ssl.keyStorePassword"}},
		"before":     {clean, &migration.PodOptions{ZooCfg: "ssl.keyStore.password=hunter2\n"}, []string{"hold in podsBefore: ssl.keyStore.password"}},
	} {
		f := Facts{Record: threeServers()}
		f.Record.Pods, f.Record.PodsBefore = c.pods, c.before
		wrong, skip := secretsInClear(f)
		if len(wrong) != len(c.want) || skip != "" || len(wrong) == 1 && !strings.HasSuffix(wrong[0], c.want[0]) || strings.Contains(strings.Join(wrong, ""), "hunter2") {
			t.Errorf("%s: %q, %q, want %q", name, wrong, skip, c.want)
		}
	}
	if got := secretsHint(Facts{Record: threeServers()}); !strings.HasPrefix(got, "kubectl zkmigrate wrap demo -f FILE -n zk moves") {
		t.Errorf("the hint is %s", got)
	}
}

// TestLeftOverIsNamed: and nothing that nobody could look for.
func TestLeftOverIsNamed(t *testing.T) {
	f := Facts{Record: threeServers(), LeftOver: []string{"configmap/demo-zkmigrate-conf-1", "secret/demo-zkmigrate-private-1"}}
	for _, c := range leftChecks() {
		if c.ID != formerObjects {
			continue
		}
		if wrong, skip := c.Eval(f); len(wrong) != 2 || skip != "" || !strings.HasPrefix(wrong[1], "secret/demo-zkmigrate-private-1: no pod") {
			t.Errorf("%q, %q", wrong, skip)
		}
		if got := c.HintFor(f); !strings.HasSuffix(got, "kubectl delete configmap/demo-zkmigrate-conf-1 secret/demo-zkmigrate-private-1 -n zk") {
			t.Errorf("the hint is %s", got)
		}
		if wrong, skip := c.Eval(Facts{LeftOverUnlooked: "forbidden"}); len(wrong) != 0 || skip != "forbidden" {
			t.Errorf("not looked at: %q, %q", wrong, skip)
		}
	}
}
