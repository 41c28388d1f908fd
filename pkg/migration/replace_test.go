package migration_test

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func startRules() []rule {
	five := []ensemble.ID{1, 2, 3, 4, 5}
	return []rule{
		{name: "all well, begin", want: do, step: migration.StepBegin},
		{name: "gaps in the ids", ids: []ensemble.ID{2, 5, 9}, id: 5, want: do, step: migration.StepBegin},
		{name: "five servers", ids: five, id: 4, want: do, step: migration.StepBegin},
		{name: "on 3.4 alike", version: "3.4.13", want: do, step: migration.StepBegin},
		{
			name: "the pods are to be made differently", set: func(s *scene) {
				p := &s.view(1).Cluster.Pod
				p.Running, p.Problem, p.Outdated, p.SetOutdated = false, "image cannot be pulled", true, true
			},
			want: do, step: migration.StepPark,
		},
		{
			name: "and a pod from before that goes", set: func(s *scene) { s.view(1).Cluster.Pod.Outdated = true },
			want: do, step: migration.StepRemakePods,
		},
		{
			name: "it is going", set: func(s *scene) { s.view(1).Cluster.Pod.Outdated, s.view(1).Cluster.Pod.Terminating = true, true },
			want: wait, code: migration.CodePodNotParked,
		},
		{name: "already replaced", set: func(s *scene) { s.replaced(1) }, want: done, code: migration.CodeDone},
		{
			name: "a server was not seen with the new list", set: func(s *scene) { s.server(2).Reconfigured = nil },
			want: stop, code: migration.CodeNotReconfigured, says: "reconfigure demo --verify",
		},
		{name: "another server is down: its host", set: func(s *scene) { s.down(2); s.view(2).Cluster.Pod.NeverStarted = true }, want: stop, code: migration.CodeDegraded, says: "on host 10.0.0.2: start the server"},
		{name: "another server is down, and runs on its host since", set: func(s *scene) { s.down(2); s.view(2).Cluster.Pod.Outlived = true }, want: stop, code: migration.CodeDegraded, says: "on host 10.0.0.2: start the server"},
		{name: "another server is down, and its pod has data", set: func(s *scene) { s.down(2) }, want: stop, code: migration.CodeDegraded, says: "revert demo --id=2"},
		{name: "another server is down", set: func(s *scene) { s.down(2) }, want: stop, code: migration.CodeDegraded, says: "server 2"},
		{
			name: "another server answers without a quorum",
			set:  func(s *scene) { s.view(2).Live = migration.Sighting{Reach: migration.ReachNotServing} },
			want: stop, code: migration.CodeDegraded, says: "takes part in no quorum",
		},
		{
			name: "another server is read-only", set: func(s *scene) { s.view(2).Live.Mode = ensemble.ReadOnly },
			want: stop, code: migration.CodeDegraded,
		},
		{
			name: "two Services swapped", set: func(s *scene) { s.view(1).Live.ServerID, s.view(2).Live.ServerID = 2, 1 },
			want: stop, code: migration.CodeWrongServer, says: "the Service of server 1 is answered by server 2",
		},
		{name: "nobody leads", set: func(s *scene) { s.view(3).Live.Mode = ensemble.Follower }, want: stop, code: migration.CodeNoLeader},
		{name: "two lead", set: func(s *scene) { s.view(2).Live.Mode = ensemble.Leader }, want: stop, code: migration.CodeNoLeader},
		{name: "a refused version", version: "3.9.3", want: stop, code: migration.CodeVersionRefused, says: "ZOOKEEPER-4925"},
		{name: "3.5.8", version: "3.5.8", want: stop, code: migration.CodeVersionRefused, says: "3.5.9"},
		{name: "3.5.9", version: "3.5.9", want: do, step: migration.StepBegin},
		{
			name: "a refused version, waived by name", version: "3.9.3",
			set:  func(s *scene) { s.o.Record.Waivers = []migration.Waiver{{Check: migration.WaiverVersion}} },
			want: do, step: migration.StepBegin,
		},
		{
			name: "a waiver does not waive a proof", version: "3.9.3",
			set: func(s *scene) {
				s.o.Record.Waivers = []migration.Waiver{{Check: migration.WaiverVersion}}
				s.down(2)
			},
			want: stop, code: migration.CodeDegraded,
		},
		{
			name: "the leader forwards to too few", set: func(s *scene) { s.view(3).Live.SyncedFollowers = 1 },
			want: stop, code: migration.CodeNotSynced, says: "1 of 2",
		},
		{
			name: "the leader does not say", set: func(s *scene) { s.view(3).Live.SyncedFollowers = -1 }, want: do, step: migration.StepBegin,
		},
		{name: "two voters", ids: []ensemble.ID{1, 2}, want: stop, code: migration.CodeQuorumAtRisk},
		{
			name: "one group too small without it", ids: five,
			set: func(s *scene) {
				for _, id := range five {
					s.server(id).Group = int(id) % 2
				}
				s.server(1).Weight = 3
			},
			want: stop, code: migration.CodeQuorumAtRisk,
		},
		{
			name: "a server without weight is no loss", ids: five, set: func(s *scene) { s.server(1).Weight = 0 },
			want: do, step: migration.StepBegin,
		},
		{name: "the leader goes last", id: 3, want: stop, code: migration.CodeLeaderLast, says: "replace demo --id=1"},
		{
			name: "the leader goes when the others have gone", id: 3,
			set: func(s *scene) {
				s.replaced(1)
				s.replaced(2)
				s.leader(3)
			},
			want: do, step: migration.StepBegin,
		},
		{
			name: "observers do not hold the leader up", ids: []ensemble.ID{1, 2, 3, 4}, id: 3,
			set: func(s *scene) {
				s.observer(4, 3)
				s.replaced(1)
				s.replaced(2)
				s.leader(3)
			},
			want: do, step: migration.StepBegin,
		},
		{name: "an observer goes alike", ids: []ensemble.ID{1, 2, 3, 4}, id: 4, set: func(s *scene) { s.observer(4, 3) }, want: do, step: migration.StepBegin},
		{
			name: "the counter is near its end",
			set: func(s *scene) {
				for i := range s.o.Servers {
					s.o.Servers[i].Live.Zxid = zxid(epoch, 0xfffffff0)
				}
			},
			want: stop, code: migration.CodeZxidOverflowNear,
		},
		{name: "no pods yet", set: func(s *scene) { s.view(1).Cluster.Pod = migration.PodView{Unmade: true} }, want: do, step: migration.StepPark},
		{
			name: "the StatefulSet makes no pod (a quota)", set: func(s *scene) { s.view(1).Cluster.Pod = migration.PodView{Name: "demo-pod-0"} },
			want: wait, code: migration.CodePodNotParked, says: "kubectl describe statefulset demo-pod -n zk",
		},
		{name: "no gate yet", set: func(s *scene) { s.view(1).Cluster.Gate = migration.GateView{} }, want: do, step: migration.StepPark},
		{
			name: "the pod cannot be scheduled",
			set: func(s *scene) {
				p := &s.view(1).Cluster.Pod
				p.Running, p.Gate, p.Problem = false, migration.GateUnknown, "0/3 nodes are available"
			},
			want: wait, code: migration.CodePodNotParked, says: "0/3 nodes",
		},
		{
			name: "the pod has not reported of late", set: func(s *scene) { s.view(1).Cluster.Pod.GateFresh = false },
			want: wait, code: migration.CodePodNotParked,
		},
		{
			name: "the pod cannot reach the host", set: func(s *scene) { s.view(1).Cluster.Pod.HostClosed = true },
			want: stop, code: migration.CodePodCannotReachHost,
		},
	}
}

