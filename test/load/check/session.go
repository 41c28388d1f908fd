package check

import (
	"fmt"
	"sort"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

// view is what a session has seen for sure.
type view struct {
	zxid    history.Op            // the operation with the highest zxid
	version map[string]history.Op // by key, the one with the highest version
}

// sessionOrder holds that a session sees the ensemble's state go forward only,
// whatever server it is connected to: a read is never older than what the
// session saw or wrote before, and never older than what was committed, on any
// key, before something the session has seen.
func sessionOrder(ops []history.Op) []Violation {
	facts := commits(ops)
	sessions := map[string][]history.Op{}
	var order []string
	for _, op := range ops {
		if op.Session == "" || !saw(op) {
			continue
		}
		if _, ok := sessions[op.Session]; !ok {
			order = append(order, op.Session)
		}
		sessions[op.Session] = append(sessions[op.Session], op)
	}
	var out []Violation
	for _, session := range order {
		v := view{version: map[string]history.Op{}}
		sweep(sessions[session], v.add, func(op history.Op) {
			if wrote(op) {
				return // commitOrder and the register's own order hold these
			}
			if before, ok := v.version[op.Key]; ok && before.Version > op.Version {
				out = append(out, Violation{
					RuleSession, op.Key, fmt.Sprintf("session %s went back from version %d to %d", session, before.Version, op.Version),
					[]history.Op{before, op},
				})
				return
			}
			if at := facts[op.Key].at(v.zxid.Zxid); at != nil && at.Version > op.Version {
				out = append(out, Violation{
					RuleSession, op.Key, fmt.Sprintf("session %s saw 0x%x, by which version %d was committed, and went back to %d", session, v.zxid.Zxid, at.Version, op.Version),
					[]history.Op{*at, v.zxid, op},
				})
			}
		})
	}
	return out
}

func (v *view) add(op history.Op) {
	if op.Zxid > v.zxid.Zxid {
		v.zxid = op
	}
	if before, ok := v.version[op.Key]; !ok || op.Version > before.Version {
		v.version[op.Key] = op
	}
}

// committed holds, for one key, operations that tell when a version was
// committed, by zxid.
type committed []history.Op

// commits gathers by key what was committed when.
func commits(ops []history.Op) map[string]committed {
	out := map[string]committed{}
	for _, op := range ops {
		if saw(op) && op.Zxid > 0 {
			out[op.Key] = append(out[op.Key], op)
		}
	}
	for _, list := range out {
		sort.SliceStable(list, func(i, j int) bool { return list[i].Zxid < list[j].Zxid })
	}
	return out
}

// at returns the last version committed by a zxid.
func (c committed) at(zxid int64) *history.Op {
	n := sort.Search(len(c), func(i int) bool { return c[i].Zxid > zxid })
	if n == 0 {
		return nil
	}
	return &c[n-1]
}
