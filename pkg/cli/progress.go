package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// progress prints what the engine does, one line a step, for a person at a
// terminal or in a log.
type progress struct {
	out   io.Writer
	start time.Time
	// quiet leaves out the steps that only keep something in the journal.
	verbose bool
	lastErr string
}

// event prints one event.
func (p *progress) event(e engine.Event) {
	step := migration.StepByID(e.Decision.Step)
	switch e.Kind {
	case engine.EventStep:
		if p.verbose {
			p.line(e, "...", "%s: %s", step.Title, e.Decision.Reason)
		}
	case engine.EventStepOK:
		if !step.Writes && !p.verbose {
			return
		}
		p.line(e, "ok", "%s (%s)", step.Title, e.Decision.Reason)
	case engine.EventWaiting:
		p.line(e, "wait", "%s", e.Decision.Reason)
		for _, ev := range e.Decision.Evidence {
			fmt.Fprintf(p.out, "                   - %s\n", ev)
		}
		if e.Decision.Next != "" {
			fmt.Fprintf(p.out, "                   what helps: %s\n", e.Decision.Next)
		}
	case engine.EventError:
		if text := e.Err.Error(); text != p.lastErr {
			p.lastErr = text
			p.line(e, "retry", "%s", text)
		}
	case engine.EventDone:
		p.line(e, "done", "%s", e.Decision.Reason)
	case engine.EventStopped:
		// The caller prints it with its exit code.
	}
}

func (p *progress) line(e engine.Event, word, format string, a ...any) {
	fmt.Fprintf(p.out, "  %6.1fs  %-5s %s\n", e.At.Sub(p.start).Seconds(), word, fmt.Sprintf(format, a...))
}
