package check

import (
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// linger is how long after its session's time-out an ephemeral znode may still
// be there: a new leader gives every session its whole time again, and a rolling update of all
// pods brings several within one time-out.
const linger = 3 * time.Minute

// ephemeralState is an ephemeral znode whose name is used once.
type ephemeralState struct {
	owner string
	ended bool
}

// ephemeralModel is an ephemeral znode: made once, there until its session
// ends, as a look after a write of its own session sees it.
func ephemeralModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return ephemeralState{} },
		Step: func(state, input, _ any) (bool, any) {
			s, okState := state.(ephemeralState)
			op, okOp := input.(history.Op)
			if !okState || !okOp {
				return false, state
			}
			return s.step(op)
		},
		DescribeOperation: func(input, _ any) string { return describe(input) },
		DescribeState: func(state any) string {
			s, ok := state.(ephemeralState)
			switch {
			case !ok:
				return "?"
			case s.ended:
				return "gone"
			case s.owner == "":
				return "not yet there"
			}
			return "held by " + s.owner
		},
	}
}

// unnamed owns a znode whose creator's session is not known.
const unnamed = "?"

func (s ephemeralState) step(op history.Op) (bool, ephemeralState) {
	none := s.owner == "" && !s.ended
	switch op.Op {
	case history.Look:
		if op.Owner == "" {
			return none || s.ended, s
		}
		return s.owner == op.Owner || s.owner == unnamed, s
	case history.End:
		return true, ephemeralState{ended: true}
	}
	made := ephemeralState{owner: op.Session}
	if made.owner == "" {
		made.owner = unnamed
	}
	switch op.Result {
	case history.OK:
		return none, made
	case history.Fail:
		return !none, s
	}
	if none {
		return true, made
	}
	return true, s // it came too late: the session was gone
}

// withExpiries adds the ends that sessions came to by themselves: servers
// expire a session some time before its client hears of it.
func withExpiries(ops []history.Op, lives []life) []history.Op {
	expired := map[string]life{}
	for _, l := range lives {
		if l.end == history.Expired {
			expired[l.session] = l
		}
	}
	out := ops
	for _, op := range ops {
		if op.Op != history.Ephemeral {
			continue
		}
		end := history.Op{Process: "servers", Op: history.End, Key: op.Key, Session: op.Session, Call: op.Call}
		switch l, ok := expired[op.Session]; {
		case op.Session == "":
			end.Return, end.Result = op.Return, history.Unknown // whichever session it was
		case ok:
			end.Return, end.Result = l.ended, history.OK
		default:
			continue
		}
		out = append(out[:len(out):len(out)], end)
	}
	return out
}

// ephemeral holds what becomes of a znode whose session was ended by its
// client: in the end it is gone.
func (r *Result) ephemeral(key string, ops []history.Op) {
	var end *history.Op
	for i, op := range ops {
		if op.Op == history.End {
			end = &ops[i]
		}
	}
	if end == nil {
		return
	}
	r.Ephemerals.Ended++
	allowed := end.Return + end.TimeoutMillis*int64(time.Millisecond) + int64(linger)
	for _, op := range ops {
		if op.Op != history.Look || op.Result != history.OK || op.Call < end.Call {
			continue
		}
		if op.Owner == "" {
			r.Ephemerals.Gone++
			return
		}
		if op.Call > allowed {
			r.Violations = append(r.Violations, Violation{
				Rule: RuleEphemeral, Key: key, Operations: []history.Op{*end, op},
				What: fmt.Sprintf("still there %.0f s after its session ended", time.Duration(op.Call-end.Return).Seconds()),
			})
			return
		}
	}
}
