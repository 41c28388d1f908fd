package migration

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// look is the command that shows why a pod does not do what is waited for: what
// its gate refuses is in its log, what keeps it from running is not.
func (c *context) look() string {
	pod := c.pod
	switch {
	case c.stands == PodNone:
		return c.kubectl("describe statefulset %s", c.set())
	case c.report.State == GateRefused:
		return c.logs()
	case pod.OutOfMemory:
		return c.moreMemory()
	}
	return c.kubectl("describe pod %s", pod.Name)
}

// set is the name of the pod's StatefulSet.
func (c *context) set() string {
	return strings.TrimSuffix(c.pod.Name, fmt.Sprintf("-%d", c.Ordinal))
}

// makeAgain makes what somebody has deleted, or made smaller, of what the pod is
// made from. It changes no gate: the pod parks, or goes on with the data it has.
func (c *context) makeAgain() Decision {
	return do(StepPark, nil, "what pod %s is made from is gone, or was made smaller", c.pod.Name)
}

// moreMemory is the way out of a limit that is too low. A pod that was released and has
// not joined is made anew by way of its host only.
func (c *context) moreMemory() string {
	const more = " --memory=..., more than the heap (-Xmx) plus 512Mi"
	again := c.cmd("replace --id=%d", c.in.ID) + more
	switch {
	case c.flight == nil && c.Replaced != nil:
		return c.cmd("apply --id=%d", c.in.ID) + more
	case c.flight == nil:
		return again
	}
	return c.cmd("revert --id=%d", c.in.ID) + ", then " + again
}

// whyAnew says why a released pod needs a new start.
func (c *context) whyAnew() string {
	if c.pod.OutOfMemory {
		return c.report.Detail + "; its container was killed for using more memory than its limit (OOMKilled)"
	}
	return c.report.Detail
}

// toPark says what helps a pod that is not parked before its server is stopped.
func (c *context) toPark(d Decision) Decision {
	if c.pod.Unbound {
		return c.newClaims(d)
	}
	next := c.look()
	if c.stands != PodNone && !c.pod.Running() {
		next += "; image, memory, CPU and the like are corrected by the same command with the right flag (--image, --memory, --cpu)"
	}
	return d.then(next)
}

// newClaims: a StatefulSet's claims cannot be changed, so another storage class
// needs a new StatefulSet, from somebody who may delete the old one. It is
// deleted without its pods: others of them may run servers.
func (c *context) newClaims(d Decision) Decision {
	var pods, claims []string
	for _, s := range c.members {
		if p := s.pod; p.Unbound {
			pods, claims = append(pods, p.Name), append(claims, p.Claim())
		}
	}
	return d.with(
		"where the class is the wrong one: interrupt this command; somebody who may delete the StatefulSet then runs, in this order, and nothing that serves is touched:",
		c.kubectl("delete statefulset %s --cascade=orphan", c.set()),
		c.kubectl("delete pod %s", quote.Words(pods)),
		c.kubectl("delete pvc %s", quote.Words(claims)),
	).then(c.kubectl("describe pvc %s", c.pod.Claim()) + "; after those commands " + c.cmd("replace --id=%d", c.in.ID) + " --storage-class=CLASS")
}

// lostNode says what helps a replaced server whose node has gone: the node, or
// its end. Kubernetes moves no pod of a StatefulSet by itself, for it cannot
// tell a dead machine from one that is cut off; neither can we.
func (c *context) lostNode(d Decision) Decision {
	return d.with(
		"bring "+c.pod.Node+" back, and the pod serves again with its data, by itself",
		"or, where that machine is gone for good: make sure that it is off, for the pod may still run there; then somebody who may runs, in this order:",
		c.deleteNode(),
	).with(c.lostVolume()...)
}

// deleteNode is the command of somebody who may, once the machine is known to be off.
func (c *context) deleteNode() string {
	return c.at().Clusterwide().Kubectl("delete node %s", c.pod.Node)
}

// lostVolume says how a replaced server begins anew on another volume.
func (c *context) lostVolume() []string {
	return []string{
		"where its volume is gone for good, or cannot follow it to another node, also:",
		c.kubectl("delete pvc %s --wait=false", c.pod.Claim()),
		c.kubectl("delete pod %s", c.pod.Name),
		"the next pod then refuses to start from nothing, until the others have proved that they hold everything: " + c.cmd("replace --id=%d", c.in.ID),
	}
}

// inPods names the other replaced servers that do not serve, with what is
// wrong with their pods.
func (c *context) inPods() (ids []ensemble.ID, why []string) {
	for _, s := range c.members {
		if s.ID == c.in.ID || s.Replaced == nil || s.serves() {
			continue
		}
		ids = append(ids, s.ID)
		why = append(why, fmt.Sprintf("pod %s of server %d: %s", s.pod.Name, s.ID, c.about(s).podState()))
	}
	return slices.Clip(ids), why
}

// comeBack is what brings a server back that should run on its host and is
// refused there; empty when there is none. One whose pod holds what the host may not
// have comes back by a revert, which proves first that the others have it.
func (c *context) comeBack() string {
	missing := c.first(func(m *member) bool { return m.onHost() && m.live.Reach == vantage.Refused && !c.flying(m.ID) })
	if missing == nil {
		return ""
	}
	return c.about(missing).bringBack()
}

// GateContainer is the container whose log holds what the gate reports, and
// nothing else.
const GateContainer = "gate"

// earlierLog is the command that shows the end of a container that keeps ending.
func (c *context) earlierLog() string {
	switch c.pod.EarlierLog {
	case "":
		return ""
	case GateContainer:
		return " (" + c.kubectl("logs %s -c %s --previous", c.pod.Name, GateContainer) + ")"
	}
	return " (" + c.kubectl("logs %s --previous", c.pod.Name) + ")"
}

// logs is the command that shows what a pod says: the gate's reports until
// ZooKeeper was started, then ZooKeeper's own log.
func (c *context) logs() string {
	if c.started() {
		return c.kubectl("logs %s", c.pod.Name)
	}
	return c.kubectl("logs %s -c %s", c.pod.Name, GateContainer)
}
