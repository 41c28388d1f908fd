package migration

// StepID names one thing the tool can do. Ids are never reused or renamed.
type StepID string

// The steps of a replacement and of a revert.
const (
	StepPark            StepID = "park"
	StepBegin           StepID = "begin"
	StepMaskHost        StepID = "mask-host"
	StepProveBefore     StepID = "prove-before"
	StepNoteBefore      StepID = "note-before"
	StepStopHost        StepID = "stop-host"
	StepNoteDead        StepID = "note-dead"
	StepProveAfter      StepID = "prove-after"
	StepNoteAfter       StepID = "note-after"
	StepFlip            StepID = "flip"
	StepAdopt           StepID = "adopt"
	StepDropBridge      StepID = "drop-bridge"
	StepRelease         StepID = "release"
	StepKick            StepID = "kick"
	StepProveJoined     StepID = "prove-joined"
	StepNoteJoined      StepID = "note-joined"
	StepFinish          StepID = "finish"
	StepRestartProof    StepID = "restart-proof"
	StepAbort           StepID = "abort"
	StepBeginRevert     StepID = "begin-revert"
	StepCloseGate       StepID = "close-gate"
	StepDeletePod       StepID = "delete-pod"
	StepBridge          StepID = "bridge"
	StepClearSelector   StepID = "clear-selector"
	StepDeleteLeftovers StepID = "delete-leftovers"
	StepFlipBack        StepID = "flip-back"
	StepUnmaskHost      StepID = "unmask-host"
	StepStartHost       StepID = "start-host"
	StepNoteStarted     StepID = "note-started"
	StepFinishRevert    StepID = "finish-revert"
	StepBeginRestart    StepID = "begin-restart"
	StepApplyPatch      StepID = "apply-patch"
	StepFinishRestart   StepID = "finish-restart"
	StepCancelRestart   StepID = "cancel-restart"
	StepSeed            StepID = "seed"
	StepBeginRenewal    StepID = "begin-renewal"
	StepRenew           StepID = "renew"
	StepRestoreGate     StepID = "restore-gate"
	StepCancelRenewal   StepID = "cancel-renewal"
	StepCancelRevert    StepID = "cancel-revert"
	StepTurnBack        StepID = "turn-back"
	StepForget          StepID = "forget"
	StepCarryOn         StepID = "carry-on"
	StepRemakePods      StepID = "remake-pods"
	StepRestorePods     StepID = "restore-pods"
	StepTryPaths        StepID = "try-paths"
	StepBeginApply      StepID = "begin-apply"
	StepCancelApply     StepID = "cancel-apply"
	StepFinishApply     StepID = "finish-apply"
	StepUngate          StepID = "ungate"
	StepFinalize        StepID = "finalize"

	// Those of unpark and unwrap.
	StepBeginUnpark      StepID = "begin-unpark"
	StepShrinkSet        StepID = "shrink-set"
	StepDeleteClaims     StepID = "delete-claims"
	StepDeletePodObjects StepID = "delete-pod-objects"
	StepFinishUnpark     StepID = "finish-unpark"
	StepBeginUnwrap      StepID = "begin-unwrap"
	StepDeleteService    StepID = "delete-service"
)

// Phase groups steps for people: what status shows and progress counts.
type Phase string

// The phases of one replacement, in order, then those only a revert has.
const (
	PhaseParked   Phase = "parked"
	PhaseProve    Phase = "prove"
	PhaseStop     Phase = "stop"
	PhaseReprove  Phase = "re-prove"
	PhaseFlip     Phase = "flip"
	PhaseRelease  Phase = "release"
	PhaseJoin     Phase = "join"
	PhaseDone     Phase = "done"
	PhaseReclaim  Phase = "reclaim"
	PhaseStart    Phase = "start"
	PhaseAborting Phase = "abort"
	PhaseRemove   Phase = "remove"
)

// Step describes a StepID.
type Step struct {
	ID    StepID
	Phase Phase
	// Title says what happens, Why what it is for.
	Title, Why string
	// Writes is false for steps that only keep what was seen in the journal.
	Writes bool
	// kept is what the journal keeps of the step once it was carried out, beside the
	// flight that was saved before it; nil for nothing.
	kept keeper
}

