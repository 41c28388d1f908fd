package migration

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// asBefore: the server on its host has its address still, and was not seen dead since.
func (c *context) asBefore() Decision {
	f := c.flight
	wasDead := f.DeadSince != nil || f.After != nil
	switch {
	case c.host == HostUnclear && (wasDead || !c.atHost()):
		return c.hostUnclear(PhaseStop)
	case !c.atHost():
		return stop(CodeHostReturned, c.cmd("revert --id=%d", f.ID),
			"the server on host %s is up again after its address was moved to the pod; the gate is closed, nothing is lost", c.HostIP).
			with("revert moves the address back to the host; then mask its unit and begin again")
	case wasDead:
		return c.proveAgain("the server on host %s came back after it was seen dead: masked or not, it must be stopped again", c.HostIP)
	}
	return Decision{}
}

// othersInSync: nobody is away from sync; once the stop was asked for, nobody else. A
// server that was asked to stop may be on its way down: its client port closes first.
func (c *context) othersInSync() Decision {
	ids := c.rec.Ensemble().IDs()
	if c.flight.StopAsked != nil {
		ids = ensemble.Without(ids, c.flight.ID)
	}
	if bad, blind := c.lacking(ids); len(bad) > 0 {
		return c.notNow(bad, blind)
	}
	return Decision{}
}

// imageAsKnown is rightImage, until the stop was asked for.
func (c *context) imageAsKnown() Decision {
	if c.flight.StopAsked != nil {
		return Decision{}
	}
	return c.rightImage()
}

// twoVantages: who asks from here is not on the node of the pod that will be the other
// witness of the stop. That is known before it.
func (c *context) twoVantages() Decision {
	if !c.from.IsPod() || c.from.Node != c.pod.Node {
		return Decision{}
	}
	return c.oneVantage(PhaseProve, "the stop would be seen from node "+c.from.Node+" alone, and nothing has been stopped")
}

// oneVantage waits for a command that asks from elsewhere.
func (c *context) oneVantage(phase Phase, what string) Decision {
	return wait(CodeSecondVantage, phase, "%s: this command asks through pod %s there, and pod %s is the other witness", what, c.from.Pod, c.pod.Name).
		then("a pod of the ensemble on another node, which the command then asks through; or run it where hosts can be reached, with --probe-via=direct")
}

// masked: nothing brings the host's server back after its stop.
func (c *context) masked() Decision {
	if c.flight.Fenced != nil {
		return Decision{}
	}
	return do(StepMaskHost, nil, "before its stop, so that nothing can bring it back")
}

// stopOnce: its stop was not asked for yet.
func (c *context) stopOnce() Decision {
	if c.flight.StopAsked == nil {
		return Decision{}
	}
	return c.stillUp()
}

// leaderLast: it has not become the leader since, with others before it.
func (c *context) leaderLast() Decision {
	switch {
	case !c.leads(c.ID) || !c.Voter() || len(c.goFirst()) == 0:
		return Decision{}
	case c.flight.Kind == Apply:
		return do(StepCancelApply, nil, "server %d has become the leader since its restart was begun; nothing was stopped, the others go first", c.ID)
	case c.flight.Kind == Reconfigure:
		return do(StepCancelRestart, nil, "server %d has become the leader since its restart was begun; nothing was stopped, the others go first", c.ID)
	}
	return stop(CodeLeaderLast, c.cmd("revert --id=%d", c.ID),
		"server %d has become the leader since this replacement began; nothing was stopped", c.ID)
}

// stopHost asks for the stop of a host that is up and proven.
func (c *context) stopHost() Decision {
	if !c.host.open() {
		return Decision{}
	}
	g := c.copyFlight()
	g.StopAsked, g.WasLeader = c.stamp(), c.leads(c.ID)
	if g.Kind == Replace {
		report := c.report.At
		g.ReportAtStop = &report
	}
	return do(StepStopHost, g, "all %d servers hold %s; %s without server %d%s", len(c.rec.Servers), g.Before.Zxid, c.majority(), c.ID, c.notTried())
}

// provenBefore: the host's server went down after all had proved that they hold its
// writes, and because of us.
func (c *context) provenBefore() Decision {
	f := c.flight
	if f.StopAsked != nil && f.Before.complete() {
		return Decision{}
	}
	bad := c.aliveAfterAll()
	if c.host != HostRefuses {
		bad = "no answer is not proof that its server is down"
	}
	switch {
	case bad != "":
		return wait(CodeUnseen, PhaseProve, "host %s does not answer here (%s), and %s; nothing has been stopped", c.HostIP, c.ports.said(), bad).
			then(c.inBetween())
	case f.Fenced != nil:
		// To start it again it must be unmasked, and then it must be masked
		// again before its stop.
		return c.proveAgain("the server on host %s is down before the proof that all others hold its writes", c.HostIP)
	case c.outOfTime():
		return stop(CodeJournalDisagrees, c.cmd("revert --id=%d", f.ID),
			"the gate has changed since this replacement began, so pod %s may have run since; was a journal of an earlier time put back?", c.pod.Name)
	}
	return wait(CodeStoppedTooEarly, PhaseProve,
		"the server on host %s is down before the proof that all others hold its writes; its pod stays parked", c.HostIP).
		then(c.there("unmask and start the server again; this command waits for it"))
}

