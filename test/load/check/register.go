package check

import (
	"fmt"

	"github.com/anishathalye/porcupine"
	"github.com/go-zookeeper/zk"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// register is a znode that exists, with its data and its data version.
type register struct {
	version int32
	value   string
}

// registerModel is a znode's data under setData, setData with a version, and
// getData after a write of the same session. A refusal is an answer, too: a leader gives it at
// one place in the order of all writes, when the version was another.
func registerModel(ops []history.Op) porcupine.Model {
	// A version that one write was acknowledged with is no other's. Without
	// this every write without an answer would be tried before every other.
	taken := map[int32]bool{}
	for _, op := range ops {
		if op.Op != history.Read && op.Result == history.OK {
			taken[op.Version] = true
		}
	}
	return porcupine.Model{
		Init: func() any { return register{} },
		Step: func(state, input, _ any) (bool, any) {
			s, okState := state.(register)
			op, okOp := input.(history.Op)
			if !okState || !okOp {
				return false, state
			}
			return s.step(op, taken)
		},
		DescribeOperation: func(input, _ any) string { return describe(input) },
		DescribeState: func(state any) string {
			s, ok := state.(register)
			if !ok {
				return "?"
			}
			return fmt.Sprintf("version %d %q", s.version, s.value)
		},
	}
}

// step reports whether an operation can take place in a state, and what it
// leaves behind.
func (s register) step(op history.Op, taken map[int32]bool) (bool, register) {
	matches := op.Expected == nil || *op.Expected == s.version
	next := register{version: s.version + 1, value: op.Value}
	switch {
	case op.Op == history.Read:
		return op.Result == history.OK && op.Version == s.version && op.Value == s.value, s
	case op.Result == history.OK:
		return matches && op.Version == next.version, next
	case op.Result == history.Fail:
		return !matches && op.Error == zk.ErrBadVersion.Error(), s
	case !matches:
		return true, s
	}
	// An answer that came after the horizon still says which version it made.
	return !taken[next.version] || op.Version == next.version, next
}

func describe(input any) string {
	op, ok := input.(history.Op)
	if !ok {
		return "?"
	}
	return Text(op)
}
