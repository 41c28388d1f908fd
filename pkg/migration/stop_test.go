package migration_test

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func stopRules() []rule {
	return []rule{
		{
			name: "asked from the node of its own pod: nothing is stopped",
			set: func(s *scene) {
				s.flight(migration.Replace, 1)
				s.o.From = vantage.Point{Pod: "probe", Node: s.view(1).Cluster.Pod.Node}
			},
			want: wait, code: migration.CodeSecondVantage, says: "nothing has been stopped",
		},
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
				s.view(1).Host.Client = vantage.PortClosed
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
				s.host(1, vantage.PortClosed)
				s.down(1)
			},
			want: wait, code: migration.CodeStoppedTooEarly, says: "start the server again",
		},
		{
			name: "the same, and its gate has changed since: its pod may have run",
			set: func(s *scene) {
				s.flight(migration.Replace, 1).Gate = 7
				s.host(1, vantage.PortClosed)
				s.down(1)
			},
			want: stop, code: migration.CodeJournalDisagrees, says: "revert demo --id=1",
		},
		{
			name: "nothing was released, and ZooKeeper runs in the pod",
			set:  func(s *scene) { s.dead(1); s.view(1).Cluster.Pod.Report.State = migration.GateStarted },
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
				s.host(1, vantage.PortClosed)
				s.down(1)
			},
			want: do, step: migration.StepRestartProof,
		},
		{
			name: "it came back after it was seen dead, all proofs go",
			set:  func(s *scene) { s.proven(1); s.host(1, vantage.PortOpen) },
			want: do, step: migration.StepRestartProof,
		},
		{
			name: "it came back after the flip", set: func(s *scene) { s.unbridged(1); s.host(1, vantage.PortOpen) },
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
			name: "its pod's report is old", set: func(s *scene) { s.flight(migration.Replace, 1); s.view(1).Cluster.Pod.Report.Fresh = false },
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
