package migration

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// Reconfigure is the restart of one server with the new server list.
const Reconfigure FlightKind = "reconfigure"

// restart decides the driven restart of one server: patch, prove, stop, start,
// see it run with the new list, prove again.
func (c *context) restart() Decision {
	f := c.flight
	switch {
	case f == nil && c.Reconfigured != nil:
		return done("server %d runs with the Services' addresses", c.in.ID)
	case f == nil:
		if d, ok := c.startChecks(c.notReconfigured()); !ok {
			return d
		}
		g := &Flight{Kind: Reconfigure, ID: c.in.ID, Started: c.now, By: c.in.By, Epoch: c.epoch, WasLeader: c.leads(c.in.ID), Gate: c.gate.Generation}
		return do(StepBeginRestart, g, "all %d servers are in sync, %s without server %d", len(c.rec.Servers), c.majority(), c.in.ID)
	case f.Kind != Reconfigure:
		return stop(CodeOneAtATime, c.goOn(f.Kind, f.ID), "server %d is in the middle of a %s, begun by %s", f.ID, f.Kind, f.By)
	case c.leftSinceRestart():
		return c.forgetRestart()
	case f.Patched == nil:
		return do(StepApplyPatch, nil, "the file first, then the restart")
	case f.DeadSince == nil:
		return c.stopForRestart()
	case f.Released == nil:
		g := c.copyFlight()
		at := c.now
		g.Released = &at
		return do(StepStartHost, g, "it is stopped and its file is patched")
	}
	if d, ok := c.hostStarted(); !ok {
		return d
	}
	if v := CheckReconfigured(c.rec, c.ServerRecord, c.live); v.Known && !v.OK {
		return stop(CodeNotReconfigured, c.cmd("reconfigure"), "server %d was restarted without the new list: %s", f.ID, v.Why).
			with("look at " + v.Look)
	}
	if c.ports.Election != PortOpen {
		return wait(CodeHostStarting, PhaseStart, "the election port of host %s is %s: it must listen on all addresses (quorumListenOnAllIPs)", c.HostIP, c.ports.Election)
	}
	return c.proveJoined()
}

// leftSinceRestart: the server is in its pod or was there, which comes after its
// restart.
func (c *context) leftSinceRestart() bool { return c.elsewhere() || c.gateChanged() }

func (c *context) forgetRestart() Decision {
	return c.forget("server %d has left its host since its restart began", c.flight.ID)
}

// stopForRestart proves all n whole and has the server stopped.
func (c *context) stopForRestart() Decision {
	f := c.flight
	if bad := c.aliveAfterAll(); c.host == HostRefuses && bad != "" {
		return wait(CodeUnseen, PhaseStop, "host %s refuses our connections, but %s", c.HostIP, bad)
	}
	if c.host == HostRefuses && !c.confirmed() {
		return wait(CodeUnseen, PhaseStop, "host %s refuses our connections, and no other server confirms yet that its server is down", c.HostIP)
	}
	if f.StopAsked != nil && c.host == HostRefuses {
		g := c.copyFlight()
		at := c.now
		g.DeadSince = &at
		return do(StepNoteDead, g, "host %s refuses on client and election port", c.HostIP)
	}
	if f.StopAsked == nil && c.host == HostRefuses {
		return wait(CodeStoppedTooEarly, PhaseProve, "the server on host %s is down before the proof that all others hold its writes", c.HostIP).
			then("on host " + c.HostIP + ": start the server again; this command waits for it")
	}
	if bad, blind := c.away(); len(bad) > 0 && c.host != HostRefuses {
		return c.notNow(bad, blind)
	}
	if f.StopAsked != nil {
		return c.stillUp()
	}
	if c.ports.Client != PortOpen || c.ports.Election != PortOpen {
		return wait(CodeUnseen, PhaseProve, "host %s is not seen at both ports (client port %s, election port %s), so its stop could not be seen either; nothing has been stopped", c.HostIP, c.ports.Client, c.ports.Election).
			then("open the way from here to both ports of host " + c.HostIP + ", or run this command on a machine that reaches them")
	}
	if d, ok := c.proveBefore(); !ok {
		return d
	}
	if left := c.voting(ensemble.Without(c.notReconfigured(), f.ID)); c.leads(f.ID) && c.Voter() && len(left) > 0 {
		return do(StepCancelRestart, nil, "server %d has become the leader since its restart was begun; nothing was stopped, the others go first", f.ID)
	}
	g := c.copyFlight()
	at := c.now
	g.StopAsked, g.WasLeader = &at, c.leads(f.ID)
	return do(StepStopHost, g, "all %d servers hold %s; %s without server %d", len(c.rec.Servers), f.Before.Zxid, c.majority(), f.ID)
}

// confirmed reports whether others confirm that a host that refuses our connections
// is down: the leader does not count its server, or nobody has led since its stop.
func (c *context) confirmed() bool {
	stop := c.flight.StopAsked
	return c.othersAgree() && (c.leader != nil || stop != nil && c.due(*stop, ElectionGrace))
}

// RestartOrder is the order of the rolling restart as things stand now:
// followers, then the leader, then observers, without those already done.
func RestartOrder(o Observation) []ensemble.ID {
	if f := o.Record.Flight; f != nil && f.Kind == Reconfigure {
		return []ensemble.ID{f.ID}
	}
	return derive(o).order((*member).toRestart)
}
