package migration

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// Apply is the restart of one server in its pod, which is made again with the recorded
// settings and keeps its volume.
const Apply FlightKind = "apply"

// apply decides the restart of one server in its pod.
func (c *context) apply() Decision {
	if c.in.Plain {
		if d := c.finalize(); d.made() {
			return d
		}
	}
	switch f := c.flight; {
	case c.rec.Finalized != nil:
		return c.finalized()
	case f != nil && f.Kind != Apply:
		return c.midway()
	case c.in.Undo && c.rec.PodsBefore != nil:
		return do(StepRestorePods, nil, "they were changed, and no server has joined with the change")
	case c.in.Regate && c.rec.Pods.Plain:
		return do(StepRestorePods, c.unproved(), "the pods get their gates again")
	case f == nil && c.onHost():
		return stop(CodeNotReplaced, c.cmd("replace --id=%d", c.ID), "server %d runs on its host; its pod is made with the recorded settings when it is replaced", c.ID)
	case f == nil && c.in.Refused != "":
		return stop(CodeVersionDiffers, c.cmd("apply")+" --image=IMAGE, one with ZooKeeper "+c.rec.Settings.Version, "%s; the pods' settings are what they were before", c.in.Refused)
	case f == nil && !c.toApply() && c.ungated():
		return c.plainPod()
	case f == nil && !c.toApply():
		return c.resume()
	}
	return c.follow(applying())
}

// unproved is the operation under way, nil where there is none, without what was proven of
// the pod that it has made.
func (c *context) unproved() *Flight {
	if c.flight == nil {
		return nil
	}
	g := c.copyFlight()
	g.Before, g.Joined = nil, nil
	return g
}

// applying is its order: prove, make the pod again, see it join, prove again. The volume
// stays, so its start is an ordinary restart.
func applying() []stage {
	return []stage{
		{
			phase: PhaseProve, steps: []StepID{StepBeginApply}, over: (*context).begun,
			rules: []rule{(*context).mayApply, (*context).beginApply},
		},
		{rules: []rule{(*context).disturbedApply}},
		{
			steps: []StepID{StepProveBefore, StepNoteBefore}, over: (*context).podLeft,
			rules: []rule{(*context).othersInSync, (*context).sameEpochStill, (*context).proveBefore, (*context).leaderLast},
		},
		{
			phase: PhaseStop, steps: []StepID{StepPark, StepDeletePod}, over: (*context).remade,
			reached: func(f *Flight) bool { return f.StopAsked != nil },
			rules:   []rule{(*context).podTemplate, (*context).remakePod},
		},
		{
			phase: PhaseJoin, steps: []StepID{StepProveJoined, StepNoteJoined, StepFinishApply},
			reached: func(f *Flight) bool { return f.Joined != nil },
			rules: []rule{
				(*context).appliedImage, (*context).appliedStarts, (*context).selectsPod, (*context).joinsAsItself,
				(*context).proveJoined, (*context).watchJoined, (*context).podReady, (*context).finishApply,
			},
		},
	}
}

// toApply: the server runs in a pod that was made with other settings than are recorded.
func (m *member) toApply() bool { return m.Replaced != nil && m.pod.Source.Pod.Outdated }

// ApplyOrder is the order in which servers in pods are restarted with the recorded
// settings, as things stand now: followers, then the leader, then observers.
func ApplyOrder(o Observation) []ensemble.ID {
	return derive(o).restarts(Apply, (*member).toApply)
}

// remade: the pod is one that was made with the recorded settings.
func (c *context) remade() bool { return c.stands != PodNone && !c.pod.Source.Pod.Outdated }

// podLeft: nothing runs in the old pod that could still be spared, or not.
func (c *context) podLeft() bool { return c.remade() || c.idle() || c.stands == PodGoing }

// mayApply is mayBegin. A server that is away already, for its settings keep it from
// running, takes nothing away.
func (c *context) mayApply() Decision {
	if c.idle() && !c.serves() {
		return Decision{}
	}
	return c.mayBegin()
}

func (c *context) beginApply() Decision {
	g := c.newFlight()
	g.Served, g.Gate, g.Line = true, c.gate.Generation, c.line()
	return do(StepBeginApply, g, "pod %s was made with other settings than are recorded now, %s without server %d", c.pod.Name, c.majority(), c.ID)
}

