package printer

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
)

// squeezed is a table with single blanks.
func squeezed(table string) (out []string) {
	for line := range strings.Lines(table) {
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	return out
}

func TestEnsembles(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	three := uint32(3)
	in := func(states ...migration.State) (out []migration.ServerStatus) {
		for _, s := range states {
			out = append(out, migration.ServerStatus{State: s})
		}
		return out
	}
	items := []migration.EnsembleStatus{
		{Namespace: "a", Name: "zk1", Health: migration.Changing, Version: "3.8.0", At: at, Wrapped: at.Add(-26 * time.Hour), Replaced: 1, Elections: &three,
			Leader: ensemble.ID(2).Known(), Clients: &sessions.View{Sessions: 7},
			Servers: in(migration.StatePod, migration.StateAway, migration.StateParked, migration.StateReconfigured, migration.StateWrapped), Next: "go on"},
		{Context: "eu", Namespace: "b", Name: "zk2", Health: migration.Unknown, At: at, Servers: in(migration.StateDown, migration.StateUnseen, migration.StateUnseen)},
	}
	want := []string{
		"CONTEXT NAMESPACE NAME HEALTH VERSION SERVERS LEADER IN PODS ELECTIONS CLIENTS ON HOSTS AGE NEXT",
		"- a zk1 changing 3.8.0 ●◌◐◎○ 1 wrapped, 1 reconfigured, 1 parked, 1 away, 1 pod 2 1/5 3 7 26h go on",
		"eu b zk2 unknown - ✗?? 1 down, 2 unseen - 0/3 - - - -",
	}
	var out strings.Builder
	if err := (Printer{}).Status(&out, true, items); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, squeezed(out.String())); diff != "" {
		t.Error(diff)
	}
}

func TestPlansAndChecks(t *testing.T) {
	var out strings.Builder
	plans := []migration.EnsemblePlan{{Namespace: "a", Name: "zk1", Version: "3.4.13", Elections: 2, Next: "go on", Phases: []migration.PlannedPhase{
		{Name: migration.PlanReconfigure, Servers: []migration.PlannedServer{{ID: 1, Readiness: migration.Ready}}},
		{Name: migration.PlanReplace, Servers: []migration.PlannedServer{{ID: 1, Readiness: migration.Blocked, Reason: "no room"}}},
	}}, {Namespace: "a", Name: "zk2", Problems: []migration.Problem{{Class: migration.ClassUnseen, Text: "nobody answers"}}}}
	if err := (Printer{NoHeaders: true}).Plans(&out, plans); err != nil {
		t.Fatal(err)
	}
	checks := []CheckReport{{Namespace: "a", Name: "zk1", Checks: []preflight.Finding{
		{ID: "ZK001", Result: preflight.OK}, {ID: "ZK002", Result: preflight.Fail, Blocks: true},
	}}, {Namespace: "a", Name: "zk2", Error: "no journal"}}
	if err := (Printer{NoHeaders: true}).Checks(&out, checks); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a zk1 3.4.13 reconfigure, replace 1/2 2 server 1: no room go on",
		"a zk2 - - 0/0 0 nobody answers -",
		"a zk1 1 1 0 ZK002",
		"a zk2 0 0 0 not checked: no journal",
	}
	if diff := cmp.Diff(want, squeezed(out.String())); diff != "" {
		t.Error(diff)
	}
}
