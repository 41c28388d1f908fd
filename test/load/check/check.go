// Package check judges histories of package history: is there an order of all
// writes that explains what every client saw?
//
// Writes of ZooKeeper are linearizable, and so is a read that follows a write of
// its own session (a sync is not enough where the server leads): these go to a
// linearizability checker, register by register. A plain read may be stale; it
// is held to what ZooKeeper does promise of it: a session never goes back.
//
// A history must be whole. One of a workload that was killed lacks what was
// under way then, and a read of it would be taken for something nobody wrote.
package check

import (
	"fmt"
	"io"
	"sort"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// Verdicts.
const (
	Linearizable = "linearizable"
	Violated     = "violated"
	// Unknown: the time ran out before it was decided, or nothing was there to
	// decide. It counts as a failure.
	Unknown = "unknown"
)

// Options bound a check.
type Options struct {
	// Timeout bounds all linearizability checks together.
	Timeout time.Duration
	// Visualize, when set, gets a page that draws the first key whose
	// operations no order explains.
	Visualize io.Writer
}

// Result is what checking found.
type Result struct {
	Verdict   string `json:"verdict"`
	Histories int    `json:"histories"`
	// Operations counts all lines of the histories.
	Operations int `json:"operations"`
	// Writes counts acknowledged sets, conditional sets and creates; Refused
	// those a server declined, Unknown those nobody answered.
	Writes  int `json:"writes"`
	Refused int `json:"refused"`
	Unknown int `json:"unknown"`
	// CurrentReads counts reads after a write of their own session, Reads the others.
	CurrentReads int `json:"currentReads"`
	Reads        int `json:"reads"`
	// Keys counts registers, Creates acknowledged sequential creates.
	Keys       int        `json:"keys"`
	Creates    int        `json:"creates"`
	Ephemerals Ephemerals `json:"ephemerals"`
	Watches    Watches    `json:"watches"`
	Sessions   Sessions   `json:"sessions"`
	Seconds    float64    `json:"seconds"`
	// Undecided names keys that were not decided in time.
	Undecided  []string    `json:"undecided,omitempty"`
	Violations []Violation `json:"violations,omitempty"`
}

// Ephemerals counts ephemeral znodes; Gone were seen gone after their session.
type Ephemerals struct {
	Created int `json:"created"`
	Looks   int `json:"looks"`
	Ended   int `json:"ended"`
	Gone    int `json:"gone"`
}

// Watches counts acknowledged registrations and events.
type Watches struct {
	Registered int `json:"registered"`
	Fired      int `json:"fired"`
}

// Sessions tells how many sessions there were and how each ended; Running had
// no end in the history.
type Sessions struct {
	Opened     int `json:"opened"`
	Reconnects int `json:"reconnects"`
	Closed     int `json:"closed"`
	Expired    int `json:"expired"`
	Running    int `json:"running"`
	// Lost tells of each that expired.
	Lost []LostSession `json:"lost,omitempty"`
}

// LostSession is one that the servers gave up.
type LostSession struct {
	Process string `json:"process"`
	Session string `json:"session"`
	// AwaySeconds is how long its client had been without a connection when it
	// heard of it.
	AwaySeconds float64 `json:"awaySeconds"`
}

// Violation is one thing ZooKeeper promises and did not keep.
type Violation struct {
	// Rule is one of the rules below.
	Rule string `json:"rule"`
	Key  string `json:"key"`
	What string `json:"what"`
	// Operations are those that show it, the one that breaks the rule last.
	Operations []history.Op `json:"operations"`
}

// Rules.
const (
	RuleLinearizable = "linearizable"    // one order explains writes and current reads
	RuleContent      = "content"         // a version has one value, and somebody wrote it
	RuleCommitOrder  = "commit-order"    // what comes later has a higher zxid
	RuleSession      = "session-order"   // a session never goes back
	RuleNames        = "names"           // sequential names are unique and increase
	RuleEphemeral    = "ephemeral"       // it is there until its session ends, then gone
	RuleWatchTwice   = "watch-twice"     // a registration fires at most once
	RuleWatchMissed  = "watch-missed"    // a change fires the watch
	RuleWatchEarly   = "watch-unchanged" // nothing fires without a change
	RuleExpiry       = "expiry"          // a session does not expire before its time
)

// maxViolations bounds what is listed by each rule.
const maxViolations = 5

// Files checks histories, each by itself.
func Files(paths []string, opts Options) (Result, error) {
	began := time.Now()
	deadline := began.Add(opts.Timeout)
	sum := Result{}
	for _, path := range paths {
		var ops []history.Op
		if err := history.ReadFile(path, func(op history.Op) { ops = append(ops, op) }); err != nil {
			return sum, err
		}
		if len(ops) == 0 {
			return sum, fmt.Errorf("history %s holds no operation: nothing is proved", path)
		}
		if err := sum.add(ops, deadline, opts.Visualize); err != nil {
			return sum, err
		}
		sum.Histories++
	}
	sum.Seconds = time.Since(began).Seconds()
	switch {
	case len(sum.Violations) > 0:
		sum.Verdict = Violated
	case len(sum.Undecided) > 0 || sum.Writes == 0:
		sum.Verdict = Unknown
	default:
		sum.Verdict = Linearizable
	}
	return sum, nil
}

// add judges one history.
func (r *Result) add(ops []history.Op, deadline time.Time, page io.Writer) error {
	sort.SliceStable(ops, func(i, j int) bool { return ops[i].Call < ops[j].Call })
	r.count(ops)
	lives := livesOf(ops)
	r.take(
		content(ops), commitOrder(ops), sessionOrder(ops), names(ops),
		watches(ops, lives), expiries(lives),
	)
	registers, keys := byKey(ops, history.Set, history.CAS, history.Read)
	r.Keys += len(keys)
	for _, key := range keys {
		if err := r.linear(key, registerModel(registers[key]), registers[key], deadline, page); err != nil {
			return err
		}
	}
	ephemerals, keys := byKey(withExpiries(ops, lives), history.Ephemeral, history.End, history.Look)
	for _, key := range keys {
		if err := r.linear(key, ephemeralModel(), ephemerals[key], deadline, page); err != nil {
			return err
		}
		r.ephemeral(key, ephemerals[key])
	}
	return nil
}

func (r *Result) count(ops []history.Op) {
	r.Operations += len(ops)
	for _, op := range ops {
		switch op.Op {
		case history.Set, history.CAS, history.Create:
			switch op.Result {
			case history.OK:
				r.Writes++
				if op.Op == history.Create {
					r.Creates++
				}
			case history.Fail:
				r.Refused++
			default:
				r.Unknown++
			}
		case history.Read:
			r.CurrentReads += acknowledged(op)
		case history.Get:
			r.Reads += acknowledged(op)
		case history.Watch:
			r.Watches.Registered += acknowledged(op)
		case history.Fire:
			r.Watches.Fired++
		case history.Ephemeral:
			r.Ephemerals.Created += acknowledged(op)
		case history.Look:
			r.Ephemerals.Looks += acknowledged(op)
		}
	}
	r.Sessions.add(livesOf(ops))
}

func acknowledged(op history.Op) int {
	if op.Result == history.OK {
		return 1
	}
	return 0
}

func (r *Result) take(found ...[]Violation) {
	for _, list := range found {
		r.Violations = append(r.Violations, list[:min(len(list), maxViolations)]...)
	}
}

// byKey gathers the operations of some kinds by key; keys are sorted.
func byKey(ops []history.Op, kinds ...string) (map[string][]history.Op, []string) {
	out := map[string][]history.Op{}
	for _, op := range ops {
		for _, kind := range kinds {
			if op.Op == kind {
				out[op.Key] = append(out[op.Key], op)
			}
		}
	}
	keys := make([]string, 0, len(out))
	for key := range out {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return out, keys
}
