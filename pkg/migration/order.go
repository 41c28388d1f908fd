package migration

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Replacements are the servers that are left to replace: the one in flight, then
// following voters by id, then the leader, then observers. It is computed from
// live state each time, because the leader moves (I6).
func Replacements(o Observation) []ensemble.ID {
	order := ReplacementOrder(o)
	if f := o.Record.Flight; f != nil && f.Kind == Replace {
		return append([]ensemble.ID{f.ID}, ensemble.Without(order, f.ID)...)
	}
	return order
}

// ReplacementOrder returns all servers that are still on their hosts in the
// order in which they go, as things stand now.
func ReplacementOrder(o Observation) []ensemble.ID {
	return derive(o).order((*member).onHost)
}

// toRestart: it was not seen to run with the new list yet.
func (m *member) toRestart() bool { return m.Reconfigured == nil && m.Replaced == nil }

// order sorts the servers that are left: followers by id, the leader, then
// observers, who have no vote and are not in the way meanwhile.
func (f *facts) order(left func(*member) bool) []ensemble.ID {
	observes := func(m *member) bool { return m.Role == ensemble.Observer }
	followers := f.ids(func(m *member) bool { return left(m) && !observes(m) && !f.leads(m.ID) })
	leader := f.ids(func(m *member) bool { return left(m) && !observes(m) && f.leads(m.ID) })
	observers := f.ids(func(m *member) bool { return left(m) && observes(m) })
	return slices.Concat(followers, leader, observers)
}

// restarts is that order for restarts of one kind; a server whose restart is under way comes
// to its end first, alone.
func (f *facts) restarts(kind FlightKind, left func(*member) bool) []ensemble.ID {
	if f.flight != nil && f.flight.Kind == kind {
		return []ensemble.ID{f.flight.ID}
	}
	return f.order(left)
}
