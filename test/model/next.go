package model

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"

// op is a kind of transition.
type op uint8

const (
	opLook op = iota
	opPerform
	opPerformDie
	opDie
	opWrite
	opReplicate
	opElect
	opJoin
	opRestart
	opStop
	opStart
	opRefresh
	opReport
	opPodStart
	opPodGone
	opPodAgain
	opWatch
	opController
	opCollect
	opTime
	opHeal
	opOutlive
	opWrap
	opBackup
	opSee
	opResume
	opElsewhere
	opRewrap
	// Faults, each paid for.
	opLie
	opKill
	opReboot
	opStopEarly
	opHandStart
	opCut
	opToolBlind
	opPodBlind
	opEvict
	opLoseVolume
	opLoseLease
	opLoseJournal
	opUnsee
	opPause
)

// label names one transition of a state: the kind and what it was done to.
type label struct {
	op   op
	a, b uint8
	set  uint16
}

// next calls emit for every state that can follow.
func (w *world) next(st *state, emit func(label, state)) {
	if st.broken != fine {
		return
	}
	put := func(l label, next state) {
		w.inspect(&next)
		emit(l, w.canonical(next))
	}
	w.toolMoves(st, put)
	w.zookeeperMoves(st, put)
	for i := range w.n {
		w.clusterMoves(st, i, put)
		w.hostMoves(st, i, put)
	}
	w.timePasses(st, put)
	w.rewrap(st, put)
	w.sightReturns(st, put)
	if w.cfg.Through {
		next := *st
		next.beside = !st.beside
		put(label{op: opElsewhere, b: truths(next.beside)}, next)
	}
	if w.cfg.Backups && (w.cfg.Flights || !st.flight.on) && st.faults > 0 {
		next := *st
		next.keep(w.n)
		put(label{op: opBackup}, next)
	}
	if st.faults > 0 {
		w.faultMoves(st, put)
	}
}

func (w *world) toolMoves(st *state, put func(label, state)) {
	slot := 0
	if st.tool[0].on {
		slot = 1
	}
	if slot == 0 || st.twoTools && !st.tool[1].on {
		o := w.observe(st)
		w.intents(st, func(kind uint8, i int) {
			if next, _, ok := w.look(st, o, kind, i, slot); ok {
				put(label{op: opLook, a: kind, b: uint8(i)}, next)
			}
		})
	}
	for slot := range st.tool {
		p := &st.tool[slot]
		if !p.on {
			continue
		}
		l := label{op: opPerform, a: uint8(slot), b: p.step}
		die := st.tool[slot]
		died := *st
		died.tool[slot] = pending{}
		put(label{op: opDie, a: uint8(slot), b: p.step}, died)
		do := func(acks uint16, honest bool) {
			l.set = acks
			if next, ok := w.perform(st, slot, acks, honest); ok {
				if !honest {
					next.faults--
					l.op = opLie
				} else {
					l.op = opPerform
				}
				put(l, next)
			}
			if die.journal || !w.brings(p.step) || !honest {
				return
			}
			// It dies before it can write down what the step brought.
			late := *st
			late.tool[slot].dying = true
			if next, ok := w.perform(&late, slot, acks, honest); ok {
				l.op = opPerformDie
				put(l, next)
			}
		}
		switch w.base.steps[p.step] {
		case migration.StepProveBefore, migration.StepProveAfter, migration.StepProveJoined:
			w.commits(st, func(acks uint16) { do(acks, true) })
		case migration.StepMaskHost:
			do(0, true)
			if st.faults > 0 && !w.off["lie"] {
				do(0, false)
			}
		default:
			do(0, true)
		}
	}
}

// brings reports whether a step has an outcome to write down.
func (w *world) brings(step uint8) bool {
	switch w.base.steps[step] {
	case migration.StepProveBefore, migration.StepProveAfter, migration.StepProveJoined, migration.StepMaskHost, migration.StepUnmaskHost,
		migration.StepClearSelector, migration.StepDeleteLeftovers:
		return true
	}
	return false
}

