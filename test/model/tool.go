package model

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
)

// The tool: engine.act in little. One look, one decision and its write-ahead
// are one transition (nothing else sees the journal in between); the step and
// what it brought are another, or are never reached because the tool died.

// intents are what somebody may ask for in that state.
func (w *world) intents(st *state, f func(kind uint8, i int)) {
	if w.cfg.Unwrap {
		f(unwrap, 0)
	}
	if st.flight.on {
		i := int(st.flight.id)
		f(st.flight.kind, i)
		if st.flight.kind == revert && st.reverts > 0 {
			f(replace, i)
		}
		if st.flight.kind == replace {
			if st.reverts > 0 {
				f(revert, i)
			}
			// Somebody asks for another server meanwhile.
			f(replace, (i+1)%w.n)
		}
		if st.flight.kind == restart && st.reverts > 0 && !w.cfg.Restart {
			f(revert, i)
		}
		if st.flight.kind == apply {
			f(replace, i)
			f(apply, (i+1)%w.n)
			if st.reverts > 0 {
				f(revert, i)
			}
		}
		for j := range w.n {
			if j != i && w.disagrees(&st.s[j]) {
				f(revert, j)
			}
		}
		return
	}
	for i := range w.n {
		// Only what is broken calls for it, so that it needs no budget.
		if s := &st.s[i]; s.replaced && !w.cfg.Restart && s.phase == podWaiting && (s.gate == 0 || refusal(s) != migration.CauseNone) {
			f(replace, i)
		}
		if w.disagrees(&st.s[i]) {
			f(revert, i)
		}
	}
	if st.begins == 0 {
		return
	}
	for i := range w.n {
		if w.only[i] {
			continue
		}
		switch {
		case w.cfg.Restart:
			if !st.s[i].replaced {
				f(restart, i)
			}
		case !st.s[i].replaced:
			f(replace, i)
		case w.cfg.Apply && st.s[i].outdated:
			f(apply, i)
		case st.reverts > 0:
			f(revert, i)
		}
	}
}

// atOnce are the steps that touch nothing outside the journal: their effect
// and their write are one.
func atOnce(s migration.StepID) bool {
	switch s {
	case migration.StepBegin, migration.StepNoteBefore, migration.StepNoteDead, migration.StepNoteAfter, migration.StepKick,
		migration.StepNoteJoined, migration.StepFinish, migration.StepRestartProof, migration.StepAbort, migration.StepBeginRevert,
		migration.StepNoteStarted, migration.StepFinishRevert, migration.StepBeginRestart, migration.StepFinishRestart, migration.StepApplyPatch, migration.StepCancelRestart, migration.StepForget,
		migration.StepBeginApply, migration.StepCancelApply, migration.StepFinishApply,
		migration.StepBeginRenewal, migration.StepCancelRevert, migration.StepCancelRenewal, migration.StepTurnBack, migration.StepCarryOn, migration.StepBeginUnwrap:
		return true
	}
	return false
}

// intent is what somebody asks for. Each look counts as a new command: that a
// pod which fails again and again stops the run adds nothing here.
func (w *world) intent(kind uint8, i int) migration.Intent {
	in := migration.Intent{Kind: kindOf(kind), ID: w.cfg.IDs[i], By: "model", RenewalsAtStart: 1, Since: since(), AcceptLoss: sessions.Consent{Any: true}}
	if kind == replace && w.cfg.Copy {
		in.Data = migration.DataCopy
	}
	return in
}

// spans adds to an intent how long something has been so: as long as it takes.
func spans(in migration.Intent, st *state, o migration.Observation) migration.Intent {
	if len(o.Unseen()) > 0 {
		in.UnseenSince = *old.time()
	}
	if st.lame && o.NoQuorum() {
		in.NoQuorumSince = *old.time()
	}
	return in
}

