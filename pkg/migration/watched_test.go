package migration_test

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// decideSince is Decide for a command that has looked since then.
func (s *scene) decideSince(since time.Time) migration.Decision {
	return migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1, By: "bob", Since: since}, s.o)
}

// TestWatched: what was proven of a stopped host holds as long as somebody has
// looked at it ever since. Between two commands it may have been started and
// stopped by hand.
func TestWatched(t *testing.T) {
	minute := t0().Add(-time.Minute)
	for name, c := range map[string]struct {
		set   func(s *scene)
		since time.Time
		step  migration.StepID
	}{
		"seen dead by this command": {func(s *scene) { s.unbridged(1) }, minute, migration.StepRelease},
		"seen dead by an earlier command": {func(s *scene) {
			s.unbridged(1).DeadSince = ago(2 * time.Minute)
		}, minute, migration.StepRestartProof},
		"seen dead by an earlier command, and by the pod ever since": {func(s *scene) {
			s.unbridged(1).DeadSince = ago(10 * time.Minute)
			s.view(1).Cluster.Pod.Report.HostClosedFor = closedFor(599 * time.Second)
		}, minute, migration.StepRelease},
		"and by the pod since a minute after that": {func(s *scene) {
			s.unbridged(1).DeadSince = ago(10 * time.Minute)
			s.view(1).Cluster.Pod.Report.HostClosedFor = closedFor(540 * time.Second)
		}, minute, migration.StepRestartProof},
		"by a clock ten minutes ahead of ours; the pod's own tells that it has watched since": {func(s *scene) {
			f, pod := s.unbridged(1), &s.view(1).Cluster.Pod
			f.DeadSince, pod.Report.HostClosedFor = ago(10*time.Minute), closedFor(1199*time.Second)
			f.DeadReport = &migration.PodReport{UID: pod.UID, At: pod.Report.At.Add(-20 * time.Minute)}
		}, minute, migration.StepRelease},
		"by a clock ten minutes ahead of ours; the pod's own tells that it has not": {func(s *scene) {
			f, pod := s.unbridged(1), &s.view(1).Cluster.Pod
			f.DeadSince, pod.Report.HostClosedFor = ago(10*time.Minute), closedFor(599*time.Second)
			f.DeadReport = &migration.PodReport{UID: pod.UID, At: pod.Report.At.Add(-20 * time.Minute)}
		}, minute, migration.StepRestartProof},
		"the host ran for some seconds right after that": {func(s *scene) {
			f, pod := s.unbridged(1), &s.view(1).Cluster.Pod
			f.DeadSince, pod.Report.HostClosedFor = ago(time.Minute+time.Second), closedFor(49*time.Second)
			f.DeadReport = &migration.PodReport{UID: pod.UID, At: pod.Report.At.Add(-time.Minute)}
		}, minute, migration.StepRestartProof},
		"another pod's clock says nothing": {func(s *scene) {
			f, pod := s.unbridged(1), &s.view(1).Cluster.Pod
			f.DeadSince, pod.Report.HostClosedFor = ago(10*time.Minute), closedFor(599*time.Second)
			f.DeadReport = &migration.PodReport{UID: "another", At: pod.Report.At.Add(-20 * time.Minute)}
		}, minute, migration.StepRelease},
		"by the pod, in a report of long ago": {func(s *scene) {
			s.unbridged(1).DeadSince = ago(10 * time.Minute)
			pod := &s.view(1).Cluster.Pod
			pod.Report.HostClosedFor, pod.Report.Fresh = closedFor(599*time.Second), false
		}, minute, migration.StepRestartProof},
		"seen dead by a clock ahead of ours": {func(s *scene) {
			at := t0().Add(time.Hour)
			s.unbridged(1).DeadSince = &at
		}, minute, migration.StepRestartProof},
		"a copy made after that": {func(s *scene) { s.seeded(1).DeadSince = ago(2 * time.Minute) }, minute, migration.StepRestartProof},
		"a proof that is a week old": {func(s *scene) {
			f := s.unbridged(1)
			f.DeadSince, f.After.At = ago(8*24*time.Hour), t0().Add(-7*24*time.Hour)
		}, time.Time{}, migration.StepProveAfter},
		"a proof by a clock ahead of ours": {func(s *scene) { s.unbridged(1).After.At = t0().Add(time.Hour) }, minute, migration.StepProveAfter},
		"a canary that others took a week to show": {func(s *scene) {
			f := s.unbridged(1)
			f.After.Complete, f.After.At = false, t0().Add(-7*24*time.Hour)
		}, minute, migration.StepProveAfter},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.4.13", 1, 2, 3)
			c.set(s)
			d := s.decideSince(c.since)
			if d.Step != c.step {
				t.Fatalf("%s %s %q: %s", d.Kind, d.Code, d.Step, d.Reason)
			}
			if f := d.Flight; d.Step == migration.StepRestartProof && (f.DeadSince != nil || f.Fenced != nil || f.After != nil || f.Seed != "") {
				t.Errorf("what was believed is still in the flight: %+v", f)
			}
		})
	}
}

