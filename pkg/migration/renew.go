package migration

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// resume decides for a server that the journal says runs in its pod.
func (c *context) resume() Decision {
	pod := c.pod
	if d := c.mend(); d.made() {
		return d
	}
	other := c.mendable()
	switch {
	case !c.serves() && c.report.State == GateRefused && c.otherImage() != "":
		return c.rightTemplate()
	case c.stands == PodNone:
		return wait(CodePodStarting, PhaseRelease, "waiting for the StatefulSet to make pod %s again, which holds the data of server %d", pod.Name, c.in.ID).then(c.look())
	case !c.gate.Released:
		return stop(CodeJournalDisagrees, c.cmd("revert --id=%d", c.in.ID),
			"somebody closed the gate of server %d, and the journal does not hold its line; its pod serves until its next restart", c.in.ID)
	case c.holds == HoldsHalf && other != nil:
		return stop(CodeDegraded, c.cmd("replace --id=%d", other.ID),
			"pod %s needs a new start, for which the others must be whole; the gate of server %d is closed, or its Service does not select its pod", pod.Name, other.ID)
	case c.holds == HoldsHalf:
		f := &Flight{Kind: Replace, ID: c.in.ID, Started: c.now, By: c.in.By, Epoch: c.epoch, Served: true, Starting: Starting{Renewing: c.stamp(), OutOfMemory: pod.OutOfMemory}}
		return do(StepBeginRenewal, f, "pod %s refuses to start from nothing: %s", pod.Name, c.report.Detail)
	case c.live.Another(c.in.ID):
		return stop(CodeWrongServer, c.cmd("check"), "%s", c.anotherAnswers())
	case c.live.Hidden() && c.stands == PodStarted && pod.Problem == "":
		return c.podUnseen()
	case c.serves():
		return done("server %d runs in pod %s", c.in.ID, pod.Name)
	case c.stands == PodVetoed:
		d := wait(CodePodVetoed, PhaseRelease, "pod %s, which holds the data of server %d, does not start ZooKeeper while something accepts connections at its old host %s", pod.Name, c.in.ID, c.HostIP)
		if c.host == HostUp {
			return d.then(c.stopAndMask())
		}
		return d.then(c.hostUnclear("").Next)
	case (c.stands == PodParked || c.stands == PodStarted) && pod.Problem == "":
		return wait(CodePodStarting, PhaseJoin, "server %d does not serve in pod %s yet: %s", c.in.ID, pod.Name, c.podState()).then(c.logs())
	case pod.Container == ContainerPreparing && !pod.Terminating:
		return wait(CodePodStarting, PhaseRelease, "pod %s of server %d does not run yet: %s", pod.Name, c.in.ID, c.podState()).
			with(c.lostVolume()...).then(c.look())
	}
	d := stop(CodePodAway, c.look(),
		"server %d was replaced, but its pod %s does not serve: %s", c.in.ID, pod.Name, c.podState())
	switch {
	case pod.NodeLost:
		return c.lostNode(d)
	case c.report.State == GateRefused:
		return d // its volume is there
	}
	return d.with(c.lostVolume()...)
}

// podUnseen: ZooKeeper was started in the pod, and did not answer here. It is
// neither done nor away.
func (c *context) podUnseen() Decision {
	if c.askingAgain() {
		return wait(CodeUnseen, PhaseJoin, "server %d, which runs in pod %s, is not seen from here: %s; asking again for up to %.0f s",
			c.in.ID, c.pod.Name, c.live.Said(), UnseenPatience.Seconds())
	}
	return c.notSeen()
}

// rightTemplate makes the pod of a replaced server again that came up with an
// image of another release and refuses to start it. Its volume keeps the data.
func (c *context) rightTemplate() Decision {
	pod := c.pod
	switch why := c.otherImage(); {
	case c.rec.PodsBefore != nil:
		return do(StepRestorePods, nil, "%s", why)
	case pod.Source.Set.Outdated:
		return do(StepPark, nil, "%s, and the StatefulSet is not what is recorded", why)
	case c.idleOutdated():
		return do(StepDeletePod, nil, "%s; it has started nothing, and its successor is made as recorded", why)
	case pod.Terminating:
		return wait(CodePodStarting, PhaseRelease, "%s; it is being deleted", why)
	default:
		return stop(CodeVersionDiffers, c.logs(), "%s, as recorded: %s", why, c.rec.Pods.Image)
	}
}

