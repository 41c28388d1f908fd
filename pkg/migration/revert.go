package migration

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"

// revert decides the way from the pod back to the host.
func (c *context) revert() Decision {
	switch f := c.flight; {
	case c.Retired != nil:
		return stop(CodeHostRetired, c.cmd("retire --id=%d --undo", c.in.ID),
			"host %s of server %d was declared gone by %s at %s; nothing goes back to it", c.HostIP, c.in.ID, quote.Line(c.Retired.By), moment(c.Retired.At))
	case c.unproven():
		return do(StepRestorePods, nil, "they were changed for server %d, which goes back; servers that run in pods would take them when their pods are recreated", c.in.ID)
	case f == nil && c.onHost() && !c.mayRun() && c.atHost() && c.serves():
		return done("server %d runs on its host %s", c.in.ID, c.HostIP)
	case f != nil && f.Kind == Reconfigure && c.outOfTime():
		return c.forgetRestart()
	case f != nil && f.Kind == Reconfigure:
		return c.inRestart()
	}
	return c.follow(reverting())
}

// reverting is its order. For a pod that has served it is itself a replacement, by a
// member whose data is stale: the same proof, in the other direction. The address goes
// back while the pod still exists: with the pod's deletion the Service would be left
// without any address for a moment (I2).
func reverting() []stage {
	begun := func(c *context) bool { return c.flight != nil && c.flight.Kind == Revert }
	neverServed := func(c *context) bool { return !c.flight.Served }
	return []stage{
		{
			phase: PhaseReclaim, steps: []StepID{StepBeginRevert}, over: begun,
			rules: []rule{(*context).beginRevert},
		},
		{rules: []rule{(*context).disturbedRevert}},
		{
			steps: []StepID{StepProveBefore, StepNoteBefore, StepCloseGate}, over: neverServed,
			rules: []rule{(*context).closePod, (*context).spareStill},
		},
		{
			phase: PhaseFlip, steps: []StepID{StepBridge, StepClearSelector, StepDeleteLeftovers, StepFlipBack},
			reached: func(f *Flight) bool { return f.Cleared != nil },
			rules:   []rule{(*context).flipToHost},
		},
		{
			phase: PhaseReprove, steps: []StepID{StepDeletePod, StepNoteDead, StepProveAfter, StepNoteAfter}, over: neverServed,
			reached: func(f *Flight) bool { return f.DeadSince != nil },
			rules:   []rule{(*context).reclaim, (*context).noteGone, (*context).othersHold},
		},
		{
			phase: PhaseStart, steps: []StepID{StepUnmaskHost, StepStartHost},
			reached: func(f *Flight) bool { return f.Unmasking != nil || f.Released != nil },
			rules:   []rule{(*context).onDisks, (*context).unmasked, (*context).startHost, (*context).hostStarted},
		},
		{
			phase: PhaseJoin, steps: []StepID{StepProveJoined, StepNoteJoined, StepFinishRevert},
			reached: func(f *Flight) bool { return f.Joined != nil },
			rules:   []rule{(*context).proveJoined, (*context).watchJoined, (*context).finishRevert},
		},
	}
}

// disturbedRevert is what may have happened to a revert since it began.
func (c *context) disturbedRevert() Decision {
	switch {
	case !c.gate.Found && c.stands != PodNone:
		return do(StepPark, nil, "the gate is gone, and pod %s cannot park without one", c.pod.Name)
	case c.outOfTime():
		g := c.succeed(Revert)
		g.Fenced, g.Line = c.flight.Fenced, c.line()
		return do(StepBeginRevert, g, "the gate has changed since, so the pod may have run: a journal of an earlier time was put back, and nothing it has proven holds")
	}
	return Decision{}
}

// spareStill: peers and clients do not find the pod any more once its address is the
// host's, so the others must still be able to spare it.
func (c *context) spareStill() Decision {
	if c.flight.DeadSince != nil || c.onHostAlone() {
		return Decision{}
	}
	d := c.sparePod(PhaseReclaim)
	if d.made() && d.Code != CodeUnseen {
		return d.then(c.wayBack())
	}
	return d
}

