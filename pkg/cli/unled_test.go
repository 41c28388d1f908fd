package cli

import (
	"errors"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestWrapLeadsNowhere: a Service that was made again for a server in its pod has nothing behind
// it, and wrap does not call that done.
func TestWrapLeadsNowhere(t *testing.T) {
	results := []cluster.Applied{{ID: 1, Result: cluster.Unchanged}, {ID: 2, Result: cluster.Created}, {ID: 2, Result: cluster.NotTouched}, {ID: 3, Result: cluster.NotNeeded}}
	at := command.At{Namespace: "zk"}
	for name, c := range map[string]struct {
		flight *migration.Flight
		next   string
	}{
		"nothing is under way": {next: "kubectl zkmigrate replace two --id=2 -n zk"},
		"it is being moved":    {flight: &migration.Flight{Kind: migration.Revert, ID: 2}, next: "kubectl zkmigrate status two -n zk"},
	} {
		var paused *pausedError
		if err := unled(at, migration.Record{Name: "two", Flight: c.flight}, leadNowhere(results)); !errors.As(err, &paused) || paused.next != c.next {
			t.Errorf("%s: %+v", name, err)
		}
	}
	if err := unled(at, migration.Record{Name: "two"}, leadNowhere(results[:2])); err != nil {
		t.Error(err)
	}
}