// gateRead: the parked pod has read the gate as it is now. A kubelet that lost the
// API server shows an old one for a minute and more; its pod would see the open
// gate that late, with the host stopped.
func (c *context) gateRead() Decision {
	pod, gate := c.pod, c.gate
	behind := fmt.Sprintf("pod %s has read generation %d of the gate, the current one is %d", pod.Name, c.report.Generation, gate.Generation)
	switch {
	case c.stands != PodParked:
		return c.notParked(PhaseProve, "; nothing has been stopped")
	case !c.report.Fresh || pod.NodeLost:
		return wait(CodePodNotParked, PhaseProve, "pod %s has not reported for more than %s; nothing has been stopped", pod.Name, ReportFresh).then(c.logs())
	case c.report.Generation >= gate.Generation:
		return Decision{}
	case c.kickDue():
		return c.kick(behind)
	}
	return wait(CodePodNotParked, PhaseProve, "%s: its node is behind; nothing has been stopped", behind).
		then(c.kubectl("describe pod %s", pod.Name) + "; if its node stays behind: " + c.cmd("revert --id=%d", c.ID) + ", nothing has been stopped")
}

// kick has the kubelet show the pod the gate as it is now.
func (c *context) kick(why string) Decision {
	g := c.copyFlight()
	g.Kicked = c.stamp()
	return do(StepKick, g, "%s", why)
}

func (c *context) kickDue() bool {
	kicked := c.flight.Kicked
	return kicked == nil || c.due(*kicked, KickEvery)
}

// notNow: another server is away from sync, or not seen, while this one is still up.
func (c *context) notNow(bad []string, blind bool) Decision {
	if lost := c.needRenewal(); len(lost) > 0 {
		return stop(CodeDegraded, c.cmd("revert --id=%d", c.flight.ID),
			"the pod of server %d needs a new start from empty, which comes first; server %d still runs on its host", lost[0], c.flight.ID).with(bad...).
			with("then " + c.cmd("replace --id=%d", lost[0]))
	}
	d := wait(CodeDegraded, PhaseProve, "not every server is in sync; nothing has been stopped").with(bad...)
	if blind {
		d = wait(CodeUnseen, PhaseProve, "not every server is seen from here; nothing has been stopped").with(bad...)
	}
	if c.flight.StopAsked != nil {
		d.Phase = PhaseStop
		d.Next = c.there("do not stop the server now, the others cannot spare it")
	}
	if back := c.comeBack(); back != "" {
		// Another one was stopped, perhaps by mistake: it comes first.
		d.Next = strings.TrimSuffix(back+"; "+d.Next, "; ")
	}
	return d
}

// stillUp: the stop was asked for and has not happened. It is asked for again
// only while the others can still spare the server; an election since the
// proof asks for a new one.
func (c *context) stillUp() Decision {
	f := c.flight
	if d := c.sameLists("do not stop the server on host " + c.HostIP + " now"); d.made() {
		return d
	}
	switch {
	case c.host == HostUnclear:
		// Whether it is up is unknown, so neither is it called up nor asked again.
		d := c.hostUnclear(PhaseStop)
		if f.Kind == Reconfigure {
			return d
		}
		return d.then(d.Next + "; or take it back: " + c.cmd("revert --id=%d", f.ID))
	case !c.host.open():
		// Only a restart comes here with a host that is silent.
		return wait(CodeHostSilent, PhaseStop, "host %s is silent (%s): whether its server has stopped cannot be seen from here", c.HostIP, c.ports.said()).
			then("open the way from here to both ports of host " + c.HostIP + ", or interrupt this command and run it on a machine that reaches them")
	case c.leader == nil:
		return wait(CodeNoLeader, PhaseStop, "there is no leader at the moment; nothing has been stopped").
			then(c.there("do not stop the server now"))
	case f.Before == nil || f.Before.Zxid.Epoch() != c.epoch:
		return do(StepRestartProof, c.withoutProofs(), "an election happened before the server on host %s was stopped", c.HostIP)
	case c.due(*f.StopAsked, AskAgain):
		g := c.copyFlight()
		g.StopAsked = c.stamp()
		return do(StepStopHost, g, "the server on host %s still answers", c.HostIP)
	}
	return wait(CodeHostStillUp, PhaseStop, "the server on host %s still answers (%s)", c.HostIP, c.ports.said()).
		then(c.there("stop the server"))
}
