package printer_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite golden files")
	os.Exit(m.Run())
}

func examplePlan() migration.EnsemblePlan {
	return migration.EnsemblePlan{
		APIVersion: migration.RecordVersion, Kind: "EnsemblePlan", Name: "zk1", Namespace: "zk", Version: "3.4.13", Leader: ensemble.ID(3).Known(), Elections: 1,
		Phases: []migration.PlannedPhase{
			{Name: migration.PlanClients, Title: "clients move", Command: "do clients", Note: "cannot be seen"},
			{
				Name: migration.PlanReplace, Title: "one after the other", Command: "do it", Elections: 1,
				Servers: []migration.PlannedServer{
					{ID: 1, Role: ensemble.Participant, Mode: ensemble.Follower, Readiness: migration.Ready, Code: migration.CodeStep, Reason: "2 of 3 voters stay"},
					{ID: 3, Role: ensemble.Participant, Mode: ensemble.Leader, Readiness: migration.Waits, Code: migration.CodePodNotParked,
						Reason: "its pod is not parked", Evidence: []string{"no node has room"}, Next: "kubectl describe pod x", Election: true},
				},
				Steps: []migration.PlannedStep{{ID: migration.StepStopHost, Title: "stop it", Why: "one process an id"}},
			},
		},
		Advice: []migration.PlannedAdvice{{What: "copy", Why: "a second failure", Command: "replace --data=copy"}},
		Next:   "replace --id=1",
	}
}

func TestPlan(t *testing.T) {
	for name, tt := range map[string]struct {
		format printer.Format
		plan   migration.EnsemblePlan
	}{
		"plan":      {printer.Table, examplePlan()},
		"plan-wide": {printer.Wide, examplePlan()},
		"plan-yaml": {printer.YAML, examplePlan()},
		"plan-done": {printer.Table, migration.EnsemblePlan{Name: "zk1", Namespace: "zk"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := (printer.Printer{Format: tt.format}).Plan(&got, tt.plan, nil); err != nil {
				t.Fatal(err)
			}
			golden(t, name, got.String())
		})
	}
	var name bytes.Buffer
	if err := (printer.Printer{Format: printer.Name}).Plan(&name, examplePlan(), nil); err != nil || strings.TrimSpace(name.String()) != "ensemble.zkmigrate.io/zk1" {
		t.Errorf("got %q, %v", name.String(), err)
	}
}

// golden compares with a file; -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
