package migration

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// sparePod reports whether the pod, in which ZooKeeper may run, may be taken away.
// There are three grounds, and what was not seen is none: nothing runs in it, or it
// is going already; the other voters were all seen in sync and hold a fresh write,
// in one epoch; or no quorum has served for long, so that none is lost.
func (c *context) sparePod(phase Phase) (Decision, bool) {
	pod := c.v.Cluster.Pod
	if c.podDown() || pod.Terminating && !pod.NodeLost || c.longWithoutQuorum() {
		return Decision{}, true
	}
	others := ensemble.Without(c.voters(), c.flight.ID)
	if bad, blind := c.lacking(others); blind {
		return wait(CodeUnseen, phase, "not every other voter is seen from here; the pod goes on").with(bad...).
			then("open the way to them, or interrupt this command and run it on a machine that reaches them"), false
	} else if len(bad) > 0 {
		return wait(CodeDegraded, phase, "not every other voter is in sync; the pod goes on").with(bad...).then(c.startOf(others)), false
	}
	held := others
	if own := c.v.Says(); own.Serving() && !own.Unread() {
		held = c.rec.Ensemble().IDs()
	}
	return c.proveOn(held, phase)
}

// podDown reports whether it is known that no ZooKeeper runs in the pod: its
// container does not run, or its gate's script still stands in ZooKeeper's place.
// A node that does not report tells nothing of its containers.
func (c *context) podDown() bool {
	pod := c.v.Cluster.Pod
	switch {
	case c.v.AtPod.Serving(), c.v.Live.Serving() && pod.IP != "" && same(c.v.Cluster.Endpoints.Union, pod.IP):
		return false
	case !pod.Found:
		return true
	case pod.NodeLost, pod.Ready:
		return false
	case !pod.Running:
		// What a node last said may be old: where the address leads to the pod, it
		// refuses as well.
		return !same(c.v.Cluster.Endpoints.Union, pod.IP) || pod.IP == "" || c.v.Live.Sight() == SeenNotServing
	}
	return pod.GateFresh && (pod.Gate == GateParked || pod.Gate == GateVetoed || pod.Gate == GateRefused)
}

// longWithoutQuorum reports whether this command has seen for long, at every look, that no
// quorum serves.
func (c *context) longWithoutQuorum() bool {
	since := c.in.NoQuorumSince
	return !since.IsZero() && c.o.NoQuorum() && c.due(since, NoQuorumFor)
}
