package migration_test

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func joinRules() []rule {
	pod := func(s *scene) *migration.PodView { return &s.view(1).Cluster.Pod }
	return []rule{
		{name: "released: kick", set: func(s *scene) { s.released(1) }, want: do, step: migration.StepKick},
		{name: "kicked just now", set: func(s *scene) { s.released(1).Kicked = ago(time.Second) }, want: wait, code: migration.CodePodStarting},
		{name: "kicked a while ago", set: func(s *scene) { s.released(1).Kicked = ago(migration.KickEvery) }, want: do, step: migration.StepKick},
		{
			name: "the pod vanished", set: func(s *scene) { s.released(1); *pod(s) = migration.PodView{} },
			want: wait, code: migration.CodePodStarting,
		},
		{
			name: "the pod refuses", set: func(s *scene) {
				s.released(1)
				pod(s).Report.State, pod(s).Report.Detail = migration.GateRefused, "myid is '9'"
			},
			want: wait, code: migration.CodePodRefused, says: "myid is '9'",
		},
		{
			name: "the pod sees the host up", set: func(s *scene) { s.released(1); pod(s).Report.State = migration.GateVetoed },
			want: wait, code: migration.CodePodVetoed, says: "mask",
		},
		{name: "started, not serving", set: func(s *scene) { s.started(1) }, want: wait, code: migration.CodeJoining},
		{
			name: "somebody else answers", set: func(s *scene) { s.serving(1); s.view(1).Live.ServerID = ensemble.ID(9).Known() },
			want: stop, code: migration.CodeWrongServer,
		},
		{name: "serving: prove", set: func(s *scene) { s.serving(1) }, want: do, step: migration.StepProveJoined},
		{
			name: "no leader for a moment", set: func(s *scene) { s.serving(1); s.view(3).Live.Mode = ensemble.Follower },
			want: wait, code: migration.CodeNoLeader,
		},
		{
			name: "it has not got the canary yet",
			set: func(s *scene) {
				s.joined(1, 0).Joined.Complete = false
				s.view(1).Live.Zxid = zxid(epoch, 3)
			},
			want: wait, code: migration.CodeProofPending,
		},
		{
			name: "an observer must have it, too", ids: []ensemble.ID{1, 2, 3, 4}, id: 4,
			set: func(s *scene) {
				s.observer(4, 3)
				s.joined(4, 0).Joined.Complete = false
				s.view(4).Live.Mode, s.view(4).Live.Zxid = ensemble.Observing, zxid(epoch, 3)
			},
			want: wait, code: migration.CodeProofPending,
		},
		{name: "noted", set: func(s *scene) { s.joined(1, 0).Joined.Complete = false }, want: do, step: migration.StepNoteJoined},
		{
			name: "an election makes the proof void", set: func(s *scene) { s.joined(1, 0).Joined.Zxid = zxid(epoch-1, counter) },
			want: do, step: migration.StepProveJoined,
		},
		{
			name: "the leader forwards to too few", set: func(s *scene) { s.joined(1, time.Minute); s.view(3).Live.SyncedFollowers = 1 },
			want: wait, code: migration.CodeNotSynced,
		},
		{name: "watched for syncLimit", set: func(s *scene) { s.joined(1, 9*time.Second) }, want: wait, code: migration.CodeHold},
		{
			name: "not ready yet", set: func(s *scene) { s.joined(1, 11*time.Second); pod(s).Container = migration.ContainerRunning },
			want: wait, code: migration.CodeJoining,
		},
		{
			name: "an overtaken tool wrote the bridge once more",
			set: func(s *scene) {
				s.joined(1, 11*time.Second)
				ep := &s.view(1).Cluster.Endpoints
				ep.BridgeFound, ep.Bridge, ep.BridgePodUID = true, []string{pod(s).IP}, pod(s).UID
			},
			want: do, step: migration.StepDropBridge,
		},
		{
			name: "its Service was deleted and made again, with nothing behind it",
			set: func(s *scene) {
				s.started(1)
				s.view(1).Cluster.Service.Selector, s.view(1).Cluster.Endpoints = "", migration.EndpointsView{}
			},
			want: do, step: migration.StepFlip,
		},
		{
			name: "the same, and the pod does not run yet: without it, no address",
			set: func(s *scene) {
				s.released(1)
				s.view(1).Cluster.Service.Selector, s.view(1).Cluster.Endpoints = "", migration.EndpointsView{}
			},
			want: do, step: migration.StepKick,
		},
		{name: "done", set: func(s *scene) { s.joined(1, 11*time.Second) }, want: do, step: migration.StepFinish},
		{
			name: "the host returns while the pod joins", set: func(s *scene) { s.started(1); s.host(1, vantage.PortOpen) },
			want: do, step: migration.StepAbort,
		},
		{
			name: "the host returns when the pod has joined", set: func(s *scene) { s.joined(1, time.Second); s.host(1, vantage.PortOpen) },
			want: stop, code: migration.CodeGhostHost,
		},
		{
			name: "watchdog: 3.4, another voter drops while the pod is empty", version: "3.4.13",
			set: func(s *scene) { s.started(1); s.down(2) }, want: do, step: migration.StepAbort, says: "empty member",
		},
		{
			name: "watchdog: 3.5 has no guard either", version: "3.5.9",
			set: func(s *scene) { s.started(1); s.down(2) }, want: do, step: migration.StepAbort,
		},
		{
			name: "watchdog: an unknown version has no guard", set: func(s *scene) {
				s.started(1)
				s.o.Record.Settings.Version = ""
				s.down(2)
			},
			want: do, step: migration.StepAbort,
		},
		{
			name: "watchdog: a pod that has not started does no harm", version: "3.4.13",
			set: func(s *scene) { s.released(1); s.down(2) }, want: do, step: migration.StepKick,
		},
		{
			name: "watchdog: nor one that has joined", version: "3.4.13",
			set: func(s *scene) { s.joined(1, time.Minute); s.down(2) }, want: wait, code: migration.CodeProofPending,
		},
		{
			name: "one that has lost its data waits for the end of this, not this for it",
			set: func(s *scene) {
				f := s.joined(1, time.Minute)
				s.o.Record.Flight = nil
				s.lost(2)
				s.o.Record.Flight = f
			},
			want: do, step: migration.StepFinish,
		},
		{
			name: "guard: from 3.6 the empty pod cannot vote", version: "3.6.2",
			set: func(s *scene) { s.started(1); s.down(2) }, want: wait, code: migration.CodeJoining,
		},
		{
			name: "given up: close the gate", set: func(s *scene) { s.started(1).Aborted = "why" }, want: do, step: migration.StepCloseGate,
		},
		{
			name: "given up: then the pod goes",
			set: func(s *scene) {
				f := s.started(1)
				f.Aborted, f.PodUID = "why", pod(s).UID
				s.view(1).Cluster.Gate = migration.GateView{Found: true, Generation: 3}
			},
			want: do, step: migration.StepDeletePod,
		},
		{
			name: "given up: and is waited for",
			set: func(s *scene) {
				f := s.started(1)
				f.Aborted, f.PodUID = "why", pod(s).UID
				s.view(1).Cluster.Gate = migration.GateView{Found: true, Generation: 3}
				pod(s).Terminating = true
			},
			want: wait, code: migration.CodePodStopping, says: "never deleted by force",
		},
		{
			name: "given up: revert is the way back",
			set: func(s *scene) {
				f := s.started(1)
				f.Aborted, f.PodUID = "why", pod(s).UID
				s.view(1).Cluster.Gate = migration.GateView{Found: true, Generation: 3}
				pod(s).UID, pod(s).Report.State, pod(s).Report.Generation = "new", migration.GateParked, 3
			},
			want: stop, code: migration.CodeAborted, says: "revert demo --id=1",
		},
	}
}

func TestJoin(t *testing.T) { checkAll(t, joinRules()) }
