package intake

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Unasked are the servers that need not answer a wrap: those in their pods, and the
// one that is on its way. A copy of the journal does not know which that was, and
// nothing goes on before it is put back: copied says that the record is one.
func Unasked(rec migration.Record, copied bool) map[ensemble.ID]bool {
	out := map[ensemble.ID]bool{}
	for _, srv := range rec.Servers {
		out[srv.ID] = copied || srv.Replaced != nil || rec.Flight != nil && rec.Flight.ID == srv.ID
	}
	return out
}
