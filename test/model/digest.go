package model

import "math/bits"

// digest is a number that hangs on a state alone: not on the run, and not on who of
// several workers was first. States are sampled by it, so it may be the same for two
// that differ in little; it is taken of each, so it is cheap.
func (st *state) digest(servers int) uint64 {
	h := mix(0, bytes8(uint8(st.leader), st.acked, st.used, st.faults, st.writes, st.reverts, st.begins, st.liar))
	h = mix(h, bytes8(truths(st.twoTools, st.lame, st.beside, st.removing), uint8(st.broken), st.tool[0].id, st.tool[0].step, st.tool[1].step, truths(st.tool[0].on, st.tool[0].journal, st.tool[1].on), st.tool[0].kind, 0))
	for i := range servers {
		h = st.s[i].digest(h)
	}
	return st.kept.digest(st.flight.digest(h))
}

func (s *server) digest(h uint64) uint64 {
	h = s.pod.digest(s.host.digest(h))
	h = mix(h, bytes8(uint8(s.hostRole)<<4|uint8(s.podRole), uint8(s.phase)<<4|uint8(s.sight), uint8(s.bridge)<<4|uint8(s.slice), s.gate, s.view, s.marker, s.uid, s.sliceUID))
	h = mix(h, bytes8(s.gateFor, s.viewFor, s.line, s.lineFor, s.reportAt, s.helped, s.kept.line, s.bridgeUID))
	return mix(h, bytes8(
		truths(s.masked, s.wanted, s.askedStop, s.askedStart, s.lied, s.cut, s.toolBlind, s.podBlind),
		truths(s.paused, s.selector, s.seen, s.orphan, s.viewFresh, s.late, s.joined, s.outlived),
		truths(s.quiet, s.another, s.seeded, s.hostClosed, s.stale, s.replaced, s.away, s.kept.replaced), truths(s.restarted, s.patched, s.listed, s.gone), 0, 0, 0, 0))
}

func (d store) digest(h uint64) uint64 {
	return mix(h, uint64(d.z)<<48|uint64(d.dz)<<32|bytes8(d.writes, d.accepted, d.current, d.dwrites<<1|truths(d.empty), 0, 0, 0, 0)>>32)
}

func (f *flight) digest(h uint64) uint64 {
	h = mix(h, bytes8(
		truths(f.on, f.wasLeader, f.fenced, f.unfenced, f.patched, f.aborted, f.served, f.copied), truths(f.seed, f.renewed, f.before.on, f.before.complete, f.after.on, f.after.complete, f.joined.on, f.joined.complete),
		f.kind, f.id, uint8(f.stopAsked)<<4|uint8(f.deadSince), uint8(f.released)<<4|uint8(f.kicked), uint8(f.cleared)<<4|uint8(f.returning), f.podUID))
	return mix(h, uint64(f.before.z)<<48|uint64(f.after.z)<<32|bytes8(
		uint8(f.before.age)<<4|uint8(f.after.age), uint8(f.unmasking)<<4|uint8(f.reclaimed), f.line, uint8(f.gate)<<4|uint8(f.renewing), 0, 0, 0, 0)>>32)
}

func mix(h, v uint64) uint64 {
	high, low := bits.Mul64(h^v^0x9e3779b97f4a7c15, 0xff51afd7ed558ccd)
	return high ^ low
}

func bytes8(a, b, c, d, e, f, g, h uint8) uint64 {
	return uint64(a)<<56 | uint64(b)<<48 | uint64(c)<<40 | uint64(d)<<32 | uint64(e)<<24 | uint64(f)<<16 | uint64(g)<<8 | uint64(h)
}

func truths(all ...bool) (out uint8) {
	for _, b := range all {
		out <<= 1
		if b {
			out |= 1
		}
	}
	return out
}
