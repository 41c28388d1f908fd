package zkdata

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// judge decides on the whole copy, what is most telling first.
func (c *copier) judge() error {
	for _, check := range []func() error{c.judgeStop, c.judgeID, c.judgeSnapshots, c.judgeLogs, c.judgeEpochs} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// judgeStop: made after the stop, of a server that did not write any more.
func (c *copier) judgeStop() error {
	if !c.token {
		return refusef(NoToken, "", "run the printed command on the host: it writes the token into dataDir first",
			"it ends without the file %s, so nothing says that it was made after the stop and that tar could read all of it", TokenFile)
	}
	if c.newest.After(c.tokenTime) {
		return refusef(HotCopy, c.newestName, again+"; where the host's clock was set back meanwhile, wait until it has caught up",
			"it was written %s after the token: a server was running", tokenAge(c.tokenTime, c.newest))
	}
	return nil
}

func (c *copier) judgeID() error {
	if !c.myid {
		return refusef(WrongID, "", "copy dataDir, not only its version-2", "it holds no file myid, so nothing says that it is server %s's", c.want.ID)
	}
	return nil
}

// judgeSnapshots finds the one that ZooKeeper will start from.
func (c *copier) judgeSnapshots() error {
	found := false
	slices.SortFunc(c.snapshots, func(a, b snapshot) int { return cmp.Compare(b.zxid, a.zxid) })
	var others []string
	for _, s := range c.snapshots {
		switch {
		case s.state == damaged:
			return refuse(DamagedSnapshot, s.name, "its checksum is wrong", again+"; "+otherwise)
		case s.state == whole && !found:
			found, c.report.Snapshot = true, s.zxid
		case s.state == partial:
			others = append(others, s.name+" is not whole; ZooKeeper passes over it")
		case s.state == unreadable:
			others = append(others, s.name+" is packed with snappy, which cannot be checked here")
		}
	}
	if !found && len(c.snapshots) == 0 && c.fromTheBeginning() {
		return nil
	}
	if !found {
		what := "it holds no snapshot in a folder version-2"
		if len(others) > 0 {
			what = "it holds no whole snapshot: " + strings.Join(others[:min(len(others), maxListed)], "; ")
		} else if z, ok := c.beginning(); ok {
			what += fmt.Sprintf(", and its logs begin with %s: what came before may be missing", z)
		}
		return refuse(NoSnapshot, "", what, again+"; "+otherwise)
	}
	for _, n := range others {
		c.report.Notes = listed(c.report.Notes, n)
	}
	return nil
}

// fromTheBeginning: a server on 3.4 that has been sent differences only may have
// no snapshot, and starts by its logs alone (ZOOKEEPER-2325; seen on 3.4.13). Then
// they begin with the first transaction of all. Where the first epochs ended before
// anything was written they begin later, and nothing tells that from a lost log.
func (c *copier) fromTheBeginning() bool {
	z, ok := c.beginning()
	return ok && z == firstZxid
}

// beginning is the first transaction of all logs.
func (c *copier) beginning() (first ensemble.Zxid, ok bool) {
	for _, l := range c.logs {
		if len(l.runs) > 0 && (!ok || l.runs[0].first < first) {
			first, ok = l.runs[0].first, true
		}
	}
	return first, ok
}

// firstZxid is the first transaction of the first epoch.
const firstZxid ensemble.Zxid = 1<<32 | 1

// judgeLogs follows the transactions from the snapshot to the last one.
func (c *copier) judgeLogs() error {
	slices.SortFunc(c.logs, func(a, b txnLog) int { return cmp.Compare(a.zxid, b.zxid) })
	// ZooKeeper reads from the last log that begins at or before the snapshot.
	first := 0
	for i, l := range c.logs {
		if l.zxid <= c.report.Snapshot {
			first = i
		}
	}
	last := c.report.Snapshot
	for i, l := range c.logs {
		if l.bad != "" && i >= first {
			return refuse(DamagedLog, l.name, l.bad, again+"; "+otherwise)
		}
		if l.bad != "" {
			c.report.Notes = listed(c.report.Notes, l.name+": "+l.bad+"; it is older than the snapshot and not read at a start")
		}
		if l.torn != "" {
			c.report.Notes = listed(c.report.Notes, l.name+": "+l.torn+", as a server leaves it that was killed")
		}
		for _, r := range l.runs {
			switch {
			case r.last <= last:
			case r.first <= last || follows(last, r.first):
				last = r.last
			default:
				return refusef(MissingLog, l.name, again+"; is dataLogDir in it? "+hole, "transactions are missing between %s and %s", last, r.first)
			}
		}
	}
	c.report.Last = last
	if last < c.want.Zxid {
		return refusef(MissingLog, "", again+"; is dataLogDir in it?",
			"its last transaction is %s, and the server held %s before its stop: the copy is older, or a log is missing", last, c.want.Zxid)
	}
	return nil
}

// follows: the next one, or the first of a later epoch.
func follows(a, b ensemble.Zxid) bool {
	return b == a+1 || b.Epoch() > a.Epoch() && b.Counter() == 1
}

// judgeEpochs is QuorumPeer.loadDataBase's own check, and one more: who held a
// transaction of an epoch's leader had promised that epoch.
func (c *copier) judgeEpochs() error {
	if c.current == nil || c.accepted == nil {
		missing := "currentEpoch"
		if c.current != nil {
			missing = "acceptedEpoch"
		}
		return refusef(NoEpochs, "", again+"; "+otherwise, "it holds no %s in a folder version-2: the server's promises to leaders would be forgotten", missing)
	}
	c.report.CurrentEpoch, c.report.AcceptedEpoch = *c.current, *c.accepted
	switch needed := max(c.report.Last.Epoch(), c.want.Zxid.Epoch()); {
	case *c.current < needed:
		return refusef(EpochsDisagree, "", again+"; "+otherwise, "currentEpoch is %d, and the server took part in epoch %d", *c.current, needed)
	case *c.accepted < *c.current:
		return refusef(EpochsDisagree, "", again+"; "+otherwise, "acceptedEpoch %d is below currentEpoch %d", *c.accepted, *c.current)
	}
	return nil
}
