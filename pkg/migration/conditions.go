package migration

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// condition is something that must hold before a server is taken away, whichever it is.
// Where it does not, it says so, and what that means for the ensemble.
type condition func() (Decision, Class)

// beginnings are the conditions under which anything may begin, hardest first: that
// nobody else is at work on these hosts, and what is seen of them.
func (c *context) beginnings() []condition {
	first := []condition{c.wrappedOnce, c.rightServers, c.recordedLists}
	if c.leader == nil {
		return append(first, c.noLeader)
	}
	return append(first, c.oldVersion, c.counts, c.recordedVersion, c.oneVersion, c.roomInEpoch)
}

func (c *context) rightServers() (Decision, Class) {
	var bad []string
	for _, s := range c.members {
		if s.live.Another(s.ID) {
			bad = append(bad, s.anotherAnswers())
		}
	}
	if len(bad) == 0 {
		return Decision{}, ""
	}
	return stop(CodeWrongServer, c.cmd("check"), "endpoints point to the wrong servers").with(bad...), ClassWrong
}

// noLeader says why there is not exactly one.
func (c *context) noLeader() (Decision, Class) {
	leading := c.ids(func(m *member) bool { return m.serves() && m.live.Mode == ensemble.Leader })
	hidden := c.ids(func(m *member) bool { return m.live.Sight() == vantage.Unseen })
	switch {
	case len(leading) > 1:
		return stop(CodeNoLeader, c.cmd("status"), "there is not exactly one leader: servers %s say that they lead", ensemble.JoinIDs(leading)), ClassWrong
	case len(hidden) > 0:
		return stop(CodeNoLeader, c.cmd("status"), "no leader was seen; server %s, not seen from here, may lead", ensemble.JoinIDs(hidden)), ClassUnseen
	}
	return stop(CodeNoLeader, c.cmd("status"), "there is not exactly one leader: no server says that it leads"), ClassWrong
}

func (c *context) oldVersion() (Decision, Class) {
	reason, way := VersionRefusal(c.leader.live.Version)
	left := c.ids(func(m *member) bool { return m.onHost() && m.Voter() })
	if reason == "" || len(left) == 0 || c.rec.Waived(WaiverVersion) {
		return Decision{}, ""
	}
	return stop(CodeVersionRefused, way, "%s", reason), ClassRefusal
}

// counts holds the leader's count of followers against the servers there are.
func (c *context) counts() (Decision, Class) {
	n, forwards := c.followers(), c.leader.live.SyncedFollowers
	lacking, _ := c.lacking(c.participants())
	switch {
	case forwards > n:
		return stop(CodeExtraFollower, c.cmd("status"),
			"the leader forwards to %d followers, and there are %d: the journal does not hold all servers, or one runs twice", forwards, n).
			with("one that has just come back may be counted twice for some seconds: then run the command again"), ClassWrong
	case forwards < 0 || forwards == n || len(lacking) > 0:
		// Who is away is told by itself, and who is on its way by the operation.
		return Decision{}, ""
	}
	return stop(CodeNotSynced, c.cmd("status"), "the leader forwards to %d of %d followers only", forwards, n), ClassWrong
}

func (c *context) recordedVersion() (Decision, Class) {
	v, recorded := c.leader.live.Version, c.rec.Settings.Version
	if v.IsZero() || recorded == "" || v.String() == recorded || c.rec.Waived(WaiverOneVersion) || c.rec.Finalized != nil {
		return Decision{}, ""
	}
	return stop(CodeVersionDiffers, c.cmd("wrap"), "the servers run ZooKeeper %s, the journal says %s, which is what the pods are made for", v, recorded).
		with("wrap, with the files of now, brings the journal up to date as long as nothing is replaced"), ClassRefusal
}

// oneVersion: a server of another release than its leader was not meant.
func (c *context) oneVersion() (Decision, Class) {
	leads := c.leader.live.Version
	if leads.IsZero() || c.rec.Waived(WaiverOneVersion) || c.rec.Finalized != nil { // releases change without us then
		return Decision{}, ""
	}
	var other []string
	for _, s := range c.members {
		if v := s.live.Version; s.serves() && !v.IsZero() && v.Compare(leads) != 0 {
			other = append(other, fmt.Sprintf("server %d runs ZooKeeper %s", s.ID, v))
		}
	}
	if len(other) == 0 {
		return Decision{}, ""
	}
	return stop(CodeVersionDiffers, c.cmd("check"), "not all servers run the leader's release, ZooKeeper %s", leads).with(other...), ClassRefusal
}

func (c *context) roomInEpoch() (Decision, Class) {
	if c.leader.live.Zxid.Counter() <= zxidCounterWarn {
		return Decision{}, ""
	}
	return stop(CodeZxidOverflowNear, "restart the leader at a quiet time, then go on",
		"the transaction counter is near its end (%s): an election is near", c.leader.live.Zxid), ClassRefusal
}
