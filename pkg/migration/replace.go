package migration

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// replace decides the way from the host into the pod.
func (c *context) replace() Decision {
	f := c.flight
	switch {
	case f == nil && c.Replaced != nil:
		return c.resume()
	case f == nil:
		return c.startReplace()
	case f.Kind != Replace:
		return c.turnBack()
	case c.in.Data != "" && c.in.Data != f.data() && f.Renewing == nil && f.Renewals == 0:
		return stop(CodeDataMode, c.cmd("replace --id=%d --data=%s", f.ID, f.data()),
			"this replacement was begun with --data=%s; go on with it, or revert and begin again", f.data())
	case f.Aborted != "":
		return c.abort()
	case !c.gate.Found:
		return do(StepPark, nil, "the gate is gone; without it no gate is open")
	case c.pod.Unmade:
		return c.makeAgain()
	case c.gate.Released:
		return c.join()
	case f.Returning != nil:
		return c.goBack()
	case f.Released != nil && (c.pod.Gate == GateStarted || c.gateChanged()):
		return c.giveUp("somebody closed the gate while server %d was joining in its pod: a restart would not start it again", f.ID)
	case c.pod.Gate == GateStarted:
		return stop(CodeJournalDisagrees, c.cmd("revert --id=%d", f.ID),
			"the journal says that nothing was released, but ZooKeeper was started in pod %s: a journal of an earlier time was put back", c.pod.Name)
	case c.host.open():
		return c.stopHost()
	}
	return c.flipToPod()
}

// startReplace checks everything that must hold before a server is touched.
func (c *context) startReplace() Decision {
	if ids := c.notReconfigured(); len(ids) > 0 {
		return stop(CodeNotReconfigured, c.cmd("reconfigure --verify"),
			"server %s not seen with the Services' addresses yet: a pod would not be found by them", joinIDs(ids))
	}
	if d, ok := c.startChecks(c.onHosts(0)); !ok {
		return d
	}
	if d, ok := c.provePods(); !ok {
		return d
	}
	gate := c.gate
	f := &Flight{Kind: Replace, ID: c.in.ID, Started: c.now, By: c.in.By, Epoch: c.epoch, WasLeader: c.leads(c.in.ID), Data: c.in.Data, Gate: gate.Generation}
	return do(StepBegin, f, "all %d servers are in sync, %s without server %d", len(c.rec.Servers), c.majority(), c.in.ID)
}

// startChecks are the conditions under which a server may be taken away,
// hardest first; left are the voters that go before the leader.
func (c *context) startChecks(left []ensemble.ID) (Decision, bool) {
	servers := c.rec.Ensemble()
	if bad, blind := c.lacking(servers.IDs()); blind && !c.podsAway() {
		return c.unseen(bad), false
	} else if len(bad) > 0 {
		next := c.cmd("status")
		away, why := c.inPods()
		if lost := append(c.needRenewal(), away...); len(lost) > 0 {
			next = c.cmd("replace --id=%d", lost[0])
		} else if back := c.comeBack(); back != "" {
			next = back
		}
		return stop(CodeDegraded, next, "not every server is in sync: the ensemble must be whole before one is taken away").with(bad...).with(why...), false
	}
	for _, condition := range c.beginnings() {
		if d, _, ok := condition(); !ok {
			return d, false
		}
	}
	if d, ok := c.restartable(); !ok {
		return d, false
	}
	if !ensemble.NewQuorum(servers.Servers).Has(ensemble.Without(servers.IDs(), c.in.ID)) {
		return stop(CodeQuorumAtRisk, "add voters on hosts first, so that the rest is a quorum without it", "without server %d the rest is no quorum", c.in.ID), false
	}
	if first := c.voting(ensemble.Without(left, c.in.ID)); c.leads(c.in.ID) && len(first) > 0 {
		return stop(CodeLeaderLast, c.goOn(c.in.Kind, first[0]),
			"server %d leads: it goes last, so that this phase forces one election only; first go %s", c.in.ID, joinIDs(first)), false
	}
	if c.in.EpochAtStart != 0 && c.epoch != c.in.EpochAtStart {
		return stop(CodeUnplannedElection, c.cmd("status"),
			"an election nobody planned happened since this command began (epoch %d, now %d); find out why, then run the command again", c.in.EpochAtStart, c.epoch), false
	}
	return Decision{}, true
}

