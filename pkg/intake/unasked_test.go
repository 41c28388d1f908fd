package intake

import (
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestWrapMendsInFlight: the Service of a server that is on its way may be gone
// while nothing answers on its host; wrap is what makes it again.
func TestWrapMendsInFlight(t *testing.T) {
	rec := migration.Record{Servers: []migration.ServerRecord{
		{Server: ensemble.Server{ID: 1}, Replaced: &time.Time{}}, {Server: ensemble.Server{ID: 2}}, {Server: ensemble.Server{ID: 3}},
	}, Flight: &migration.Flight{Kind: migration.Replace, ID: 2}}
	if got := Unasked(rec, false); !got[1] || !got[2] || got[3] {
		t.Error(got)
	}
	rec.Flight = nil
	if got := Unasked(rec, false); !got[1] || got[2] || got[3] {
		t.Error(got)
	}
	// The journal was deleted with a server on its way: its copy does not say which.
	if got := Unasked(rec, true); !got[1] || !got[2] || !got[3] {
		t.Error(got)
	}
}
