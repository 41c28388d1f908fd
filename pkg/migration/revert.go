package migration

// revert decides the way from the pod back to the host.
func (c *context) revert() Decision {
	if c.unproven() {
		return do(StepRestorePods, nil, "they were changed for server %d, which goes back; servers that run in pods would take them when their pods are recreated", c.in.ID)
	}
	switch f := c.flight; {
	case f == nil && c.Replaced == nil && !c.mayRun() && c.atHost() && c.serves():
		return done("server %d runs on its host %s", c.in.ID, c.HostIP)
	case f != nil && f.Kind == Reconfigure && c.outOfTime():
		return c.forgetRestart()
	case f != nil && f.Kind == Reconfigure:
		return stop(CodeOneAtATime, c.cmd("reconfigure"), "server %d is in the middle of its restart, begun by %s", f.ID, f.By)
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
		// What may have happened since it began.
		{rules: []rule{(*context).gateForPod, (*context).notOutlived}},
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
			rules:   []rule{(*context).onDisksForHost, (*context).unmasked, (*context).startHost, (*context).hostStarted},
		},
		{
			phase: PhaseJoin, steps: []StepID{StepProveJoined, StepNoteJoined, StepFinishRevert},
			reached: func(f *Flight) bool { return f.Joined != nil },
			rules:   []rule{(*context).proveJoined, (*context).watchJoined, (*context).finishRevert},
		},
	}
}

// gateForPod: nobody deleted the gate at which a pod is to park.
func (c *context) gateForPod() (Decision, bool) {
	if !c.gate.Found && c.pod.Found {
		return do(StepPark, nil, "the gate is gone, and pod %s cannot park without one", c.pod.Name), false
	}
	return Decision{}, true
}

// notOutlived: the journal of this revert is not of an earlier time.
func (c *context) notOutlived() (Decision, bool) {
	if !c.outOfTime() {
		return Decision{}, true
	}
	f := c.flight
	g := &Flight{Kind: Revert, ID: f.ID, Started: c.now, By: c.in.By, Epoch: f.Epoch, Served: true,
		Stopping: Stopping{Fenced: f.Fenced}, Starting: Starting{Line: c.line(), Renewals: f.Renewals}}
	return do(StepBeginRevert, g, "the gate has changed since, so the pod may have run: a journal of an earlier time was put back, and nothing it has proven holds"), false
}

// spareStill: peers and clients do not find the pod any more once its address is the
// host's, so the others must still be able to spare it.
func (c *context) spareStill() (Decision, bool) {
	if c.flight.DeadSince != nil || c.onHostAlone() {
		return Decision{}, true
	}
	d, ok := c.sparePod(PhaseReclaim)
	if !ok && d.Code != CodeUnseen {
		d = d.then(c.wayBack())
	}
	return d, ok
}

func (c *context) beginRevert() (Decision, bool) {
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
			"the pod of server %d needs a new start from empty, which comes first; server %d serves in its pod", lost[0], c.in.ID), false
	}
	if !g.Served {
		g.Gate = c.gate.Generation
		return do(StepBeginRevert, g, "the pod never served: the host's data is complete, its start is an ordinary restart"), false
	}
	if c.flight == nil && c.onHostAlone() {
		// The journal was put back from before it went to its host.
		at := c.now
		g.StopAsked, g.DeadSince, g.Gate = &at, &at, c.gate.Generation
		return do(StepBeginRevert, g, "the server runs on host %s, its address points there, and its pod is parked: only the journal does not say so", c.HostIP), false
	}
	if c.host == HostUnclear {
		return c.hostUnclear(PhaseProve), false
	}
	if c.host.open() {
		return stop(CodeGhostHost, "on host "+c.HostIP+": stop the server",
			"the server on host %s already answers while its pod may run: stop it before it is moved back in order", c.HostIP), false
	}
	return do(StepBeginRevert, g, "the pod has served: the host's data is stale, so the other servers must prove that they hold everything"), false
}

