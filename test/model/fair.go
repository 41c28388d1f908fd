package model

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Fair goes on from a state as a healthy world does: no more faults, no more
// crashes, what is asked for is done, what can happen happens, and the operator
// does what the last decision says. It returns an error with the way when the
// operation that was under way, and then the whole migration, does not end.
func Fair(cfg Config, st state) error {
	w := newWorld(cfg, migration.Decide)
	st.faults, st.writes = 0, 0
	st.begins, st.reverts = 200, 200
	st.tool = [2]pending{}
	want := replace
	if cfg.Restart {
		want = restart
	}
	var way []string
	kind := want
	if st.flight.on {
		kind = st.flight.kind
	}
	var asked ensemble.ID
	for range 600 {
		w.quiet(&st)
		if st.broken != fine {
			return fmt.Errorf("%s\n  %s", st.broken, strings.Join(way, "\n  "))
		}
		if kind == revert && !st.flight.on {
			kind = want
		}
		id, ok := w.goes(&st, kind)
		if !ok {
			return nil
		}
		if asked != 0 && !st.flight.on {
			id, kind = asked, replace
		}
		asked = 0
		if !st.flight.on && st.s[w.base.index(id)].replaced {
			kind = replace
		}
		in := w.intent(kind, int(w.base.index(id)))
		o := w.observe(&st)
		next, d, did := w.look(&st, o, kind, int(w.base.index(id)), 0)
		way = append(way, fmt.Sprintf("%s %d: %s %s %s: %s | %s", in.Kind, id, d.Kind, d.Code, d.Step, d.Reason, d.Next))
		if did {
			st = next
			if st.tool[0].on {
				st = w.carryOut(st)
			}
			continue
		}
		if d.Kind == migration.Wait && w.elapse(&st) {
			continue
		}
		if again, ok := w.obey(&st, d, id); ok {
			if again != 0 {
				kind = again - 1
			}
			continue
		}
		if other, ok := elsewhere(d, id); ok {
			asked = other
			continue
		}
		return fmt.Errorf("stuck\n  %s", strings.Join(way[max(0, len(way)-25):], "\n  "))
	}
	return fmt.Errorf("no end in sight\n  %s", strings.Join(way[len(way)-25:], "\n  "))
}

// elsewhere is another server whose replacement a decision asks for first.
func elsewhere(d migration.Decision, id ensemble.ID) (ensemble.ID, bool) {
	_, flag, ok := strings.Cut(d.Next, "kubectl zkmigrate replace m --id=")
	if !ok {
		return 0, false
	}
	n, _, _ := strings.Cut(flag, " ")
	other, err := ensemble.ParseID(n)
	return other, err == nil && other != id
}

// goes is the server that somebody who wants the whole migration names next.
func (w *world) goes(st *state, kind uint8) (ensemble.ID, bool) {
	if st.flight.on {
		return w.cfg.IDs[st.flight.id], true
	}
	o := w.observe(st)
	for _, v := range o.Servers {
		// What status tells to do first.
		if v.Cluster.Pod.NeedsRenewal(v.Cluster.Gate) || !w.cfg.Restart && st.s[w.base.index(v.ID)].replaced && !v.Cluster.Gate.Released {
			return v.ID, true
		}
	}
	if kind == restart {
		order := migration.RestartOrder(o)
		if len(order) == 0 {
			return 0, false
		}
		return order[0], true
	}
	return migration.NextReplacement(o)
}

// quiet lets everything happen that happens by itself in a healthy world.
func (w *world) quiet(st *state) {
	for range 200 {
		was := *st
		for i := range w.n {
			s := &st.s[i]
			s.cut, s.toolBlind, s.podBlind = false, false, false
			w.watch(s)
			if s.phase == podTerminating {
				w.podGone(st, i)
			}
			if s.phase == podAbsent {
				w.podAgain(st, i)
			}
			if s.phase == podStarted && s.podRole == down {
				s.phase = podWaiting
			}
			w.refresh(s)
			w.report(st, i)
			w.podStart(st, i)
			w.collect(s)
			w.controller(s)
			if s.hostRole == down && s.wanted && !s.masked {
				w.startProcess(st, int8(2*i))
			}
			if s.askedStop {
				s.askedStop, s.wanted = false, false
				w.stopProcess(st, int8(2*i))
			}
			if s.askedStart {
				s.askedStart = false
				w.operatorStarts(st, i)
			}
		}
		var most uint16
		w.elections(st, func(members uint16) { most = max(most, members) })
		if most != 0 {
			w.elect(st, most)
		}
		if st.leader >= 0 {
			w.procs(st, func(p int8, r role) {
				switch r {
				case looking:
					w.join(st, p)
				case following:
					w.replicate(st, p)
				}
			})
			w.flush(st)
		}
		*st = w.canonical(*st)
		if *st == was {
			return
		}
	}
}

// carryOut performs the pending step, with every follower acknowledging.
func (w *world) carryOut(st state) state {
	var all uint16
	w.commits(&st, func(acks uint16) { all |= acks })
	step := w.base.steps[st.tool[0].step]
	canary := step == migration.StepProveBefore || step == migration.StepProveAfter || step == migration.StepProveJoined
	if !canary || all != 0 {
		if next, ok := w.perform(&st, 0, all, true); ok {
			return next
		}
	}
	st.tool[0] = pending{}
	return st
}

// elapse is time going by; false when nothing was waiting for it.
func (w *world) elapse(st *state) bool {
	moved := st.flight.later()
	return moved
}

// obey is the operator doing what the decision says. again is one more than
// the kind of command to run next, 0 for the same.
func (w *world) obey(st *state, d migration.Decision, id ensemble.ID) (again uint8, ok bool) {
	i := int(w.base.index(id))
	moved := false
	for j := range w.n {
		s := &st.s[j]
		ghost := d.Code == migration.CodeGhostHost || d.Code == migration.CodePodVetoed
		switch {
		case ghost && (s.replaced || j == i) && s.hostRole != down:
			// Stop the server and mask its unit.
			s.wanted, s.masked, s.lied, moved = false, true, false, true
			w.stopProcess(st, int8(2*j))
		case d.Code == migration.CodeStoppedTooEarly && j == i:
			s.masked, moved = false, true
			w.operatorStarts(st, j)
		case !ghost && (j != i || !st.flight.on) && !s.replaced && s.hostRole == down && s.phase != podStarted:
			// A server that should run on its host.
			s.masked, moved = false, true
			w.operatorStarts(st, j)
		}
	}
	switch d.Code {
	case migration.CodeHostReturned, migration.CodeElectionSinceProof, migration.CodeAborted, migration.CodeJournalDisagrees, migration.CodeDegraded,
		migration.CodeNoLeader, migration.CodeHostSilent, migration.CodeHostStillUp, migration.CodeLeaderLast, migration.CodeOneAtATime, migration.CodeHostUnwatched:
		if strings.Contains(d.Next, " revert ") && st.flight.on {
			return revert + 1, true
		}
		if strings.Contains(d.Next, " replace ") && st.flight.on {
			return replace + 1, true
		}
	}
	return 0, moved
}
