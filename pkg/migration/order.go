package migration

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

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
	return order(o, func(s ServerRecord) bool { return s.Replaced == nil })
}

// order sorts the servers that are left: followers by id, the leader, then
// observers, who have no vote and are not in the way meanwhile.
func order(o Observation, left func(ServerRecord) bool) []ensemble.ID {
	leader := o.Leader()
	var followers, last, observers []ensemble.ID
	for _, s := range o.Record.Servers {
		switch {
		case !left(s):
		case s.Role == ensemble.Observer:
			observers = append(observers, s.ID)
		case s.ID == leader:
			last = append(last, s.ID)
		default:
			followers = append(followers, s.ID)
		}
	}
	return append(append(followers, last...), observers...)
}