// closePod proves everybody whole and closes the gate; the pod goes on serving.
func (c *context) closePod() (Decision, bool) {
	f := c.flight
	if c.onHostAlone() {
		// Neither is taken away.
		return Decision{}, true
	}
	if f.DeadSince == nil && c.host == HostUnclear {
		return c.hostUnclear(PhaseProve), false
	}
	if f.DeadSince == nil && c.host.open() {
		return stop(CodeGhostHost, "on host "+c.HostIP+": stop the server",
			"the server on host %s answers while its pod may run: two processes with one id", c.HostIP), false
	}
	if lost := c.needRenewal(); len(lost) > 0 && f.StopAsked == nil && c.serves() {
		if c.Replaced == nil {
			return c.turnBack(), false
		}
		return do(StepCancelRevert, nil, "the pod of server %d needs a new start from empty, which comes first", lost[0]), false
	}
	if f.StopAsked == nil {
		if d, ok := c.sparePod(PhaseProve); !ok {
			return d, false
		}
		g := c.copyFlight()
		at := c.now
		g.StopAsked = &at
		if c.mayRun() {
			g.PodUID = c.pod.UID
		}
		// What is closed, whatever a journal of an earlier time says.
		g.Line = c.line()
		g.WasLeader = c.leads(f.ID)
		return do(StepCloseGate, g, "no restart of pod %s may start ZooKeeper again", c.pod.Name), false
	}
	if c.gate.Released {
		return do(StepCloseGate, nil, "no restart of pod %s may start ZooKeeper again", c.pod.Name), false
	}
	return Decision{}, true
}

// noteGone: the id has left the pod, and that is noted.
func (c *context) noteGone() (Decision, bool) {
	f := c.flight
	if f.DeadSince != nil {
		return Decision{}, true
	}
	g := c.copyFlight()
	at := c.now
	g.DeadSince, g.DeadReport, g.Gate = &at, c.podReport(), c.gate.Generation
	if f.Line != nil && (f.StopAsked == nil || !c.watchedFrom(*f.StopAsked)) {
		// Its host may have run since the pod was told to stop: no way back.
		g.Line = &Release{Start: f.Line.Start}
	}
	return do(StepNoteDead, g, "the old pod is gone, its successor is parked at gate generation %d", c.pod.GateGeneration), false
}

