package migration

import (
	"fmt"
	"slices"

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
	released := func(c *context) bool { return c.gate.Released }
	stopped := func(c *context) bool { return c.gate.Released || !c.host.open() }
	return []stage{
		{
			phase: PhaseParked, steps: []StepID{StepPark, StepBegin}, over: (*context).begun,
			rules: []rule{(*context).allReconfigured, (*context).mayBegin, (*context).clientsKept, (*context).provePods, (*context).begin},
		},
		{rules: []rule{(*context).disturbed}},
		{
			phase: PhaseProve, steps: []StepID{StepTryPaths, StepMaskHost, StepProveBefore, StepNoteBefore}, over: stopped,
			reached: func(*Flight) bool { return true },
			rules: []rule{
				(*context).asBefore, (*context).clientsKept, (*context).othersInSync, (*context).gateRead, (*context).imageAsKnown, (*context).twoVantages,
				(*context).reachable, (*context).masked, (*context).stopOnce, (*context).proveBefore, (*context).leaderLast,
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
			rules:   []rule{(*context).onDisks, (*context).release},
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
func (c *context) allReconfigured() Decision {
	if ids := c.notReconfigured(); len(ids) > 0 {
		return stop(CodeNotReconfigured, c.cmd("reconfigure --verify"),
			"server %s not seen with the Services' addresses yet: a pod would not be found by them", ensemble.JoinIDs(ids))
	}
	return Decision{}
}

// begin notes that this server is being taken away.
func (c *context) begin() Decision {
	g, step := c.newFlight(), StepBeginRestart
	g.Gate = c.gate.Generation
	if g.Kind == Replace {
		g.Data, step = c.in.Data, StepBegin
	}
	return do(step, g, "all %d servers are in sync, %s without server %d%s", len(c.rec.Servers), c.majority(), c.in.ID, c.lossAccepted())
}

// disturbed is what may have happened to a replacement since it began.
func (c *context) disturbed() Decision {
	f := c.flight
	switch {
	case c.in.Data != "" && c.in.Data != f.data() && f.Renewing == nil && f.Renewals == 0:
		return stop(CodeDataMode, c.cmd("replace --id=%d --data=%s", f.ID, f.data()),
			"this replacement was begun with --data=%s; go on with it, or revert and begin again", f.data())
	case f.Aborted != "":
		return c.abort()
	case !c.gate.Found:
		return c.parkAgain()
	case c.pod.Source.Missing:
		return c.makeAgain()
	case c.gate.Released:
	case f.Returning != nil:
		return c.goBack()
	case f.Released != nil && (c.started() || c.outOfTime()):
		return c.giveUp("somebody closed the gate while server %d was joining in its pod: a restart would not start it again", f.ID)
	case c.started():
		return stop(CodeJournalDisagrees, c.cmd("revert --id=%d", f.ID),
			"the journal says that nothing was released, but ZooKeeper was started in pod %s: a journal of an earlier time was put back", c.pod.Name)
	}
	return Decision{}
}

// parkAgain makes a gate that somebody deleted.
func (c *context) parkAgain() Decision {
	return do(StepPark, nil, "the gate is gone; without it no gate is open")
}

// mayBegin are the conditions under which a server may be taken away, hardest first.
func (c *context) mayBegin() Decision {
	servers := c.rec.Ensemble().IDs()
	bad, blind := c.lacking(servers)
	if blind && !c.podsAway() {
		return c.unseen(bad)
	}
	if len(bad) > 0 {
		next := c.cmd("status")
		away, why := c.inPods()
		if lost := append(c.needRenewal(), away...); len(lost) > 0 {
			next = c.cmd("replace --id=%d", lost[0])
			if len(c.othersStranded()) > 0 {
				next = c.regate()
			}
		} else if back := c.comeBack(); back != "" {
			next = back
		}
		return stop(CodeDegraded, next, "not every server is in sync: the ensemble must be whole before one is taken away").with(bad...).with(why...)
	}
	for _, condition := range c.beginnings() {
		if d, _ := condition(); d.made() {
			return d
		}
	}
	if d := c.restartable(); d.made() {
		return d
	}
	first := c.goFirst()
	switch {
	case !c.quorum().Has(ensemble.Without(servers, c.in.ID)):
		return stop(CodeQuorumAtRisk, "add voters on hosts first, so that the rest is a quorum without it", "without server %d the rest is no quorum", c.in.ID)
	case c.leads(c.in.ID) && len(first) > 0:
		return stop(CodeLeaderLast, c.goOn(c.in.Kind, first[0]),
			"server %d leads: it goes last, so that this phase forces one election only; first go %s", c.in.ID, ensemble.JoinIDs(first))
	case c.in.EpochAtStart != 0 && c.epoch != c.in.EpochAtStart:
		return stop(CodeUnplannedElection, c.cmd("status"),
			"an election nobody planned happened since this command began (epoch %d, now %d); find out why, then run the command again", c.in.EpochAtStart, c.epoch)
	}
	return Decision{}
}

// goFirst are the other voters that are still to go: they do so before a leader.
func (c *context) goFirst() []ensemble.ID {
	left := (*member).onHost
	switch c.in.Kind {
	case Replace, Revert, Park, Unpark, Unwrap:
	case Reconfigure:
		left = (*member).toRestart
	case Apply:
		left = (*member).toApply
	}
	return c.ids(func(m *member) bool { return left(m) && m.Voter() && m.ID != c.in.ID })
}

// notReconfigured lists servers on hosts that were not seen to run with the
// new list.
func (c *context) notReconfigured() []ensemble.ID { return c.ids((*member).toRestart) }

// voting keeps the voters among ids.
func (c *context) voting(ids []ensemble.ID) []ensemble.ID {
	return slices.DeleteFunc(slices.Clone(ids), func(id ensemble.ID) bool { return !c.of(id).Voter() })
}

// majority says what is left in words: "2 of 3 voters stay".
func (c *context) majority() string {
	voters := c.voters()
	return fmt.Sprintf("%d of %d voters stay", len(ensemble.Without(voters, c.in.ID)), len(voters))
}

// followers counts the servers that follow as voters when all are up.
func (c *context) followers() int { return len(c.participants()) - 1 }

// podState says why a pod is not parked.
func (c *context) podState() string {
	switch p := c.pod; {
	case c.stands == PodNone && p.Source.Missing:
		return "it does not exist, and nothing makes it: its StatefulSet is gone, or was scaled down"
	case c.stands == PodNone:
		return "it does not exist"
	case p.Terminating && p.NodeLost:
		return p.Problem + "; it is being deleted"
	case p.Terminating:
		return "it is being deleted"
	case p.Problem != "":
		return p.Problem + c.earlierLog()
	case !p.Running():
		return "its container does not run yet"
	case c.report == Report{}:
		return "its gate has not reported yet"
	case c.report.State == GateUnknown:
		return c.report.Detail
	}
	return "its gate says " + string(c.report.State) + " " + c.report.Detail
}