// look observes and decides for one intent. ok is false when the decision
// leads to nothing.
func (w *world) look(st *state, o migration.Observation, kind uint8, i, slot int) (next state, d migration.Decision, ok bool) {
	in := spans(w.intent(kind, i), st, o)
	d = w.decide(in, o)
	next = *st
	if w.claimed(&next, d, i); next.broken != st.broken {
		return next, d, true
	}
	if d.Kind != migration.Do || d.Step == migration.StepPark {
		return *st, d, false
	}
	rec := o.Record
	if changed, saved := rec.Before(d); saved {
		rec = changed
		next.flight = w.flightFrom(rec.Flight)
		next.removing = rec.Removal != nil
		w.journalWritten(&next, slot)
	}
	if d.Step == migration.StepApplyPatch && w.cfg.Unwrap {
		next.s[i].patched = true
	}
	if d.Step == migration.StepDeleteService {
		i = int(w.base.index(d.Services[0]))
	}
	w.decided(&next, d.Step, i, st.flight.released == never)
	switch d.Step {
	case migration.StepBegin, migration.StepBeginRestart, migration.StepBeginApply:
		next.begins--
	case migration.StepBeginRevert, migration.StepTurnBack:
		// A revert that waits for another's new start turns itself back.
		next.reverts -= min(next.reverts, 1)
	}
	if atOnce(d.Step) {
		w.brought(&next, rec, in, d, migration.Outcome{At: now(), Done: true, By: "model"}, slot)
		w.ended(&next, d.Step, i)
		return w.canonical(next), d, true
	}
	next.tool[slot] = pending{on: true, kind: kind, id: uint8(i), step: w.base.stepIndex(d.Step), uid: st.s[i].uid, gate: st.s[i].gate}
	return w.canonical(next), d, true
}

// brought writes what a step brought, as engine.act does after it.
func (w *world) brought(st *state, rec migration.Record, in migration.Intent, d migration.Decision, out migration.Outcome, slot int) {
	after, changed := rec.After(in.By, d, out, w.leaderID(st).Known())
	if !changed {
		return
	}
	st.flight = w.flightFrom(after.Flight)
	for i := range w.n {
		sr := after.Servers[i]
		st.s[i].replaced = sr.Replaced != nil || w.cfg.Restart && sr.Reconfigured != nil
		st.s[i].line, st.s[i].lineFor = 0, 0
		if sr.Release != nil {
			st.s[i].line, st.s[i].lineFor = uint8(sr.Release.Generation), startFrom(sr.Release.Start)
		}
	}
	if w.cfg.Copies && !st.flight.on {
		st.keep(w.n)
	}
	w.journalWritten(st, slot)
}

// journalWritten: the other tool's next write will be refused.
func (w *world) journalWritten(st *state, slot int) {
	for t := range st.tool {
		if t != slot {
			st.tool[t].journal = true
		}
	}
}

func (w *world) leaderID(st *state) ensemble.ID {
	if st.leader < 0 {
		return 0
	}
	return w.cfg.IDs[st.leader/2]
}

// ended clears what belonged to the operation, and checks how it left the
// Service.
func (w *world) ended(st *state, step migration.StepID, i int) {
	s := &st.s[i]
	if step == migration.StepFinishRestart && !s.restarted {
		st.violate(notRestarted)
	}
	switch step {
	case migration.StepFinish, migration.StepFinishRevert, migration.StepFinishRestart, migration.StepFinishApply:
		s.away, s.askedStop, s.askedStart = false, false, false
		// A backup from the restart is of before all of this.
		s.restarted = s.restarted && w.cfg.Restarted
	}
	left := false
	switch step {
	case migration.StepFinish, migration.StepFinishApply:
		left = s.bridge != noSlice || s.slice != toPod || s.sliceUID != s.uid
	case migration.StepFinishRevert:
		left = s.bridge != toHost || s.slice != noSlice || s.seen || s.gate != 0
	}
	if left && !w.cfg.Late {
		st.violate(leftBehind)
	}
}

// perform carries out a pending step. ok is false when it fails and changes
// nothing; the tool looks again then.
func (w *world) perform(st *state, slot int, acks uint16, honest bool) (next state, ok bool) {
	next = *st
	p := st.tool[slot]
	next.tool[slot] = pending{}
	step, i := w.base.steps[p.step], int(p.id)
	s := &next.s[i]
	out := migration.Outcome{At: now(), Done: true, By: "model"}
	if p.journal && (hostAction(step) || !w.cfg.Late) {
		return *st, false
	}
	switch step {
	case migration.StepProveBefore, migration.StepProveAfter, migration.StepProveJoined:
		out.Zxid = toZxid(w.commit(&next, acks, 0))
	case migration.StepMaskHost:
		s.masked = s.masked || honest
		s.lied = s.lied || !honest
	case migration.StepUnmaskHost:
		s.masked, s.lied = false, false
	case migration.StepStopHost:
		s.askedStop = true
	case migration.StepStartHost:
		s.askedStart = true
	default:
		if !w.write(&next, p) {
			return *st, false
		}
	}
	if !p.journal && !p.dying {
		rec := w.record(&next)
		in := migration.Intent{Kind: kindOf(p.kind), ID: w.cfg.IDs[i], By: "model"}
		w.brought(&next, rec, in, migration.Decision{Server: in.ID, Step: step}, out, slot)
	}
	return w.canonical(next), true
}