// notReconfigured lists servers on hosts that were not seen to run with the
// new list.
func (c *context) notReconfigured() []ensemble.ID {
	var ids []ensemble.ID
	for _, s := range c.members {
		if s.Reconfigured == nil && s.Replaced == nil {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// voting keeps the voters among ids.
func (c *context) voting(ids []ensemble.ID) []ensemble.ID {
	var out []ensemble.ID
	for _, id := range ids {
		if s, ok := c.rec.Server(id); ok && s.Voter() {
			out = append(out, id)
		}
	}
	return out
}

// onHosts lists the voters that are not replaced yet, but one.
func (c *context) onHosts(but ensemble.ID) []ensemble.ID {
	var ids []ensemble.ID
	for _, s := range c.members {
		if s.Replaced == nil && s.Voter() && s.ID != but {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// stopHost: the host's server is up; mask, prove on n, stop.
func (c *context) stopHost() Decision {
	f := c.flight
	moved := c.selected || c.address != AddressHost
	if c.host == HostUnclear && (moved || f.DeadSince != nil || f.After != nil) {
		return c.hostUnclear(PhaseStop)
	}
	if moved {
		return stop(CodeHostReturned, c.cmd("revert --id=%d", f.ID),
			"the server on host %s is up again after its address was moved to the pod; the gate is closed, nothing is lost", c.HostIP).
			with("revert moves the address back to the host; then mask its unit and begin again")
	}
	if f.DeadSince != nil || f.After != nil {
		g := c.withoutProofs()
		g.Fenced = nil
		return do(StepRestartProof, g, "the server on host %s came back after it was seen dead: masked or not, it must be stopped again", c.HostIP)
	}
	if bad, blind := c.away(); len(bad) > 0 {
		return c.notNow(bad, blind)
	}
	if d, ok := c.gateRead(); !ok {
		return d
	}
	if f.StopAsked == nil {
		if d, ok := c.rightImage(); !ok {
			return d
		}
	}
	if f.Fenced == nil {
		return do(StepMaskHost, nil, "before its stop, so that nothing can bring it back")
	}
	if f.StopAsked != nil {
		return c.stillUp()
	}
	if d, ok := c.proveBefore(); !ok {
		return d
	}
	if left := c.onHosts(f.ID); c.leads(f.ID) && c.Voter() && len(left) > 0 {
		return stop(CodeLeaderLast, c.cmd("revert --id=%d", f.ID),
			"server %d has become the leader since this replacement began; nothing was stopped", f.ID)
	}
	g := c.copyFlight()
	at := c.now
	report := c.pod.GateAt
	g.StopAsked, g.ReportAtStop, g.WasLeader = &at, &report, c.leads(f.ID)
	return do(StepStopHost, g, "all %d servers hold %s; %s without server %d", len(c.rec.Servers), f.Before.Zxid, c.majority(), f.ID)
}

// gateRead: the parked pod has read the gate as it is now. A kubelet that lost the
// API server shows an old one for a minute and more; its pod would see the open
// gate that late, with the host stopped.
func (c *context) gateRead() (Decision, bool) {
	f, pod, gate := c.flight, c.pod, c.gate
	if !pod.Parked() {
		return wait(CodePodNotParked, PhaseProve, "pod %s is not parked: %s; nothing has been stopped", pod.Name, orUnknown(c.podState(pod))).then(c.look(pod)), false
	}
	if !pod.GateFresh || pod.NodeLost {
		return wait(CodePodNotParked, PhaseProve, "pod %s has not reported for more than %s; nothing has been stopped", pod.Name, ReportFresh).then(c.logs(pod)), false
	}
	if pod.GateGeneration >= gate.Generation {
		return Decision{}, true
	}
	if f.Kicked == nil || c.due(*f.Kicked, KickEvery) {
		g := c.copyFlight()
		at := c.now
		g.Kicked = &at
		return do(StepKick, g, "pod %s has read generation %d of the gate, the current one is %d", pod.Name, pod.GateGeneration, gate.Generation), false
	}
	return wait(CodePodNotParked, PhaseProve, "pod %s has read generation %d of the gate, the current one is %d: its node is behind; nothing has been stopped", pod.Name, pod.GateGeneration, gate.Generation).
		then(c.kubectl("describe pod %s", pod.Name) + "; if its node stays behind: " + c.cmd("revert --id=%d", f.ID) + ", nothing has been stopped"), false
}

// away lists who is not in sync. A server that was asked to stop may be on its
// way down: its client port closes first.
func (c *context) away() (bad []string, blind bool) {
	ids := c.rec.Ensemble().IDs()
	if c.flight.StopAsked != nil {
		ids = ensemble.Without(ids, c.flight.ID)
	}
	return c.lacking(ids)
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
		d.Next = "on host " + c.HostIP + ": do not stop the server now, the others cannot spare it"
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
	if d, same := c.sameLists("do not stop the server on host " + c.HostIP + " now"); !same {
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
		return wait(CodeHostSilent, PhaseStop, "host %s is silent (client port %s, election port %s): whether its server has stopped cannot be seen from here", c.HostIP, c.ports.Client, c.ports.Election).
			then("open the way from here to both ports of host " + c.HostIP + ", or interrupt this command and run it on a machine that reaches them")
	case c.leader == nil:
		return wait(CodeNoLeader, PhaseStop, "there is no leader at the moment; nothing has been stopped").
			then("on host " + c.HostIP + ": do not stop the server now")
	case f.Before == nil || f.Before.Zxid.Epoch() != c.epoch:
		return do(StepRestartProof, c.withoutProofs(), "an election happened before the server on host %s was stopped", c.HostIP)
	case c.due(*f.StopAsked, AskAgain):
		g := c.copyFlight()
		at := c.now
		g.StopAsked = &at
		return do(StepStopHost, g, "the server on host %s still answers", c.HostIP)
	}
	return wait(CodeHostStillUp, PhaseStop, "the server on host %s still answers (client port %s, election port %s)", c.HostIP, c.ports.Client, c.ports.Election).
		then("on host " + c.HostIP + ": stop the server")
}

// flipToPod: the host's server does not answer; prove it dead, prove the
// others whole, move the address, open the gate.
func (c *context) flipToPod() Decision {
	f := c.flight
	if f.StopAsked == nil || f.Before == nil || !f.Before.Complete {
		if bad := c.notKnownDown(); bad != "" {
			return wait(CodeUnseen, PhaseProve, "host %s does not answer here (client port %s, election port %s), and %s; nothing has been stopped",
				c.HostIP, c.ports.Client, c.ports.Election, bad).then(c.inBetween())
		}
		if f.Fenced != nil {
			// To start it again it must be unmasked, and then it must be masked
			// again before its stop.
			g := c.withoutProofs()
			g.Fenced = nil
			return do(StepRestartProof, g, "the server on host %s is down before the proof that all others hold its writes", c.HostIP)
		}
		if c.gateChanged() {
			return stop(CodeJournalDisagrees, c.cmd("revert --id=%d", f.ID),
				"the gate has changed since this replacement began, so pod %s may have run since; was a journal of an earlier time put back?", c.pod.Name)
		}
		return wait(CodeStoppedTooEarly, PhaseProve,
			"the server on host %s is down before the proof that all others hold its writes; its pod stays parked", c.HostIP).
			then("on host " + c.HostIP + ": unmask and start the server again; this command waits for it")
	}
	if d, ok := c.watched(); !ok {
		return d
	}
	if d, ok := c.proveDead(); !ok {
		return d
	}
	pod := c.pod
	why, start := "its data is copied to the pod in full", SeededStart(f.Seed)
	if f.data() == DataCopy {
		if d, ok := c.seed(); !ok {
			return d
		}
	} else {
		if d, ok := c.proveAfter(!f.WasLeader); !ok {
			return d
		}
		why, start = fmt.Sprintf("servers %s hold %s", joinIDs(f.After.Held), f.After.Zxid), EmptyStart(pod.UID)
	}
	if !pod.Parked() {
		return wait(CodePodNotParked, PhaseFlip, "pod %s is not parked: %s", pod.Name, orUnknown(c.podState(pod))).then(c.look(pod))
	}
	if d, ok := c.rightImage(); !ok {
		return d
	}
	if d, ok := c.pointToPod("host " + c.HostIP + " is dead and fenced, " + why); !ok {
		return d
	}
	if f.data() == DataEmpty {
		if d, ok := c.onDisks(PhaseRelease); !ok {
			return d
		}
	}
	g := c.copyFlight()
	at := c.now
	if c.gateChanged() {
		// It may not be the first start: a revert must not take it for that.
		g.Renewals++
	}
	g.Released, g.Kicked, g.Served, g.Line = &at, &at, true, &Release{Start: start}
	d := do(StepRelease, g, "host dead and fenced, %s, the address is the pod's", why)
	d.Start = start
	return d
}

// data is what the pod starts from.
func (f *Flight) data() DataMode {
	if f.Data == "" {
		return DataEmpty
	}
	return f.Data
}

// pointToPod has the Service's one address be the pod's, through its selector.
func (c *context) pointToPod(why string) (Decision, bool) {
	pod, ep := c.pod, c.endpoints
	slices := c.rec.EndpointsAPI != LegacyEndpoints
	switch {
	case !c.selected && len(ep.Controller) > 0 && !same(ep.Controller, pod.IP):
		return do(StepDeleteLeftovers, nil, "left behind, with the address of an earlier pod: %s", orNone(ep.Leftovers)), false
	case !c.selected && (!same(ep.Bridge, pod.IP) || slices && ep.BridgePodUID != pod.UID):
		return do(StepFlip, nil, "%s", why), false
	case !c.selected:
		return do(StepAdopt, nil, "the endpoints hold the pod's address %s", pod.IP), false
	case !same(ep.Controller, pod.IP):
		return wait(CodeAdoptPending, PhaseFlip, "the endpointslice controller shows %s, the pod has %s", orNone(ep.Controller), pod.IP).then(c.controllersHelp()), false
	case slices && ep.BridgeFound:
		return do(StepDropBridge, nil, "the controller's slice holds %s", pod.IP), false
	case !same(ep.Union, pod.IP):
		return wait(CodeAdoptPending, PhaseFlip, "the Service points to %s, the pod has %s", orNone(ep.Union), pod.IP).then(c.controllersHelp()), false
	}
	return Decision{}, true
}

// controllersHelp says what helps where Kubernetes' controllers do not follow.
// Their informers come back after at most a minute. A slice that was made and
// deleted while they were away is waited for until they are started again
// (k8s.io/endpointslice EndpointSliceTracker.StaleSlices).
func (c *context) controllersHelp() string {
	help := fmt.Sprintf("kube-controller-manager does this, up to a minute after an outage of the API server; if it lasts, an administrator restarts it (its log then has %q: \"informer cache is out of date\")", c.rec.Namespace+"/"+c.Service)
	if f := c.flight; f != nil && f.Kind == Replace {
		help += "; or go back: " + c.cmd("revert --id=%d", f.ID)
	}
	return help
}

// majority says what is left in words: "2 of 3 voters stay".
func (c *context) majority() string {
	voters := c.voters()
	return fmt.Sprintf("%d of %d voters stay", len(ensemble.Without(voters, c.in.ID)), len(voters))
}

// followers counts the servers that follow as voters when all are up.
func followers(e ensemble.Ensemble) int {
	n := 0
	for _, s := range e.Servers {
		if s.Role != ensemble.Observer {
			n++
		}
	}
	return n - 1
}

// podState says why a pod is not parked.
func (c *context) podState(p PodView) string {
	switch {
	case !p.Found:
		return "it does not exist"
	case p.Terminating && p.NodeLost:
		return p.Problem + "; it is being deleted"
	case p.Terminating:
		return "it is being deleted"
	case p.Problem != "":
		return p.Problem + c.earlierLog(p)
	case !p.Running:
		return "its container does not run yet"
	case p.Gate == GateUnknown && p.GateDetail != "":
		return p.GateDetail
	case p.Gate == GateUnknown:
		return "its gate has not reported yet"
	}
	return "its gate says " + string(p.Gate) + " " + p.GateDetail
}