// Steps lists every step; help, plan, docs and fault tests come from it.
func Steps() []Step {
	return []Step{
		{StepPark, PhaseParked, "create the pods, parked at their gates", "image, volume and address are ready before any host stops", true, keepWanted},
		{StepRemakePods, PhaseParked, "delete the parked pods that were made with other settings", "nothing was started in them; all are recreated with the recorded settings", true, nil},
		{StepRestorePods, PhaseParked, "restore the pods' former settings", "a change that has not proven itself must not reach the pods that serve", true, keepPods},
		{StepBegin, PhaseParked, "note in the journal that this server is being replaced", "a second command, on any machine, is refused by name (I5)", false, nil},
		{StepTryPaths, PhaseProve, "try the paths that the server will need", "one that the others do not reach would not join, or come back from its restart (ADR 19)", true, keepPaths},
		{StepMaskHost, PhaseStop, "mask the server's unit on its host", "a supervisor or a reboot must not bring it back beside its pod (I3)", true, keepConfirmed(func(f *Flight) **Confirmation { return &f.Fenced })},
		{StepProveBefore, PhaseProve, "commit a canary write", "all n servers must hold it, in one epoch, before one may stop (I4)", true, keepProof(func(f *Flight) **Proof { return &f.Before })},
		{StepNoteBefore, PhaseProve, "note that all n servers hold the canary", "after the stop this can no longer be seen", false, nil},
		{StepStopHost, PhaseStop, "stop the server on its host", "an id runs in one process only (I3)", true, nil},
		{StepNoteDead, PhaseStop, "note when the stopped server was first seen dead", "the next proof must be younger than this", false, nil},
		{StepProveAfter, PhaseReprove, "commit a canary write without the stopped server", "every write it acknowledged precedes this one in the leader's log (I4)", true, keepProof(func(f *Flight) **Proof { return &f.After })},
		{StepNoteAfter, PhaseReprove, "note that all n-1 others hold the canary", "only now may an empty or stale member appear", false, nil},
		{StepFlip, PhaseFlip, "point the Service's endpoints at the parked pod", "one write, so that there is exactly one address at every moment (I2)", true, nil},
		{StepAdopt, PhaseFlip, "let the Service select the pod", "from here on the address follows the pod through restarts", true, nil},
		{StepDropBridge, PhaseFlip, "delete the hand-made endpoints", "the controller's slice holds the same address", true, nil},
		{StepSeed, PhaseReprove, "copy the host's data into the parked pod's volume", "with --data=copy the start is an ordinary restart: nothing was forgotten", true, nil},
		{StepRelease, PhaseRelease, "open the gate", "ZooKeeper starts in the pod", true, nil},
		{StepKick, PhaseRelease, "touch the pod's annotation", "the kubelet refreshes the gate's volume at once", true, nil},
		{StepProveJoined, PhaseJoin, "commit a canary write with the server back", "it must reach it in the leader's epoch", true, keepProof(func(f *Flight) **Proof { return &f.Joined })},
		{StepNoteJoined, PhaseJoin, "note that all n servers hold the canary", "the server has synced", false, nil},
		{StepBeginRenewal, PhaseReprove, "note that the pod needs a new start from empty", "its data is lost or an interrupted first sync left half of it; the earlier proof no longer counts (I4)", false, nil},
		{StepRenew, PhaseRelease, "open the gate in a new generation", "the others hold every write again, so it may begin from empty once more", true, nil},
		{StepRestoreGate, PhaseRelease, "write the server's line into the gate again", "somebody took it out; without it a restart of the pod would not start ZooKeeper", true, nil},
		{StepCancelRenewal, PhaseAborting, "note that this new start is given up", "the pod is parked again; the same command begins anew", false, keepEnd(keepLine)},
		{StepFinish, PhaseDone, "note that the server is replaced", "the next one may go", false, keepEnd(keepReplaced)},
		{StepRestartProof, PhaseProve, "forget the proofs, the host's server came back", "a proof holds only for one stop", false, nil},
		{StepAbort, PhaseAborting, "note that this replacement is given up", "the gate is closed and the pod stopped next", false, nil},
		{StepCarryOn, PhaseJoin, "note that the start goes on after all", "the pod has synced, so it is empty no longer, and the others may need it", false, nil},
		{StepBeginRevert, PhaseReclaim, "note in the journal that this server goes back to its host", "a second command, on any machine, is refused by name (I5)", false, nil},
		{StepCloseGate, PhaseReclaim, "close the gate", "no restart of the pod starts ZooKeeper again", true, nil},
		{StepDeletePod, PhaseReclaim, "delete the pod, and wait for its successor to park", "an id runs in one process only (I3)", true, nil},
		{StepBridge, PhaseFlip, "write hand-made endpoints with the pod's address", "the address stays while the selector goes (I2)", true, nil},
		{StepClearSelector, PhaseFlip, "take the selector from the Service", "the controllers let go of its endpoints", true, keepCleared},
		{StepDeleteLeftovers, PhaseFlip, "delete the endpoints the controllers left behind", "they would point at the pod for ever (kubernetes#118376)", true, keepCleared},
		{StepFlipBack, PhaseFlip, "point the Service's endpoints at the host", "one write, so that there is exactly one address at every moment (I2)", true, nil},
		{StepUnmaskHost, PhaseStart, "unmask the server's unit on its host", "so that it can start", true, keepConfirmed(func(f *Flight) **Confirmation { return &f.Unfenced })},
		{StepStartHost, PhaseStart, "start the server on its host", "it syncs from the leader", true, nil},
		{StepBeginRestart, PhaseProve, "note in the journal that this server is being restarted", "a second command, on any machine, is refused by name (I5)", false, nil},
		{StepApplyPatch, PhaseStop, "apply the patch to zoo.cfg on the host", "everything that needs the one restart goes in together", true, keepConfirmed(func(f *Flight) **Confirmation { return &f.Patched })},
		{StepFinishRestart, PhaseDone, "note that the server runs with the new list", "the next one may go", false, keepEnd(keepRestarted)},
		{StepCancelRestart, PhaseProve, "note that this restart is put off", "it became the leader before it was stopped; the others go first (I6)", false, keepEnd(keepNothing)},
		{StepCancelRevert, PhaseReclaim, "note that this revert is put off", "another server needs a new start first, or somebody changed their mind; the pod serves on", false, keepEnd(keepNothing)},
		{StepTurnBack, PhaseReclaim, "note that the revert is turned back, into the pod", "the pod's data is complete as long as nothing runs on the host", false, nil},
		{StepForget, PhaseProve, "drop the operation that the journal holds", "it ended long ago; what it has proven does not count", false, keepEnd(keepNothing)},
		{StepNoteStarted, PhaseStart, "note that the host's server is up", "it was started by hand", false, nil},
		{StepBeginApply, PhaseProve, "note in the journal that this server's pod is made again", "a second command, on any machine, is refused by name (I5)", false, nil},
		{StepCancelApply, PhaseProve, "note that this restart is put off", "it became the leader, or its volume is lost; something else comes first", false, keepEnd(keepNothing)},
		{StepFinishApply, PhaseDone, "note that the server runs with the recorded settings", "the next one may go", false, keepEnd(keepApplied)},
		{StepUngate, PhaseProve, "make what pods without a gate mount, and note that they have none from now on", "all are made again so, one at a time; finalize --undo takes it back", true, keepUngated},
		{StepFinalize, PhaseDone, "hand the pods over to the StatefulSet", "with RollingUpdate it restarts them by itself; there is no way back to hosts", true, keepFinalized},
		{StepBeginUnpark, PhaseRemove, "note in the journal which volumes were never used", "once their pods are gone nobody can tell", false, nil},
		{StepShrinkSet, PhaseRemove, "scale the StatefulSet down", "pods in which nothing was started go before their volumes", true, nil},
		{StepDeleteClaims, PhaseRemove, "delete the volume claims, by uid", "ZooKeeper was never started on their volumes", true, nil},
		{StepDeletePodObjects, PhaseRemove, "delete the StatefulSet, the gate and the pods' other objects", "no pod is left that needs them", true, nil},
		{StepFinishUnpark, PhaseRemove, "note that the pods are taken back", "what was proved of their volumes does not count any more", false, keepRemoved},
		{StepBeginUnwrap, PhaseRemove, "note in the journal that the Services go", "no other command works on an ensemble whose addresses go", false, nil},
		{StepDeleteService, PhaseRemove, "delete the Service and its hand-made endpoints, by uid", "no server's list names it, which is looked at again before each (I1)", true, nil},
		{StepFinishRevert, PhaseDone, "note that the server is back on its host", "the next operation may begin", false, keepEnd(keepReverted)},
	}
}

// StepByID returns the description of a step.
func StepByID(id StepID) Step {
	for _, s := range Steps() {
		if s.ID == id {
			return s
		}
	}
	return Step{ID: id, Title: string(id)}
}
