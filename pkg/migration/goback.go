package migration

import "time"

// turnBack decides for a server that is asked into its pod while it is on its
// way back to its host. As long as nothing was started there, the pod's data is
// all the server ever acknowledged: to start it again is an ordinary restart
// that needs no proof of others, and may be what the others need.
func (c *context) turnBack() Decision {
	f := c.flight
	switch {
	case f.Kind == Reconfigure:
		return c.inRestart()
	case f.Kind == Apply:
		return stop(CodeOneAtATime, c.goOn(Apply, f.ID), "server %d is restarted in its pod with other settings, begun by %s", f.ID, f.By)
	case !f.Served:
		return c.stays("; nothing ever ran in its pod")
	case f.mayStart() || c.host.open():
		return c.stays(", and may run there already: what its pod holds is old then")
	case !f.Line.known():
		return c.stays("; its pod was given up before")
	case f.StopAsked == nil && c.mayRun() || c.neverStopped() || c.stopped() != nil && c.watchedFrom(*c.stopped()):
	case c.pod.Source.Missing:
		return c.makeAgain()
	case !c.waits():
		return wait(CodePodStopping, PhaseReclaim, "the pod of server %d has not parked yet, and tells then how long host %s has been down: %s",
			f.ID, c.HostIP, c.podState()).then("or go on to the host: " + c.cmd("revert --id=%d", f.ID))
	default:
		return stop(CodeHostUnwatched, c.cmd("revert --id=%d", f.ID),
			"nobody watched host %s since the pod last ran: its server may have run since, and what its pod holds may be old", c.HostIP)
	}
	if f.StopAsked == nil && c.Replaced != nil && c.gate.Released {
		return do(StepCancelRevert, nil, "nothing was stopped; the pod of server %d serves on", f.ID)
	}
	g := c.succeed(Replace)
	g.Fenced, g.DeadReport, g.Returning = f.Fenced, c.podReport(), c.stamp()
	g.Line, g.Cleared = f.Line, f.Cleared
	if c.neverStopped() {
		g.PodUID = f.PodUID
	}
	return do(StepTurnBack, g, "nothing was started on host %s since the pod stopped, so the pod's data is complete", c.HostIP)
}

// stays: a server on its way back is not asked into its pod again.
func (c *context) stays(why string) Decision {
	f := c.flight
	return stop(CodeOneAtATime, c.cmd("revert --id=%d", f.ID), "server %d is on its way back to its host, begun by %s%s", f.ID, f.By, why)
}

// succeed is the operation that takes over from the one under way, where the pod has
// served. What that one has proven is left behind.
func (c *context) succeed(kind FlightKind) *Flight {
	f := c.flight
	return &Flight{Kind: kind, ID: f.ID, Started: c.now, By: c.in.By, Epoch: f.Epoch, Served: true, Starting: Starting{Renewals: f.Renewals}}
}

// neverStopped: the very pod whose gate was closed has run ZooKeeper all the time.
func (c *context) neverStopped() bool {
	return c.flight.Reclaimed == nil && c.stands == PodStarted && c.pod.UID == c.flight.PodUID
}

// stopped is when the pod was known to have stopped, or else asked to; nil when it
// had stopped before this revert began, and nobody noted when.
func (c *context) stopped() *time.Time {
	switch f := c.flight; {
	case f.PodUID == "":
		return f.Reclaimed
	case f.DeadSince != nil:
		return f.DeadSince
	default:
		return f.StopAsked
	}
}

// line is the server's line in the gate, or the one the journal keeps.
func (c *context) line() *Release {
	switch gate := c.gate; {
	case gate.Released:
		return &Release{Generation: gate.ReleasedGeneration, Start: gate.Start}
	case c.flight != nil && c.flight.Line != nil:
		return c.flight.Line
	}
	return c.Release
}

// wayBack is what helps when the others are not whole while a server is on its
// way back to its host.
func (c *context) wayBack() string {
	f := c.flight
	if !f.Line.known() || f.mayStart() {
		return "bring their hosts or pods back"
	}
	return "bring them back; or take server " + c.in.ID.String() + " into its pod again, whose data is complete: " + c.cmd("replace --id=%d", c.in.ID)
}

// goBack moves the address to the pod again, and writes the very line into the
// gate that the revert took out: the pod's volume knows its generation.
func (c *context) goBack() Decision {
	f, ep := c.flight, c.endpoints
	switch {
	case c.host == HostUnclear:
		return c.hostUnclear(PhaseReclaim)
	case c.host == HostUp || !c.neverStopped() && !c.watchedFrom(*f.Returning):
		// It may have voted: what the pod holds is old from now on.
		g := c.succeed(Revert)
		g.Cleared = f.Cleared
		if c.stands == PodParked {
			g.StopAsked, g.DeadSince, g.Gate = c.stamp(), c.stamp(), c.gate.Generation
		}
		return do(StepBeginRevert, g, "the server on host %s runs, or may have run while nobody watched: it stays there", c.HostIP)
	case f.Fenced == nil:
		return do(StepMaskHost, nil, "nothing may start there beside the pod")
	case !c.hasAddress():
		return wait(CodePodStopping, PhaseReclaim, "the pod of server %d is not there yet: %s", f.ID, c.podState()).
			then(c.look())
	case !c.selected && len(ep.Leftovers) > 0:
		return do(StepDeleteLeftovers, nil, "left behind: %s", orNone(ep.Leftovers))
	}
	if d := c.pointToPod("nothing runs on host " + c.HostIP); d.made() {
		return d
	}
	g := c.copyFlight()
	g.Released, g.Kicked = c.stamp(), c.stamp()
	return c.restoreGate(f.Line, g, "the address is the pod's, which holds the data of generation %d", f.Line.Generation)
}

// restoreGate writes a line into the gate again.
func (c *context) restoreGate(line *Release, g *Flight, why string, a ...any) Decision {
	d := do(StepRestoreGate, g, why, a...)
	d.Release = line
	return d
}