func (w *world) zookeeperMoves(st *state, put func(label, state)) {
	w.elections(st, func(members uint16) {
		next := *st
		if w.elect(&next, members) {
			put(label{op: opElect, set: members}, next)
		}
	})
	if st.leader < 0 {
		return
	}
	w.procs(st, func(p int8, r role) {
		next := *st
		switch {
		case r == looking && !st.s[p/2].paused:
			w.join(&next, p)
			put(label{op: opJoin, a: uint8(p)}, next)
		case r == following && w.replicate(&next, p):
			put(label{op: opReplicate, a: uint8(p)}, next)
		}
	})
	if st.writes > 0 {
		w.commits(st, func(acks uint16) {
			next := *st
			next.writes--
			next.used++
			w.commit(&next, acks, 1<<(next.used-1))
			put(label{op: opWrite, set: acks}, next)
		})
	}
}

func (w *world) clusterMoves(st *state, i int, put func(label, state)) {
	try := func(o op, f func(next *state) bool) {
		next := *st
		if f(&next) {
			put(label{op: o, a: uint8(i)}, next)
		}
	}
	try(opRefresh, func(next *state) bool { return w.refresh(&next.s[i]) })
	try(opReport, func(next *state) bool { return w.report(next, i) })
	try(opOutlive, func(next *state) bool { return w.outlives(&next.s[i]) })
	try(opWrap, func(next *state) bool { return w.wrap(next, i) })
	try(opPodStart, func(next *state) bool { return w.podStart(next, i) })
	try(opWatch, func(next *state) bool { return w.watch(&next.s[i]) })
	try(opController, func(next *state) bool { return w.controller(&next.s[i]) })
	try(opCollect, func(next *state) bool { return w.collect(&next.s[i]) })
	switch st.s[i].phase {
	case podTerminating:
		try(opPodGone, func(next *state) bool { w.podGone(next, i); return true })
	case podAbsent:
		try(opPodAgain, func(next *state) bool { w.podAgain(next, i); return true })
	case podStarted:
		if st.s[i].podRole == down {
			// The container starts again, with its data while its line is there.
			try(opRestart, func(next *state) bool { next.s[i].phase = podWaiting; return true })
		}
	}
}

func (w *world) hostMoves(st *state, i int, put func(label, state)) {
	s := &st.s[i]
	if s.hostRole == down && s.wanted && !s.masked {
		next := *st
		w.startProcess(&next, int8(2*i))
		put(label{op: opRestart, a: uint8(i), b: 1}, next)
	}
	if s.askedStop {
		next := *st
		next.s[i].askedStop, next.s[i].wanted = false, false
		if s.hostRole != down {
			next.s[i].away = true
			w.stopProcess(&next, int8(2*i))
		}
		put(label{op: opStop, a: uint8(i)}, next)
	}
	if s.askedStart {
		next := *st
		next.s[i].askedStart = false
		w.operatorStarts(&next, i)
		put(label{op: opStart, a: uint8(i)}, next)
	}
	if s.cut || s.toolBlind || s.podBlind {
		next := *st
		next.s[i].cut, next.s[i].toolBlind, next.s[i].podBlind = false, false, false
		put(label{op: opHeal, a: uint8(i)}, next)
	}
}

// operatorStarts: a masked unit does not start.
func (w *world) operatorStarts(st *state, i int) {
	s := &st.s[i]
	if s.masked {
		return
	}
	s.wanted = true
	if s.hostRole == down {
		w.startProcess(st, int8(2*i))
	}
}

// timePasses: all timing rules are over, disks have written, controllers and
// kubelets have seen what there was to see.
func (w *world) timePasses(st *state, put func(label, state)) {
	next := *st
	moved := next.flight.later()
	moved = next.kept.later() || moved
	moved = w.flush(&next) || moved
	for i := range w.n {
		moved = w.watch(&next.s[i]) || moved
	}
	if w.cfg.Sight && !next.lame && w.hopeless(&next) {
		next.lame, moved = true, true
	}
	if moved {
		put(label{op: opTime}, next)
	}
}

