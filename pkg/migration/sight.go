package migration

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Unseen lists the servers that this look did not see, or saw by half: nothing is
// known of whether they serve, or of who serves and with which list.
func (o Observation) Unseen() []ensemble.ID {
	var ids []ensemble.ID
	for _, v := range o.Servers {
		if v.Live.Hidden() {
			ids = append(ids, v.ID)
		}
	}
	return ids
}

// NoQuorum reports whether this look proves that no quorum serves: the voters that
// did not themselves say so, by an answer, are too few to be one. A refused
// connection is not an answer.
func (o Observation) NoQuorum() bool { return o.noQuorumWithout(ServerView.saysIdle) }

// noQuorumWithout reports whether the voters of which this does not hold are too
// few to be a quorum.
func (o Observation) noQuorumWithout(away func(ServerView) bool) bool {
	servers := o.Record.Ensemble()
	var rest []ensemble.ID
	for _, id := range servers.Voters() {
		if v, _ := o.View(id); !away(v) {
			rest = append(rest, id)
		}
	}
	return !ensemble.NewQuorum(servers.Servers).Has(rest)
}

// saysIdle reports whether the server answered that it does not serve, at each
// address where it may run.
func (v ServerView) saysIdle() bool {
	idle := func(s Sighting) bool { return s.Sight() == SeenNotServing && s.Reach != ReachRefused }
	if v.AtPod.Reach == ReachUnknown {
		return idle(v.Live)
	}
	// The Service leads to the host, where nothing may run yet.
	return idle(v.AtPod) && v.Live.Sight() == SeenNotServing
}

// Says is what the server itself said, wherever it was asked.
func (v ServerView) Says() Sighting {
	if v.AtPod.Serving() {
		return v.AtPod
	}
	return v.Live
}

// AwayFromPod reports whether ZooKeeper may run in the pod while the Service leads
// elsewhere, so that only the pod's own address tells.
func (v ServerView) AwayFromPod() bool {
	pod := v.Cluster.Pod
	return pod.Found && pod.IP != "" && pod.Gate == GateStarted && !same(v.Cluster.Endpoints.Union, pod.IP)
}

// askingAgain: somebody was not seen, and not for long yet.
func (c *context) askingAgain() bool {
	since := c.in.UnseenSince
	return !since.IsZero() && !c.due(since, UnseenPatience)
}

// unseen is what to do while the only obstacle is that servers are not seen: ask
// again for a while, and then refuse. Nothing has been begun.
func (c *context) unseen(bad []string) Decision {
	if c.askingAgain() {
		return wait(CodeUnseen, PhaseProve, "not every server is seen from here; asking again for up to %.0f s", UnseenPatience.Seconds()).with(bad...)
	}
	return stop(CodeUnseen, c.cmd("check"), "not every server is seen from here, so it is unknown whether the others can spare server %d", c.in.ID).with(bad...).
		with("nothing was changed; run this command on a machine that reaches every server")
}

// podsAway: Kubernetes says of another replaced server that its pod is away, so
// that it does not serve is known although it was not seen.
func (c *context) podsAway() bool {
	for _, s := range c.rec.Servers {
		v, _ := c.o.View(s.ID)
		pod := v.Cluster.Pod
		if s.ID != c.in.ID && s.Replaced != nil && !v.Says().Serving() && (!pod.Found || !pod.Running || pod.Terminating || pod.NodeLost) {
			return true
		}
	}
	return false
}

// hostUnclear is what to do while something accepts connections at the host's
// address and nothing answers there.
func (c *context) hostUnclear(phase Phase) Decision {
	return wait(CodeUnseen, phase, "something accepts connections at %s, and no ZooKeeper answers there as server %d: a paused server, another program, or a proxy between here and the host",
		c.sr.HostIP, c.sr.ID).then("on host " + c.sr.HostIP + ": see what listens on ports " + fmt.Sprintf("%d and %d", c.sr.ClientPort, c.sr.ElectionPort))
}

// lacking lists, in words, every server of ids that was not seen to take part as
// itself; blind is set when none of them was seen not to.
func (c *context) lacking(ids []ensemble.ID) (bad []string, blind bool) {
	blind = true
	for _, id := range ids {
		v, _ := c.o.View(id)
		s := v.Says()
		switch {
		case s.Hidden():
			bad = append(bad, fmt.Sprintf("server %d: not seen: %s", id, s.said()))
			continue
		case s.Serving():
			continue
		}
		blind = false
		bad = append(bad, fmt.Sprintf("server %d: %s", id, s.said()))
	}
	return bad, blind && len(bad) > 0
}

func (c *context) anyLacking(ids []ensemble.ID) bool {
	bad, _ := c.lacking(ids)
	return len(bad) > 0
}

// dropped lists the servers of ids that are known not to take part. A refused
// connection counts only where what others say agrees with it: something in
// between may refuse in the name of a live server.
func (c *context) dropped(ids []ensemble.ID) []string {
	var out []string
	for _, id := range ids {
		if v, _ := c.o.View(id); c.isDown(v.Says()) {
			out = append(out, fmt.Sprintf("server %d: %s", id, v.Says().said()))
		}
	}
	return out
}

// isDown reports whether a server is known not to take part.
func (c *context) isDown(s Sighting) bool {
	return s.Sight() == SeenNotServing && (s.Reach != ReachRefused || c.othersAgree())
}

// OthersAgree reports whether what others say agrees with what was seen: that whoever
// refuses connections is down.
func OthersAgree(o Observation) bool { return summarized(o).othersAgree() }

// othersAgree: the leader counts nobody whom we do not see, or, without a leader,
// somebody else says that there is none.
func (c *context) othersAgree() bool {
	leader, found := c.o.View(c.o.Leader())
	following, idle := 0, false
	for _, id := range c.participants() {
		v, _ := c.o.View(id)
		if v.Says().Serving() && id != leader.ID {
			following++
		}
		idle = idle || v.saysIdle()
	}
	if !found {
		// Who follows has a leader that we do not see.
		return idle && following == 0
	}
	counted := leader.Says().SyncedFollowers
	if counted < 0 {
		// mntr is not allowed: then all the others must be there.
		return following+2 >= len(c.participants())
	}
	return counted <= following
}
