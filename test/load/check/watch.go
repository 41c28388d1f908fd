package check

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// watches holds that each registration fires at most once, only after a
// change, and always when an acknowledged change followed it; connections may
// break in between, but a watch goes with its session. A history must go on
// long enough after its last change: the workload waits half a minute.
func watches(ops []history.Op, lives []life) []Violation {
	changes, _ := byKey(ops, history.Set, history.CAS)
	events, keys := byKey(ops, history.Watch, history.Fire)
	lost := map[string]bool{}
	for _, l := range lives {
		if l.end == history.Expired {
			lost[l.session] = true
		}
	}
	var out []Violation
	for _, key := range keys {
		by := map[string][]history.Op{}
		var order []string
		for _, op := range events[key] {
			if by[op.Process] == nil {
				order = append(order, op.Process)
			}
			by[op.Process] = append(by[op.Process], op)
		}
		for _, process := range order {
			out = append(out, watchesOf(key, by[process], changes[key], lost)...)
		}
	}
	return out
}

// watchesOf judges one client's watches on one key; ops are in order of call.
func watchesOf(key string, ops, changes []history.Op, lost map[string]bool) []Violation {
	var out []Violation
	var open []history.Op
	var last *history.Op
	for i, op := range ops {
		if op.Op == history.Watch {
			// One without an answer may have been registered.
			if op.Result != history.Fail {
				open = append(open, op)
			}
			continue
		}
		if len(open) == 0 {
			evidence := []history.Op{op}
			if last != nil {
				evidence = []history.Op{*last, op}
			}
			out = append(out, Violation{RuleWatchTwice, key, "an event came that no registration was open for", evidence})
			continue
		}
		// Registrations of one session on one znode are one watch to a server.
		if !provoked(op, open, changes) {
			out = append(out, Violation{RuleWatchEarly, key, "the watch fired though nothing had changed", []history.Op{open[0], op}})
		}
		open, last = unanswered(open, op.Call), &ops[i]
	}
	for _, reg := range open {
		if reg.Result != history.OK || reg.Session == "" || lost[reg.Session] {
			continue // gone with its session, or perhaps never registered
		}
		for _, c := range changes {
			if c.Result == history.OK && c.Version > reg.Version {
				out = append(out, Violation{RuleWatchMissed, key, fmt.Sprintf("the watch of version %d never fired", reg.Version), []history.Op{reg, c}})
				break
			}
		}
	}
	return out
}

// unanswered keeps the registrations whose answer came after an event: the
// event may have been that of an earlier one.
func unanswered(open []history.Op, at int64) []history.Op {
	var out []history.Op
	for _, reg := range open {
		if reg.Return >= at {
			out = append(out, reg)
		}
	}
	if len(out) == len(open) {
		return nil // then it was one of these
	}
	return out
}

// provoked reports whether a change that may have happened explains an event.
func provoked(fire history.Op, open []history.Op, changes []history.Op) bool {
	for _, c := range changes {
		if c.Call > fire.Return || c.Result == history.Fail {
			continue
		}
		for _, reg := range open {
			if c.Result == history.Unknown || reg.Result != history.OK || c.Version > reg.Version {
				return true
			}
		}
	}
	return false
}
