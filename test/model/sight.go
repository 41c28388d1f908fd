package model

// What the tool does not see: one server or all, for any span, from its own
// vantage, by silence or by something in between; and processes that are paused.

// sightFaults are the ways to lose sight, each paid for.
func (w *world) sightFaults(st *state, put func(label, state)) {
	if !w.cfg.Sight {
		return
	}
	lose := func(who uint8, how sight, servers ...int) {
		next := *st
		next.faults--
		for _, i := range servers {
			next.s[i].sight = how
		}
		put(label{op: opUnsee, a: who, b: uint8(how)}, next)
	}
	var all []int
	clear := true
	for i := range w.n {
		all = append(all, i)
		clear = clear && st.s[i].sight == seesAll
	}
	for _, how := range []sight{silent, refused, swallowed, halved} {
		if clear {
			lose(everybody, how, all...)
		}
		for i := range w.n {
			if st.s[i].sight == seesAll {
				lose(uint8(i), how, i)
			}
		}
	}
	w.procs(st, func(p int8, r role) {
		if st.s[p/2].paused || w.off["pause"] {
			return
		}
		next := *st
		next.faults--
		next.s[p/2].paused = true
		*w.roleOf(&next, p) = looking
		w.settle(&next)
		put(label{op: opPause, a: uint8(p)}, next)
	})
}

// sightReturns: whatever was lost comes back by itself.
func (w *world) sightReturns(st *state, put func(label, state)) {
	next, moved := *st, false
	for i := range w.n {
		if next.s[i].sight != seesAll {
			next.s[i].sight, moved = seesAll, true
		}
	}
	if moved {
		put(label{op: opSee}, next)
	}
	for i := range w.n {
		if st.s[i].paused {
			next := *st
			next.s[i].paused = false
			put(label{op: opResume, a: uint8(i)}, next)
		}
	}
}

// hopeless: nobody leads, and nobody can be elected as things stand.
func (w *world) hopeless(st *state) bool {
	if st.leader >= 0 {
		return false
	}
	possible := false
	w.elections(st, func(uint16) { possible = true })
	return !possible
}
