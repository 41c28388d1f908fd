package migration

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// NextReplacement returns the server that goes next: the one in flight, then
// following voters by id, then the leader, then observers. It is computed from
// live state each time, because the leader moves (I6). ok is false when every
// server is replaced.
func NextReplacement(o Observation) (id ensemble.ID, ok bool) {
	if f := o.Record.Flight; f != nil && f.Kind == Replace {
		return f.ID, true
	}
	order := ReplacementOrder(o)
	if len(order) == 0 {
		return 0, false
	}
	return order[0], true
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