func (c *context) beginRevert() Decision {
	g := c.newFlight()
	g.Served = c.Replaced != nil || c.mayRun() || c.flight == nil && !c.hostIsNewest()
	g.Line = c.line()
	if f := c.flight; f != nil {
		g.Served = g.Served || f.Served || c.outOfTime()
		g.Fenced, g.Renewals, g.Reclaimed = f.Fenced, f.Renewals, f.Reclaimed
		if f.Aborted != "" {
			g.Line = f.Line
		}
	}
	if lost := c.needRenewal(); len(lost) > 0 && g.Served && c.serves() {
		next := c.cmd("replace --id=%d", lost[0])
		if c.flight != nil {
			next = c.cmd("replace --id=%d", c.in.ID)
		}
		return stop(CodeDegraded, next,
			"the pod of server %d needs a new start from empty, which comes first; server %d serves in its pod", lost[0], c.in.ID)
	}
	switch {
	case !g.Served:
		g.Gate = c.gate.Generation
		return do(StepBeginRevert, g, "the pod never served: the host's data is complete, its start is an ordinary restart")
	case c.flight == nil && c.onHostAlone():
		// The journal was put back from before it went to its host.
		g.StopAsked, g.DeadSince, g.Gate = c.stamp(), c.stamp(), c.gate.Generation
		return do(StepBeginRevert, g, "the server runs on host %s, its address points there, and its pod is parked: only the journal does not say so", c.HostIP)
	case c.host == HostUnclear:
		return c.hostUnclear(PhaseProve)
	case c.host.open():
		return stop(CodeGhostHost, c.there("stop the server"),
			"the server on host %s already answers while its pod may run: stop it before it is moved back in order", c.HostIP)
	}
	return do(StepBeginRevert, g, "the pod has served: the host's data is stale, so the other servers must prove that they hold everything")
}

// closePod proves everybody whole and closes the gate; the pod goes on serving.
func (c *context) closePod() Decision {
	f := c.flight
	lost := c.needRenewal()
	comesLater := len(lost) > 0 && f.StopAsked == nil && c.serves()
	switch {
	case c.onHostAlone():
		// Neither is taken away.
		return Decision{}
	case f.DeadSince == nil && c.host == HostUnclear:
		return c.hostUnclear(PhaseProve)
	case f.DeadSince == nil && c.host.open():
		return stop(CodeGhostHost, c.there("stop the server"),
			"the server on host %s answers while its pod may run: two processes with one id", c.HostIP)
	case comesLater && c.onHost():
		return c.turnBack()
	case comesLater:
		return do(StepCancelRevert, nil, "the pod of server %d needs a new start from empty, which comes first", lost[0])
	case f.StopAsked == nil:
		return c.askPodStop()
	case c.gate.Released:
		return c.closeGate(nil)
	}
	return Decision{}
}

// askPodStop closes the gate as soon as the others can spare the pod.
func (c *context) askPodStop() Decision {
	if d := c.sparePod(PhaseProve); d.made() {
		return d
	}
	g := c.copyFlight()
	g.StopAsked, g.WasLeader = c.stamp(), c.leads(g.ID)
	if c.mayRun() {
		g.PodUID = c.pod.UID
	}
	// What is closed, whatever a journal of an earlier time says.
	g.Line = c.line()
	return c.closeGate(g)
}

func (c *context) closeGate(g *Flight) Decision {
	return do(StepCloseGate, g, "no restart of pod %s may start ZooKeeper again", c.pod.Name)
}

