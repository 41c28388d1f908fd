package migration_test

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestTheWrongHostWasStopped: the one that was stopped is named, with what brings
// it back, whatever the operator was asked to do.
func TestTheWrongHostWasStopped(t *testing.T) {
	for name, set := range map[string]func(s *scene){
		"before the stop": func(s *scene) { s.flight(migration.Replace, 1).Fenced = yes() },
		"when asked":      func(s *scene) { s.stopAsked(1) },
		"in a restart":    func(s *scene) { s.flight(migration.Reconfigure, 1).Patched = yes(); s.server(1).Reconfigured = nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			set(s)
			s.down(2)
			s.view(2).Cluster.Pod.Report.Volume.State = migration.VolumeUnused
			d := migration.Decide(migration.Intent{Kind: s.o.Record.Flight.Kind, ID: 1}, s.o)
			if d.Kind != migration.Wait || d.Code != migration.CodeDegraded || !strings.HasPrefix(d.Next, "on host 10.0.0.2: start the server") {
				t.Errorf("%s %s: %s | %s", d.Kind, d.Code, d.Reason, d.Next)
			}
		})
	}
}

// TestElectionsOfLaterWeeks: what is elected after the restart has ended is not
// the restart's.
func TestElectionsOfLaterWeeks(t *testing.T) {
	rec := healthy("3.8.0", 1, 2, 3).o.Record
	rec.Elections.AtReconfigure, rec.Servers[2].Reconfigured = 4, nil
	rec.NoteRestarted(5)
	if n, known := rec.RestartElections(6); n != 2 || !known {
		t.Errorf("in the middle: %d, %t", n, known)
	}
	rec.Servers[2].Reconfigured = yes()
	rec.NoteRestarted(5)
	rec.NoteRestarted(9)
	if n, known := rec.RestartElections(17); n != 1 || !known {
		t.Errorf("weeks later: %d, %t", n, known)
	}
}
