package model

// canonical renames what is only ever compared (counters, uids, generations),
// so that states that differ in names only are one.
func (w *world) canonical(st state) state {
	if st.faults == 0 || !w.cfg.restores() {
		st.kept = flight{}
	}
	w.counters(&st)
	for i := range w.n {
		s := &st.s[i]
		mine := st.flight.on && int(st.flight.id) == i
		if st.faults == 0 || !w.cfg.restores() {
			s.kept = keeping{}
		}
		kept := st.kept.on && int(st.kept.id) == i
		s.quiet = s.quiet && (kept || mine && st.flight.gap())
		unlined := s.gate == 0 && s.line == 0 && s.kept.line == 0 && !(mine && st.flight.line != 0) && !(kept && st.kept.line != 0)
		if unlined && s.phase == podWaiting && s.view == 0 {
			// The next release puts this data away.
			s.pod, s.marker = store{empty: true}, 0
		}
		if unlined {
			// The next release makes it the same.
			s.another = false
		}
		if s.marker == 0 {
			s.joined, s.outlived = false, false
		}
		if s.away && !mine && (s.hostRole.serving() || s.podRole.serving()) {
			// Its operation was forgotten, with the journal.
			s.away = false
		}
		if !mine && !kept {
			s.restarted = false
		}
		if s.gate == 0 {
			s.gateFor = 0
		}
		if s.view == 0 {
			s.viewFor = 0
		}
		if s.seeded && !(mine && st.flight.seed) && !(kept && st.kept.seed) && s.gateFor != bySeed && s.viewFor != bySeed {
			// Its token is void.
			s.seeded, s.copied = false, store{}
		}
		if !mine && !kept && s.phase != podAbsent && s.view == s.gate {
			// Only the pod in flight is asked what it has read and seen.
			s.viewFresh = true
			if s.phase == podWaiting && s.gate == 0 {
				s.hostClosed = hostLooksClosed(s)
			}
		}
		if s.phase == podStarted || s.phase == podAbsent {
			s.hostClosed = true
		}
		for _, u := range []*uint8{&s.gateFor, &s.viewFor, &s.lineFor, &s.kept.lineFor} {
			gone(s, u)
		}
		if mine {
			gone(s, &st.flight.lineFor)
		}
		if kept {
			gone(s, &st.kept.lineFor)
		}
		w.uids(&st, i)
		w.generations(&st, i)
		w.reports(&st, i)
	}
	for t := range st.tool {
		if !st.tool[t].on {
			st.tool[t] = pending{}
		}
	}
	if st.tool[1].on && !st.tool[0].on {
		st.tool[0], st.tool[1] = st.tool[1], pending{}
	}
	return st
}

// gone: no pod but the present one can be the one that a line is for.
func gone(s *server, u *uint8) {
	if *u != 0 && *u != bySeed && *u != s.uid {
		*u = forGone
	}
}

// counters renumbers the counters of each epoch in order.
func (w *world) counters(st *state) {
	var all [6*maxServers + 6]*zxid
	n := 0
	add := func(z *zxid) { all[n] = z; n++ }
	for i := range w.n {
		s := &st.s[i]
		add(&s.host.z)
		add(&s.host.dz)
		add(&s.pod.z)
		add(&s.pod.dz)
		if s.seeded {
			add(&s.copied.z)
			add(&s.copied.dz)
		}
	}
	for _, p := range []*proof{&st.flight.before, &st.flight.after, &st.flight.joined, &st.kept.before, &st.kept.after, &st.kept.joined} {
		if p.on {
			add(&p.z)
		}
	}
	// Insertion sort by value, then number each epoch from 0 or 1.
	for i := 1; i < n; i++ {
		for j := i; j > 0 && *all[j] < *all[j-1]; j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	var last, out zxid
	for i := range n {
		z := *all[i]
		switch {
		case z&0xff == 0:
			out = z
		case i == 0 || z.epoch() != last.epoch() || last&0xff == 0:
			out = zx(z.epoch(), 1)
		case z != last:
			out++
		}
		last = z
		*all[i] = out
	}
}

// uids renumbers the pod's uids: only equality counts.
func (w *world) uids(st *state, i int) {
	s := &st.s[i]
	var all [13]*uint8
	n := 0
	add := func(u *uint8) { all[n] = u; n++ }
	add(&s.uid)
	for _, u := range []*uint8{&s.gateFor, &s.viewFor, &s.lineFor, &s.kept.lineFor} {
		if *u != 0 && *u < forGone {
			add(u)
		}
	}
	if s.bridge == toPod {
		add(&s.bridgeUID)
	} else {
		s.bridgeUID = 0
	}
	if s.slice == toPod {
		add(&s.sliceUID)
	} else {
		s.sliceUID = 0
	}
	for _, f := range []*flight{&st.flight, &st.kept} {
		if !f.on || int(f.id) != i {
			continue
		}
		if f.podUID != 0 {
			add(&f.podUID)
		}
		if f.lineFor != 0 && f.lineFor < forGone {
			add(&f.lineFor)
		}
	}
	for t := range st.tool {
		if p := &st.tool[t]; p.on && int(p.id) == i && p.uid != 0 {
			add(&p.uid)
		}
	}
	rank(all[:n], 1)
}

// generations renumbers those of the gate's line; 0 stays 0.
func (w *world) generations(st *state, i int) {
	s := &st.s[i]
	var all [9]*uint8
	n := 0
	add := func(g *uint8) {
		if *g != 0 {
			all[n] = g
			n++
		}
	}
	add(&s.gate)
	add(&s.view)
	add(&s.marker)
	add(&s.line)
	add(&s.kept.line)
	for _, f := range []*flight{&st.flight, &st.kept} {
		if f.on && int(f.id) == i {
			add(&f.line)
		}
	}
	for t := range st.tool {
		if p := &st.tool[t]; p.on && int(p.id) == i {
			add(&p.gate)
		}
	}
	rank(all[:n], 1)
}

// reports renumbers a pod's reports: what counts is whether there is a newer one
// than that which an operation has noted.
func (w *world) reports(st *state, i int) {
	s := &st.s[i]
	all := []*uint8{&s.reportAt}
	for _, f := range []*flight{&st.flight, &st.kept} {
		if f.on && int(f.id) == i && f.reportAtStop != 0 {
			all = append(all, &f.reportAtStop)
		}
	}
	rank(all, 1)
}

func rank(all []*uint8, from uint8) {
	for i := 1; i < len(all); i++ {
		for j := i; j > 0 && *all[j] < *all[j-1]; j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	var last uint8
	next := from
	for i, p := range all {
		v := *p
		if i > 0 && v != last {
			next++
		}
		last = v
		*p = next
	}
}
