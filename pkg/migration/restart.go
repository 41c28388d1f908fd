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
		return c.midway()
	}
	return c.follow(restarting())
}

// restarting is its order: patch, prove, stop, start, see it run with the new list,
// prove again.
func restarting() []stage {
	dead := func(c *context) bool { return c.flight.DeadSince != nil }
	return []stage{
		{
			phase: PhaseProve, steps: []StepID{StepBeginRestart}, over: (*context).begun,
			rules: []rule{(*context).mayBegin, (*context).begin},
		},
		{steps: []StepID{StepTryPaths, StepApplyPatch}, rules: []rule{(*context).reachesServices, (*context).patched}},
		{
			steps: []StepID{StepProveBefore, StepNoteBefore}, over: dead,
			rules: []rule{
				(*context).downForRestart, (*context).othersInSync, (*context).stopOnce, (*context).bothPorts, (*context).proveBefore,
				(*context).leaderLast,
			},
		},
		{
			phase: PhaseStop, steps: []StepID{StepStopHost, StepNoteDead}, over: dead,
			reached: func(f *Flight) bool { return f.StopAsked != nil },
			rules:   []rule{(*context).stopHost},
		},
		{
			phase: PhaseStart, steps: []StepID{StepStartHost},
			reached: func(f *Flight) bool { return f.DeadSince != nil },
			rules:   []rule{(*context).startAgain, (*context).hostStarted, (*context).runsNewList},
		},
		{
			phase: PhaseJoin, steps: []StepID{StepProveJoined, StepNoteJoined, StepFinishRestart},
			reached: func(f *Flight) bool { return f.Joined != nil },
			rules:   []rule{(*context).proveJoined, (*context).finishRestart},
		},
	}
}

// inRestart: whoever wants something else of this server waits for its restart.
func (c *context) inRestart() Decision {
	return stop(CodeOneAtATime, c.cmd("reconfigure"), "server %d is in the middle of its restart, begun by %s", c.flight.ID, c.flight.By)
}

// patched: the journal of this restart is not of an earlier time, and the host's file has
// the new list.
func (c *context) patched() Decision {
	switch {
	case c.outOfTime():
		return c.forgetRestart()
	case c.flight.Patched == nil:
		return do(StepApplyPatch, nil, "the file first, then the restart")
	}
	return Decision{}
}

// downForRestart: the host does not refuse; where it does, its server's end is noted once
// others confirm it.
func (c *context) downForRestart() Decision {
	if c.host != HostRefuses {
		return Decision{}
	}
	bad := c.aliveAfterAll()
	switch {
	case bad != "":
		return wait(CodeUnseen, PhaseStop, "host %s refuses our connections, but %s", c.HostIP, bad)
	case !c.confirmed():
		return wait(CodeUnseen, PhaseStop, "host %s refuses our connections, and no other server confirms yet that its server is down", c.HostIP)
	case c.flight.StopAsked == nil:
		return wait(CodeStoppedTooEarly, PhaseProve, "the server on host %s is down before the proof that all others hold its writes", c.HostIP).
			then(c.there("start the server again; this command waits for it"))
	}
	return c.noteDead(nil)
}

// bothPorts: both ports of the host are seen, so that its stop can be seen, too.
func (c *context) bothPorts() Decision {
	if c.ports.Client == vantage.PortOpen && c.ports.Election == vantage.PortOpen {
		return Decision{}
	}
	return wait(CodeUnseen, PhaseProve, "host %s is not seen at both ports (%s), so its stop could not be seen either; nothing has been stopped", c.HostIP, c.ports.said()).
		then("open the way from here to both ports of host " + c.HostIP + ", or run this command on a machine that reaches them")
}

// startAgain: the host was asked to start its server.
func (c *context) startAgain() Decision {
	if c.flight.Released != nil {
		return Decision{}
	}
	return c.askStart("it is stopped and its file is patched")
}

// runsNewList: it was not seen to run with the old list, and the others find it at its
// host's address as well.
func (c *context) runsNewList() Decision {
	switch v := CheckReconfigured(c.rec, c.ServerRecord, c.live); {
	case v.Code.Wrong():
		return stop(CodeNotReconfigured, c.cmd("reconfigure"), "server %d was restarted without the new list: %s", c.ID, v.Why).
			with("look at " + v.Look)
	case c.ports.Election != vantage.PortOpen:
		return wait(CodeHostStarting, PhaseStart, "the election port of host %s is %s: it must listen on all addresses (quorumListenOnAllIPs)", c.HostIP, c.ports.Election)
	}
	return Decision{}
}

// finishRestart notes that the server runs with the new list.
func (c *context) finishRestart() Decision {
	if d := c.sameLists(fmt.Sprintf("server %d has been restarted; no other is", c.ID)); d.made() {
		return d
	}
	return do(StepFinishRestart, nil, "server %d is in sync with the new list", c.ID)
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
	return derive(o).restarts(Reconfigure, (*member).toRestart)
}
