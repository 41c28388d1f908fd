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
	var asked command
	for range 600 {
		w.quiet(&st)
		if st.broken != fine {
			return fmt.Errorf("%s\n  %s", st.broken, strings.Join(way, "\n  "))
		}
		if kind == revert && !st.flight.on {
			kind = want
		}
		id, ok := w.cfg.IDs[st.flight.id], st.flight.on
		if !ok {
			if kind, id, ok = w.goes(&st); !ok {
				return nil
			}
		}
		before := kind
		if asked.id != 0 {
			// Also in the middle of another server's operation.
			kind, id = asked.kind, asked.id
		}
		asked = command{}
		in := w.intent(kind, int(w.base.index(id)))
		o := w.observe(&st)
		next, d, did := w.look(&st, o, kind, int(w.base.index(id)), 0)
		way = append(way, fmt.Sprintf("%s %d: %s %s %s: %s | %s", in.Kind, id, d.Kind, d.Code, d.Step, d.Reason, d.Next))
		if did {
			st = next
			if st.tool[0].on {
				st = w.carryOut(st)
			}
			if st.flight.on && w.cfg.IDs[st.flight.id] != id {
				kind = before
			}
			continue
		}
		if d.Code == migration.CodeHostStarting && st.s[w.base.index(id)].masked {
			// Whoever is to start it finds it masked, and reads what helps.
			st.s[w.base.index(id)].masked = !strings.Contains(d.Next, "unmask and start the server")
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
		if c, ok := commanded(d.Next); ok && c != (command{kind, id}) {
			asked = c
			continue
		}
		return fmt.Errorf("stuck\n  %s", strings.Join(way[max(0, len(way)-25):], "\n  "))
	}
	return fmt.Errorf("no end in sight\n  %s", strings.Join(way[len(way)-25:], "\n  "))
}

// command is one of ours that something printed.
type command struct {
	kind uint8
	id   ensemble.ID
}

// commanded is the command in a hint, if it is one for a server.
func commanded(hint string) (command, bool) {
	for kind, name := range map[uint8]string{replace: "replace", revert: "revert", apply: "apply"} {
		if _, flag, ok := strings.Cut(hint, "kubectl zkmigrate "+name+" m --id="); ok {
			n, _, _ := strings.Cut(flag, " ")
			id, err := ensemble.ParseID(n)
			return command{kind, id}, err == nil
		}
	}
	return command{}, false
}

// goes is what somebody who wants the whole migration does next while nothing is
// under way: what status says. ok is false when it is done.
func (w *world) goes(st *state) (kind uint8, id ensemble.ID, ok bool) {
	o := w.observe(st)
	if w.cfg.Restart {
		if order := migration.RestartOrder(o); len(order) > 0 {
			return restart, order[0], true
		}
		return restart, 0, false
	}
	s := migration.Summarize(o)
	if c, ok := commanded(s.Next); ok {
		return c.kind, c.id, true
	}
	// Something is to be done on a host first; the command tells the same.
	if order := migration.Replacements(o); len(order) > 0 {
		return replace, order[0], true
	}
	if order := migration.ApplyOrder(o); len(order) > 0 {
		return apply, order[0], true
	}
	return replace, w.cfg.IDs[0], s.Next != ""
}

// quiet lets everything happen that happens by itself in a healthy world.
func (w *world) quiet(st *state) {
	st.beside = false
	for range 200 {
		was := *st
		for i := range w.n {
			s := &st.s[i]
			s.cut, s.toolBlind, s.podBlind = false, false, false
			s.sight, s.paused = seesAll, false
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
				s.away = s.away || s.hostRole != down
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
	if st.leader < 0 && !st.lame {
		// The command sees for long that nobody can be elected: the best of them is
		// not reached by the others, and keeps them from electing another one.
		st.lame, moved = true, true
	}
	return moved
}

// obey is the operator doing what the decision says. again is one more than
// the kind of command to run next, 0 for the same.
func (w *world) obey(st *state, d migration.Decision, id ensemble.ID) (again uint8, ok bool) {
	i := int(w.base.index(id))
	moved := false
	printed, _ := commanded(d.Next)
	for j := range w.n {
		s := &st.s[j]
		ghost := d.Code == migration.CodeGhostHost || d.Code == migration.CodePodVetoed
		switch {
		case ghost && (s.replaced || j == i) && s.hostRole != down:
			// Stop the server and mask its unit.
			s.wanted, s.masked, s.lied, moved = false, true, false, true
			w.stopProcess(st, int8(2*j))
		case d.Code == migration.CodeStoppedTooEarly && j == i:
			if s.stale && !w.othersHold(st, j) {
				st.violate(unsafeStart)
			}
			s.masked, moved = false, true
			w.operatorStarts(st, j)
		case printed == command{revert, w.cfg.IDs[j]} && !st.flight.on:
			// It comes back by that.
		case !ghost && (j != i || !st.flight.on) && !s.replaced && s.hostRole == down && s.phase != podStarted:
			// A server that should run on its host.
			s.masked, moved = false, true
			w.operatorStarts(st, j)
		}
	}
	if printed.id != 0 && printed.id != id {
		return 0, moved
	}
	switch d.Code {
	case migration.CodeHostReturned, migration.CodeElectionSinceProof, migration.CodeAborted, migration.CodeJournalDisagrees, migration.CodeDegraded,
		migration.CodeNoLeader, migration.CodeHostSilent, migration.CodeHostStillUp, migration.CodeLeaderLast, migration.CodeOneAtATime, migration.CodeHostUnwatched, migration.CodePodStopping:
		if strings.Contains(d.Next, " revert ") && st.flight.on {
			return revert + 1, true
		}
		if strings.Contains(d.Next, " apply ") && st.flight.on {
			return apply + 1, true
		}
		if strings.Contains(d.Next, " replace ") && st.flight.on {
			return replace + 1, true
		}
	}
	return 0, moved
}
