package migration_test

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func flipRules() []rule {
	return []rule{
		{
			name: "silence is no death", set: func(s *scene) { s.stopAsked(1); s.down(1); s.host(1, vantage.PortSilent) },
			want: wait, code: migration.CodeHostSilent, says: "look alike",
		},
		{
			name: "one closed port is no death",
			set: func(s *scene) {
				s.stopAsked(1)
				s.down(1)
				s.view(1).Host = migration.HostView{Client: vantage.PortClosed, Election: vantage.PortSilent}
			},
			want: wait, code: migration.CodeHostSilent,
		},
		{
			name: "dead and not fenced", set: func(s *scene) { s.dead(1).Fenced = nil }, want: do, step: migration.StepMaskHost,
		},
		{name: "its death is noted", set: func(s *scene) { s.dead(1).DeadSince = nil }, want: do, step: migration.StepNoteDead},
		{
			name: "the pod does not see it dead", set: func(s *scene) { s.dead(1); s.view(1).Cluster.Pod.Report.HostClosedFor = nil },
			want: wait, code: migration.CodeSecondVantage,
		},
		{
			name: "the pod's report is older than the stop",
			set: func(s *scene) {
				at := s.view(1).Cluster.Pod.Report.At
				s.dead(1).ReportAtStop = &at
			},
			want: wait, code: migration.CodeSecondVantage,
		},
		{
			name: "the pod reports no more", set: func(s *scene) { s.dead(1); s.view(1).Cluster.Pod.Report.Fresh = false },
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
		{
			name: "seen dead twice from one node",
			set:  func(s *scene) { s.dead(1); s.o.From = vantage.Point{Pod: "probe", Node: s.view(1).Cluster.Pod.Node} },
			want: wait, code: migration.CodeSecondVantage, says: "alone",
		},
		{
			name: "seen dead from two nodes",
			set:  func(s *scene) { s.dead(1); s.o.From = vantage.Point{Pod: "probe", Node: "another"} },
			want: do, step: migration.StepProveAfter,
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
			name: "the disks of the others get their time", ids: []ensemble.ID{1, 2, 3, 4, 5}, set: func(s *scene) { s.unbridged(1).After.At = t0() },
			want: wait, code: migration.CodeHold,
		},
		{
			name: "of three voters both others have it on theirs", set: func(s *scene) { s.unbridged(1).After.At = t0() },
			want: do, step: migration.StepRelease,
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

// TestNothingOpensTheGateUnproven: whatever was reached, the host's server coming back, or
// another voter going, never lets the gate open.
func TestNothingOpensTheGateUnproven(t *testing.T) {
	breaks := map[string]func(*scene, *migration.Flight){
		"the host is up again":        func(s *scene, _ *migration.Flight) { s.host(1, vantage.PortOpen) },
		"the host is silent":          func(s *scene, _ *migration.Flight) { s.host(1, vantage.PortSilent) },
		"the host was not asked":      func(s *scene, _ *migration.Flight) { s.host(1, vantage.PortUnknown) },
		"another voter is down":       func(s *scene, _ *migration.Flight) { s.down(2) },
		"another voter lags":          func(s *scene, _ *migration.Flight) { s.view(2).Live.Zxid = zxid(epoch, 1) },
		"another voter is of old":     func(s *scene, _ *migration.Flight) { s.view(2).Live.Zxid = zxid(epoch-1, counter) },
		"nobody leads":                func(s *scene, _ *migration.Flight) { s.view(3).Live.Mode = ensemble.Follower },
		"no fence":                    func(_ *scene, f *migration.Flight) { f.Fenced = nil },
		"no proof on n":               func(_ *scene, f *migration.Flight) { f.Before = nil },
		"no stop asked for":           func(_ *scene, f *migration.Flight) { f.StopAsked = nil },
		"no proof on the others":      func(_ *scene, f *migration.Flight) { f.After = nil },
		"the proof is not complete":   func(_ *scene, f *migration.Flight) { f.After.Complete = false },
		"the pod sees the host up":    func(s *scene, _ *migration.Flight) { s.view(1).Cluster.Pod.Report.HostClosedFor = nil },
		"the pod does not report":     func(s *scene, _ *migration.Flight) { s.view(1).Cluster.Pod.Report.Fresh = false },
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
