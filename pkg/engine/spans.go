package engine

import (
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// spans tells how long something has been so at every look of one command.
type spans struct {
	last, unseen, noQuorum time.Time
}

// look takes one more observation. After a gap between two looks nobody knows
// whether there was a quorum meanwhile.
func (s *spans) look(o migration.Observation) (unseen, noQuorum time.Time) {
	at := o.At.Round(0)
	gap := !s.last.IsZero() && at.Sub(s.last) > migration.LookGap
	s.last = at
	s.unseen = since(s.unseen, at, len(o.Unseen()) > 0, false)
	s.noQuorum = since(s.noQuorum, at, o.NoQuorum(), gap)
	return s.unseen, s.noQuorum
}

func since(was, at time.Time, so, gap bool) time.Time {
	switch {
	case !so:
		return time.Time{}
	case was.IsZero(), gap, at.Before(was):
		return at
	}
	return was
}
