package model

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"

// The model of Kubernetes: pods with volumes that follow the gate late, and a
// controller that sees the Service late and leaves its slice behind when the
// selector goes (kubernetes#118376).

// gateChanged: every pod's volume is behind now.
func (w *world) gateChanged(st *state) {
	for i := range w.n {
		st.s[i].viewFresh, st.s[i].late = false, false
	}
	for _, f := range []*flight{&st.flight, &st.kept} {
		if f.gate == unchanged {
			f.gate = changed
		}
	}
}

func (w *world) nextGeneration(st *state, i int) uint8 {
	s := &st.s[i]
	g := max(s.gate, s.view, s.marker, s.line, s.kept.line)
	for _, f := range []*flight{&st.flight, &st.kept} {
		if f.on && int(f.id) == i {
			g = max(g, f.line)
		}
	}
	return g + 1
}

func nextUID(st *state, i int) uint8 {
	s := &st.s[i]
	u := max(s.uid, s.bridgeUID, s.sliceUID)
	for _, f := range []*flight{&st.flight, &st.kept} {
		if !f.on || int(f.id) != i {
			continue
		}
		u = max(u, f.podUID)
		if f.lineFor < forGone {
			u = max(u, f.lineFor)
		}
	}
	for _, p := range st.tool {
		if p.on && int(p.id) == i {
			u = max(u, p.uid)
		}
	}
	return u + 1
}

// refresh is the kubelet bringing the gate into the pod's volume.
func (w *world) refresh(s *server) bool {
	if s.phase == podAbsent || s.viewFresh && s.view == s.gate {
		return false
	}
	s.view, s.viewFor, s.viewFresh = s.gate, s.gateFor, true
	return true
}

// refusal is why the gate's script does not start ZooKeeper although its line
// is there.
func refusal(s *server) migration.GateCause {
	switch {
	case s.view == 0:
		return migration.CauseNone
	case s.marker == s.view && s.outlived:
		return migration.CauseLost
	case s.marker == s.view:
		if !s.joined && s.viewFor != bySeed {
			return migration.CauseInterrupted
		}
		return migration.CauseNone
	case s.viewFor == bySeed && s.seeded, s.viewFor == s.uid:
		return migration.CauseNone
	}
	return migration.CauseLost
}

// hostLooksClosed is the pod's own probe of its host.
func hostLooksClosed(s *server) bool {
	return s.podBlind || s.hostRole == down && !s.cut
}

// report is the pod writing its next line.
func (w *world) report(st *state, i int) bool {
	s := &st.s[i]
	if s.phase != podWaiting {
		return false
	}
	closed := hostLooksClosed(s)
	fresh := st.flight.on && int(st.flight.id) == i && s.reportAt <= st.flight.reportAtStop
	if closed == s.hostClosed && !fresh {
		return false
	}
	s.hostClosed = closed
	s.reportAt++
	return true
}

// outlives is a parked pod that sees its host run: the data on its volume will
// not be the newest.
func (w *world) outlives(s *server) bool {
	if w.cfg.Forgetful || s.phase != podWaiting || s.view != 0 || s.marker == 0 || s.outlived || s.hostRole == down || s.podBlind || s.cut {
		return false
	}
	s.outlived = true
	return true
}

// podStart is the script at the head of the container finding its line and the
// host not answering: silence is no veto.
func (w *world) podStart(st *state, i int) bool {
	s := &st.s[i]
	open := s.hostRole != down && !s.podBlind && !s.cut
	if s.phase != podWaiting || s.view == 0 || open || refusal(s) != migration.CauseNone {
		return false
	}
	if s.joined && s.marker == s.view && !s.stale && !w.othersHold(st, i) {
		// Its host has voted since.
		st.violate(staleStart)
	}
	if s.marker != s.view {
		s.pod, s.marker, s.joined, s.outlived = store{empty: true}, s.view, false, false
		if s.viewFor == bySeed {
			s.pod, s.seeded, s.copied = s.copied, false, store{}
		}
	}
	s.phase = podStarted
	w.startProcess(st, int8(2*i+1))
	return true
}

// podGone is the end of a pod that was deleted.
func (w *world) podGone(st *state, i int) {
	w.stopProcess(st, int8(2*i+1))
	st.s[i].phase, st.s[i].orphan = podAbsent, st.s[i].bridge != toHost
}

// podAgain is the StatefulSet making the next one; its volume may show an old
// gate at first (the kubelet's cache), once.
func (w *world) podAgain(st *state, i int) {
	s := &st.s[i]
	s.uid, s.outdated = nextUID(st, i), false
	s.phase, s.viewFresh, s.hostClosed, s.quiet = podWaiting, false, false, false
	if s.late {
		s.view, s.viewFor, s.viewFresh = s.gate, s.gateFor, true
	}
	s.late = s.view != s.gate
	s.reportAt++
}

// loseVolume is a node that dies with the volume it held: the next pod finds
// another one, which is empty.
func (w *world) loseVolume(st *state, i int) {
	w.podGone(st, i)
	s := &st.s[i]
	s.pod, s.marker, s.joined, s.outlived, s.seeded, s.copied = store{empty: true}, 0, false, false, false, store{}
	s.another = true
}

// controller is one pass of the endpointslice controller over a Service, with
// the selector it has in its cache.
func (w *world) controller(s *server) bool {
	if !s.seen {
		return false
	}
	want, uid := emptySlice, uint8(0)
	if s.phase == podWaiting || s.phase == podStarted {
		want, uid = toPod, s.uid
	}
	if s.slice == want && s.sliceUID == uid {
		return false
	}
	s.slice, s.sliceUID = want, uid
	return true
}

// watch is the controller's cache catching up with the Service.
func (w *world) watch(s *server) bool {
	if s.seen == s.selector {
		return false
	}
	s.seen = s.selector
	return true
}

// collect is the garbage collector: the bridge is owned by the pod it points
// to.
func (w *world) collect(s *server) bool {
	if s.bridge != toPod || s.phase != podAbsent && s.bridgeUID == s.uid {
		return false
	}
	s.bridge, s.bridgeUID, s.orphan = noSlice, 0, true
	return true
}
