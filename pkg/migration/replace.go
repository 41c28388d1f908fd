package migration

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// replace decides the way from the host into the pod.
func (c *context) replace() Decision {
	switch f := c.flight; {
	case f == nil && c.Replaced != nil:
		return c.resume()
	case f != nil && f.Kind != Replace:
		return c.turnBack()
	}
	return c.follow(replacement())
}

// replacement is the order of a replacement.
func replacement() []stage {
	begun := func(c *context) bool { return c.flight != nil }
	released := func(c *context) bool { return c.gate.Released }
	stopped := func(c *context) bool { return c.gate.Released || !c.host.open() }
	return []stage{
		{
			phase: PhaseParked, steps: []StepID{StepPark, StepBegin}, over: begun,
			rules: []rule{(*context).allReconfigured, (*context).mayBegin, (*context).provePods, (*context).begin},
		},
		// What may have happened since it began.
		{rules: []rule{(*context).sameData, (*context).notGivenUp, (*context).gateThere, (*context).podMade}},
		{over: released, rules: []rule{(*context).notReturning, (*context).gateLeftOpen, (*context).notStarted}},
		{
			phase: PhaseProve, steps: []StepID{StepMaskHost, StepProveBefore, StepNoteBefore}, over: stopped,
			reached: func(*Flight) bool { return true },
			rules: []rule{
				(*context).addressStays, (*context).notBack, (*context).othersInSync, (*context).gateRead, (*context).imageAsKnown,
				(*context).masked, (*context).stopOnce, (*context).proveBefore, (*context).leaderLast,
			},
		},
		{
			phase: PhaseStop, steps: []StepID{StepStopHost, StepNoteDead}, over: released,
			reached: func(f *Flight) bool { return f.StopAsked != nil },
			rules:   []rule{(*context).stopHost, (*context).provenBefore, (*context).watched, (*context).proveDead},
		},
		{
			phase: PhaseReprove, steps: []StepID{StepProveAfter, StepNoteAfter}, over: released,
			reached: func(f *Flight) bool { return f.DeadSince != nil },
			rules:   []rule{(*context).dataProven},
		},
		{
			phase: PhaseFlip, steps: []StepID{StepFlip, StepAdopt, StepDropBridge}, over: released,
			reached: func(f *Flight) bool { return f.After != nil && f.After.Complete },
			rules:   []rule{(*context).waitsParked, (*context).rightImage, (*context).flipToPod},
		},
		{
			phase: PhaseRelease, steps: []StepID{StepRelease}, over: released,
			reached: func(f *Flight) bool { return f.Released != nil },
			rules:   []rule{(*context).onDisksOfOthers, (*context).release},
		},
		{
			phase: PhaseJoin, steps: []StepID{StepProveJoined, StepNoteJoined, StepFinish},
			reached: func(f *Flight) bool { return f.Joined != nil },
			rules: []rule{
				(*context).oneProcess, (*context).watchdog, (*context).podStarts, (*context).selectsPod, (*context).joinsAsItself,
				(*context).proveJoined, (*context).watchJoined, (*context).podReady, (*context).finish,
			},
		},
	}
}

// allReconfigured: every server on a host was seen with the new list.
func (c *context) allReconfigured() (Decision, bool) {
	if ids := c.notReconfigured(); len(ids) > 0 {
		return stop(CodeNotReconfigured, c.cmd("reconfigure --verify"),
			"server %s not seen with the Services' addresses yet: a pod would not be found by them", joinIDs(ids)), false
	}
	return Decision{}, true
}

// mayBegin checks everything that must hold before a server is touched.
func (c *context) mayBegin() (Decision, bool) { return c.startChecks(c.onHosts(0)) }

// begin notes that this server is being replaced.
func (c *context) begin() (Decision, bool) {
	f := c.newFlight()
	f.Gate, f.Data = c.gate.Generation, c.in.Data
	return do(StepBegin, f, "all %d servers are in sync, %s without server %d", len(c.rec.Servers), c.majority(), c.in.ID), false
}

// sameData: the pod starts from what this replacement was begun with.
func (c *context) sameData() (Decision, bool) {
	f := c.flight
	if c.in.Data != "" && c.in.Data != f.data() && f.Renewing == nil && f.Renewals == 0 {
		return stop(CodeDataMode, c.cmd("replace --id=%d --data=%s", f.ID, f.data()),
			"this replacement was begun with --data=%s; go on with it, or revert and begin again", f.data()), false
	}
	return Decision{}, true
}

// notGivenUp: this start was not given up.
func (c *context) notGivenUp() (Decision, bool) {
	if c.flight.Aborted != "" {
		return c.abort(), false
	}
	return Decision{}, true
}

// gateThere: nobody deleted the gate.
func (c *context) gateThere() (Decision, bool) {
	if !c.gate.Found {
		return do(StepPark, nil, "the gate is gone; without it no gate is open"), false
	}
	return Decision{}, true
}

// podMade: nobody deleted what the pod is made from.
func (c *context) podMade() (Decision, bool) {
	if c.pod.Unmade {
		return c.makeAgain(), false
	}
	return Decision{}, true
}

// notReturning: this is no revert that was turned back.
func (c *context) notReturning() (Decision, bool) {
	if c.flight.Returning != nil {
		return c.goBack(), false
	}
	return Decision{}, true
}

// gateLeftOpen: the gate was not closed while the pod was joining.
func (c *context) gateLeftOpen() (Decision, bool) {
	if f := c.flight; f.Released != nil && (c.pod.Gate == GateStarted || c.outOfTime()) {
		return c.giveUp("somebody closed the gate while server %d was joining in its pod: a restart would not start it again", f.ID), false
	}
	return Decision{}, true
}

// notStarted: nothing runs in the pod before its release.
func (c *context) notStarted() (Decision, bool) {
	if c.pod.Gate == GateStarted {
		return stop(CodeJournalDisagrees, c.cmd("revert --id=%d", c.flight.ID),
			"the journal says that nothing was released, but ZooKeeper was started in pod %s: a journal of an earlier time was put back", c.pod.Name), false
	}
	return Decision{}, true
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
	if !c.quorum().Has(ensemble.Without(servers.IDs(), c.in.ID)) {
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
		if s := c.of(id); s != nil && s.Voter() {
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