func TestStart(t *testing.T) { checkAll(t, startRules()) }

func stopRules() []rule {
	return []rule{
		{name: "mask first", set: func(s *scene) { s.flight(migration.Replace, 1) }, want: do, step: migration.StepMaskHost},
		{
			name: "then prove", set: func(s *scene) { s.flight(migration.Replace, 1).Fenced = yes() }, want: do, step: migration.StepProveBefore,
		},
		{
			name: "another server lags behind the canary",
			set: func(s *scene) {
				f := s.flight(migration.Replace, 1)
				f.Fenced, f.Before = yes(), s.proof(epoch, counter-1, 0, false)
				s.view(2).Live.Zxid = zxid(epoch, counter-2)
			},
			want: wait, code: migration.CodeProofPending, says: "server 2 is at",
		},
		{
			name: "a zxid of an older epoch is no proof, however high",
			set: func(s *scene) {
				f := s.flight(migration.Replace, 1)
				f.Fenced, f.Before = yes(), s.proof(epoch, 1, 0, false)
				s.view(2).Live.Zxid = zxid(epoch-1, 0xffff)
			},
			want: wait, code: migration.CodeProofPending,
		},
		{
			name: "all hold it, noted",
			set: func(s *scene) {
				f := s.flight(migration.Replace, 1)
				f.Fenced, f.Before = yes(), s.proof(epoch, counter, 0, false)
			},
			want: do, step: migration.StepNoteBefore,
		},
		{
			name: "then stop",
			set: func(s *scene) {
				f := s.flight(migration.Replace, 1)
				f.Fenced, f.Before = yes(), s.proof(epoch, counter, 0, true)
			},
			want: do, step: migration.StepStopHost,
		},
		{
			name: "a proof of another epoch counts for nothing",
			set: func(s *scene) {
				f := s.flight(migration.Replace, 1)
				f.Fenced, f.Before = yes(), s.proof(epoch-1, counter, 0, true)
			},
			want: do, step: migration.StepProveBefore,
		},
		{
			name: "a proof grows old",
			set: func(s *scene) {
				f := s.flight(migration.Replace, 1)
				f.Fenced, f.Before = yes(), s.proof(epoch, counter, migration.ProofFresh+time.Second, true)
			},
			want: do, step: migration.StepProveBefore,
		},
		{
			name: "no leader, no proof",
			set: func(s *scene) {
				s.flight(migration.Replace, 1).Fenced = yes()
				s.view(3).Live.Mode = ensemble.Follower
			},
			want: wait, code: migration.CodeNoLeader,
		},
		{
			name: "another server drops before the stop",
			set: func(s *scene) {
				s.flight(migration.Replace, 1).Fenced = yes()
				s.down(2)
			},
			want: wait, code: migration.CodeDegraded, says: "nothing has been stopped",
		},
		{
			name: "it became the leader meanwhile",
			set: func(s *scene) {
				f := s.flight(migration.Replace, 1)
				s.leader(1)
				f.Fenced, f.Before = yes(), s.proof(epoch, counter, 0, true)
			},
			want: stop, code: migration.CodeLeaderLast, says: "nothing was stopped",
		},
		{name: "asked, still up", set: func(s *scene) { s.stopAsked(1) }, want: wait, code: migration.CodeHostStillUp, says: "10.0.0.1"},
		{
			name: "asked, its client port is closed already",
			set: func(s *scene) {
				s.stopAsked(1)
				s.down(1)
				s.view(1).Host.Client = migration.PortClosed
			},
			want: wait, code: migration.CodeHostStillUp,
		},
		{
			name: "asked again after a while", set: func(s *scene) { s.stopAsked(1).StopAsked = ago(migration.AskAgain) },
			want: do, step: migration.StepStopHost,
		},
		{
			name: "not asked again while another server is away",
			set:  func(s *scene) { s.stopAsked(1).StopAsked = ago(migration.AskAgain); s.down(2) },
			want: wait, code: migration.CodeDegraded, says: "do not stop the server now",
		},
		{
			name: "an election before the stop happened: all proofs go",
			set: func(s *scene) {
				f := s.stopAsked(1)
				f.Before.Zxid = zxid(epoch-1, counter)
			},
			want: do, step: migration.StepRestartProof,
		},
		{
			name: "not asked again without a leader",
			set: func(s *scene) {
				s.stopAsked(1).StopAsked = ago(migration.AskAgain)
				s.view(3).Live.Mode = ensemble.Follower
			},
			want: wait, code: migration.CodeNoLeader,
		},
		{
			name: "stopped before the proof", set: func(s *scene) {
				s.flight(migration.Replace, 1)
				s.host(1, migration.PortClosed)
				s.down(1)
			},
			want: wait, code: migration.CodeStoppedTooEarly, says: "start the server again",
		},
		{
			name: "the same, and its gate has changed since: its pod may have run",
			set: func(s *scene) {
				s.flight(migration.Replace, 1).Gate = 7
				s.host(1, migration.PortClosed)
				s.down(1)
			},
			want: stop, code: migration.CodeJournalDisagrees, says: "revert demo --id=1",
		},
		{
			name: "nothing was released, and ZooKeeper runs in the pod",
			set:  func(s *scene) { s.dead(1); s.view(1).Cluster.Pod.Gate = migration.GateStarted },
			want: stop, code: migration.CodeJournalDisagrees, says: "revert demo --id=1",
		},
		{
			name: "released, and the gate is closed by somebody else",
			set: func(s *scene) {
				f := s.released(1)
				f.Gate = 1
				s.view(1).Cluster.Gate = migration.GateView{Found: true, Generation: 3}
			},
			want: do, step: migration.StepAbort,
		},
		{
			name: "down before the proof, and masked: its mask counts for nothing any more",
			set: func(s *scene) {
				s.flight(migration.Replace, 1).Fenced = yes()
				s.host(1, migration.PortClosed)
				s.down(1)
			},
			want: do, step: migration.StepRestartProof,
		},
		{
			name: "it came back after it was seen dead, all proofs go",
			set:  func(s *scene) { s.proven(1); s.host(1, migration.PortOpen) },
			want: do, step: migration.StepRestartProof,
		},
		{
			name: "it came back after the flip", set: func(s *scene) { s.unbridged(1); s.host(1, migration.PortOpen) },
			want: stop, code: migration.CodeHostReturned, says: "revert demo --id=1",
		},
		{
			name: "something accepts connections after the flip", set: func(s *scene) { s.flipped(1); s.swallowed(1) },
			want: wait, code: migration.CodeUnseen, says: "see what listens",
		},
		{
			name: "something accepts connections, adopted", set: func(s *scene) { s.adopted(1); s.swallowed(1) },
			want: wait, code: migration.CodeUnseen, says: "see what listens",
		},
		{
			name: "something accepts connections, without the bridge", set: func(s *scene) { s.unbridged(1); s.swallowed(1) },
			want: wait, code: migration.CodeUnseen, says: "see what listens",
		},
		{
			name: "asked, and something accepts connections and does not answer: not asked again",
			set:  func(s *scene) { s.stopAsked(1).StopAsked = ago(migration.AskAgain); s.down(1); s.swallowed(1) },
			want: wait, code: migration.CodeUnseen, says: "revert demo --id=1",
		},
		{
			name: "its pod's node shows an older gate: refreshed",
			set:  func(s *scene) { s.flight(migration.Replace, 1); s.behind(1) },
			want: do, step: migration.StepKick,
		},
		{
			name: "its pod's node still shows an older gate",
			set:  func(s *scene) { s.flight(migration.Replace, 1).Kicked = ago(0); s.behind(1) },
			want: wait, code: migration.CodePodNotParked, says: "nothing has been stopped",
		},
		{
			name: "its pod's report is old", set: func(s *scene) { s.flight(migration.Replace, 1); s.view(1).Cluster.Pod.GateFresh = false },
			want: wait, code: migration.CodePodNotParked, says: "kubectl logs",
		},
		{
			name: "its pod's node is lost", set: func(s *scene) { s.flight(migration.Replace, 1); s.view(1).Cluster.Pod.NodeLost = true },
			want: wait, code: migration.CodePodNotParked,
		},
		{
			name: "it is on its way back already", set: func(s *scene) { s.flight(migration.Revert, 1) },
			want: stop, code: migration.CodeOneAtATime, says: "revert demo --id=1",
		},
	}
}

