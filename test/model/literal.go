package model

import (
	"errors"
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Literal goes on from a state as Fair does, but its operator knows nothing: what
// status prints as the next command is run, or done on the host that it names,
// word by word, and so is what a command that waits prints for a host. It returns
// an error with the way when the same words come again in the same state, or come
// to an end before the migration has.
func Literal(cfg Config, st state) error {
	w := newWorld(cfg, migration.Decide)
	st.faults, st.writes = 0, 0
	st.begins, st.reverts = 200, 200
	st.tool = [2]pending{}
	l := &literal{w: w, st: st, been: map[state]bool{}}
	for range 300 {
		w.quiet(&l.st)
		if l.st.broken != fine {
			return l.fail(l.st.broken.String())
		}
		o := w.observe(&l.st)
		s := migration.Summarize(o)
		l.note("status: %s | %s", s.Health, s.Next)
		switch {
		case s.Next == "" && s.Healthy && s.Replaced == w.n:
			return nil
		case s.Next == "":
			return l.fail("status prints nothing more, and this is not the end: " + fmt.Sprint(s.Problems))
		case cfg.Finalize && l.st.plain && !l.st.flight.on && s.Healthy && len(migration.FinalizeOrder(o)) == 0:
			return nil
		case cfg.Restart && !l.st.flight.on && len(migration.RestartOrder(o)) == 0:
			return nil
		case l.been[l.st]:
			return l.fail("the same words in the same state: " + s.Next)
		}
		l.been[l.st] = true
		if err := l.follow(s.Next); err != nil {
			return err
		}
	}
	return l.fail("no end in sight")
}

type literal struct {
	w    *world
	st   state
	been map[state]bool
	way  []string
}

func (l *literal) note(format string, a ...any) { l.way = append(l.way, fmt.Sprintf(format, a...)) }

func (l *literal) fail(why string) error {
	return errors.New(why + "\n  " + strings.Join(l.way[max(0, len(l.way)-30):], "\n  "))
}

// follow does what is printed.
func (l *literal) follow(words string) error {
	if c, ok := commanded(words); ok {
		return l.run(c.kind, c.id)
	}
	switch {
	case strings.Contains(words, "kubectl zkmigrate reconfigure"):
		if order := migration.RestartOrder(l.w.observe(&l.st)); len(order) > 0 {
			return l.run(restart, order[0])
		}
	case strings.Contains(words, "kubectl zkmigrate finalize m --give-up-way-back=m"):
		if order := migration.FinalizeOrder(l.w.observe(&l.st)); len(order) > 0 {
			return l.run(ungate, order[0])
		}
	case strings.Contains(words, "kubectl zkmigrate wrap"):
		for i := range l.w.n {
			l.w.wrap(&l.st, i)
		}
		return nil
	case strings.Contains(words, "kubectl zkmigrate status"):
		l.w.elapse(&l.st)
		return nil
	case l.onHost(words):
		return nil
	}
	return l.fail("nobody can follow " + words)
}

// onHost does what is printed for a host: what words do not say is not done.
func (l *literal) onHost(words string) (done bool) {
	for j, sr := range l.w.base.record.Servers {
		_, act, ok := strings.Cut(words, "on host "+sr.HostIP+": ")
		if !ok {
			continue
		}
		act, _, _ = strings.Cut(act, "; on host ")
		s := &l.st.s[j]
		if strings.Contains(act, "unmask") {
			s.masked = false
		} else if strings.Contains(act, "mask") {
			s.masked = true
		}
		switch {
		case strings.Contains(act, "stop the server") && !strings.Contains(act, "do not"):
			s.wanted = false
			l.w.stopProcess(&l.st, int8(2*j))
		case strings.Contains(act, "start the server") && !s.masked && s.hostRole == down:
			if s.stale && !l.w.othersHold(&l.st, j) {
				l.st.violate(unsafeStart)
			}
			l.w.operatorStarts(&l.st, j)
		}
		done = true
	}
	return done
}

// run runs a command to its end: done, stopped, or waiting for what does not come.
//
// Words that a wait repeats are followed: whoever waits has read them by then.
func (l *literal) run(kind uint8, id ensemble.ID) error {
	if kind == undo {
		id = l.w.undone(&l.st)
	}
	i := int(l.w.base.index(id))
	read := ""
	for range 200 {
		l.w.quiet(&l.st)
		if l.st.broken != fine {
			return l.fail(l.st.broken.String())
		}
		o := l.w.observe(&l.st)
		next, d, did := l.w.look(&l.st, o, kind, i, 0)
		l.note("%s %d: %s %s %s: %s %q | %s", kindOf(kind), id, d.Kind, d.Code, d.Step, d.Reason, d.Evidence, d.Next)
		if did {
			l.st = next
			if l.st.tool[0].on {
				l.st = l.w.carryOut(l.st)
			}
			continue
		}
		if d.Kind != migration.Wait {
			return nil
		}
		before, again := l.st, d.Next == read
		read = d.Next
		if again && l.onHost(d.Next) && l.st != before || l.w.elapse(&l.st) {
			continue
		}
		if l.onHost(d.Next); l.st == before {
			return nil
		}
	}
	return l.fail("the command does not end")
}
