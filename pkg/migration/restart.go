package migration

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Reconfigure is the restart of one server with the new server list.
const Reconfigure FlightKind = "reconfigure"

// restart decides the driven restart of one server.
func (c *context) restart() Decision {
	switch f := c.flight; {
	case f == nil && c.Reconfigured != nil:
		return done("server %d runs with the Services' addresses", c.in.ID)
	case f != nil && f.Kind != Reconfigure:
		return stop(CodeOneAtATime, c.goOn(f.Kind, f.ID), "server %d is in the middle of a %s, begun by %s", f.ID, f.Kind, f.By)
	}
	return c.follow(restarting())
}

// restarting is its order: patch, prove, stop, start, see it run with the new list,
// prove again.
func restarting() []stage {
	begun := func(c *context) bool { return c.flight != nil }
	dead := func(c *context) bool { return c.flight.DeadSince != nil }
	return []stage{
		{
			phase: PhaseProve, steps: []StepID{StepBeginRestart}, over: begun,
			rules: []rule{(*context).mayRestart, (*context).beginRestart},
		},
		{steps: []StepID{StepApplyPatch}, rules: []rule{(*context).stillOnHost, (*context).patched}},
		{
			steps: []StepID{StepProveBefore, StepNoteBefore}, over: dead,
			rules: []rule{
				(*context).downForRestart, (*context).othersInSync, (*context).stopOnce, (*context).bothPorts, (*context).proveBefore,
				(*context).restartLeaderLast,
			},
		},
		{
			phase: PhaseStop, steps: []StepID{StepStopHost, StepNoteDead}, over: dead,
			reached: func(f *Flight) bool { return f.StopAsked != nil },
			rules:   []rule{(*context).stopForRestart},
		},
		{
			phase: PhaseStart, steps: []StepID{StepStartHost},
			reached: func(f *Flight) bool { return f.DeadSince != nil },
			rules:   []rule{(*context).startAgain, (*context).hostStarted, (*context).newList, (*context).listensElsewhere},
		},
		{
			phase: PhaseJoin, steps: []StepID{StepProveJoined, StepNoteJoined, StepFinishRestart},
			reached: func(f *Flight) bool { return f.Joined != nil },
			rules:   []rule{(*context).proveJoined, (*context).finishRestart},
		},
	}
}

// mayRestart checks everything that must hold before a server is touched.
func (c *context) mayRestart() (Decision, bool) { return c.startChecks(c.notReconfigured()) }

// beginRestart notes that this server is being restarted.
func (c *context) beginRestart() (Decision, bool) {
	g := c.newFlight()
	g.Gate = c.gate.Generation
	return do(StepBeginRestart, g, "all %d servers are in sync, %s without server %d", len(c.rec.Servers), c.majority(), c.in.ID), false
}

// stillOnHost: the journal of this restart is not of an earlier time.
func (c *context) stillOnHost() (Decision, bool) {
	if c.outOfTime() {
		return c.forgetRestart(), false
	}
	return Decision{}, true
}

// patched: the host's file has the new list.
func (c *context) patched() (Decision, bool) {
	if c.flight.Patched == nil {
		return do(StepApplyPatch, nil, "the file first, then the restart"), false
	}
	return Decision{}, true
}

// downForRestart: the host does not refuse; where it does, its server's end is noted once
// others confirm it.
func (c *context) downForRestart() (Decision, bool) {
	f := c.flight
	if c.host != HostRefuses {
		return Decision{}, true
	}
	if bad := c.aliveAfterAll(); bad != "" {
		return wait(CodeUnseen, PhaseStop, "host %s refuses our connections, but %s", c.HostIP, bad), false
	}
	if !c.confirmed() {
		return wait(CodeUnseen, PhaseStop, "host %s refuses our connections, and no other server confirms yet that its server is down", c.HostIP), false
	}
	if f.StopAsked == nil {
		return wait(CodeStoppedTooEarly, PhaseProve, "the server on host %s is down before the proof that all others hold its writes", c.HostIP).
			then("on host " + c.HostIP + ": start the server again; this command waits for it"), false
	}
	g := c.copyFlight()
	at := c.now
	g.DeadSince = &at
	return do(StepNoteDead, g, "host %s refuses on client and election port", c.HostIP), false
}

// bothPorts: both ports of the host are seen, so that its stop can be seen, too.
func (c *context) bothPorts() (Decision, bool) {
	if c.ports.Client == vantage.PortOpen && c.ports.Election == vantage.PortOpen {
		return Decision{}, true
	}
	return wait(CodeUnseen, PhaseProve, "host %s is not seen at both ports (client port %s, election port %s), so its stop could not be seen either; nothing has been stopped", c.HostIP, c.ports.Client, c.ports.Election).
		then("open the way from here to both ports of host " + c.HostIP + ", or run this command on a machine that reaches them"), false
}

// restartLeaderLast: it has not become the leader since, with others before it.
func (c *context) restartLeaderLast() (Decision, bool) {
	if left := c.voting(ensemble.Without(c.notReconfigured(), c.ID)); c.leads(c.ID) && c.Voter() && len(left) > 0 {
		return do(StepCancelRestart, nil, "server %d has become the leader since its restart was begun; nothing was stopped, the others go first", c.ID), false
	}
	return Decision{}, true
}

// stopForRestart asks for the stop of a host that is up and proven.
func (c *context) stopForRestart() (Decision, bool) {
	return c.askStop(nil), false
}

// startAgain: the host was asked to start its server.
func (c *context) startAgain() (Decision, bool) {
	if c.flight.Released != nil {
		return Decision{}, true
	}
	g := c.copyFlight()
	at := c.now
	g.Released = &at
	return do(StepStartHost, g, "it is stopped and its file is patched"), false
}

// newList: it was not seen to run with the old list.
func (c *context) newList() (Decision, bool) {
	if v := CheckReconfigured(c.rec, c.ServerRecord, c.live); v.Known && !v.OK {
		return stop(CodeNotReconfigured, c.cmd("reconfigure"), "server %d was restarted without the new list: %s", c.ID, v.Why).
			with("look at " + v.Look), false
	}
	return Decision{}, true
}

// listensElsewhere: the others find it at its host's address as well.
func (c *context) listensElsewhere() (Decision, bool) {
	if c.ports.Election != vantage.PortOpen {
		return wait(CodeHostStarting, PhaseStart, "the election port of host %s is %s: it must listen on all addresses (quorumListenOnAllIPs)", c.HostIP, c.ports.Election), false
	}
	return Decision{}, true
}

// finishRestart notes that the server runs with the new list.
func (c *context) finishRestart() (Decision, bool) {
	if d, ok := c.sameLists(fmt.Sprintf("server %d has been restarted; no other is", c.ID)); !ok {
		return d, false
	}
	return do(StepFinishRestart, nil, "server %d is in sync with the new list", c.ID), false
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
