package check

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// life is one session's, as its client knows it.
type life struct {
	process, session string
	opened           history.Op
	// broken is the last time its connection broke; zero Call: never.
	broken     history.Op
	reconnects int
	// end is Closed, Expired, or empty while it runs.
	end   string
	ended int64
	last  history.Op
}

// away is how long the client had no connection when the session ended.
func (l life) away() time.Duration {
	if l.broken.Call == 0 {
		return 0
	}
	return time.Duration(l.ended - l.broken.Call)
}

// livesOf tells what became of each session.
func livesOf(ops []history.Op) []life {
	var out []life
	index := map[string]int{}
	for _, op := range ops {
		if op.Op != history.Session {
			continue
		}
		i, known := index[op.Process+" "+op.Session]
		if op.Value == history.Opened && !known {
			index[op.Process+" "+op.Session] = len(out)
			out = append(out, life{process: op.Process, session: op.Session, opened: op})
			continue
		}
		if !known {
			continue // an end before a first connection
		}
		l := &out[i]
		switch op.Value {
		case history.Connected:
			l.reconnects++
			l.broken = history.Op{}
		case history.Disconnected:
			// Attempts that fail count as breaks; the first one matters.
			if l.broken.Call == 0 {
				l.broken = op
			}
		case history.Expired, history.Closed:
			l.end, l.ended, l.last = op.Value, op.Return, op
		}
	}
	return out
}

func (s *Sessions) add(lives []life) {
	for _, l := range lives {
		s.Opened++
		s.Reconnects += l.reconnects
		switch l.end {
		case history.Closed:
			s.Closed++
		case history.Expired:
			s.Expired++
			s.Lost = append(s.Lost, LostSession{Process: l.process, Session: l.session, AwaySeconds: l.away().Seconds()})
		default:
			s.Running++
		}
	}
}

// expiries holds that a session does not expire while its client talks to the
// servers. The client takes a connection for broken after two thirds of the
// time-out at most, so that a server whose clock is right has a third left
// then; a quarter is what is asked for.
func expiries(lives []life) []Violation {
	var out []Violation
	for _, l := range lives {
		if l.end != history.Expired {
			continue
		}
		evidence := []history.Op{l.opened, l.last}
		if l.broken.Call != 0 {
			evidence = []history.Op{l.opened, l.broken, l.last}
		}
		timeout := time.Duration(l.opened.TimeoutMillis) * time.Millisecond
		if l.away() < timeout/4 {
			out = append(out, Violation{RuleExpiry, l.session, fmt.Sprintf("the session of %s expired before its time of %s", l.process, timeout), evidence})
		}
	}
	return out
}
