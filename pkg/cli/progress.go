package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hosts"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// progress prints what the engine does, one line a step, for a person at a
// terminal or in a log.
type progress struct {
	out   io.Writer
	start time.Time
	// verbose prints also the steps that only keep something in the journal.
	verbose bool
	last    string
	waiting migration.Code
	// since is when the present wait began, waited when it was last printed.
	since, waited time.Time
}

// repeatWait is how often a wait is printed again while nothing else happens.
const repeatWait = 8 * time.Second

// event prints one event.
func (p *progress) event(e engine.Event) {
	step := migration.StepByID(e.Decision.Step)
	switch e.Kind {
	case engine.EventStep:
		if p.verbose {
			p.line(e, "...", "%s: %s", step.Title, e.Decision.Reason)
		}
	case engine.EventStepOK:
		// A kick is part of a wait: it only makes the kubelet look again.
		kick := e.Decision.Step == migration.StepKick
		if !kick {
			p.waiting = ""
		}
		switch {
		case e.Missing > 0:
			p.line(e, "lost", "%s (%d missing)", step.Title, e.Missing)
		case e.By == hosts.Asked:
			p.line(e, "asked", "%s (%s)", step.Title, e.Decision.Reason)
		case step.Writes && !kick || p.verbose:
			p.line(e, "ok", "%s (%s)", step.Title, e.Decision.Reason)
		}
	case engine.EventWaiting:
		p.wait(e)
	case engine.EventError:
		if e.Final {
			return // the caller prints it
		}
		p.line(e, "retry", "%s", plain(e.Err).text)
	case engine.EventDone:
		p.line(e, "done", "%s", e.Decision.Reason)
	case engine.EventStopped:
		// The caller prints it with its exit code.
	}
}

// wait prints a wait when its kind changes, and again from time to time, then
// with how long it lasts, what it rests on and what helps.
func (p *progress) wait(e engine.Event) {
	if e.Decision.Code != p.waiting {
		p.waiting, p.since, p.waited = e.Decision.Code, e.At, e.At
		p.line(e, "wait", "%s%s", e.Decision.Reason, p.code(e))
		if e.Decision.Code != migration.CodeDegraded {
			return
		}
	} else {
		// A long wait is told less and less often.
		pause := max(repeatWait, min(p.waited.Sub(p.since), time.Minute))
		if p.verbose {
			pause = time.Second
		}
		if e.At.Sub(p.waited) < pause {
			return
		}
		p.waited = e.At
		p.line(e, "wait", "%s%s (for %.0f s)", e.Decision.Reason, p.code(e), e.At.Sub(p.since).Seconds())
	}
	for _, ev := range e.Decision.Evidence {
		fmt.Fprintf(p.out, "                   - %s\n", ev)
	}
	if e.Decision.Next != "" {
		fmt.Fprintf(p.out, "                   what helps: %s\n", e.Decision.Next)
	}
}

// code is the rule that has us wait, with --verbose.
func (p *progress) code(e engine.Event) string {
	if !p.verbose {
		return ""
	}
	return bracketed(e.Decision.Code)
}

// line prints one line; the same words are not printed twice in a row.
func (p *progress) line(e engine.Event, word, format string, a ...any) {
	text := word + fmt.Sprintf(format, a...)
	if text == p.last {
		return
	}
	p.last = text
	fmt.Fprintf(p.out, "  %6.1fs  %-5s %s\n", e.At.Sub(p.start).Seconds(), word, fmt.Sprintf(format, a...))
}
