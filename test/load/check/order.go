package check

import (
	"fmt"
	"sort"
	"strconv"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// version is one version of one znode.
type version struct {
	key     string
	version int32
}

// saw reports whether an operation tells what a znode's version held.
func saw(op history.Op) bool {
	switch op.Op {
	case history.Set, history.CAS, history.Read, history.Get, history.Watch:
		return op.Result == history.OK
	}
	return false
}

func wrote(op history.Op) bool { return op.Op == history.Set || op.Op == history.CAS }

// content holds that a version of a znode is the same for everybody, that what
// is read was written, and not after it had been read.
func content(ops []history.Op) []Violation {
	first := map[version]history.Op{}
	writers := map[version]history.Op{}
	values := map[string]history.Op{}
	var out []Violation
	for _, op := range ops {
		if name := op.Key + "\n" + op.Value; wrote(op) && op.Result != history.Fail {
			if _, ok := values[name]; !ok {
				values[name] = op
			}
		}
		if !saw(op) {
			continue
		}
		v := version{op.Key, op.Version}
		if before, ok := writers[v]; ok && wrote(op) {
			out = append(out, Violation{RuleContent, op.Key, fmt.Sprintf("version %d was acknowledged twice", op.Version), []history.Op{before, op}})
		}
		if wrote(op) {
			writers[v] = op
		}
		before, ok := first[v]
		if !ok {
			first[v] = op
			continue
		}
		if before.Value != op.Value || before.Zxid != op.Zxid {
			out = append(out, Violation{RuleContent, op.Key, fmt.Sprintf("version %d is two different things", op.Version), []history.Op{before, op}})
		}
	}
	for _, op := range ops {
		if !saw(op) || wrote(op) || op.Version == 0 {
			continue
		}
		by, ok := values[op.Key+"\n"+op.Value]
		switch {
		case !ok:
			out = append(out, Violation{RuleContent, op.Key, "what was read is nothing that anybody wrote", []history.Op{op}})
		case by.Call > op.Return:
			out = append(out, Violation{RuleContent, op.Key, "what was read was written afterwards", []history.Op{by, op}})
		}
	}
	for _, op := range ops {
		if (op.Op == history.Read || op.Op == history.Get || op.Op == history.Watch) && op.Result == history.Fail {
			out = append(out, Violation{RuleContent, op.Key, "the znode is not there: " + op.Error, []history.Op{op}})
		}
	}
	return out
}

// commitOrder holds that a write called after another one had been
// acknowledged has a higher zxid, over all keys.
func commitOrder(ops []history.Op) []Violation {
	var writes []history.Op
	for _, op := range ops {
		if wrote(op) && op.Result == history.OK && op.Zxid > 0 {
			writes = append(writes, op)
		}
	}
	var out []Violation
	var highest history.Op
	sweep(writes, func(op history.Op) {
		if op.Zxid > highest.Zxid {
			highest = op
		}
	}, func(op history.Op) {
		if op.Zxid <= highest.Zxid {
			out = append(out, Violation{RuleCommitOrder, op.Key, fmt.Sprintf("has zxid 0x%x, and 0x%x was acknowledged before it was called", op.Zxid, highest.Zxid), []history.Op{highest, op}})
		}
	})
	return out
}

// sweep visits operations by call; before each, those that had returned by
// then, by return.
func sweep(ops []history.Op, returned, called func(history.Op)) {
	calls := append([]history.Op(nil), ops...)
	returns := append([]history.Op(nil), ops...)
	sort.SliceStable(calls, func(i, j int) bool { return calls[i].Call < calls[j].Call })
	sort.SliceStable(returns, func(i, j int) bool { return returns[i].Return < returns[j].Return })
	next := 0
	for _, op := range calls {
		for ; next < len(returns) && returns[next].Return < op.Call; next++ {
			returned(returns[next])
		}
		called(op)
	}
}

// names holds that sequential names are unique and, from one acknowledged
// create to the next that was called after it, increase.
func names(ops []history.Op) []Violation {
	parents, keys := byKey(ops, history.Create)
	var out []Violation
	for _, key := range keys {
		var made []history.Op
		by := map[string]history.Op{}
		for _, op := range parents[key] {
			if op.Result != history.OK {
				continue
			}
			if before, ok := by[op.Path]; ok {
				out = append(out, Violation{RuleNames, key, op.Path + " was given twice", []history.Op{before, op}})
			}
			by[op.Path] = op
			if _, err := sequence(op); err != nil {
				out = append(out, Violation{RuleNames, key, err.Error(), []history.Op{op}})
				continue
			}
			made = append(made, op)
		}
		last, lastOp := int64(-1), history.Op{}
		sweep(made, func(op history.Op) {
			if n, err := sequence(op); err == nil && n > last {
				last, lastOp = n, op
			}
		}, func(op history.Op) {
			if n, err := sequence(op); err == nil && n < last {
				out = append(out, Violation{RuleNames, key, fmt.Sprintf("%s comes after %s and is lower", op.Path, lastOp.Path), []history.Op{lastOp, op}})
			}
		})
	}
	return out
}

// sequence reads the ten digits ZooKeeper puts at the end of a name.
func sequence(op history.Op) (int64, error) {
	const digits = 10
	if len(op.Path) < digits {
		return 0, fmt.Errorf("%q has no sequence number", op.Path)
	}
	n, err := strconv.ParseInt(op.Path[len(op.Path)-digits:], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q has no sequence number", op.Path)
	}
	return n, nil
}
