package migration

import (
	"fmt"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

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
	return slices.ContainsFunc(c.members, func(s *member) bool {
		return (s.stands.away() || s.pod.NodeLost) && s.ID != c.in.ID && !s.onHost() && !s.says.Serving()
	})
}

// hostUnclear is what to do while something accepts connections at the host's
// address and nothing answers there.
func (c *context) hostUnclear(phase Phase) Decision {
	see := c.there(fmt.Sprintf("see what listens on ports %d and %d", c.ClientPort, c.ElectionPort))
	if c.Replaced != nil {
		see += "; where another machine has that address by now: " + c.cmd("retire --id=%d --host-gone=%s", c.ID, c.HostIP)
	}
	return wait(CodeUnseen, phase, "something accepts connections at %s, and no ZooKeeper answers there as server %d: a paused server, another program, or a proxy between here and the host",
		c.HostIP, c.ID).then(see)
}

// lacking lists, in words, every server of ids that was not seen to take part as
// itself; blind is set when none of them was seen not to.
func (c *context) lacking(ids []ensemble.ID) (bad []string, blind bool) {
	down := false
	for _, id := range ids {
		switch s := c.of(id).says; {
		case s.Hidden():
			bad = append(bad, fmt.Sprintf("server %d: not seen: %s", id, s.Said()))
		case !s.Serving():
			down = true
			bad = append(bad, fmt.Sprintf("server %d: %s", id, s.Said()))
		}
	}
	return bad, !down && len(bad) > 0
}
