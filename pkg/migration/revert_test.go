package migration_test

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func revertRules() []rule {
	pod := func(s *scene) *migration.PodView { return &s.view(1).Cluster.Pod }
	rules := []rule{
		{name: "never left its host", want: done, code: migration.CodeDone},
		{
			name: "its host is gone", set: func(s *scene) { s.replaced(1); s.o.Record.Servers[0].Retired = yes() },
			want: stop, code: migration.CodeHostRetired, says: "declared gone by test",
		},
		{name: "a restart is under way", set: func(s *scene) { s.flight(migration.Reconfigure, 1) }, want: stop, code: migration.CodeOneAtATime},
		{
			name: "a restart of long ago was put back", set: func(s *scene) { s.flight(migration.Reconfigure, 1).Gate = 0 },
			want: do, step: migration.StepForget, says: "a journal of an earlier time",
		},
		{name: "from the middle of a replacement, nothing stopped", set: func(s *scene) { s.stopAsked(1) }, want: do, step: migration.StepBeginRevert, says: "ordinary restart"},
		{name: "from a released pod", set: func(s *scene) { s.started(1) }, want: do, step: migration.StepBeginRevert, says: "stale"},
		{
			name: "from a gate whose opening was only intended",
			set:  func(s *scene) { s.unbridged(1).Served = true }, want: do, step: migration.StepBeginRevert, says: "stale",
		},
		{name: "from a replaced server", set: func(s *scene) { s.replaced(1); s.host(1, vantage.PortClosed) }, want: do, step: migration.StepBeginRevert, says: "stale"},
		{
			name: "put back from the middle of its replacement: its gate has changed since",
			set:  func(s *scene) { s.dead(1).Gate = 7 }, want: do, step: migration.StepBeginRevert, says: "stale",
		},
		{
			name: "from the middle of its replacement: its gate is as it was",
			set:  func(s *scene) { s.dead(1).Gate = 1 }, want: do, step: migration.StepBeginRevert, says: "ordinary restart",
		},
		{
			name: "put back from before its replacement: its pod may have run, and lost its volume",
			set: func(s *scene) {
				s.down(1)
				s.host(1, vantage.PortClosed)
				pod(s).Report.Volume.State = migration.VolumeUnused
			},
			want: do, step: migration.StepBeginRevert, says: "stale",
		},
		{
			name: "put back from before its replacement: the pod has data",
			set:  func(s *scene) { s.down(1); s.host(1, vantage.PortClosed) }, want: do, step: migration.StepBeginRevert, says: "stale",
		},
		{
			name: "its host is up: only its address is set right",
			set:  func(s *scene) { s.view(1).Cluster.Endpoints = migration.EndpointsView{} }, want: do, step: migration.StepBeginRevert, says: "ordinary restart",
		},
		{
			name: "put back from before its replacement: the pod is being made again",
			set:  func(s *scene) { s.down(1); s.host(1, vantage.PortClosed); *pod(s) = migration.PodView{} }, want: do, step: migration.StepBeginRevert, says: "stale",
		},
		{
			name: "it is down, and there are no pods yet",
			set: func(s *scene) {
				s.down(1)
				s.host(1, vantage.PortClosed)
				*pod(s) = migration.PodView{Source: migration.Source{Missing: true}}
			}, want: do, step: migration.StepBeginRevert, says: "ordinary restart",
		},
		{
			name: "put back from before a whole revert: it runs on its host",
			set: func(s *scene) {
				at := *ago(time.Hour)
				s.server(1).Replaced = &at
			},
			want: do, step: migration.StepBeginRevert, says: "only the journal",
		},
		{
			name: "the same, and its pod may not have read that its gate is closed",
			set: func(s *scene) {
				at := *ago(time.Hour)
				s.server(1).Replaced = &at
				s.view(1).Cluster.Gate.Generation = 2
			},
			want: stop, code: migration.CodeGhostHost,
		},
		{
			name: "the host is up beside the pod", set: func(s *scene) { s.replaced(1); s.host(1, vantage.PortOpen) },
			want: stop, code: migration.CodeGhostHost,
		},
		{
			name: "the host comes up while the pod serves", set: func(s *scene) { s.reverting(1); s.host(1, vantage.PortOpen) },
			want: stop, code: migration.CodeGhostHost,
		},
		{name: "prove while the pod serves", set: func(s *scene) { s.reverting(1); s.host(1, vantage.PortClosed) }, want: do, step: migration.StepProveBefore},
		{
			name: "another voter is down: the pod goes on",
			set:  func(s *scene) { s.reverting(1); s.host(1, vantage.PortClosed); s.down(2) },
			want: wait, code: migration.CodeDegraded,
		},
		{
			name: "then close the gate",
			set: func(s *scene) {
				s.reverting(1).Before = s.proof(epoch, counter, 0, true)
				s.host(1, vantage.PortClosed)
			},
			want: do, step: migration.StepCloseGate,
		},
		{
			name: "a pod that does not serve: the others prove that they can spare it",
			set:  func(s *scene) { s.reverting(1); s.host(1, vantage.PortClosed); s.down(1) },
			want: do, step: migration.StepProveBefore, says: "servers 2, 3",
		},
		{
			name: "a pod whose container does not run is given up without the first proof",
			set: func(s *scene) {
				s.reverting(1)
				s.host(1, vantage.PortClosed)
				s.down(1)
				s.down(2)
				s.view(1).Cluster.Pod.Container = migration.ContainerDown
			},
			want: do, step: migration.StepCloseGate,
		},
		{
			name: "a container that does not run by an old word of its node, and nobody refuses at its address",
			set: func(s *scene) {
				s.reverting(1)
				s.hidden(1)
				s.host(1, vantage.PortClosed)
				s.down(2)
				s.view(1).Cluster.Pod.Container = migration.ContainerDown
			},
			want: wait, code: migration.CodeDegraded, says: "the pod goes on",
		},
		{
			name: "a pod that is being deleted on a node that does not report",
			set: func(s *scene) {
				s.reverting(1)
				s.hidden(1)
				s.host(1, vantage.PortClosed)
				s.down(2)
				s.view(1).Cluster.Pod.Terminating, s.view(1).Cluster.Pod.NodeLost = true, true
			},
			want: wait, code: migration.CodeDegraded, says: "the pod goes on",
		},
		{
			name: "the end does not wait for one whose conf does not come", set: func(s *scene) {
				f := s.backAtHost(1)
				f.Unfenced, f.Released, f.Joined = yes(), ago(time.Minute), s.proof(epoch, counter, time.Minute, true)
				s.host(1, vantage.PortOpen)
				s.serve(1)
				s.view(2).Live.ConfUnread = true
				s.view(3).Live.SyncedFollowers = -1
			},
			want: do, step: migration.StepFinishRevert,
		},
		{name: "bridge", set: func(s *scene) { s.closed(1) }, want: do, step: migration.StepBridge},
		{
			name: "somebody opened the gate again", set: func(s *scene) { s.closed(1); s.view(1).Cluster.Gate.Released = true },
			want: do, step: migration.StepCloseGate,
		},
		{name: "then the selector", set: func(s *scene) { s.rebridged(1) }, want: do, step: migration.StepClearSelector},
		{
			name: "with Endpoints the selector at once",
			set:  func(s *scene) { s.o.Record.EndpointsAPI = migration.LegacyEndpoints; s.closed(1) },
			want: do, step: migration.StepClearSelector,
		},
		{
			name: "the tool died before it noted when the selector went",
			set:  func(s *scene) { s.unselected(1).Cleared = nil },
			want: do, step: migration.StepClearSelector,
		},
		{
			name: "then what the controllers left behind",
			set:  func(s *scene) { s.unselected(1); s.view(1).Cluster.Endpoints.Leftovers = []string{"demo-1-abcde"} },
			want: do, step: migration.StepDeleteLeftovers, says: "demo-1-abcde",
		},
		{
			name: "a controller may write once more", set: func(s *scene) { s.unselected(1).Cleared = ago(0) },
			want: wait, code: migration.CodeHold,
		},
		{name: "then the address", set: func(s *scene) { s.unselected(1) }, want: do, step: migration.StepFlipBack},
		{
			name: "the address is written and not in force",
			set: func(s *scene) {
				s.flippedBack(1)
				s.view(1).Cluster.Endpoints.Union = []string{"10.0.0.1", "10.244.0.1"}
			},
			want: wait, code: migration.CodeAdoptPending,
		},
		{name: "delete the pod", set: func(s *scene) { s.flippedBack(1) }, want: do, step: migration.StepDeletePod},
		{
			name: "another voter dropped and the leader counts on the pod",
			set:  func(s *scene) { s.flippedBack(1); s.down(1); s.down(2); s.view(3).Live.SyncedFollowers = 1 },
			want: wait, code: migration.CodeDegraded, says: "the pod goes on",
		},
		{
			name: "another voter dropped and the pod leads",
			set: func(s *scene) {
				s.flippedBack(1)
				s.leader(1)
				s.down(1)
				s.down(2)
			},
			want: wait, code: migration.CodeDegraded, says: "the pod goes on",
		},
		{
			name: "another voter dropped and nobody counts on the pod",
			set:  func(s *scene) { s.flippedBack(1); s.down(1); s.down(2); s.view(3).Live.SyncedFollowers = 0 },
			want: wait, code: migration.CodeDegraded,
		},
		{
			name: "the StatefulSet has not made a new one", set: func(s *scene) { s.reclaimed(1); *pod(s) = migration.PodView{} },
			want: wait, code: migration.CodePodStopping,
		},
		{
			name: "the new pod may have read an old gate", set: func(s *scene) { s.reclaimed(1); pod(s).Report.Generation = 2 },
			want: wait, code: migration.CodePodStopping,
		},
		{
			name: "the new pod is of an earlier template and cannot report",
			set: func(s *scene) {
				s.reclaimed(1)
				pod(s).Report.State, pod(s).Source.Pod.Outdated = migration.GateUnknown, true
			},
			want: do, step: migration.StepDeletePod,
		},
		{
			name: "the new pod has not reported yet", set: func(s *scene) { s.reclaimed(1); pod(s).Report.State = migration.GateUnknown },
			want: wait, code: migration.CodePodStopping,
		},
		{
			name: "the new pod started all the same", set: func(s *scene) { s.reclaimed(1); pod(s).Report.State = migration.GateStarted },
			want: do, step: migration.StepDeletePod,
		},
		{
			name: "put back from the middle of a revert: the gate is open again",
			set: func(s *scene) {
				s.backAtHost(1)
				s.view(1).Cluster.Gate.Released = true
			},
			want: do, step: migration.StepBeginRevert, says: "nothing it has proven holds",
		},
		{
			name: "put back from the middle of a revert: the pod has been there and is parked again",
			set:  func(s *scene) { s.backAtHost(1).Gate = 1 },
			want: do, step: migration.StepBeginRevert, says: "nothing it has proven holds",
		},
		{name: "its gate is as it was when the pod was gone", set: func(s *scene) { s.backAtHost(1).Gate = 3 }, want: do, step: migration.StepUnmaskHost},
		{
			name: "put back from the middle of a revert: its host runs, beside nothing",
			set: func(s *scene) {
				f := s.turnable()
				f.DeadSince, f.StopAsked = nil, nil
				s.host(1, vantage.PortOpen)
			},
			want: do, step: migration.StepNoteDead,
		},
		{
			name: "its host runs already: another voter is away, and nobody waits for it",
			set: func(s *scene) {
				s.reclaimed(1)
				s.host(1, vantage.PortOpen)
				s.down(2)
			},
			want: do, step: migration.StepUnmaskHost,
		},
		{
			name: "begun when nothing had run in the pod, and its gate is open",
			set: func(s *scene) {
				s.flight(migration.Revert, 1)
				s.view(1).Cluster.Gate.Released = true
			},
			want: do, step: migration.StepBeginRevert, says: "nothing it has proven holds",
		},
		{
			name: "begun when nothing had run in the pod, and its gate has changed since",
			set: func(s *scene) {
				s.flight(migration.Revert, 1).Gate = 7
				s.host(1, vantage.PortClosed)
			},
			want: do, step: migration.StepBeginRevert, says: "nothing it has proven holds",
		},
		{
			name: "the same, and the host never stopped",
			set:  func(s *scene) { s.flight(migration.Revert, 1).Gate = 7 },
			want: do, step: migration.StepClearSelector,
		},
		{name: "gone: noted", set: func(s *scene) { s.reclaimed(1).DeadSince = nil }, want: do, step: migration.StepNoteDead},
		{name: "gone: prove on the others", set: func(s *scene) { s.reclaimed(1) }, want: do, step: migration.StepProveAfter},
		{
			name: "an election since the first proof is no dead end",
			set:  func(s *scene) { s.reclaimed(1).Before = s.proof(epoch-1, counter, time.Minute, true) },
			want: do, step: migration.StepProveAfter,
		},
		{name: "another voter drops", set: func(s *scene) { s.reclaimed(1); s.down(2) }, want: wait, code: migration.CodeDegraded},
		{
			name: "its pod led, and the others elect", set: func(s *scene) { s.electing(s.reclaimed(1)).WasLeader = true },
			want: wait, code: migration.CodeElecting, says: "server 1 led: the others elect a new leader",
		},
		{
			name: "its pod did not lead, and the others have no quorum", set: func(s *scene) { s.electing(s.reclaimed(1)) },
			want: wait, code: migration.CodeDegraded,
		},
		{
			name: "the disks of the others get their time", ids: []ensemble.ID{1, 2, 3, 4, 5}, set: func(s *scene) { s.backAtHost(1).After.At = t0() },
			want: wait, code: migration.CodeHold,
		},
		{
			name: "of three voters both others have it on theirs", set: func(s *scene) { s.backAtHost(1).After.At = t0() },
			want: do, step: migration.StepUnmaskHost,
		},
		{
			name: "kube-proxy is late: another server still answers at its address",
			set: func(s *scene) {
				f := s.backAtHost(1)
				f.Unfenced, f.Released = yes(), ago(time.Second)
				s.host(1, vantage.PortOpen)
				s.serve(1)
				s.view(1).Live.ServerID = ensemble.ID(3).Known()
			},
			want: wait, code: migration.CodeWrongServer, says: "check demo",
		},
		{name: "then unmask", set: func(s *scene) { s.backAtHost(1); s.host(1, vantage.PortClosed) }, want: do, step: migration.StepUnmaskHost},
		{
			name: "then start",
			set: func(s *scene) {
				s.backAtHost(1).Unfenced = yes()
				s.host(1, vantage.PortClosed)
			},
			want: do, step: migration.StepStartHost,
		},
		{
			name: "started, not there yet",
			set: func(s *scene) {
				f := s.backAtHost(1)
				f.Unfenced, f.Released = yes(), ago(time.Second)
				s.host(1, vantage.PortClosed)
			},
			want: wait, code: migration.CodeHostStarting,
		},
		{
			name: "started, not there after a while: ask again",
			set: func(s *scene) {
				f := s.backAtHost(1)
				f.Unfenced, f.Released = yes(), ago(migration.AskAgain)
				s.host(1, vantage.PortClosed)
			},
			want: do, step: migration.StepStartHost,
		},
		{
			name: "back: prove",
			set: func(s *scene) {
				f := s.backAtHost(1)
				f.Unfenced, f.Released = yes(), ago(time.Second)
				s.host(1, vantage.PortOpen)
				s.serve(1)
			},
			want: do, step: migration.StepProveJoined,
		},
		{
			name: "back and held: done",
			set: func(s *scene) {
				f := s.backAtHost(1)
				f.Unfenced, f.Released, f.Joined = yes(), ago(time.Minute), s.proof(epoch, counter, time.Minute, true)
				s.host(1, vantage.PortOpen)
				s.serve(1)
			},
			want: do, step: migration.StepFinishRevert,
		},
		{
			name: "back, and another's Service still leads to it: that one is set right next",
			set: func(s *scene) {
				f := s.backAtHost(1)
				f.Unfenced, f.Released, f.Joined = yes(), ago(time.Minute), s.proof(epoch, counter, time.Minute, true)
				f.Joined.Complete = false
				s.host(1, vantage.PortOpen)
				s.serve(1)
				s.view(2).Live.ServerID = ensemble.ID(1).Known()
			},
			want: do, step: migration.StepNoteJoined,
		},
		{
			name: "never served: no proof is asked for",
			set: func(s *scene) {
				s.unbridged(1)
				s.flight(migration.Revert, 1).Fenced = yes()
				s.down(2)
			},
			want: do, step: migration.StepBridge,
		},
		{
			name: "never stopped: the mask goes all the same",
			set: func(s *scene) {
				f := s.flight(migration.Revert, 1)
				f.Fenced, f.Cleared = yes(), ago(0)
			},
			want: do, step: migration.StepUnmaskHost,
		},
		{
			name: "started by hand: so does it",
			set: func(s *scene) {
				s.backAtHost(1)
				s.host(1, vantage.PortOpen)
				s.serve(1)
			},
			want: do, step: migration.StepUnmaskHost,
		},
		{
			name: "never served, the host is up already",
			set: func(s *scene) {
				s.flight(migration.Revert, 1).Cleared = ago(0)
			},
			want: do, step: migration.StepNoteStarted,
		},
		{
			name: "never served, no selector: the Service is written all the same, against overtaken writers",
			set:  func(s *scene) { s.flight(migration.Revert, 1) },
			want: do, step: migration.StepClearSelector,
		},
	}
	for i := range rules {
		rules[i].kind = migration.Revert
	}
	return rules
}

func TestRevert(t *testing.T) { checkAll(t, revertRules()) }