func TestStop(t *testing.T) { checkAll(t, stopRules()) }

func flipRules() []rule {
	return []rule{
		{
			name: "silence is no death", set: func(s *scene) { s.stopAsked(1); s.down(1); s.host(1, migration.PortSilent) },
			want: wait, code: migration.CodeHostSilent, says: "look alike",
		},
		{
			name: "one closed port is no death",
			set: func(s *scene) {
				s.stopAsked(1)
				s.down(1)
				s.view(1).Host = migration.HostView{Client: migration.PortClosed, Election: migration.PortSilent}
			},
			want: wait, code: migration.CodeHostSilent,
		},
		{
			name: "dead and not fenced", set: func(s *scene) { s.dead(1).Fenced = nil }, want: do, step: migration.StepMaskHost,
		},
		{name: "its death is noted", set: func(s *scene) { s.dead(1).DeadSince = nil }, want: do, step: migration.StepNoteDead},
		{
			name: "the pod does not see it dead", set: func(s *scene) { s.dead(1); s.view(1).Cluster.Pod.HostClosed = false },
			want: wait, code: migration.CodeSecondVantage,
		},
		{
			name: "the pod's report is older than the stop",
			set: func(s *scene) {
				at := s.view(1).Cluster.Pod.GateAt
				s.dead(1).ReportAtStop = &at
			},
			want: wait, code: migration.CodeSecondVantage,
		},
		{
			name: "the pod reports no more", set: func(s *scene) { s.dead(1); s.view(1).Cluster.Pod.GateFresh = false },
			want: wait, code: migration.CodeSecondVantage,
		},
		{
			name: "it answers at the Service's address all the same",
			set:  func(s *scene) { s.dead(1); s.serve(1); s.view(3).Live.SyncedFollowers = 1 },
			want: wait, code: migration.CodeHostStillUp, says: "10.96.0.1",
		},
		{
			name: "the leader still counts it", set: func(s *scene) { s.dead(1); s.view(3).Live.SyncedFollowers = 2 },
			want: wait, code: migration.CodeHostStillUp, says: "forwards to 2",
		},
		{name: "dead for both: prove on n-1", set: func(s *scene) { s.dead(1) }, want: do, step: migration.StepProveAfter},
		{
			name: "another voter dropped after the stop", set: func(s *scene) { s.dead(1); s.down(2) },
			want: wait, code: migration.CodeDegraded, says: "revert demo --id=1",
		},
		{
			name: "the leader dropped after the stop", set: func(s *scene) { s.dead(1); s.view(3).Live.Mode = ensemble.Follower },
			want: wait, code: migration.CodeNoLeader,
		},
		{
			name: "an election between the proofs",
			set:  func(s *scene) { s.dead(1).Before = s.proof(epoch-1, counter, time.Minute, true) },
			want: stop, code: migration.CodeElectionSinceProof, says: "revert demo --id=1",
		},
		{
			name: "the leader's own stop elects",
			set: func(s *scene) {
				f := s.dead(1)
				f.Before, f.WasLeader = s.proof(epoch-1, counter, time.Minute, true), true
			},
			want: do, step: migration.StepProveAfter,
		},
		{
			name: "the leader was stopped, and the others elect", set: func(s *scene) { s.electing(s.dead(1)).WasLeader = true },
			want: wait, code: migration.CodeElecting, says: "server 1 led: the others elect a new leader",
		},
		{
			name: "they elect for longer than an election takes",
			set: func(s *scene) {
				f := s.electing(s.dead(1))
				f.WasLeader, f.StopAsked = true, ago(migration.ElectionGrace)
			},
			want: wait, code: migration.CodeDegraded, says: "revert demo --id=1",
		},
		{
			name: "they have elected, proved, and dropped again",
			set: func(s *scene) {
				f := s.electing(s.proven(1))
				f.WasLeader, f.After.Complete = true, false
			},
			want: wait, code: migration.CodeDegraded,
		},
		{
			name: "the others have no quorum, and it was no leader who was stopped", set: func(s *scene) { s.electing(s.dead(1)) },
			want: wait, code: migration.CodeDegraded, says: "not every other voter is in sync; nothing is released",
		},
		{
			name: "one of the others lags behind the second canary",
			set: func(s *scene) {
				s.dead(1).After = s.proof(epoch, counter, 0, false)
				s.view(2).Live.Zxid = zxid(epoch, counter-1)
			},
			want: wait, code: migration.CodeProofPending,
		},
		{name: "the second canary is noted", set: func(s *scene) { s.proven(1).After.Complete = false }, want: do, step: migration.StepNoteAfter},
		{
			name: "an observer that lags is no loss", ids: []ensemble.ID{1, 2, 3, 4},
			set: func(s *scene) {
				s.observer(4, 3)
				s.proven(1)
				s.view(4).Live.Zxid = zxid(epoch, 1)
			},
			want: do, step: migration.StepFlip,
		},
		{name: "proven: flip", set: func(s *scene) { s.proven(1) }, want: do, step: migration.StepFlip},
		{
			name: "the pod is not parked any more", set: func(s *scene) { s.proven(1); s.view(1).Cluster.Pod.Terminating = true },
			want: wait, code: migration.CodePodNotParked,
		},
		{
			name: "the pod was created anew after the flip", set: func(s *scene) { s.flipped(1); s.view(1).Cluster.Pod.UID = "new" },
			want: do, step: migration.StepFlip,
		},
		{name: "flipped: adopt", set: func(s *scene) { s.flipped(1) }, want: do, step: migration.StepAdopt},
		{
			name: "adopted: wait for the controller", set: func(s *scene) { s.adopted(1); s.view(1).Cluster.Endpoints.Controller = nil },
			want: wait, code: migration.CodeAdoptPending,
		},
		{name: "the controller has it: drop the bridge", set: func(s *scene) { s.adopted(1) }, want: do, step: migration.StepDropBridge},
		{
			name: "two addresses are one too many",
			set: func(s *scene) {
				s.unbridged(1)
				s.view(1).Cluster.Endpoints.Union = []string{"10.0.0.1", "10.244.0.1"}
			},
			want: wait, code: migration.CodeAdoptPending,
		},
		{
			name: "the disks of the others get their time", set: func(s *scene) { s.unbridged(1).After.At = t0() },
			want: wait, code: migration.CodeHold,
		},
		{name: "all holds: release", set: func(s *scene) { s.unbridged(1) }, want: do, step: migration.StepRelease},
		{
			name: "with Endpoints there is no pod behind the bridge",
			set: func(s *scene) {
				s.o.Record.EndpointsAPI = migration.LegacyEndpoints
				s.flipped(1)
				s.view(1).Cluster.Endpoints.BridgePodUID = ""
			},
			want: do, step: migration.StepAdopt,
		},
		{
			name: "with Endpoints the controller takes the bridge over",
			set: func(s *scene) {
				s.o.Record.EndpointsAPI = migration.LegacyEndpoints
				s.adopted(1)
			},
			want: do, step: migration.StepRelease,
		},
	}
}

