package migration_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// other is a release that no healthy scene runs.
func other() ensemble.Version { return ensemble.Version{Major: 3, Minor: 9, Patch: 3} }

// tried records another image for the pods, as replace --image does.
func (s *scene) tried() {
	s.o.Record.Pods = migration.PodOptions{Image: "zk:before", Memory: "1Gi"}
	s.o.Record = s.o.Record.ChangePods(migration.PodOptions{Image: "zk:tried", Memory: "1Gi"})
}

func (s *scene) pod(id ensemble.ID) *migration.PodView { return &s.view(id).Cluster.Pod }

// TestNothingIsStoppedForAnUnprovedPod: what a parked pod can tell is asked
// before its host is touched.
func TestNothingIsStoppedForAnUnprovedPod(t *testing.T) {
	waive := func(s *scene, check string) {
		s.o.Record.Waivers = append(s.o.Record.Waivers, migration.Waiver{Check: check, By: "alice", At: t0()})
	}
	checkAll(t, []rule{
		{
			name: "an image of another release", set: func(s *scene) { s.pod(1).Report.Version = other() },
			want: stop, code: migration.CodeVersionDiffers, says: "holds ZooKeeper 3.9.3, and the ensemble runs 3.8.0; nothing was stopped",
		},
		{
			name: "waived with that of the hosts", set: func(s *scene) { s.pod(1).Report.Version = other(); waive(s, migration.WaiverOneVersion) },
			want: do, step: migration.StepBegin,
		},
		{
			name: "an image that does not tell", set: func(s *scene) { s.pod(1).Report.Version = ensemble.Version{} },
			want: stop, code: migration.CodeImageUnknown, says: "wrap demo --waive=ZK030 -n zk",
		},
		{
			name: "and is known to be right", set: func(s *scene) { s.pod(1).Report.Version = ensemble.Version{}; waive(s, migration.WaiverImage) },
			want: do, step: migration.StepBegin,
		},
		{
			name: "that waiver lets no other release in", set: func(s *scene) { s.pod(1).Report.Version = other(); waive(s, migration.WaiverImage) },
			want: stop, code: migration.CodeVersionDiffers,
		},
		{
			name: "a wrong image that was just named is taken back", set: func(s *scene) { s.tried(); s.pod(1).Report.Version = other() },
			want: do, step: migration.StepRestorePods, says: "3.9.3",
		},
		{
			name: "and the command goes on with no other", set: func(*scene) {}, refused: "the image of pod demo-pod-0 holds ZooKeeper 3.9.3",
			want: stop, code: migration.CodeVersionDiffers, says: "the pods' settings are what they were before",
		},
		{
			name: "one pod is enough for one server", set: func(s *scene) { s.pod(2).Container = migration.ContainerDown },
			want: do, step: migration.StepBegin,
		},
		{
			name: "all of them for all", all: true, set: func(s *scene) {
				s.pod(2).Container, s.pod(2).Problem = migration.ContainerDown, "no node takes the pod"
			},
			want: wait, code: migration.CodePodNotParked, says: "pod demo-pod-1 is not parked yet: no node takes the pod",
		},
		{
			name: "and every one with the right release", all: true, set: func(s *scene) { s.pod(3).Report.Version = other() },
			want: stop, code: migration.CodeVersionDiffers, says: "demo-pod-2",
		},
		{
			name: "all parked", all: true, want: do, step: migration.StepBegin,
		},
		{
			name: "it is not parked any more when its host is to be masked", set: func(s *scene) {
				s.flight(migration.Replace, 1)
				s.pod(1).Container = migration.ContainerDown
			},
			want: wait, code: migration.CodePodNotParked, says: "nothing has been stopped",
		},
		{
			name: "it was made again from another image", set: func(s *scene) {
				s.flight(migration.Replace, 1).Fenced = yes()
				s.pod(1).Report.Version = other()
			},
			want: stop, code: migration.CodeVersionDiffers, says: "revert demo --id=1",
		},
		{
			name: "even after the stop its gate stays closed", set: func(s *scene) { s.proven(1); s.pod(1).Report.Version = other() },
			want: stop, code: migration.CodeVersionDiffers, says: "revert demo --id=1",
		},
	})
}