// noteGone: the id has left the pod, and that is noted.
func (c *context) noteGone() Decision {
	f := c.flight
	if f.DeadSince != nil {
		return Decision{}
	}
	g := c.copyFlight()
	g.DeadSince, g.DeadReport, g.Gate = c.stamp(), c.podReport(), c.gate.Generation
	if f.Line != nil && (f.StopAsked == nil || !c.watchedFrom(*f.StopAsked)) {
		// Its host may have run since the pod was told to stop: no way back.
		g.Line = &Release{Start: f.Line.Start}
	}
	return do(StepNoteDead, g, "the old pod is gone, its successor is parked at gate generation %d", c.report.Generation)
}

// othersHold: the others hold everything, so the host may start from what it has.
func (c *context) othersHold() Decision {
	f := c.flight
	switch {
	case f.Released != nil || c.host == HostUp:
		// The host was asked to start, and the proof was complete then; or it runs,
		// and there is nothing left to prove it for.
		return Decision{}
	case c.neverSynced():
		// The server acknowledged nothing since it stopped on its host, so its
		// start there is an ordinary restart, and may be what the rest needs.
		return Decision{}
	case (f.Unmasking != nil || f.Unfenced != nil) && f.After.complete():
		// What the others have on their disks stays there, whoever leads.
		return Decision{}
	}
	// An election meanwhile is no reason to stop: there is no process to go back
	// to, and whoever leads without this server holds every acknowledged write.
	return c.proveAfter(false)
}

// neverSynced reports whether the parked pod can show that ZooKeeper was not
// started at all since its release, or ended before it had synced from a
// leader: the files of that start are there, and its current epoch is none. A follower writes its current
// epoch before it acknowledges anything of a leader's (Learner.syncWithLeader,
// NEWLEADER).
func (c *context) neverSynced() bool {
	if c.Replaced != nil || c.flight.Renewals != 0 || !c.waits() {
		return false
	}
	// The pod that the line was for stands there as it was: the gate's script
	// becomes ZooKeeper, so it is at the head again only after a restart.
	holds, line := c.report.Volume.State, c.flight.Line
	waited := holds == VolumeUnused && c.pod.Restarts == 0 && line != nil && line.Start == EmptyStart(c.pod.UID)
	return holds == VolumeUnsynced || waited || c.notOfThisRelease()
}

// reclaim closes the gate and waits until a pod is parked, having read a gate
// without its line: the one that never got as far as starting ZooKeeper, or
// the successor of the one that may have run it, which is gone by uid.
func (c *context) reclaim() Decision {
	f, pod := c.flight, c.pod
	switch {
	case c.gate.Released:
		return c.closeGate(nil)
	case pod.Source.Missing:
		return c.makeAgain()
	case c.stands == PodGoing:
		d := wait(CodePodStopping, PhaseReclaim, "pod %s is being deleted", pod.Name).
			then("if its node is lost, prove the machine dead and remove it from the cluster; the pod is never deleted by force")
		if pod.NodeLost {
			d = d.with("where that machine is gone for good: make sure that it is off, for the pod may still run there; then somebody who may runs:", c.deleteNode())
		}
		return d
	case c.shut():
		return Decision{}
	case c.stands != PodNone && (pod.UID == f.PodUID || c.started() || c.report.State == GateUnknown && pod.Source.Pod.Outdated && !pod.Source.Set.Outdated):
		return c.deletePod()
	case c.stands == PodNone:
		return wait(CodePodStopping, PhaseReclaim, "waiting for the StatefulSet to create the pod again").then(c.look())
	case !pod.Running() && pod.Node == "":
		// Not scheduled anywhere: no process, and no gate read yet.
		return Decision{}
	}
	return wait(CodePodStopping, PhaseReclaim, "pod %s is not parked again yet: %s", pod.Name, c.podState())
}

// deletePod has a pod make room for one that parks.
func (c *context) deletePod() Decision {
	g, pod := c.copyFlight(), c.pod
	g.PodUID = pod.UID
	if g.Reclaimed == nil {
		g.Reclaimed = c.stamp()
	}
	if g.Kind == Revert && g.DeadSince != nil && c.started() {
		// It has run since that was noted: what was proven then is void.
		g.DeadSince, g.DeadReport, g.After = nil, nil, nil
		if c.host != HostUp {
			g.Released = nil
		}
	}
	return do(StepDeletePod, g, "pod %s may run ZooKeeper", pod.Name)
}

