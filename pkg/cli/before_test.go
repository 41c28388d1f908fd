package cli

import (
	"slices"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
)

// TestFilesAreAskedForWhereAPodStarts: a server that goes back, a copy for a pod and a restart on
// the hosts are not kept up by a Secret that lacks a file.
func TestFilesAreAskedForWhereAPodStarts(t *testing.T) {
	s := wrapped(t, "3.8.0")
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec.Pods.ZooCfg, rec.Pods.FilesSecret = "ssl.keyStore.location=/etc/zk/key.jks\n", "zk-files"
	for phase, want := range map[migration.PhaseName]bool{migration.PlanReplace: true, migration.PlanReconfigure: false, "": false} {
		failed := preflight.Failed(preflight.BeforeStop(s.beforeStopFacts(t.Context(), rec, phase, nil, false)))
		if got := slices.ContainsFunc(failed, func(f preflight.Finding) bool { return f.ID == "ZK033" }); got != want {
			t.Errorf("phase %q: refused %v, want %v", phase, got, want)
		}
	}
}
