package migration_test

import (
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// outdated has servers run in pods that were made with other settings than are recorded.
func outdated(s *scene, ids ...ensemble.ID) {
	for _, id := range ids {
		s.replaced(id)
		s.host(id, vantage.PortClosed)
		s.view(id).Cluster.Pod.Source.Pod.Outdated = true
	}
	before := s.o.Record.Pods
	s.o.Record.PodsBefore = &before
	s.o.Record.Pods.Memory = "4Gi"
}

// applying has the restart of a server in its pod under way.
func applying(s *scene, id ensemble.ID) *migration.Flight {
	s.flight(migration.Apply, id)
	f := s.o.Record.Flight
	f.Served, f.Gate = true, s.view(id).Cluster.Gate.Generation
	return f
}

// TestApply: one pod at a time is made again with the recorded settings.
func TestApply(t *testing.T) {
	all := func(change func(*scene)) func(*scene) {
		return func(s *scene) {
			outdated(s, 1, 2, 3)
			change(s)
		}
	}
	// proven is the restart of server 1 with its first proof.
	proven := func(s *scene) *migration.Flight {
		f := applying(s, 1)
		f.Before = &migration.Proof{Zxid: zxid(epoch, counter), At: t0(), Complete: true}
		return f
	}
	crashing := func(s *scene) {
		s.down(1)
		pod := &s.view(1).Cluster.Pod
		pod.Container, pod.Problem, pod.Report.State = migration.ContainerDown, "OOMKilled", migration.GateUnknown
	}
	gone := func(s *scene, change func(*migration.PodView)) {
		f := proven(s)
		f.StopAsked, f.PodUID, f.Reclaimed = ago(time.Second), s.view(1).Cluster.Pod.UID, ago(time.Second)
		s.down(1)
		change(&s.view(1).Cluster.Pod)
	}
	checkAll(t, []rule{
		{name: "a server on its host has nothing to apply", kind: migration.Apply, want: stop, code: migration.CodeNotReplaced, says: "replace demo --id=1"},
		{name: "one that was made as recorded is done", kind: migration.Apply, set: func(s *scene) { s.replaced(1); s.host(1, vantage.PortClosed) }, want: done, code: migration.CodeDone},
		{name: "it begins when all are in sync", kind: migration.Apply, set: all(func(*scene) {}), want: do, step: migration.StepBeginApply, says: "2 of 3 voters stay"},
		{name: "not while another one is away", kind: migration.Apply, set: all(func(s *scene) { s.down(2) }), want: stop, code: migration.CodeDegraded},
		{name: "one that its settings keep from running takes nothing away", kind: migration.Apply, set: all(crashing), want: do, step: migration.StepBeginApply},
		{name: "the leader goes last", kind: migration.Apply, id: 3, set: all(func(*scene) {}), want: stop, code: migration.CodeLeaderLast, says: "apply demo --id=1"},
		{name: "and first where the others have gone", kind: migration.Apply, id: 3, set: func(s *scene) {
			s.replaced(1)
			s.host(1, vantage.PortClosed)
			s.replaced(2)
			s.host(2, vantage.PortClosed)
			outdated(s, 3)
		}, want: do, step: migration.StepBeginApply},
		{name: "a canary first", kind: migration.Apply, set: all(func(s *scene) { applying(s, 1) }), want: do, step: migration.StepProveBefore},
		{name: "then the template", kind: migration.Apply, set: all(func(s *scene) { proven(s); s.view(1).Cluster.Pod.Source.Set.Outdated = true }), want: do, step: migration.StepPark},
		{name: "then the pod goes", kind: migration.Apply, set: all(func(s *scene) { proven(s) }), want: do, step: migration.StepDeletePod},
		{name: "not while another one has dropped out", kind: migration.Apply, set: all(func(s *scene) { proven(s); s.down(2) }), want: wait, code: migration.CodeDegraded},
		{name: "not once it has become the leader", kind: migration.Apply, set: all(func(s *scene) { proven(s); s.leader(1) }), want: do, step: migration.StepCancelApply},
		{name: "without a proof where nothing runs", kind: migration.Apply, set: all(func(s *scene) { crashing(s); applying(s, 1) }), want: do, step: migration.StepDeletePod},
		{name: "it is waited for", kind: migration.Apply, set: all(func(s *scene) { gone(s, func(p *migration.PodView) { p.Terminating = true }) }), want: wait, code: migration.CodePodStopping},
		{
			name: "a new pod that does not run names the way back", kind: migration.Apply,
			set: all(func(s *scene) {
				gone(s, func(p *migration.PodView) {
					*p = migration.PodView{Name: p.Name, UID: "next", Problem: "ErrImagePull"}
				})
			}),
			want: wait, code: migration.CodePodStarting, says: "apply demo --id=1 --undo",
		},
		{
			name: "another release is taken back", kind: migration.Apply,
			set: all(func(s *scene) {
				gone(s, func(p *migration.PodView) {
					p.UID, p.Source.Pod.Outdated, p.Report.State = "next", false, migration.GateRefused
					p.Report.Version, _ = ensemble.ParseVersion("3.9.3")
				})
			}),
			want: do, step: migration.StepRestorePods, says: "3.9.3",
		},
		{name: "and that is said at the end", kind: migration.Apply, refused: "the image holds another release", set: func(s *scene) { s.replaced(1); s.host(1, vantage.PortClosed) }, want: stop, code: migration.CodeVersionDiffers},
		{
			name: "a lost volume is for replace", kind: migration.Apply,
			set: all(func(s *scene) {
				gone(s, func(p *migration.PodView) {
					p.UID, p.Source.Pod.Outdated, p.Report.State, p.Report.Cause = "next", false, migration.GateRefused, migration.CauseLost
				})
			}),
			want: do, step: migration.StepCancelApply,
		},
		{name: "a ghost stops it", kind: migration.Apply, set: all(func(s *scene) { proven(s); s.host(1, vantage.PortOpen) }), want: stop, code: migration.CodeGhostHost},
		{name: "replace of a server that is restarted so waits", kind: migration.Replace, set: all(func(s *scene) { proven(s) }), want: stop, code: migration.CodeOneAtATime, says: "apply demo --id=1"},
		{name: "a journal of an earlier time", kind: migration.Apply, set: all(func(s *scene) { proven(s).Gate = 99 }), want: do, step: migration.StepForget},
	})
}

// TestApplyUndone: new settings are taken back before a server has joined with them.
func TestApplyUndone(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	outdated(s, 1, 2, 3)
	if d := migration.Decide(migration.Intent{Kind: migration.Apply, ID: 1, Undo: true}, s.o); d.Step != migration.StepRestorePods {
		t.Errorf("got %s %s", d.Kind, d.Reason)
	}
	if order := migration.ApplyOrder(s.o); len(order) != 3 || order[2] != 3 {
		t.Errorf("the leader goes last: %v", order)
	}
}

// TestApplyNext: what is printed as next where recorded settings fit no pod, or no apply has begun.
func TestApplyNext(t *testing.T) {
	recorded := healthy("3.8.0", 1, 2, 3)
	outdated(recorded, 1, 2, 3)
	st := migration.Summarize(recorded.o)
	if len(st.Problems) == 0 || st.Next != "kubectl zkmigrate apply demo --undo -n zk" {
		t.Fatalf("next %q, %+v", st.Next, st.Problems)
	}
	if p := st.Problems[0]; strings.Contains(p.Text, "replacement") || !strings.Contains(strings.Join(p.Evidence, "\n"), `changed: --memory from "" to "4Gi"`) {
		t.Errorf("%q, %q", p.Text, p.Evidence)
	}

	stuck := healthy("3.8.0", 1, 2, 3)
	outdated(stuck, 1, 2, 3)
	f := applying(stuck, 1)
	f.StopAsked, f.Reclaimed, f.PodUID = ago(time.Minute), ago(time.Minute), stuck.view(1).Cluster.Pod.UID
	stuck.down(1)
	pod := &stuck.view(1).Cluster.Pod
	*pod = migration.PodView{Name: pod.Name, UID: "next", Problem: "Unschedulable"}
	const undo = "kubectl zkmigrate apply demo --id=1 --undo -n zk"
	if st := migration.Summarize(stuck.o); st.Next != undo {
		t.Errorf("next is %q", st.Next)
	}
	if !migration.TakesSettings(stuck.o) {
		t.Error("nothing was started in the pod, and it takes no other settings")
	}
	pod.Problem, pod.Container = "", migration.ContainerPreparing
	if st := migration.Summarize(stuck.o); st.Next == undo {
		t.Error("a pod that is being prepared is given up")
	}
}

// TestFinalizeIsNamed: what makes pods without a gate is called finalize, and their notes hold no scripts.
func TestFinalizeIsNamed(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	outdated(s, 1, 2, 3)
	s.o.Record.PodsBefore, s.o.Record.Pods.Plain = nil, true
	applying(s, 1)
	s.view(2).Cluster.Pod.Source.Pod.Drift = []string{"bash"}
	st := migration.Summarize(s.o)
	if at := st.Servers[0]; !strings.HasPrefix(at.Phase, "finalize: ") || at.Next != "finalize" {
		t.Errorf("%+v", at)
	}
	for _, p := range st.Problems {
		if strings.Contains(p.Text, "apply") || len(p.Evidence) > 0 && p.Evidence[0] == "bash" {
			t.Errorf("%+v", p)
		}
	}
}
