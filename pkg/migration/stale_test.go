package migration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestProofsAreVoidWhenThePodRunsAgain: what was proven while the pod was parked
// says nothing of what it acknowledged since.
func TestProofsAreVoidWhenThePodRunsAgain(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	f := s.backAtHost(1)
	f.Unfenced, f.Released = yes(), ago(time.Second)
	s.host(1, vantage.PortClosed)
	s.view(1).Cluster.Pod.Report.State = migration.GateStarted
	d := migration.Decide(migration.Intent{Kind: migration.Revert, ID: 1, By: "bob"}, s.o)
	if d.Step != migration.StepDeletePod {
		t.Fatalf("got %s %s, want its pod deleted", d.Step, d.Reason)
	}
	if g := d.Flight; g.After != nil || g.DeadSince != nil || g.DeadReport != nil || g.Released != nil {
		t.Errorf("kept: %+v", g)
	}
}

// TestTheGateIsNoted: a journal that is put back later is held against it.
func TestTheGateIsNoted(t *testing.T) {
	for name, c := range map[string]struct {
		kind migration.FlightKind
		set  func(s *scene)
	}{
		"a restart":                            {migration.Reconfigure, func(s *scene) { s.server(1).Reconfigured = nil }},
		"a replacement":                        {migration.Replace, func(*scene) {}},
		"a revert of one that never ran":       {migration.Revert, func(s *scene) { s.stopAsked(1) }},
		"a revert whose pod is gone":           {migration.Revert, func(s *scene) { s.reclaimed(1).DeadSince = nil }},
		"a revert that only the journal needs": {migration.Revert, func(s *scene) { at := *ago(time.Hour); s.server(1).Replaced = &at }},
		"one that was turned back, and its host may have run": {migration.Replace, func(s *scene) {
			s.returning()
			s.host(1, vantage.PortOpen)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.4.13", 1, 2, 3)
			c.set(s)
			d := migration.Decide(migration.Intent{Kind: c.kind, ID: 1, By: "bob"}, s.o)
			if want := s.view(1).Cluster.Gate.Generation; d.Flight == nil || d.Flight.Gate != want {
				t.Errorf("%s %q: %+v, want gate %d", d.Step, d.Reason, d.Flight, want)
			}
		})
	}
}

// TestALeaderIsOneThatWasSeenToLead: after its stop the others are given the time
// of an election, and the election is no surprise. Both must hold for nobody else,
// so each step asks anew: who led when the operation began may follow by its stop.
func TestALeaderIsOneThatWasSeenToLead(t *testing.T) {
	restarting := func(s *scene) *migration.Flight {
		for i := range s.o.Record.Servers {
			s.o.Record.Servers[i].Reconfigured = nil
		}
		s.server(2).Reconfigured, s.server(3).Reconfigured = yes(), yes()
		return s.flight(migration.Reconfigure, 1)
	}
	last := func(s *scene) { s.replaced(2); s.replaced(3) }
	for name, c := range map[string]struct {
		kind migration.FlightKind
		set  func(s *scene)
		step migration.StepID
	}{
		"a replacement begins": {migration.Replace, last, migration.StepBegin},
		"a replacement's stop": {migration.Replace, func(s *scene) {
			last(s)
			f := s.flight(migration.Replace, 1)
			f.Fenced, f.Before = yes(), s.proof(epoch, counter, 0, true)
		}, migration.StepStopHost},
		"a revert begins":           {migration.Revert, func(s *scene) { s.replaced(1); s.host(1, vantage.PortClosed) }, migration.StepBeginRevert},
		"a replacement is given up": {migration.Revert, func(s *scene) { s.stopAsked(1) }, migration.StepBeginRevert},
		"a revert's stop": {migration.Revert, func(s *scene) {
			s.reverting(1).Before = s.proof(epoch, counter, 0, true)
			s.host(1, vantage.PortClosed)
		}, migration.StepCloseGate},
		"a restart begins": {migration.Reconfigure, func(s *scene) { restarting(s); s.o.Record.Flight = nil }, migration.StepBeginRestart},
		"a restart's stop": {migration.Reconfigure, func(s *scene) {
			f := restarting(s)
			f.Patched, f.Before = yes(), s.proof(epoch, counter, 0, true)
		}, migration.StepStopHost},
	} {
		for _, leads := range []ensemble.ID{1, 3} {
			t.Run(fmt.Sprintf("%s, server %d leads", name, leads), func(t *testing.T) {
				s := healthy("3.8.0", 1, 2, 3)
				c.set(s)
				if f := s.o.Record.Flight; f != nil {
					f.WasLeader = leads != 1
				}
				s.leader(leads)
				d := migration.Decide(migration.Intent{Kind: c.kind, ID: 1, By: "bob"}, s.o)
				if d.Step != c.step || d.Flight == nil {
					t.Fatalf("%s %s %s: %s", d.Kind, d.Code, d.Step, d.Reason)
				}
				if d.Flight.WasLeader != (leads == 1) {
					t.Errorf("%s notes that server 1 led: %t", d.Step, d.Flight.WasLeader)
				}
			})
		}
	}
	// Where nobody was seen to lead, the one that goes is not taken for the leader.
	s := healthy("3.8.0", 1, 2, 3)
	s.replaced(1)
	s.host(1, vantage.PortClosed)
	s.electing(nil)
	s.unseen(1)
	d := migration.Decide(migration.Intent{Kind: migration.Revert, ID: 1, By: "bob"}, s.o)
	if d.Step != migration.StepBeginRevert || d.Flight.WasLeader {
		t.Errorf("%s %s: %s (%+v)", d.Code, d.Step, d.Reason, d.Flight)
	}
}