// disturbedApply is what may have happened to it since it began.
func (c *context) disturbedApply() Decision {
	switch {
	case c.outOfTime():
		return c.forget("the gate has changed since the restart of server %d in its pod began", c.ID)
	case c.holds == HoldsHalf:
		// The others prove themselves whole first, as for every start from nothing.
		return do(StepCancelApply, nil, "pod %s refuses to start from nothing: %s; that is for replace to mend", c.pod.Name, c.report.Detail)
	case len(c.needRenewal()) > 0 && !c.podLeft():
		return do(StepCancelApply, nil, "the pod of server %d needs a new start from empty, which comes first", c.needRenewal()[0])
	case c.othersStranded() != nil && !c.podLeft():
		return do(StepCancelApply, nil, "the pod of server %d, which has no gate, does not run, and comes first", c.othersStranded()[0])
	case c.host.open() && !c.started() && !c.rec.Pods.Plain:
		return wait(CodePodVetoed, PhaseStart, "host %s answers again; the pod does not start beside it", c.HostIP).then(c.stopAndMask())
	case c.host == HostUp:
		return stop(CodeGhostHost, c.stopAndMask(), "server %d runs in its pod, but its old host %s answers again: two processes with one id", c.ID, c.HostIP)
	}
	return Decision{}
}

// sameEpochStill: an election since the pod was to go asks for a new proof.
func (c *context) sameEpochStill() Decision {
	if f := c.flight; f.StopAsked != nil && f.Before != nil && f.Before.Zxid.Epoch() != c.epoch && c.leader != nil {
		return do(StepRestartProof, c.withoutProofs(), "an election happened before pod %s was deleted", c.pod.Name)
	}
	return Decision{}
}

// podTemplate: the StatefulSet makes pods as recorded, and what they are made from is there.
func (c *context) podTemplate() Decision {
	lost := c.first(func(m *member) bool { return m.pod.Source.Missing })
	if lost != nil || c.pod.Source.Set.Outdated {
		return do(StepPark, nil, "the next pod is to be made with the recorded settings")
	}
	return Decision{}
}

// remakePod has the pod make room for its successor.
func (c *context) remakePod() Decision {
	switch pod := c.pod; {
	case c.stands == PodNone:
		return wait(CodePodStopping, PhaseStop, "waiting for the StatefulSet to create pod %s again", pod.Name).then(c.look())
	case pod.Terminating:
		d := wait(CodePodStopping, PhaseStop, "pod %s is being deleted", pod.Name).then(c.look())
		if pod.NodeLost {
			return c.lostNode(d)
		}
		return d
	}
	g := c.copyFlight()
	g.StopAsked, g.WasLeader, g.PodUID = c.stamp(), c.leads(g.ID), c.pod.UID
	if g.Reclaimed == nil {
		g.Reclaimed = c.stamp()
	}
	return do(StepDeletePod, g, "its successor is made with the recorded settings, and keeps the volume")
}

// appliedImage: the new pod's image holds the ensemble's release.
func (c *context) appliedImage() Decision {
	switch differs := c.otherImage(); {
	case differs == "":
		return Decision{}
	case c.rec.PodsBefore != nil:
		return do(StepRestorePods, nil, "%s", differs)
	default:
		return stop(CodeVersionDiffers, c.cmd("apply --id=%d", c.ID)+" --image=IMAGE, one with ZooKeeper "+c.rec.Settings.Version, "%s", differs)
	}
}

// appliedStarts: the pod starts ZooKeeper; where its new settings keep it from that, the
// former ones are the way back.
func (c *context) appliedStarts() Decision {
	d := c.podStarts()
	if d.made() && c.stranded() {
		return d.then(c.regate())
	}
	switch {
	case d.made() && c.misfits():
		return d.with("or give it other settings: "+c.cmd("apply --id=%d", c.ID)+" --memory=..., --cpu=..., --image=...", "what keeps it from running: "+d.Next).then(c.undo())
	case d.made() && c.rec.PodsBefore != nil:
		return d.with("back to the former settings: " + c.undo())
	}
	return d
}

// misfits: the new pod of the restart under way does not run, Kubernetes says why, and its
// settings can be taken back.
func (c *context) misfits() bool {
	f := c.flight
	if f == nil || f.Kind != Apply || f.StopAsked == nil || c.rec.PodsBefore == nil || c.rec.Pods.Plain {
		return false
	}
	pod := c.of(f.ID).pod
	return pod.UID != "" && !pod.Terminating && !pod.NodeLost && pod.Container == ContainerDown && pod.Problem != ""
}

// undo is the command that restores the former settings.
func (c *context) undo() string { return c.cmd("apply --id=%d --undo", c.flight.ID) }

// TakesSettings: the restart under way of a server in its pod can go on with other settings, for
// its old pod still serves, or nothing was started in the new one.
func TakesSettings(o Observation) bool {
	f := derive(o)
	if f.flight == nil || f.flight.Kind != Apply || f.rec.Pods.Plain {
		return false
	}
	m := f.of(f.flight.ID)
	return m != nil && (f.flight.StopAsked == nil || m.idle())
}

// finishApply notes that the server runs with the recorded settings.
func (c *context) finishApply() Decision {
	if d := c.sameLists("server " + c.ID.String() + " runs in its pod"); d.made() {
		return d
	}
	return do(StepFinishApply, nil, "server %d is in sync in pod %s, with the recorded settings", c.ID, c.pod.Name)
}