// flipToHost moves the address back, with exactly one address at each moment:
// bridge with the pod's address, selector away, controllers' leftovers away,
// then one write to the host's address.
func (c *context) flipToHost() Decision {
	f, pod, ep := c.flight, c.pod, c.endpoints
	switch {
	case c.selected && c.slices() && pod.IP != "" && (!same(ep.Bridge, pod.IP) || ep.BridgePodUID != pod.UID):
		return do(StepBridge, nil, "the Service still selects pod %s", pod.Name)
	case c.selected || f.Cleared == nil || f.Cleared.After(c.now):
		// Also when there is none: the tool may have died before it could note
		// when the selector went.
		g := c.copyFlight()
		g.Cleared = nil
		return do(StepClearSelector, g, "the hand-made endpoints hold the address")
	case len(ep.Leftovers) > 0:
		return do(StepDeleteLeftovers, nil, "left behind: %s", orNone(ep.Leftovers))
	case same(ep.Bridge, c.HostIP) && same(ep.Union, c.HostIP):
		return Decision{}
	case c.age(*f.Cleared) < LeftoverHold:
		return wait(CodeHold, PhaseFlip, "waiting for the controllers to let go of the Service")
	case same(ep.Bridge, c.HostIP):
		return wait(CodeAdoptPending, PhaseFlip, "the endpoints are written, the Service still points to %s", orNone(ep.Union)).then(c.controllersHelp())
	}
	return do(StepFlipBack, nil, "the gate is closed")
}

// unmasked: the host's server can start, and does after a reboot. One that never
// stopped, or was started by hand, is masked all the same.
func (c *context) unmasked() Decision {
	f := c.flight
	if f.Unfenced != nil || c.host == HostUp && f.Fenced == nil && !f.Served {
		return Decision{}
	}
	g := c.copyFlight()
	g.Unmasking = c.stamp()
	return do(StepUnmaskHost, g, "so that it can start")
}

// startHost has the operator start the server, or notes that somebody has.
func (c *context) startHost() Decision {
	switch {
	case c.flight.Released != nil:
		return Decision{}
	case c.host == HostUp:
		g := c.copyFlight()
		g.Released = c.stamp()
		return do(StepNoteStarted, g, "the server on host %s is already up", c.HostIP)
	}
	return c.askStart("its address points to host %s again", c.HostIP)
}

// askStart has the host's server started.
func (c *context) askStart(why string, a ...any) Decision {
	g := c.copyFlight()
	g.Released = c.stamp()
	return do(StepStartHost, g, why, a...)
}

// finishRevert notes that the server is back.
func (c *context) finishRevert() Decision {
	return do(StepFinishRevert, nil, "server %d is in sync on its host", c.ID)
}

// hostStarted waits until the host's server, asked to start, serves as itself.
func (c *context) hostStarted() Decision {
	switch {
	case c.host != HostUp && c.due(*c.flight.Released, AskAgain):
		return c.askStart("nothing answers on host %s yet", c.HostIP)
	case c.host != HostUp || !c.serves():
		d := wait(CodeHostStarting, PhaseStart, "the server on host %s is not seen to serve yet (client port %s): %s", c.HostIP, c.ports.Client, orUnknown(string(c.live.Reach))).
			then(c.there("unmask and start the server"))
		if c.flight.Kind == Reconfigure {
			d = d.with("a server that does not come up with the new list says why in its log; until the reason is gone it runs with the old one: " +
				c.there("apply the undo patch that lies beside the patch, and start it") + "; then patch and restart it by hand, and this command goes on")
		}
		return d
	case c.live.Another(c.ID):
		// kube-proxy may be late with an address that was just moved.
		return wait(CodeWrongServer, PhaseStart, "%s", c.anotherAnswers()).then(c.cmd("check"))
	}
	return Decision{}
}