// TestAClosedGateAndOneThatIsBack: of a backup that was put back, one server's gate is
// closed and its Service unselected, another one's address is its host's again. What was
// taken away from the first is written first, and then the other one may go back.
func TestAClosedGateAndOneThatIsBack(t *testing.T) {
	s := healthy("3.4.13", 1, 2, 3)
	s.replaced(1)
	s.replaced(2)
	s.host(1, vantage.PortClosed)
	s.host(2, vantage.PortClosed)
	s.server(1).Release = &migration.Release{Generation: 3, Start: migration.EmptyStart("u-1")}
	first := &s.view(1).Cluster
	first.Gate.Released, first.Service.Selector = false, ""
	first.Endpoints = migration.EndpointsView{BridgeFound: true, Bridge: []string{first.Pod.IP}, BridgePodUID: first.Pod.UID, Union: []string{first.Pod.IP}}
	second := s.server(2)
	s.view(2).Cluster.Service.Selector = ""
	s.view(2).Cluster.Endpoints = migration.EndpointsView{BridgeFound: true, Bridge: []string{second.HostIP}, Union: []string{second.HostIP}}
	s.down(2)

	next := migration.Next(s.o)
	if want := "kubectl zkmigrate replace demo --id=1 -n zk"; next != want {
		t.Fatalf("next: %s, want %s", next, want)
	}
	if d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}, s.o); d.Step != migration.StepAdopt {
		t.Errorf("replace 1: %s %s: %s", d.Kind, d.Step, d.Reason)
	}
	first.Service.Selector = first.Pod.Name
	first.Endpoints = migration.EndpointsView{Controller: []string{first.Pod.IP}, Union: []string{first.Pod.IP}}
	if d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}, s.o); d.Step != migration.StepRestoreGate {
		t.Errorf("then: %s %s: %s", d.Kind, d.Step, d.Reason)
	}
}

// TestAServerThatServesOnlyInItsPodIsNotBack: its address is its host's again by a backup
// that was put back, and its pod, which is on its way out, still answers. It is not settled
// on its host, and no other server goes back before it: two would be away, and each revert
// would send to the other.
func TestAServerThatServesOnlyInItsPodIsNotBack(t *testing.T) {
	s := healthy("3.4.13", 1, 2, 3)
	for _, id := range []ensemble.ID{1, 2} {
		s.replaced(id)
		s.host(id, vantage.PortClosed)
	}
	first := s.view(1)
	host := s.server(1).HostIP
	first.Cluster.Gate.Released, first.Cluster.Service.Selector = false, ""
	first.Cluster.Endpoints = migration.EndpointsView{BridgeFound: true, Bridge: []string{host}, Union: []string{host}}
	first.AtPod = first.Live
	s.down(1)

	d := migration.Decide(migration.Intent{Kind: migration.Revert, ID: 2, By: "bob"}, s.o)
	if want := "kubectl zkmigrate revert demo --id=1 -n zk"; d.Kind != migration.Stop || d.Next != want {
		t.Errorf("revert 2: %s %s: %s; next: %s", d.Kind, d.Code, d.Reason, d.Next)
	}
	if d := migration.Decide(migration.Intent{Kind: migration.Revert, ID: 1, By: "bob"}, s.o); d.Kind == migration.Stop {
		t.Errorf("revert 1: %s %s: %s", d.Kind, d.Code, d.Reason)
	}
}
