package rollout

import (
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Left are the servers on hosts that are not known yet to run with the new list.
func Left(rec migration.Record) []migration.ServerRecord {
	var out []migration.ServerRecord
	for _, sr := range rec.Servers {
		if sr.Reconfigured == nil && sr.Replaced == nil {
			out = append(out, sr)
		}
	}
	return out
}

// Confirm keeps that a server runs with the new list; how says who saw that, or
// what shows it. epoch is the leader's, 0 when unknown. It reports whether the
// record has that server.
func Confirm(rec *migration.Record, id ensemble.ID, how string, epoch uint32, by string, at time.Time) bool {
	sr, ok := rec.Server(id)
	if !ok {
		return false
	}
	sr.Reconfigured = &migration.Confirmation{At: at, By: by, How: how}
	rec.NoteRestarted(epoch)
	rec.Note(migration.AuditEntry{At: at, By: by, ID: id.Known(), Step: "reconfigure", Detail: how})
	return true
}

// ByWord judges a server of which the operator says that it was restarted with the
// patched file; election is its port at the host's own address. ok is false where
// what is seen contradicts that.
func ByWord(rec migration.Record, sr migration.ServerRecord, live vantage.Sighting, election vantage.PortState) (v migration.Verdict, ok bool) {
	v = migration.WatchReconfigured(rec, sr, migration.RestartSignals{Live: live, SeenDown: true, Host: migration.HostView{Election: election}})
	return v, v.Code == migration.VerdictReconfigured || v.Code == migration.VerdictUnclear
}

// TakenBack is a confirmation that no longer holds.
type TakenBack struct {
	ID ensemble.ID
	// Confirmed is when it was given, Why what the live list has instead.
	Confirmed time.Time
	Why       string
}

// TakeBack takes the confirmation from servers that show another list by now:
// their restart is to be verified again.
func TakeBack(rec *migration.Record, o migration.Observation, by string, at time.Time) []TakenBack {
	var out []TakenBack
	for _, id := range migration.Relisted(o) {
		sr, ok := rec.Server(id)
		if !ok || sr.Reconfigured == nil {
			continue
		}
		view, _ := o.View(id)
		why := strings.Join(migration.ListDifferences(*rec, *sr, view.Live), ", ")
		out = append(out, TakenBack{ID: id, Confirmed: sr.Reconfigured.At, Why: why})
		sr.Reconfigured = nil
		rec.Note(migration.AuditEntry{At: at, By: by, ID: id.Known(), Step: "reconfigure", Detail: "no longer verified: " + why})
	}
	return out
}
