package migration_test

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestPodsOfFormerSettings: why a server is ready whose neighbors' pods are made again first.
func TestPodsOfFormerSettings(t *testing.T) {
	for want, ids := range map[string][]ensemble.ID{
		"the pod of server 2 was made before the last change of settings; nothing was started in it, and it is made again first":            {2},
		"the pods of servers 2, 3 were made before the last change of settings; nothing was started in them, and they are made again first": {2, 3},
	} {
		s := healthy("3.8.0", 1, 2, 3)
		for _, id := range ids {
			s.pod(id).Source.Pod.Outdated = true
		}
		if d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1, By: "test", Since: t0()}, s.o); d.Step != migration.StepRemakePods || d.Reason != want {
			t.Errorf("%s: %s", d.Step, d.Reason)
		}
	}
}

// TestAFrozenServer: where the connection was accepted, another vantage point shows nothing new.
func TestAFrozenServer(t *testing.T) {
	for want, set := range map[string]func(s *scene){
		"look at its process: pod demo-pod-1":        func(s *scene) { s.replaced(2) },
		"look at its process: host ":                 func(*scene) {},
		"look from a machine that reaches 10.96.0.2": func(s *scene) { s.o.Servers[1].Live.Silent = false },
	} {
		s := healthy("3.8.0", 1, 2, 3)
		s.o.Servers[1].Live = vantage.Sighting{Reach: vantage.Timeout, Silent: true}
		if set(s); strings.Contains(want, "pod") {
			s.o.Servers[1].Live = vantage.Sighting{Reach: vantage.Timeout, Silent: true}
		}
		if st := migration.Summarize(s.o); !strings.HasPrefix(st.Problems[0].Next, want) {
			t.Errorf("%q, want %q", st.Problems[0].Next, want)
		}
	}
}
