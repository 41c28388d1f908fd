package intake

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestUnitNames: one name for all is in place of every other, one for a server is beside them.
func TestUnitNames(t *testing.T) {
	before := migration.HostOptions{Supervisor: "docker", Unit: "zk", Own: []migration.OwnUnit{{ID: 1, Unit: "zk-a"}}}
	for typed, want := range map[string]migration.HostOptions{
		"":              {Supervisor: "docker"},
		"zoo":           {Supervisor: "docker", Unit: "zoo"},
		"2=zk-b":        {Supervisor: "docker", Unit: "zk", Own: []migration.OwnUnit{{ID: 1, Unit: "zk-a"}, {ID: 2, Unit: "zk-b"}}},
		"1=zk-1":        {Supervisor: "docker", Unit: "zk", Own: []migration.OwnUnit{{ID: 1, Unit: "zk-1"}}},
		"2=zk-b zoo":    {Supervisor: "docker", Unit: "zoo", Own: []migration.OwnUnit{{ID: 2, Unit: "zk-b"}}},
		"1=zk-1 1=zk-2": {Supervisor: "docker", Unit: "zk", Own: []migration.OwnUnit{{ID: 1, Unit: "zk-2"}}},
	} {
		rec := migration.Record{Hosts: before, Servers: []migration.ServerRecord{{Server: ensemble.Server{ID: 1}}, {Server: ensemble.Server{ID: 2}}}}
		values, bad := UnitNames(strings.Split(typed, " "))
		if bad != "" {
			t.Fatalf("%q: %q", typed, bad)
		}
		f := HostFlags{Values: values, Given: func(flag string) bool { return flag == "unit" }}
		if err := f.Keep(&rec); err != nil {
			t.Fatalf("%q: %v", typed, err)
		}
		if diff := cmp.Diff(want, rec.Hosts); diff != "" {
			t.Errorf("%q (-want +got):\n%s", typed, diff)
		}
	}
	if len(before.Own) != 1 || before.Own[0].Unit != "zk-a" {
		t.Errorf("what was recorded has changed: %+v", before)
	}
	for _, typed := range []string{"1=", "=zk", "x=zk", "-1=zk", "4294967296=zk", "1=2=zk", "a b", "-zk"} {
		if _, bad := UnitNames([]string{typed}); bad != typed {
			t.Errorf("%q: %q", typed, bad)
		}
	}
	f := HostFlags{Values: migration.HostOptions{Own: []migration.OwnUnit{{ID: 9, Unit: "zk"}}}, Given: func(string) bool { return true }}
	if err := f.Keep(&migration.Record{}); err == nil || !strings.Contains(err.Error(), "server 9") {
		t.Errorf("a server that is not there: %v", err)
	}
}