// hostAction reports whether a step is carried out on a host.
func hostAction(step migration.StepID) bool {
	switch step {
	case migration.StepMaskHost, migration.StepUnmaskHost, migration.StepStopHost, migration.StepStartHost:
		return true
	}
	return false
}

// write is a write to Kubernetes. It refuses what pkg/cluster refuses: each
// write looks at the objects once more and carries their versions, so that a
// tool that was overtaken does no harm.
func (w *world) write(st *state, p pending) bool {
	i := int(p.id)
	s := &st.s[i]
	here := (s.phase == podWaiting || s.phase == podStarted) && s.uid == p.uid
	bridged := s.bridge == toPod && s.bridgeUID == s.uid
	adopted := s.slice == toPod && s.sliceUID == s.uid
	guarded := !w.cfg.Unguarded
	switch w.base.steps[p.step] {
	case migration.StepFlip, migration.StepBridge:
		if guarded && (!here || s.slice == toPod && !adopted) {
			return false
		}
		s.bridge, s.bridgeUID, s.orphan = toPod, s.uid, false
	case migration.StepFlipBack:
		if guarded && (s.selector || s.slice == toPod) {
			return false
		}
		s.bridge, s.bridgeUID, s.orphan = toHost, 0, false
	case migration.StepDropBridge:
		if guarded && (!s.selector || s.bridge != noSlice && !(bridged && adopted)) {
			return false
		}
		s.bridge, s.bridgeUID = noSlice, 0
	case migration.StepAdopt:
		if guarded && (!here || !bridged || s.slice == toPod && !adopted) {
			return false
		}
		s.selector = true
	case migration.StepClearSelector:
		if guarded && s.selector && s.slice == toPod && !(s.bridge == toPod && s.bridgeUID == s.sliceUID) {
			return false
		}
		s.selector = false
	case migration.StepDeleteLeftovers:
		if guarded && s.selector {
			return false
		}
		s.slice, s.sliceUID = noSlice, 0
	case migration.StepRelease:
		if guarded && (!s.selector || !adopted || s.bridge != noSlice) {
			return false
		}
		if s.gate == 0 {
			s.gate, s.gateFor, s.another = w.nextGeneration(st, i), p.uid, false
			if st.flight.copied && st.flight.seed {
				s.gateFor = bySeed
			}
			w.gateChanged(st)
		}
	case migration.StepRenew:
		if guarded && (!s.selector || !adopted || s.bridge != noSlice) {
			return false
		}
		if s.gate != 0 && s.gate == p.gate {
			s.gate, s.gateFor, s.another = w.nextGeneration(st, i), p.uid, false
			w.gateChanged(st)
		}
	case migration.StepRestoreGate:
		f := &st.flight
		mine := f.on && int(f.id) == i && f.line != 0
		if guarded && mine && (!s.selector || !adopted || s.bridge != noSlice) {
			return false
		}
		switch {
		case s.gate != 0:
			return true
		case mine:
			s.gate, s.gateFor = f.line, f.lineFor
		default:
			s.gate, s.gateFor = s.line, s.lineFor
		}
		w.gateChanged(st)
	case migration.StepSeed:
		// The command looks at the host and at the pod itself, and a copy that
		// was begun before the stop has no token.
		if s.hostRole != down || s.phase != podWaiting || !st.flight.seed {
			return false
		}
		s.seeded, s.copied = true, s.host
	case migration.StepDeleteService:
		return w.deleteService(s)
	case migration.StepCloseGate:
		if s.gate != 0 {
			s.gate = 0
			w.gateChanged(st)
		}
	case migration.StepRemakePods:
		for j := range w.n {
			if other := &st.s[j]; other.outdated && !other.replaced && other.phase == podWaiting {
				other.phase = podTerminating
			}
		}
	case migration.StepDeletePod:
		if here {
			s.phase = podTerminating
			s.away = s.away || s.podRole != down
		}
	}
	return true
}