// mend writes again what somebody took away from a server that is not being
// moved. It takes no server away, so it may come in the middle of another one's
// operation, which waits for it.
func (c *context) mend() Decision {
	pod := c.pod
	switch {
	case c.in.Kind == Revert && c.Replaced == nil && !c.mayRun() && !c.selected && len(c.endpoints.Leftovers) == 0 && !c.atHost():
		return do(StepFlipBack, nil, "server %d runs on its host, and its Service points to %s", c.in.ID, orNone(c.endpoints.Union))
	case c.in.Kind != Replace || c.Replaced == nil:
		return Decision{}
	case !c.gate.Found:
		return c.parkAgain()
	case pod.Source.Missing:
		return c.makeAgain()
	case len(pod.Source.Set.Drift) > 0:
		return do(StepPark, nil, "%s; the recorded template is applied again, and no pod is restarted", c.setEdited())
	case len(pod.Source.Lost) > 0:
		return do(StepPark, nil, "%s; it is made again, and no pod is restarted", c.lost())
	case c.unadopted() && c.hasAddress():
		return c.pointToPod("server " + c.in.ID.String() + " runs in pod " + pod.Name)
	case !c.gate.Released && c.Release != nil:
		return c.restoreGate(c.Release, nil, "somebody closed the gate of server %d; its line of generation %d is written again", c.in.ID, c.Release.Generation)
	}
	return Decision{}
}

// mendable is another replaced server of which mend writes something again
// without anybody's help; nil when there is none.
func (c *context) mendable() *member {
	return c.first(func(m *member) bool {
		return m.ID != c.in.ID && !m.onHost() && m.Release != nil && (!m.gate.Released || !m.selected)
	})
}

// unadopted: the Service does not select the pod, or not it alone. It was made
// again, by wrap, and has nothing behind it.
func (c *context) unadopted() bool {
	return !c.selected || c.endpoints.BridgeFound && c.slices()
}

// renew lets a released pod start from empty once more. What it has lost may
// be writes that only it and a minority hold, so the others prove themselves
// whole first, exactly as before its first start (I4).
func (c *context) renew() Decision {
	f, pod := c.flight, c.pod
	counted, left := c.counted()
	switch {
	case f.Renewals-c.in.RenewalsAtStart >= RenewalsMax:
		return c.keepsFailing()
	case c.host == HostUnclear:
		return c.hostUnclear(PhaseRelease)
	case c.host.open():
		return wait(CodePodVetoed, PhaseRelease, "host %s answers again; the pod does not start beside it", c.HostIP).then(c.stopAndMask())
	case f.Renewing == nil:
		g := c.copyFlight()
		g.Renewing, g.After, g.Joined, g.Data, g.Seed, g.Returning = c.stamp(), nil, nil, "", "", nil
		g.OutOfMemory = f.OutOfMemory || pod.OutOfMemory
		return do(StepBeginRenewal, g, "pod %s refuses to start: %s", pod.Name, c.whyAnew())
	case counted > left:
		// One follower more than can be: the id still has a process.
		return wait(CodePodStopping, PhaseReprove, "the leader still forwards to server %d, whose pod has not started", c.in.ID).
			then("an older pod of it may live on a node that is out of reach: prove that machine dead")
	}
	if d := c.proveAfter(false); d.made() {
		return d
	}
	if d := c.onDisks(); d.made() {
		return d
	}
	if !c.report.Fresh {
		return wait(CodeRenewal, PhaseRelease, "pod %s has not reported for more than %s", pod.Name, ReportFresh)
	}
	g := c.copyFlight()
	g.Renewing, g.Released, g.Kicked = nil, c.stamp(), c.stamp()
	g.Renewals++
	d := do(StepRenew, g, "generation %d is void, servers %s hold %s", c.gate.ReleasedGeneration, ensemble.JoinIDs(f.After.Held), f.After.Zxid)
	d.Start = EmptyStart(pod.UID)
	return d
}

// keepsFailing: another start from empty is not tried before somebody has looked.
func (c *context) keepsFailing() Decision {
	d := stop(CodeKeepsFailing, c.kubectl("logs --previous %s", c.pod.Name),
		"pod %s began %d times from empty in this run and never synced: %s", c.pod.Name, RenewalsMax, c.whyAnew())
	if c.pod.OutOfMemory || c.flight.OutOfMemory {
		return d.then(c.moreMemory())
	}
	return d.with("run the command again once the cause is mended (memory, initLimit, jute.maxbuffer, disk), or "+c.cmd("revert --id=%d", c.ID), c.podState()).
		with(c.pod.Log.said()...)
}

// others are the voters that must hold everything before this server may start
// from nothing, or from stale data. When there is no other way out, servers that
// have lost their data as well cannot, and their gates keep them from voting;
// they are left out as long as they are no quorum together with this one, for
// then every quorum with it still contains a holder. With three voters two are one, and nothing is started.
func (c *context) others() []ensemble.ID {
	out := ensemble.Without(c.voters(), c.flight.ID)
	lost := c.voting(c.needRenewal())
	first := c.flight.Kind == Replace && c.Replaced == nil // it can go back to its host
	if first || c.quorum().Has(append(lost, c.flight.ID)) {
		return out
	}
	for _, id := range lost {
		out = ensemble.Without(out, id)
	}
	return out
}

// needRenewal lists the other replaced servers whose pods wait for a new proof.
func (c *context) needRenewal() []ensemble.ID {
	return c.ids(func(m *member) bool { return m.ID != c.in.ID && !m.onHost() && m.holds == HoldsHalf })
}
