package migration_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestViaIsInTheCommandsAlone: the flags that name the cluster stand in every
// command that is printed; no rule sees them, and nothing that is kept holds them.
func TestViaIsInTheCommandsAlone(t *testing.T) {
	via := command.Via{}.With("context", `a'b "c`)
	bare := func(v any) string {
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(via.String() + " ")
		if commands, with := strings.Count(b.String(), "kubectl "), strings.Count(b.String(), escaped); strings.Contains(b.String(), escaped) && commands != with {
			t.Errorf("%d of %d commands name the cluster: %s", with, commands, b.String())
		}
		return strings.ReplaceAll(b.String(), escaped, "")
	}
	for name, set := range map[string]func(*scene){
		"all is well":        func(*scene) {},
		"a Service is gone":  func(s *scene) { s.view(2).Cluster.Service.Found = false },
		"another address":    func(s *scene) { s.view(2).Cluster.Service.ClusterIP = "10.9.9.9" },
		"a changed Service":  func(s *scene) { v := &s.view(2).Cluster.Service; v.Changed, v.Patch = []string{"x"}, `{"a":"'"}` },
		"foreign endpoints":  func(s *scene) { s.view(2).Cluster.Endpoints.Foreign = []string{"EndpointSlice/mine"} },
		"wrapped twice":      func(s *scene) { s.o.Twins = []migration.Claim{{Namespace: "n", Name: "other"}} },
		"a host is down":     func(s *scene) { s.down(2) },
		"begun":              func(s *scene) { s.started(1) },
		"a revert":           func(s *scene) { s.reverting(1) },
		"a pod is lost":      func(s *scene) { s.lost(1); s.view(1).Cluster.Pod.NodeLost = true },
		"not reconfigured":   func(s *scene) { s.server(2).Reconfigured = nil },
		"a pod does not run": func(s *scene) { s.replaced(2); s.view(2).Cluster.Pod.Container = migration.ContainerDown },
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			set(s)
			kept, err := json.Marshal(s.o)
			if err != nil {
				t.Fatal(err)
			}
			there := s.o
			there.Via = via
			if got, err := json.Marshal(there); err != nil || string(got) != string(kept) {
				t.Errorf("a saved look holds %s, %v", got, err)
			}
			for what, f := range map[string]func(migration.Observation) any{
				"status": func(o migration.Observation) any { return migration.Summarize(o) },
				"plan":   func(o migration.Observation) any { return migration.Plan(o) },
				"next":   func(o migration.Observation) any { return migration.Next(o) },
			} {
				if diff := cmp.Diff(bare(f(s.o)), bare(f(there))); diff != "" {
					t.Errorf("%s: %s", what, diff)
				}
			}
			for _, kind := range []migration.FlightKind{migration.Replace, migration.Revert, migration.Reconfigure} {
				for _, id := range []ensemble.ID{1, 2, 9} {
					in := migration.Intent{Kind: kind, ID: id, By: "bob", Since: s.o.At}
					d, with := migration.Decide(in, s.o), migration.Decide(in, there)
					if diff := cmp.Diff(bare(d), bare(with)); diff != "" {
						t.Errorf("%s %d: %s", kind, id, diff)
					}
					if strings.Contains(with.Reason, via.String()) {
						t.Errorf("%s %d: the audit would hold the flags: %s", kind, id, with.Reason)
					}
					if diff := cmp.Diff(d.Flight, with.Flight); diff != "" {
						t.Errorf("%s %d: the journal would differ: %s", kind, id, diff)
					}
				}
			}
		})
	}
}

// TestWhatAPodSaysMoreAbout: the commands that show more of a pod are not part of the
// look.
func TestWhatAPodSaysMoreAbout(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*migration.PodView)
		want string
	}{
		"its container keeps ending": {func(p *migration.PodView) {
			p.Container, p.Problem, p.EarlierLog = migration.ContainerDown, "the container keeps ending", "zookeeper"
		}, "pod demo-pod-1: the container keeps ending (kubectl --as=me logs demo-pod-1 --previous -n zk)"},
		"its relay does": {func(p *migration.PodView) {
			p.Problem, p.EarlierLog = "its container gate does not run", migration.GateContainer
		}, "pod demo-pod-1: its container gate does not run (kubectl --as=me logs demo-pod-1 -c gate --previous -n zk)"},
		"its files are another's": {func(p *migration.PodView) {
			p.Source.Files, p.Source.ForeignFiles = "ConfigMap x was replaced by another one of that name", "x"
		}, "was replaced by another one of that name (kubectl --as=me delete configmap x -n zk)"},
		"its files are gone": {func(p *migration.PodView) { p.Source.Files = "ConfigMap x is gone" }, "cannot be started again: ConfigMap x is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			s.replaced(2)
			s.down(2)
			c.set(&s.view(2).Cluster.Pod)
			s.o.Via = command.Via{}.With("as", "me")
			var said []string
			for _, p := range migration.Problems(s.o) {
				said = append(append(said, p.Text), p.Evidence...)
			}
			if !slices.ContainsFunc(said, func(s string) bool { return strings.HasSuffix(s, c.want) }) {
				t.Errorf("got %q, want %s", said, c.want)
			}
		})
	}
}
