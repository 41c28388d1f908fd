package model

import (
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// violation is what must never be reached.
type violation uint8

const (
	fine violation = iota
	lostWrite
	twoProcesses
	twoAway
	twoAddresses
	noAddress
	unsafeStop
	leaderStopped
	unsafeRelease
	unsafeStart
	staleStart
	leftBehind
	notRestarted
	falseGhost
	listedGone
)

// String names the violation.
func (v violation) String() string {
	return [...]string{
		"nothing wrong",
		"an acknowledged write is lost",
		"two processes run with one id (I3)",
		"two servers are away at once (I5)",
		"a Service points to two places (I2)",
		"a Service points nowhere (I2)",
		"the tool stops a server the others cannot spare",
		"the tool stops the leader before the others have gone (I6)",
		"the gate opens before the others provably hold every write (I4)",
		"a stale server starts before the others provably hold every write (I4)",
		"old data starts in a pod before the others provably hold every write (I4)",
		"an operation ends with endpoints left behind (I2)",
		"a restart is taken for done that never happened",
		"the tool ends with a server that came back, and none did",
		"a Service is gone whose address a server runs with (I1)",
	}[v]
}

func (st *state) violate(v violation) {
	if st.broken == fine {
		st.broken = v
	}
}

// inspect checks what must hold in every state.
func (w *world) inspect(st *state) {
	away := 0
	for i := range w.n {
		s := &st.s[i]
		if s.hostRole != down && s.podRole != down && !s.lied {
			st.violate(twoProcesses)
		}
		if s.away {
			away++
		}
		w.addresses(st, s)
	}
	if away > 1 {
		st.violate(twoAway)
	}
	w.unwrapped(st)
}

// addresses is I2. When a pod vanishes there is nothing to point to until its
// successor has an address, and the old address may stay for a moment: that is
// no second place.
func (w *world) addresses(st *state, s *server) {
	if w.cfg.Late || s.gone {
		return
	}
	host := s.bridge == toHost
	pod := s.slice == toPod && (s.sliceUID == s.uid || !s.selector) || s.bridge == toPod && s.bridgeUID == s.uid
	if host && pod {
		st.violate(twoAddresses)
	}
	any := s.bridge == toHost || s.bridge == toPod || s.slice == toPod
	if !any && s.phase != podAbsent && s.phase != podTerminating && s.slice != emptySlice && !s.orphan {
		st.violate(noAddress)
	}
}

// othersHold reports whether what the server acknowledged, or helped to, is
// safe without it: no quorum with the server in it is without a holder, and
// every other voter that can vote has on its disk what was acknowledged while the server ran.
func (w *world) othersHold(st *state, i int) bool {
	for bit := uint8(1); bit != 0 && bit <= st.acked; bit <<= 1 {
		without, all := 1<<i, true
		for j := range w.n {
			if j != i && w.voter[j] && !gated(&st.s[j]) && !w.holds(st, j, bit&st.acked) {
				without, all = without|1<<j, false
			}
		}
		if w.quorum[without] || !all && st.s[i].helped&bit != 0 {
			return false
		}
	}
	return true
}

// gated: the server has lost its data, and its gate keeps it from voting.
func gated(s *server) bool {
	return s.inPod() && s.hostRole == down && s.podRole == down && s.marker == 0
}

// inPod: that is where the server is, or was last, whatever the journal says.
func (s *server) inPod() bool {
	if s.hostRole != down {
		return false
	}
	return s.podRole != down || s.stale
}

// holds reports whether the disk that a server runs from has all of writes, also
// while it is down or looks for a leader.
func (w *world) holds(st *state, j int, writes uint8) bool {
	disk := &st.s[j].host
	if st.s[j].inPod() {
		disk = &st.s[j].pod
	}
	return writes&^disk.dwrites == 0
}

// decided checks what must be true at the moment of a decision, however late
// it is carried out; first is false for a step that is asked for once more.
func (w *world) decided(st *state, step migration.StepID, i int, first bool) {
	s := &st.s[i]
	if w.cfg.Deeds {
		return
	}
	switch step {
	case migration.StepStopHost:
		w.stopping(st, i, int8(2*i))
	case migration.StepDeletePod:
		// Of two processes with one id the one may go that takes no part.
		if s.podRole.serving() && !s.hostRole.serving() {
			w.stopping(st, i, int8(2*i+1))
		}
	case migration.StepFlipBack:
		// Peers would not find it any more.
		if s.podRole.serving() && !s.hostRole.serving() {
			w.stopping(st, i, int8(2*i+1))
		}
	case migration.StepRelease:
		safe := w.othersHold(st, i)
		if st.flight.copied {
			// Nothing was forgotten, then.
			safe = s.seeded && s.copied == s.host
		}
		if !s.lied && (s.hostRole != down || s.wanted && !s.masked) || !safe {
			st.violate(unsafeRelease)
		}
	case migration.StepRestoreGate:
		if st.flight.on && int(st.flight.id) == i && st.flight.line == s.marker && s.joined && s.host.z > s.pod.z {
			st.violate(unsafeRelease)
		}
	case migration.StepRenew:
		if s.podRole != down || !w.othersHold(st, i) {
			st.violate(unsafeRelease)
		}
	case migration.StepStartHost:
		beside := st.flight.served && (s.podRole != down || s.gate != 0)
		if st.flight.kind == revert && s.hostRole == down && (beside || first && s.stale && !w.othersHold(st, i)) {
			st.violate(unsafeStart)
		}
	}
}

// claimed checks what a command ends with: that a server came back is said of one
// that did.
func (w *world) claimed(st *state, d migration.Decision, i int) {
	if d.Kind != migration.Stop || d.Code != migration.CodeHostReturned && d.Code != migration.CodeGhostHost {
		return
	}
	// It may be said of another server than the one that was asked for.
	for j, sr := range w.base.record.Servers {
		if strings.Contains(d.Next, "on host "+sr.HostIP+":") {
			i = j
		}
	}
	if st.s[i].hostRole == down {
		st.violate(falseGhost)
	}
}

// stopping: everybody else takes part, and nobody but the last leads.
func (w *world) stopping(st *state, i int, p int8) {
	if *w.roleOf(st, p) == down {
		return
	}
	for j := range w.n {
		s := &st.s[j]
		if j != i && !s.hostRole.serving() && !s.podRole.serving() && w.voter[j] {
			st.violate(unsafeStop)
		}
		toGo := !s.replaced
		if st.flight.kind == apply {
			toGo = s.outdated
		}
		if j != i && st.leader == p && toGo && w.voter[j] && st.flight.kind != revert {
			st.violate(leaderStopped)
		}
	}
}
