package migration_test

import (
	"slices"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func TestOrder(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3, 4, 5)
	s.observer(1, 3)
	if got := migration.ReplacementOrder(s.o); !slices.Equal(got, []ensemble.ID{2, 4, 5, 3, 1}) {
		t.Errorf("followers, then the leader, then observers: got %v", got)
	}
	s.leader(5)
	if got := migration.ReplacementOrder(s.o); !slices.Equal(got, []ensemble.ID{2, 3, 4, 5, 1}) {
		t.Errorf("the order follows the lead: got %v", got)
	}
	s.replaced(2)
	if got := migration.Replacements(s.o); got[0] != 3 {
		t.Errorf("got %v", got)
	}
	s.flight(migration.Replace, 4)
	if got := migration.Replacements(s.o); got[0] != 4 {
		t.Errorf("the one in flight first: got %v", got)
	}
}
