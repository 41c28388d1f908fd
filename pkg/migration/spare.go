package migration

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// sparePod reports whether the pod, in which ZooKeeper may run, may be taken away.
// There are three grounds, and what was not seen is none: nothing runs in it, or it
// is going already; the other voters were all seen in sync and hold a fresh write,
// in one epoch; or no quorum has served for long, so that none is lost.
func (c *context) sparePod(phase Phase) Decision {
	pod := c.pod
	if c.idle() || pod.Terminating && !pod.NodeLost || c.longWithoutQuorum() {
		return Decision{}
	}
	others := ensemble.Without(c.voters(), c.flight.ID)
	if bad, blind := c.lacking(others); blind {
		return wait(CodeUnseen, phase, "not every other voter is seen from here; the pod goes on").with(bad...).
			then("open the way to them, or interrupt this command and run it on a machine that reaches them")
	} else if len(bad) > 0 {
		return wait(CodeDegraded, phase, "not every other voter is in sync; the pod goes on").with(bad...).then(c.startOf(others))
	}
	held := others
	if own := c.says; own.Serving() && !own.Unread() {
		held = c.rec.Ensemble().IDs()
	}
	return c.proveOn(held, phase)
}

// longWithoutQuorum reports whether this command has seen for long, at every look, that no
// quorum serves.
func (c *context) longWithoutQuorum() bool {
	since := c.in.NoQuorumSince
	return !since.IsZero() && c.noQuorumWithout((*member).saysIdle) && c.due(since, NoQuorumFor)
}
