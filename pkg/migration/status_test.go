package migration_test

import (
	"fmt"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestStatusSaysWhatHelps: where journal and world disagree, status prints what
// sets that right, not the next server's turn.
func TestStatusSaysWhatHelps(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(s *scene)
		next string
	}{
		"all is well":        {func(*scene) {}, "kubectl zkmigrate replace demo --id=1 -n zk"},
		"a Service is gone":  {func(s *scene) { s.view(2).Cluster.Service.Found = false }, "kubectl zkmigrate wrap demo -n zk"},
		"endpoints are gone": {func(s *scene) { s.view(2).Cluster.Endpoints = migration.EndpointsView{} }, "kubectl zkmigrate revert demo --id=2 -n zk"},
		"a gate was closed": {func(s *scene) {
			s.replaced(2)
			s.host(2, vantage.PortClosed)
			s.view(2).Cluster.Gate.Released = false
		}, "kubectl zkmigrate replace demo --id=2 -n zk"},
		"a pod does not serve":        {func(s *scene) { s.replaced(2); s.host(2, vantage.PortClosed); s.down(2) }, "kubectl zkmigrate replace demo --id=2 -n zk"},
		"a host's server is down":     {func(s *scene) { s.down(2); s.view(2).Cluster.Pod.Report.Volume.State = migration.VolumeUnused }, "on host 10.0.0.2: start the server (unmask its unit first if it is masked)"},
		"its pod may have newer data": {func(s *scene) { s.down(2) }, "kubectl zkmigrate revert demo --id=2 -n zk"},
		"an operation goes first":     {func(s *scene) { s.started(1) }, "kubectl zkmigrate replace demo --id=1 -n zk"},
		"unless something stops it":   {func(s *scene) { s.started(1); s.view(2).Cluster.Endpoints = migration.EndpointsView{} }, "kubectl zkmigrate revert demo --id=2 -n zk"},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			c.set(s)
			if got := migration.Summarize(s.o).Next; got != c.next {
				t.Errorf("next %q, want %q", got, c.next)
			}
		})
	}
}

// TestPhaseOfAnOperation: status names the part of the operation that it has come to.
func TestPhaseOfAnOperation(t *testing.T) {
	for want, begin := range map[string]func(s *scene) *migration.Flight{
		"replace: prove":    func(s *scene) *migration.Flight { return s.flight(migration.Replace, 1) },
		"replace: stop":     func(s *scene) *migration.Flight { return s.stopAsked(1) },
		"replace: re-prove": func(s *scene) *migration.Flight { return s.dead(1) },
		"replace: flip":     func(s *scene) *migration.Flight { return s.flipped(1) },
		"replace: release":  func(s *scene) *migration.Flight { return s.started(1) },
		"replace: join":     func(s *scene) *migration.Flight { return s.joined(1, 0) },
		"replace: abort": func(s *scene) *migration.Flight {
			f := s.started(1)
			f.Aborted = "it was"
			return f
		},
		"revert: reclaim":    func(s *scene) *migration.Flight { return s.flight(migration.Revert, 1) },
		"revert: flip":       func(s *scene) *migration.Flight { return s.closed(1) },
		"reconfigure: prove": func(s *scene) *migration.Flight { return s.flight(migration.Reconfigure, 1) },
	} {
		t.Run(want, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			f := begin(s)
			if want == "revert: flip" {
				f.Cleared = ago(0)
			}
			if got := migration.Summarize(s.o).Servers[0].Phase; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// TestStateOfAServer: one word says where it is, or that it is not seen there.
func TestStateOfAServer(t *testing.T) {
	for want, set := range map[migration.State]func(s *scene){
		migration.StateParked:       func(*scene) {},
		migration.StateReconfigured: func(s *scene) { s.view(1).Cluster.Pod = migration.PodView{} },
		migration.StateWrapped: func(s *scene) {
			s.view(1).Cluster.Pod = migration.PodView{}
			s.o.Record.Servers[0].Reconfigured = nil
		},
		migration.StateAway:   func(s *scene) { s.dead(1) },
		migration.StatePod:    func(s *scene) { s.replaced(1) },
		migration.StateDown:   func(s *scene) { s.down(1) },
		migration.StateUnseen: func(s *scene) { s.view(1).Live = vantage.Sighting{Reach: vantage.Timeout} },
	} {
		t.Run(string(want), func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			set(s)
			if got := migration.Summarize(s.o).Servers[0].State; got != want {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestElectionsSinceTheWrap: they are not known where an epoch is not.
func TestElectionsSinceTheWrap(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	now := migration.Summarize(s.o).Epoch
	for at, want := range map[uint32]string{0: "unknown", now: "0", now - 1: "1", now + 1: "unknown"} {
		s.o.Record.Elections.AtWrap = at
		got := "unknown"
		if n := migration.Summarize(s.o).Elections; n != nil {
			got = fmt.Sprint(*n)
		}
		if got != want {
			t.Errorf("wrapped in epoch %d of %d: %s, want %s", at, now, got, want)
		}
	}
}