// TestAllOutdatedPodsAreRemade: one that was left would keep its node, or wait
// for ever for what is not wanted any more.
func TestAllOutdatedPodsAreRemade(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.pod(1).Source.Pod.Outdated, s.pod(3).Source.Pod.Outdated = true, true
	d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1}, s.o)
	want := []migration.PodRef{{ID: 1, UID: "pod-1-a"}, {ID: 3, UID: "pod-3-a"}}
	if diff := cmp.Diff(want, d.Pods); diff != "" || d.Step != migration.StepRemakePods {
		t.Errorf("step %q (-want +got):\n%s", d.Step, diff)
	}
	s.replaced(1)
	s.pod(1).Source.Pod.Outdated = true
	d = migration.Decide(migration.Intent{Kind: migration.Replace, ID: 2}, s.o)
	if diff := cmp.Diff(want[1:], d.Pods); diff != "" {
		t.Errorf("one that serves is left alone (-want +got):\n%s", diff)
	}
}

// TestUnprovedSettingsDoNotStay: what was changed for one server does not wait
// for the others' next restart.
func TestUnprovedSettingsDoNotStay(t *testing.T) {
	checkAll(t, []rule{
		{
			name: "a revert restores them first", kind: migration.Revert, id: 3, set: func(s *scene) { s.replaced(1); s.tried(); s.proven(3) },
			want: do, step: migration.StepRestorePods, says: "recreated",
		},
		{
			name: "also before anything has begun", kind: migration.Revert, id: 3, set: func(s *scene) { s.replaced(1); s.tried() },
			want: do, step: migration.StepRestorePods,
		},
		{
			name: "with nobody in a pod there is nobody to protect", kind: migration.Revert, id: 3, set: func(s *scene) { s.tried(); s.proven(3) },
			want: do, step: migration.StepBeginRevert,
		},
		{
			name: "a replaced server's pod that came up wrong", id: 1, set: func(s *scene) {
				s.replaced(1)
				s.tried()
				s.down(1)
				s.pod(1).Report.State, s.pod(1).Report.Version = migration.GateRefused, other()
			},
			want: do, step: migration.StepRestorePods,
		},
		{
			name: "is made again", id: 1, set: func(s *scene) {
				s.replaced(1)
				s.down(1)
				s.pod(1).Report.State, s.pod(1).Report.Version, s.pod(1).Source.Pod.Outdated, s.pod(1).Container = migration.GateRefused, other(), true, migration.ContainerRunning
			},
			want: do, step: migration.StepDeletePod,
		},
	})
}

// TestChangedSettingsAreProvedByAJoin: from then on they are what a later
// refusal goes back to; the files are none of what goes back.
func TestChangedSettingsAreProvedByAJoin(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.tried()
	again := s.o.Record.ChangePods(migration.PodOptions{Image: "zk:third", ZooCfg: "now"})
	if back := again.RestorePods(); back.Pods.Image != "zk:before" || back.Pods.ZooCfg != "now" || back.PodsBefore != nil {
		t.Errorf("restored to %+v, before that %v", back.Pods, back.PodsBefore)
	}
	if back := s.o.Record.ChangePods(migration.PodOptions{Image: "zk:before", Memory: "1Gi"}); back.PodsBefore != nil {
		t.Errorf("changed back, %+v have not proven themselves", back.Pods)
	}
	s.flight(migration.Replace, 1)
	joined, changed := s.o.Record.After("test", migration.Decision{Server: 1, Step: migration.StepFinish}, migration.Outcome{At: t0(), Done: true}, ensemble.ID(3).Known())
	if !changed || joined.PodsBefore != nil || joined.Pods.Image != "zk:tried" {
		t.Errorf("after the join: %+v, before %v", joined.Pods, joined.PodsBefore)
	}
}

// TestUnprovedSettingsAreAProblem: status names them, and what puts them back.
func TestUnprovedSettingsAreAProblem(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.replaced(1)
	s.tried()
	found := false
	for _, p := range migration.Problems(s.o) {
		found = found || p.Code == migration.CodePodOutdated && p.Class == migration.ClassWrong && p.Next == "kubectl zkmigrate revert demo --id=2 -n zk"
	}
	if !found {
		t.Errorf("%+v", migration.Problems(s.o))
	}
}
