package migration_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestEditedSet: a set that somebody edited is wrong where servers run in its pods,
// and replace puts it back without touching them.
func TestEditedSet(t *testing.T) {
	const memory = "container zookeeper: memory of limits is 256Mi, recorded is 1Gi"
	edit := func(s *scene) {
		for i := range s.o.Servers {
			p := &s.o.Servers[i].Cluster.Pod
			p.Source.Set.Outdated, p.Source.Set.Drift = true, []string{memory}
		}
	}
	for name, c := range map[string]struct {
		set    func(s *scene)
		id     int
		want   []string
		next   string
		says   string
		health migration.Health
		step   migration.StepID
	}{
		"a server runs in its pod": {set: func(s *scene) { s.replaced(1); edit(s) }, id: 1, want: []string{"wrong SetEdited"},
			next: "kubectl zkmigrate replace demo --id=1 -n zk", says: "somebody edited StatefulSet demo-pod", health: migration.Degraded, step: migration.StepPark},
		"and another one is to be moved": {set: func(s *scene) { s.replaced(1); edit(s) }, id: 2, want: []string{"wrong SetEdited"},
			next: "kubectl zkmigrate replace demo --id=1 -n zk", health: migration.Degraded, step: migration.StepPark},
		"nobody runs in a pod": {set: edit, id: 1, want: []string{"note SetEdited"}, says: "the next replacement applies the recorded template first",
			health: migration.Healthy, step: migration.StepPark},
		"another one is under way": {set: func(s *scene) { s.replaced(1); s.proven(2); edit(s) }, id: 1, want: []string{"planned OneAtATime", "wrong SetEdited"},
			health: migration.Degraded, step: migration.StepPark},
		"all are in their pods, and it may be an upgrade": {set: func(s *scene) { s.replaced(1); s.replaced(2); s.replaced(3); edit(s) }, id: 1, want: []string{"note SetEdited"},
			next: "kubectl zkmigrate replace demo --id=1 -n zk", health: migration.Healthy, step: migration.StepPark},
		"it is mended, and a parked pod is of the edited one": {set: func(s *scene) { s.pod(1).Source.Pod.Outdated, s.pod(1).Source.Pod.Drift = true, []string{memory} }, id: 1,
			health: migration.Healthy, step: migration.StepRemakePods},
		"it is mended, and a pod that serves is of the edited one": {set: func(s *scene) {
			s.replaced(1)
			s.pod(1).Source.Pod.Outdated, s.pod(1).Source.Pod.Drift = true, []string{memory}
		}, id: 1,
			want: []string{"note PodOutdated"}, says: "it gets them when it is next made", health: migration.Healthy},
		"a webhook changes pods: none is remade": {set: func(s *scene) { s.pod(1).Source.Pod.Drift = []string{memory} }, id: 1, health: migration.Healthy, step: migration.StepBegin},
		"and none that serves": {set: func(s *scene) { s.replaced(1); s.pod(1).Source.Pod.Drift = []string{memory} }, id: 1,
			want: []string{"note PodOutdated"}, says: "an admission webhook or somebody changed the pod itself", health: migration.Healthy},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			c.set(s)
			st := migration.Summarize(s.o)
			if diff := cmp.Diff(c.want, short(st.Problems)); diff != "" || st.Health != c.health {
				t.Fatalf("health %q, problems (-want +got):\n%s\n%+v", st.Health, diff, st.Problems)
			}
			for _, p := range st.Problems {
				if p.Class == migration.ClassPlanned {
					continue
				}
				if !strings.Contains(p.Text, c.says) || c.next != "" && p.Next != c.next || !slices.Contains(p.Evidence, memory) {
					t.Errorf("%+v", p)
				}
			}
			d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: s.o.Servers[c.id-1].ID, By: "test", Since: t0()}, s.o)
			if d.Step != c.step {
				t.Errorf("%s %s %s: %s", d.Kind, d.Step, d.Code, d.Reason)
			}
		})
	}
}

// TestLostObjects: what somebody deleted of what the pods share is told once, and the command
// that is named makes it again, restarting nothing.
func TestLostObjects(t *testing.T) {
	for name, c := range map[string]struct {
		inPods []ensemble.ID
		ask    ensemble.ID
		want   []string
		next   string
		health migration.Health
	}{
		"all run in pods":        {[]ensemble.ID{1, 2, 3}, 1, []string{"wrong PodObjectGone"}, "kubectl zkmigrate replace demo --id=1 -n zk", migration.Degraded},
		"another is to be moved": {[]ensemble.ID{1}, 2, []string{"wrong PodObjectGone"}, "kubectl zkmigrate replace demo --id=1 -n zk", migration.Degraded},
		"all are parked":         {nil, 1, []string{"note PodObjectGone"}, "kubectl zkmigrate park demo -n zk", migration.Healthy},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			for _, id := range c.inPods {
				s.replaced(id)
			}
			for i := range s.o.Servers {
				s.o.Servers[i].Cluster.Pod.Source.Lost = []string{"PodDisruptionBudget demo-pods"}
			}
			st := migration.Summarize(s.o)
			if diff := cmp.Diff(c.want, short(st.Problems)); diff != "" || st.Health != c.health {
				t.Fatalf("health %q, problems (-want +got):\n%s", st.Health, diff)
			}
			if p := st.Problems[0]; p.Next != c.next || !strings.Contains(p.Text, "PodDisruptionBudget demo-pods is gone") {
				t.Errorf("%+v", p)
			}
			d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: c.ask, By: "test", Since: t0()}, s.o)
			if d.Step != migration.StepPark {
				t.Errorf("%s %s %s: %s", d.Kind, d.Step, d.Code, d.Reason)
			}
			for i := range s.o.Servers {
				src := &s.o.Servers[i].Cluster.Pod.Source
				src.Lost, src.Unknown = nil, []string{"PodDisruptionBudget demo-pods"}
			}
			if st := migration.Summarize(s.o); !slices.Equal(short(st.Problems), []string{"note PodObjectGone"}) || st.Health != migration.Healthy {
				t.Errorf("not known: %q, %v", st.Health, st.Problems)
			}
		})
	}
}
