package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
)

// haltedError: a run was halted where no server is away.
type haltedError struct{ why string }

func (e *haltedError) Error() string { return "halted before the next server: " + e.why }

// fleetMover moves ensembles of a fleet with the commands that move one.
type fleetMover struct {
	look *fleetLooker
	// out takes what the commands print, line by line, with the ensemble's id before it.
	out *lines
	// dir is where patches go.
	dir     string
	goal    fleet.Goal
	timeout time.Duration
	// safe is asked before each next server of an ensemble.
	safe func(ctx context.Context, id string) error
}

// move takes one ensemble to the goal. over is false where it was halted or interrupted on the
// way: it goes on later.
func (m *fleetMover) move(ctx context.Context, t fleetTarget) (e fleet.Ending, over bool) {
	out := m.out.of(t.ID)
	defer out.flush()
	var last fleet.Part
	var failing time.Time
	var elections engine.Elections
	for {
		fact := m.look.look(ctx, t, m.goal)
		var said message
		switch {
		case ctx.Err() != nil:
			return e, false
		case !fact.Seen:
			said = message{reason: "it could not be looked at: " + fact.Why, next: fact.Next, passing: true}
		case len(fact.Left) == 0:
			return fleet.Ending{Epoch: fact.Epoch, Stall: elections.Longest}, true
		case !fact.Ready:
			said = message{reason: fact.Why, next: fact.Next}
		case fact.Left[0] == last:
			said = message{reason: fmt.Sprintf("%s said that it was done, and is left still", last), next: m.status(t)}
		default:
			part := fact.Left[0]
			err := m.run(ctx, t, part, &elections, out)
			halted := (*haltedError)(nil)
			switch {
			case err == nil:
				last, failing = part, time.Time{}
				continue
			case ctx.Err() != nil || errors.As(err, &halted):
				return e, false
			}
			said = tell(err, m.look.parent.via())
		}
		// What passes by itself is tried again for as long as one command would.
		if failing.IsZero() {
			failing = time.Now()
		}
		if said.passing && time.Since(failing) < errorBudget {
			out.line("tried again: " + said.reason)
			if (clock{}).Sleep(ctx, fleetPoll) != nil {
				return e, false
			}
			continue
		}
		if said.next == "" {
			said.next = m.status(t)
		}
		// Elections that its last command has forced count as well.
		return fleet.Ending{Red: true, Code: said.code, Reason: said.reason, Evidence: said.evidence, Next: said.next, Epoch: m.look.look(ctx, t, m.goal).Epoch, Stall: elections.Longest}, true
	}
}

// status is the command that looks at one ensemble.
func (m *fleetMover) status(t fleetTarget) string {
	return command.At{Namespace: t.Namespace, Via: m.look.via(t)}.Ours("status %s", t.Name)
}

// run runs one command as if it were typed, in this process.
func (m *fleetMover) run(ctx context.Context, t fleetTarget, part fleet.Part, elections *engine.Elections, out *targetLines) error {
	args, err := m.args(t, part)
	if err != nil {
		return err
	}
	root, d := newRoot(genericiooptions.IOStreams{In: strings.NewReader(""), Out: out, ErrOut: out}) //nolint:contextcheck // it gets its own below
	d.safePoint = func(ctx context.Context) error { return m.safe(ctx, t.ID) }
	d.onLook = elections.Look
	root.SetArgs(args)
	defer d.asking.end()
	return fromIntake(root.ExecuteContext(ctx))
}

func (m *fleetMover) args(t fleetTarget, part fleet.Part) ([]string, error) {
	args := append([]string{string(part), t.Name, "--timeout=" + m.timeout.String(), "--probe-via=" + m.look.parent.probe.via}, m.look.at(t)...)
	if image := m.look.parent.probe.image; image != "" {
		args = append(args, "--probe-image="+image)
	}
	if file := t.files(); file != "" && (part == fleet.Wrap || part == fleet.Reconfigure || t.manifest != "") {
		args = append(args, "--filename="+file)
	}
	if t.Credentials != "" {
		args = append(args, "--credentials="+t.credentials)
	}
	if part == fleet.Wrap {
		return args, nil
	}
	args = append(args, "--yes")
	if part == fleet.Finalize {
		return append(args, "--give-up-way-back="+t.GiveUp), nil
	}
	if t.hook != "" {
		args = append(args, "--host-hook="+t.hook)
	}
	if part == fleet.Replace {
		args = append(args, "--all")
		if t.Data != "" {
			args = append(args, "--data="+t.Data)
		}
		if t.AcceptLoss != "" {
			args = append(args, "--accept-client-loss="+t.AcceptLoss)
		}
		return args, nil
	}
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		return nil, fileError(m.dir, err)
	}
	return append(args, "--output-dir="+filepath.Join(m.dir, strings.NewReplacer("/", "-", "@", "-", ":", "-").Replace(t.ID))), nil
}

// via names the cluster of an ensemble in commands that are printed.
func (f *fleetLooker) via(t fleetTarget) command.Via {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.opened {
		if o.kube.namespace == t.Namespace && (t.Context == "" || *o.deps.flags.Context == t.Context) {
			return o.kube.via
		}
	}
	return f.parent.via()
}

// lines are written by several commands side by side: each line as a whole.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) of(id string) *targetLines { return &targetLines{to: l, id: id} }

func (l *lines) line(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, "%s  %s\n", time.Now().Format(time.TimeOnly), text)
}

// targetLines are those of one ensemble. Of a line that does not end only a part is kept.
type targetLines struct {
	to *lines
	id string

	mu   sync.Mutex
	rest []byte
}

// maxLine bounds a line that is waited for.
const maxLine = 64 << 10

// Write implements io.Writer.
func (t *targetLines) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, p...)
	for {
		line, rest, found := bytes.Cut(t.rest, []byte("\n"))
		if !found && len(t.rest) < maxLine {
			return len(p), nil
		}
		t.rest = rest
		t.line(string(line))
	}
}

func (t *targetLines) line(text string) { t.to.line(t.id + ": " + text) }

func (t *targetLines) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rest) > 0 {
		t.line(string(t.rest))
		t.rest = nil
	}
}