// othersHold: the others hold everything, so the host may start from what it has.
func (c *context) othersHold() (Decision, bool) {
	f := c.flight
	switch {
	case f.Released != nil || c.host == HostUp:
		// The host was asked to start, and the proof was complete then; or it runs,
		// and there is nothing left to prove it for.
		return Decision{}, true
	case c.neverSynced():
		// The server acknowledged nothing since it stopped on its host, so its
		// start there is an ordinary restart, and may be what the rest needs.
		return Decision{}, true
	case (f.Unmasking != nil || f.Unfenced != nil) && f.After != nil && f.After.Complete:
		// What the others have on their disks stays there, whoever leads.
		return Decision{}, true
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
	pod := c.pod
	if c.Replaced != nil || c.flight.Renewals != 0 || c.stands != PodParked || !pod.GateFresh {
		return false
	}
	// The pod that the line was for stands there as it was: the gate's script
	// becomes ZooKeeper, so it is at the head again only after a restart.
	waited := pod.NeverStarted && pod.Restarts == 0 && c.flight.Line != nil && c.flight.Line.Start == EmptyStart(pod.UID)
	return pod.NeverSynced || waited || c.notOfThisRelease()
}

// reclaim closes the gate and waits until a pod is parked, having read a gate
// without its line: the one that never got as far as starting ZooKeeper, or
// the successor of the one that may have run it, which is gone by uid.
func (c *context) reclaim() (Decision, bool) {
	f, pod, gate := c.flight, c.pod, c.gate
	switch {
	case gate.Released:
		return do(StepCloseGate, nil, "no restart of pod %s may start ZooKeeper again", pod.Name), false
	case pod.Unmade:
		return c.makeAgain(), false
	case pod.Found && pod.Terminating:
		d := wait(CodePodStopping, PhaseReclaim, "pod %s is being deleted", pod.Name).
			then("if its node is lost, prove the machine dead and remove it from the cluster; the pod is never deleted by force")
		if pod.NodeLost {
			d = d.with("where that machine is gone for good: make sure that it is off, for the pod may still run there; then somebody who may runs:",
				c.at().Clusterwide().Kubectl("delete node %s", pod.Node))
		}
		return d, false
	case c.shut():
		return Decision{}, true
	case pod.Found && (pod.UID == f.PodUID || pod.Gate == GateStarted || pod.Gate == GateUnknown && pod.Outdated && !pod.SetOutdated):
		g := c.copyFlight()
		g.PodUID = pod.UID
		if at := c.now; g.Reclaimed == nil {
			g.Reclaimed = &at
		}
		if f.Kind == Revert && f.DeadSince != nil && pod.Gate == GateStarted {
			// It has run since that was noted: what was proven then is void.
			g.DeadSince, g.DeadReport, g.After = nil, nil, nil
			if c.host != HostUp {
				g.Released = nil
			}
		}
		return do(StepDeletePod, g, "pod %s may run ZooKeeper", pod.Name), false
	case !pod.Found:
		return wait(CodePodStopping, PhaseReclaim, "waiting for the StatefulSet to create the pod again").then(c.look(pod)), false
	case !pod.Running && pod.Node == "":
		// Not scheduled anywhere: no process, and no gate read yet.
		return Decision{}, true
	}
	return wait(CodePodStopping, PhaseReclaim, "pod %s is not parked again yet: %s", pod.Name, c.podState(pod)), false
}

// flipToHost moves the address back, with exactly one address at each moment:
// bridge with the pod's address, selector away, controllers' leftovers away,
// then one write to the host's address.
func (c *context) flipToHost() (Decision, bool) {
	f, pod, ep := c.flight, c.pod, c.endpoints
	slices := c.rec.EndpointsAPI != LegacyEndpoints
	if c.selected || f.Cleared == nil || f.Cleared.After(c.now) {
		// Also when there is none: the tool may have died before it could note
		// when the selector went.
		if c.selected && slices && pod.Found && pod.IP != "" && (!same(ep.Bridge, pod.IP) || ep.BridgePodUID != pod.UID) {
			return do(StepBridge, nil, "the Service still selects pod %s", pod.Name), false
		}
		g := c.copyFlight()
		g.Cleared = nil
		return do(StepClearSelector, g, "the hand-made endpoints hold the address"), false
	}
	if len(ep.Leftovers) > 0 {
		return do(StepDeleteLeftovers, nil, "left behind: %s", orNone(ep.Leftovers)), false
	}
	if same(ep.Bridge, c.HostIP) && same(ep.Union, c.HostIP) {
		return Decision{}, true
	}
	if c.age(*f.Cleared) < LeftoverHold {
		return wait(CodeHold, PhaseFlip, "waiting for the controllers to let go of the Service"), false
	}
	if same(ep.Bridge, c.HostIP) {
		return wait(CodeAdoptPending, PhaseFlip, "the endpoints are written, the Service still points to %s", orNone(ep.Union)).then(c.controllersHelp()), false
	}
	return do(StepFlipBack, nil, "the gate is closed"), false
}

// onDisksForHost: a host whose data is stale leans on the others' disks.
func (c *context) onDisksForHost() (Decision, bool) {
	if f := c.flight; !f.Served || f.After == nil || f.Released != nil || f.Unmasking != nil {
		return Decision{}, true
	}
	return c.onDisks(PhaseStart)
}

// unmasked: the host's server can start, and does after a reboot. One that never
// stopped, or was started by hand, is masked all the same.
func (c *context) unmasked() (Decision, bool) {
	f := c.flight
	if f.Unfenced != nil || c.host == HostUp && f.Fenced == nil && !f.Served {
		return Decision{}, true
	}
	g := c.copyFlight()
	at := c.now
	g.Unmasking = &at
	return do(StepUnmaskHost, g, "so that it can start"), false
}

// startHost has the operator start the server, or notes that somebody has.
func (c *context) startHost() (Decision, bool) {
	if c.flight.Released != nil {
		return Decision{}, true
	}
	g := c.copyFlight()
	at := c.now
	g.Released = &at
	if c.host == HostUp {
		return do(StepNoteStarted, g, "the server on host %s is already up", c.HostIP), false
	}
	return do(StepStartHost, g, "its address points to host %s again", c.HostIP), false
}

// finishRevert notes that the server is back.
func (c *context) finishRevert() (Decision, bool) {
	return do(StepFinishRevert, nil, "server %d is in sync on its host", c.ID), false
}

// hostStarted waits until the host's server, asked to start, serves as itself.
func (c *context) hostStarted() (Decision, bool) {
	f := c.flight
	if c.host != HostUp && c.due(*f.Released, AskAgain) {
		g := c.copyFlight()
		at := c.now
		g.Released = &at
		return do(StepStartHost, g, "nothing answers on host %s yet", c.HostIP), false
	}
	if c.host != HostUp || !c.serves() {
		return wait(CodeHostStarting, PhaseStart, "the server on host %s is not seen to serve yet (client port %s): %s", c.HostIP, c.ports.Client, orUnknown(string(c.live.Reach))).
			then("on host " + c.HostIP + ": unmask and start the server"), false
	}
	if c.live.Another(f.ID) {
		// kube-proxy may be late with an address that was just moved.
		return wait(CodeWrongServer, PhaseStart, "the Service of server %d is answered by server %d", f.ID, c.live.ServerID).
			then(c.cmd("check")), false
	}
	return Decision{}, true
}