// spares reports whether the loss of a server's data is one that the tool can
// mend: as long as those that have lost theirs are no quorum. The one that is
// on its way has its data, on its host or in its pod; only while it takes its
// first sync nobody knows which of the two.
func (w *world) spares(st *state, i int) bool {
	if f := &st.flight; f.on && int(f.id) != i {
		s := &st.s[f.id]
		released := f.released != never && f.kind == replace && f.returning == never && !s.joined && s.gateFor != bySeed
		sees := s.view != 0 && s.view != s.marker && s.viewFor != bySeed
		open := s.gate != 0 && s.gate != s.marker && s.gateFor != bySeed
		if released || sees || open || s.marker != 0 && !s.joined {
			return false
		}
	}
	gone := 1 << i
	for j := range w.n {
		s := &st.s[j]
		if j == i || !w.voter[j] || s.hostRole.serving() || s.podRole.serving() || w.onItsWay(st, j) {
			continue
		}
		gone |= 1 << j
		if s.marker != 0 || !s.replaced {
			return false
		}
	}
	return !w.quorum[gone]
}

// tempting: the tool has stopped the server, and somebody could want it back on
// its host, which still has, or others have, all that it acknowledged.
func (w *world) tempting(st *state, i int) bool {
	f, s := &st.flight, &st.s[i]
	if st.tool[0].on || !f.on || int(f.id) != i || f.stopAsked == never && f.returning == never || s.hostRole != down || s.podRole != down {
		return false
	}
	// A pod that sees an open gate starts sooner than anybody works by hand.
	return f.kind == replace && !f.served || f.unmasking == never && s.gate == 0 && s.view == 0 && w.othersHold(st, i)
}

// byHand is somebody who wants the service back while nobody looks: the unit is
// unmasked and started. That takes longer than a proof is fresh, or is seen.
func (w *world) byHand(st *state, i int) {
	st.s[i].masked = false
	w.operatorStarts(st, i)
	past(append(st.flight.stops(), &st.flight.before.age, &st.flight.after.age))
}

// onItsWay: the server is in flight, and has its data.
func (w *world) onItsWay(st *state, j int) bool {
	s := &st.s[j]
	return st.flight.on && int(st.flight.id) == j && (!s.replaced || s.marker != 0)
}

func (w *world) faultMoves(st *state, put func(label, state)) {
	fault := func(o op, a int, f func(next *state)) {
		next := *st
		next.faults--
		f(&next)
		put(label{op: o, a: uint8(a)}, next)
	}
	if !w.off["kill"] {
		w.procs(st, func(p int8, _ role) {
			fault(opKill, int(p), func(next *state) { w.stopProcess(next, p) })
		})
	}
	for i := range w.n {
		s := &st.s[i]
		if !w.off["reboot"] && s.hostRole == down && !s.wanted && !s.masked {
			fault(opReboot, i, func(next *state) {
				next.s[i].wanted = true
				w.startProcess(next, int8(2*i))
			})
		}
		if !w.off["stop"] && s.hostRole != down && !s.askedStop {
			fault(opStopEarly, i, func(next *state) {
				next.s[i].wanted = false
				w.stopProcess(next, int8(2*i))
			})
		}
		if w.cfg.Hand && w.tempting(st, i) {
			fault(opHandStart, i, func(next *state) { w.byHand(next, i) })
		}
		if !w.off["evict"] && s.phase != podAbsent && s.phase != podTerminating {
			fault(opEvict, i, func(next *state) { next.s[i].phase = podTerminating; next.s[i].orphan = next.s[i].bridge != toHost })
		}
		if !w.off["volume"] && s.phase != podAbsent && (s.marker != 0 || s.seeded) &&
			w.spares(st, i) {
			fault(opLoseVolume, i, func(next *state) { w.loseVolume(next, i) })
		}
		// Only the server in flight is probed closely.
		if w.off["blind"] || !st.flight.on || int(st.flight.id) != i || s.cut || s.toolBlind || s.podBlind {
			continue
		}
		fault(opCut, i, func(next *state) { next.s[i].cut = true })
		// One vantage point may be wrong, at any time; not each in turn.
		if st.liar != 2 {
			fault(opToolBlind, i, func(next *state) { next.s[i].toolBlind, next.liar = true, 1 })
		}
		if st.liar != 1 {
			fault(opPodBlind, i, func(next *state) { next.s[i].podBlind, next.liar = true, 2 })
		}
	}
	w.sightFaults(st, put)
	if w.cfg.restores() {
		fault(opLoseJournal, 0, w.loseJournal)
		if st.kept.on {
			fault(opLoseJournal, 1, w.loseJournalLater)
		}
	}
	if !w.off["lease"] && !st.twoTools && st.tool[0].on {
		fault(opLoseLease, 0, func(next *state) { next.twoTools = true })
	}
}
