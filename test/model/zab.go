package model

// The model of ZooKeeper: which elections can happen, what a follower's log
// becomes, which writes are acknowledged. Sources are named in docs/safety.md.

// procs calls f for every process that runs.
func (w *world) procs(st *state, f func(p int8, r role)) {
	for i := range w.n {
		if r := st.s[i].hostRole; r != down {
			f(int8(2*i), r)
		}
		if r := st.s[i].podRole; r != down {
			f(int8(2*i+1), r)
		}
	}
}

// hasQuorum reports whether the leader and those of its followers that vote are
// one.
func (w *world) hasQuorum(st *state) bool {
	mask := 0
	w.procs(st, func(p int8, r role) {
		if r.serving() {
			mask |= 1 << (p / 2)
		}
	})
	return st.leader >= 0 && w.quorum[mask]
}

// settle sends everybody back to looking when the leader is gone or has lost
// its quorum. ZooKeeper takes up to syncLimit ticks to notice the latter; it
// commits nothing meanwhile.
func (w *world) settle(st *state) {
	if st.leader >= 0 && *w.roleOf(st, st.leader) == leading && w.hasQuorum(st) {
		return
	}
	st.leader = -1
	w.procs(st, func(p int8, r role) { *w.roleOf(st, p) = looking })
}

// stopProcess ends a process; what its disk had not got is gone.
func (w *world) stopProcess(st *state, p int8) {
	r, s := w.roleOf(st, p), storeOf(st, p)
	if *r == down {
		return
	}
	if p%2 == 0 {
		// It has run for longer than a parked pod takes to see it.
		w.outlives(&st.s[p/2])
	}
	*r, st.s[p/2].paused = down, false
	st.s[p/2].helped = st.acked
	s.z, s.writes = s.dz, s.dwrites
	w.settle(st)
}

// startProcess begins to look for a leader.
func (w *world) startProcess(st *state, p int8) {
	*w.roleOf(st, p) = looking
	s, f := &st.s[p/2], &st.flight
	s.quiet = false
	if p%2 == 0 && f.on && f.kind == restart && f.id == uint8(p/2) && f.patched {
		s.restarted = true
	}
	if p%2 == 0 {
		s.listed = s.patched
	}
}

// reached reports whether other servers reach that process by its Service.
func (w *world) reached(st *state, p int8) bool {
	got, ok := w.behind(st, int(p/2), w.union(st, int(p/2)))
	return ok && got == p || st.s[p/2].cut && p%2 == 0
}

// mayVote: with db.autocreate=false an empty server takes no part in an
// election before it has followed a leader (ZOOKEEPER-261).
func (w *world) mayVote(st *state, p int8) bool {
	return w.voter[p/2] && !(w.guard && storeOf(st, p).empty && p%2 == 1)
}

// elections calls f for every set of processes that could elect a leader now.
// FastLeaderElection ends when a quorum of looking voters agrees; who is
// slower joins later.
func (w *world) elections(st *state, f func(members uint16)) {
	if st.leader >= 0 {
		return
	}
	var who [2 * maxServers]int8
	n := 0
	w.procs(st, func(p int8, r role) {
		if r == looking && w.mayVote(st, p) && !st.s[p/2].paused {
			who[n] = p
			n++
		}
	})
	for set := 1; set < 1<<n; set++ {
		ids, members, twice := 0, uint16(0), false
		for k := range n {
			if set&(1<<k) == 0 {
				continue
			}
			bit := 1 << (who[k] / 2)
			twice = twice || ids&bit != 0
			ids |= bit
			members |= 1 << who[k]
		}
		if !twice && w.quorum[ids] {
			f(members)
		}
	}
}

