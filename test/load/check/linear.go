package check

import (
	"fmt"
	"io"
	"math"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// forever is when an operation returns that nobody answered: it may take
// effect at any later time, or after everything else, which is never.
const forever = math.MaxInt64

// shown is how many operations before the one that cannot be explained are
// reported.
const shown = 8

// linear asks whether one order explains the operations of a key.
func (r *Result) linear(key string, model porcupine.Model, ops []history.Op, deadline time.Time, page io.Writer) error {
	switch decide(model, ops, forever, deadline) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		r.Undecided = append(r.Undecided, key)
		return nil
	case porcupine.Illegal:
	}
	culprit, before := narrow(model, ops, deadline)
	what := fmt.Sprintf("no order of the operations explains the %s of %s", culprit.Op, culprit.Process)
	if culprit.Call == 0 {
		what = "no order explains the operations; the time did not suffice to find the first that none explains"
	}
	first := true
	for _, v := range r.Violations {
		first = first && v.Rule != RuleLinearizable
	}
	r.Violations = append(r.Violations, Violation{Rule: RuleLinearizable, Key: key, What: what, Operations: before})
	if page == nil || !first {
		return nil
	}
	if left := time.Until(deadline); left > 0 {
		_, info := porcupine.CheckOperationsVerbose(model, convert(ops, forever), left)
		if err := porcupine.Visualize(model, info, page); err != nil {
			return fmt.Errorf("draw %s: %w", key, err)
		}
	}
	return nil
}

// decide judges what had returned at the horizon; what was under way then may
// have happened. No time left is no verdict.
func decide(model porcupine.Model, ops []history.Op, horizon int64, deadline time.Time) porcupine.CheckResult {
	left := time.Until(deadline)
	if left <= 0 {
		return porcupine.Unknown
	}
	return porcupine.CheckOperationsTimeout(model, convert(ops, horizon), left)
}

// narrow finds the operation whose return is the first that no order explains,
// and what happened shortly before it, itself included. A history that has an
// order still has one when its end is cut off, so that halving finds it.
func narrow(model porcupine.Model, ops []history.Op, deadline time.Time) (history.Op, []history.Op) {
	returns := make([]history.Op, 0, len(ops))
	for _, op := range ops {
		if op.Result != history.Unknown {
			returns = append(returns, op)
		}
	}
	sort.SliceStable(returns, func(i, j int) bool { return returns[i].Return < returns[j].Return })
	undecided := false
	n := sort.Search(len(returns), func(i int) bool {
		verdict := decide(model, ops, returns[i].Return, deadline)
		undecided = undecided || verdict == porcupine.Unknown
		return verdict == porcupine.Illegal
	})
	if undecided || n == len(returns) {
		return history.Op{}, nil
	}
	culprit := returns[n]
	var before []history.Op
	for _, op := range ops {
		if op.Call <= culprit.Return && op != culprit {
			before = append(before, op)
		}
	}
	return culprit, append(before[max(0, len(before)-shown):], culprit)
}

// convert gives the checker what was called by the horizon. Each process is a
// client; so is every operation without an answer, which overlaps its process'
// later ones.
func convert(ops []history.Op, horizon int64) []porcupine.Operation {
	clients := map[string]int{}
	out := make([]porcupine.Operation, 0, len(ops))
	for i, op := range ops {
		if op.Call > horizon {
			continue
		}
		if op.Return > horizon {
			op.Result = history.Unknown
		}
		name := op.Process
		returned := op.Return
		if op.Result == history.Unknown {
			if op.Op == history.Read || op.Op == history.Look {
				continue // it tells nothing and changes nothing
			}
			name, returned = fmt.Sprintf("%s, operation %d", name, i), forever
		}
		if _, ok := clients[name]; !ok {
			clients[name] = len(clients)
		}
		out = append(out, porcupine.Operation{ClientId: clients[name], Input: op, Call: op.Call, Return: returned})
	}
	return out
}
