package migration

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// dataProven: whatever the pod starts from, nothing is forgotten by it: the host's data
// is copied in full, or all others hold everything (I4).
func (c *context) dataProven() Decision {
	if c.flight.data() == DataCopy {
		return c.seed()
	}
	return c.proveAfter(!c.flight.WasLeader)
}

// startsFrom is what the pod starts from, and why that may be.
func (c *context) startsFrom() (GateStart, string) {
	f := c.flight
	if f.data() == DataCopy {
		return SeededStart(f.Seed), "its data is copied to the pod in full"
	}
	return EmptyStart(c.pod.UID), fmt.Sprintf("servers %s hold %s", ensemble.JoinIDs(f.After.Held), f.After.Zxid)
}

// waitsParked: the pod waits at its gate.
func (c *context) waitsParked() Decision {
	if c.stands == PodParked {
		return Decision{}
	}
	return c.notParked(PhaseFlip, "")
}

// notParked waits for the pod to park; so says what has not happened meanwhile.
func (c *context) notParked(phase Phase, so string) Decision {
	return wait(CodePodNotParked, phase, "pod %s is not parked: %s%s", c.pod.Name, c.podState(), so).then(c.look())
}

// flipToPod moves the address of a dead host to the parked pod.
func (c *context) flipToPod() Decision {
	_, why := c.startsFrom()
	return c.pointToPod("host " + c.HostIP + " is dead and fenced, " + why)
}

// release opens the gate.
func (c *context) release() Decision {
	start, why := c.startsFrom()
	g := c.copyFlight()
	if c.outOfTime() {
		// It may not be the first start: a revert must not take it for that.
		g.Renewals++
	}
	g.Released, g.Kicked, g.Served, g.Line = c.stamp(), c.stamp(), true, &Release{Start: start}
	d := do(StepRelease, g, "host dead and fenced, %s, the address is the pod's", why)
	d.Start = start
	return d
}

// mayStart: the host's server was let start, or its unit unmasked.
func (f *Flight) mayStart() bool { return f.Released != nil || f.Unmasking != nil || f.Unfenced != nil }

// data is what the pod starts from.
func (f *Flight) data() DataMode {
	if f.Data == "" {
		return DataEmpty
	}
	return f.Data
}