// elect makes the best of the set its leader: highest epoch, then zxid, then
// id (FastLeaderElection.totalOrderPredicate). The new epoch is one above every
// accepted epoch among them; all take the leader's log. It reports false when
// the best one is not reached by the others.
func (w *world) elect(st *state, members uint16) bool {
	best := int8(-1)
	var accepted uint8
	for p := range int8(2 * w.n) {
		if members&(1<<p) == 0 {
			continue
		}
		s := storeOf(st, p)
		accepted = max(accepted, s.accepted)
		if best < 0 {
			best = p
			continue
		}
		b := storeOf(st, best)
		if s.current > b.current || s.current == b.current && s.z >= b.z {
			best = p
		}
	}
	if !w.reached(st, best) {
		return false
	}
	lead := storeOf(st, best)
	lead.accepted, lead.current, lead.empty = accepted+1, accepted+1, false
	lead.dz, lead.dwrites = lead.z, lead.writes
	st.leader, st.lame = best, false
	*w.roleOf(st, best) = leading
	st.s[best/2].stale = best%2 == 1
	for p := range int8(2 * w.n) {
		if members&(1<<p) != 0 && p != best {
			w.join(st, p)
		}
	}
	if st.acked&^lead.writes != 0 {
		st.violate(lostWrite)
	}
	return true
}

// join makes a process follow the leader: its log becomes the leader's, by
// DIFF, TRUNC or SNAP. With the same last zxid nothing is sent.
func (w *world) join(st *state, p int8) {
	s, lead := storeOf(st, p), storeOf(st, st.leader)
	if s.z != lead.z || s.empty {
		s.z, s.writes = lead.z, lead.writes
	}
	s.dz, s.dwrites, s.empty = s.z, s.writes, false
	s.accepted, s.current = lead.current, lead.current
	*w.roleOf(st, p) = following
	st.s[p/2].stale = p%2 == 1
}

// commits calls f for every way in which the next transaction can be
// committed: the followers that acknowledge it at once, the others lag.
func (w *world) commits(st *state, f func(acks uint16)) {
	if st.leader < 0 {
		return
	}
	var who [2 * maxServers]int8
	n := 0
	w.procs(st, func(p int8, r role) {
		if r == following {
			who[n] = p
			n++
		}
	})
	for set := range 1 << n {
		ids, acks := 1<<(st.leader/2), uint16(0)
		if !w.voter[st.leader/2] {
			ids = 0
		}
		for k := range n {
			if set&(1<<k) != 0 {
				acks |= 1 << who[k]
				ids |= 1 << (who[k] / 2)
			}
		}
		if w.quorum[ids] {
			f(acks)
		}
	}
}

// commit adds a transaction; write is its bit, 0 for a canary.
func (w *world) commit(st *state, acks uint16, write uint8) zxid {
	lead := storeOf(st, st.leader)
	lead.z = shown(lead) + 1
	lead.writes |= write
	lead.dz, lead.dwrites = lead.z, lead.writes
	for p := range int8(2 * w.n) {
		if acks&(1<<p) != 0 {
			s := storeOf(st, p)
			s.z, s.writes, s.dz, s.dwrites = lead.z, lead.writes, lead.z, lead.writes
		}
	}
	st.acked |= write
	return lead.z
}

// replicate lets a follower catch up: applied in memory, and not on its disk
// yet (srvr shows what is applied).
func (w *world) replicate(st *state, p int8) bool {
	s, lead := storeOf(st, p), storeOf(st, st.leader)
	if s.z == lead.z && s.writes == lead.writes {
		return false
	}
	s.z, s.writes = lead.z, lead.writes
	return true
}

// flush is what time brings to disks.
func (w *world) flush(st *state) bool {
	moved := false
	w.procs(st, func(p int8, r role) {
		s := storeOf(st, p)
		if s.dz != s.z || s.dwrites != s.writes {
			s.dz, s.dwrites, moved = s.z, s.writes, true
		}
		// The readiness probe flushes the data and notes that it has synced.
		if srv := &st.s[p/2]; p%2 == 1 && r.serving() && !srv.joined {
			srv.joined, moved = true, true
		}
	})
	return moved
}