// TestOtherClocks: no moment in the future makes a wait endless.
func TestOtherClocks(t *testing.T) {
	ahead := t0().Add(time.Hour)
	checkAll(t, []rule{
		{name: "the proof on n", set: func(s *scene) {
			f := s.stopAsked(1)
			f.StopAsked, f.Before.At = nil, ahead
		}, want: do, step: migration.StepProveBefore},
		{name: "the stop", set: func(s *scene) { s.stopAsked(1).StopAsked = &ahead }, want: do, step: migration.StepStopHost},
		{name: "the kick", set: func(s *scene) { s.released(1).Kicked = &ahead }, want: do, step: migration.StepKick},
		{name: "the join", set: func(s *scene) { s.joined(1, -time.Hour) }, want: do, step: migration.StepProveJoined},
		{name: "the copy", set: func(s *scene) { s.seeding(1).SeedAsked = &ahead }, want: do, step: migration.StepSeed, data: migration.DataCopy},
		{
			name: "the selector", kind: migration.Revert, set: func(s *scene) { s.unselected(1).Cleared = &ahead },
			want: do, step: migration.StepClearSelector,
		},
		{
			name: "the start", kind: migration.Revert, set: func(s *scene) {
				f := s.backAtHost(1)
				f.Unfenced, f.Released = yes(), &ahead
				s.host(1, vantage.PortClosed)
			},
			want: do, step: migration.StepStartHost,
		},
	})
}

// TestNotTheRecordedEnsemble: what the leader and the servers say of themselves
// must fit what the journal holds.
func TestNotTheRecordedEnsemble(t *testing.T) {
	other, _ := ensemble.ParseVersion("3.5.9")
	built, _ := ensemble.ParseVersion("3.8.0-1~somebody, built on 05/10/2026")
	checkAll(t, []rule{
		{
			name: "more followers than servers", set: func(s *scene) { s.view(3).Live.SyncedFollowers = 4 },
			want: stop, code: migration.CodeExtraFollower, says: "does not hold all servers, or one runs twice",
		},
		{
			name: "another version than the pods are made for", set: func(s *scene) { s.o.Record.Settings.Version = "3.4.13" },
			want: stop, code: migration.CodeVersionDiffers, says: "wrap demo",
		},
		{
			name: "the pod runs another version", set: func(s *scene) { s.serving(1); s.view(1).Live.Version = other },
			want: stop, code: migration.CodeVersionDiffers, says: "revert demo --id=1",
		},
		{
			name: "the same version of another build", set: func(s *scene) { s.joined(1, time.Minute); s.view(1).Live.Version = built },
			want: do, step: migration.StepFinish,
		},
		{
			name: "another version, waived", set: func(s *scene) {
				s.o.Record.Settings.Version = "3.4.13"
				s.o.Record.Waivers = []migration.Waiver{{Check: migration.WaiverOneVersion}}
			},
			want: do, step: migration.StepBegin,
		},
		{
			name: "an observer does not vote: no watchdog", version: "3.4.13", ids: []ensemble.ID{1, 2, 3, 4}, set: func(s *scene) {
				s.observer(1, 4)
				s.started(1)
				s.down(2)
			},
			want: wait, code: migration.CodeJoining,
		},
	})
}
