package check

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// invent makes a history as a right store leaves it: each operation takes
// effect at one moment between its call and its return, or, without an answer,
// at some later time or never.
func invent(n int, seed uint64) *script {
	const keys, processes = 8, 6
	rng := rand.New(rand.NewPCG(seed, 1))
	s := &script{}
	states := make([]register, keys)
	zxids := make([]int64, keys)
	free := make([]int64, processes)
	var late []func()
	for i := range n {
		p, k := i%processes, rng.IntN(keys)
		key := fmt.Sprintf("/r%d", k)
		// The moment is i; calls and returns overlap those of other processes.
		call := max(free[p], int64(i)-rng.Int64N(processes))
		op := history.Op{Process: fmt.Sprint("p", p), Key: key, Value: fmt.Sprintf("%d:%d", p, i)}
		apply := func(op *history.Op) {
			s.zxid++
			states[k] = register{states[k].version + 1, op.Value}
			zxids[k] = s.zxid
			op.Version, op.Zxid = states[k].version, s.zxid
		}
		switch rng.IntN(4) {
		case 0:
			op.Op, op.Value, op.Version, op.Zxid = history.Read, states[k].value, states[k].version, zxids[k]
		case 1:
			expected := states[k].version - int32(rng.IntN(2))
			op.Op, op.Expected = history.CAS, &expected
			if expected == states[k].version {
				apply(&op)
			} else {
				op.Result, op.Error = history.Fail, zk.ErrBadVersion.Error()
			}
		default:
			op.Op = history.Set
			if rng.IntN(100) == 0 {
				op.Result = history.Unknown
				if rng.IntN(2) == 0 {
					dropped := op
					late = append(late, func() { apply(&dropped) })
				}
			} else {
				apply(&op)
			}
		}
		ret := int64(i) + rng.Int64N(processes)
		free[p] = ret + 1
		s.add(call, ret, op)
		if len(late) > 0 && rng.IntN(20) == 0 {
			late[0]()
			late = late[1:]
		}
	}
	return s
}

func TestALongHistory(t *testing.T) {
	s := invent(20_000, 7)
	began := time.Now()
	r := s.check(t, Options{})
	t.Logf("%s (%.1f s)", r, time.Since(began).Seconds())
	if r.Verdict != Linearizable || r.Keys != 8 || r.Unknown == 0 || r.Refused == 0 {
		var b logWriter
		r.Print(&b)
		t.Fatalf("got %s", b)
	}
	// One read that is old by one write is found.
	for i := len(s.ops) - 1; ; i-- {
		op := &s.ops[i]
		if op.Op != history.Read || op.Version < 2 {
			continue
		}
		for j := i - 1; ; j-- {
			w := s.ops[j]
			if w.Key == op.Key && w.Result == history.OK && w.Version > 0 && w.Return < op.Call && w.Version < op.Version && w.Op != history.Read {
				op.Value, op.Version, op.Zxid = w.Value, w.Version, w.Zxid
				break
			}
		}
		break
	}
	r = s.check(t, Options{})
	if r.Verdict == Linearizable {
		t.Errorf("a stale read is not found")
	}
	t.Logf("with one stale read: %s in %.1f s", r.Verdict, r.Seconds)
}

type logWriter []byte

func (l *logWriter) Write(b []byte) (int, error) {
	*l = append(*l, b...)
	return len(b), nil
}

func (l logWriter) String() string { return string(l) }