func TestFlip(t *testing.T) { checkAll(t, flipRules()) }

// TestSafeToStopAgain: whatever was reached, the host's server coming back, or
// another voter going, never lets the gate open.
func TestNothingOpensTheGateUnproven(t *testing.T) {
	breaks := map[string]func(*scene, *migration.Flight){
		"the host is up again":        func(s *scene, _ *migration.Flight) { s.host(1, migration.PortOpen) },
		"the host is silent":          func(s *scene, _ *migration.Flight) { s.host(1, migration.PortSilent) },
		"the host was not asked":      func(s *scene, _ *migration.Flight) { s.host(1, migration.PortUnknown) },
		"another voter is down":       func(s *scene, _ *migration.Flight) { s.down(2) },
		"another voter lags":          func(s *scene, _ *migration.Flight) { s.view(2).Live.Zxid = zxid(epoch, 1) },
		"another voter is of old":     func(s *scene, _ *migration.Flight) { s.view(2).Live.Zxid = zxid(epoch-1, counter) },
		"nobody leads":                func(s *scene, _ *migration.Flight) { s.view(3).Live.Mode = ensemble.Follower },
		"no fence":                    func(_ *scene, f *migration.Flight) { f.Fenced = nil },
		"no proof on n":               func(_ *scene, f *migration.Flight) { f.Before = nil },
		"no stop asked for":           func(_ *scene, f *migration.Flight) { f.StopAsked = nil },
		"no proof on the others":      func(_ *scene, f *migration.Flight) { f.After = nil },
		"the proof is not complete":   func(_ *scene, f *migration.Flight) { f.After.Complete = false },
		"the pod sees the host up":    func(s *scene, _ *migration.Flight) { s.view(1).Cluster.Pod.HostClosed = false },
		"the pod does not report":     func(s *scene, _ *migration.Flight) { s.view(1).Cluster.Pod.GateFresh = false },
		"the address is the host's":   func(s *scene, _ *migration.Flight) { s.view(1).Cluster.Endpoints.Union = []string{"10.0.0.1"} },
		"an election since the proof": func(_ *scene, f *migration.Flight) { f.Before.Zxid = zxid(epoch-1, counter) },
	}
	for name, breakIt := range breaks {
		s := healthy("3.4.13", 1, 2, 3)
		breakIt(s, s.unbridged(1))
		if d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1}, s.o); d.Step == migration.StepRelease {
			t.Errorf("%s, and still: %s", name, d.Reason)
		}
	}
}

// TestDisksGetTheirTimeFromTheLastHolder: a follower that lagged shows the
// canary long after it was committed; its disk has just begun then.
func TestDisksGetTheirTimeFromTheLastHolder(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3, 4, 5)
	s.dead(1).After = s.proof(epoch, counter-5, 20*time.Second, false)
	d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1}, s.o)
	if d.Step != migration.StepNoteAfter || d.Flight.After == nil || !d.Flight.After.At.Equal(t0()) {
		t.Errorf("%s: the hold must count from %s, not from the write", d.Step, t0())
	}
}
