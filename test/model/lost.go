package model

// The journal that somebody deletes, and the copy that is put back: a ConfigMap
// of ours with the last record without an operation under way, or a backup.

// restores: a journal is put back in this exploration.
func (c Config) restores() bool { return c.Copies || c.Backups }

// keep takes a copy of what the journal says of a server.
func (s *server) keep() { s.kept = keeping{s.replaced, s.line, s.lineFor} }

// keep takes a copy of the journal.
func (st *state) keep(n int) {
	st.kept = st.flight
	for i := range n {
		s := &st.s[i]
		s.keep()
		s.quiet = st.kept.on && s.hostRole == down && s.phase == podWaiting
	}
}

// loseJournal puts the copy in the place of the journal. Whoever is at work finds
// that it has changed.
func (w *world) loseJournal(st *state) {
	st.flight = st.kept
	// Whoever looks now began after this. What was proven may still be young.
	past(st.flight.stops())
	for i := range w.n {
		s := &st.s[i]
		if st.kept.on {
			// That takes longer than controllers need to let go of a Service.
			w.controller(s)
			w.watch(s)
		}
		if w.cfg.Flights || len(w.cfg.Only) > 1 {
			// Nobody does any more what a command asked for that knew better.
			s.askedStop, s.askedStart = false, false
		}
		s.replaced, s.line, s.lineFor = s.kept.replaced, s.kept.line, s.kept.lineFor
	}
	for t := range st.tool {
		st.tool[t].journal = true
	}
}

// loseJournalLater puts a backup from long ago in its place: whatever could happen
// by itself meanwhile has.
func (w *world) loseJournalLater(st *state) {
	w.loseJournal(st)
	past(st.flight.ages())
	w.flush(st)
}

// wrap is what wrap does besides: it makes the hand-made endpoints of a server
// that has none and should have some. Somebody types it: the controllers have let go
// by then.
func (w *world) wrap(st *state, i int) bool {
	s := &st.s[i]
	if !w.cfg.restores() || s.replaced || st.flight.on && int(st.flight.id) == i || s.selector || s.seen || s.bridge != noSlice || s.slice != noSlice {
		return false
	}
	s.bridge = toHost
	return true
}

// disagrees: journal and world do not agree on where a server is, and a revert
// is the way out.
func (w *world) disagrees(s *server) bool {
	if !w.cfg.restores() {
		return false
	}
	if s.replaced {
		return !s.selector && s.bridge == toHost
	}
	return s.gate != 0 || s.phase == podStarted || s.selector || s.bridge != toHost || s.slice == toPod
}
