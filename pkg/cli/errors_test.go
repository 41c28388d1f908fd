package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hosts"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// TestInterrupted: only a command that keeps its state says that it is saved.
func TestInterrupted(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		saved bool
	}{
		"looking": {err: context.Canceled},
		"working": {err: &workingError{context.Canceled}, saved: true},
		"deep":    {err: errors.Join(&workingError{context.Canceled}), saved: true},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if code := report(&out, tc.err); code != exitInterrupted {
				t.Errorf("exit code %d", code)
			}
			if got := strings.Contains(out.String(), "saved"); got != tc.saved {
				t.Errorf("says that the state is saved: %t\n%s", got, out.String())
			}
		})
	}
}

// TestWhatIntakeRefuses: what is wrong in the input is a mistake of who typed it; what
// contradicts the journal is refused.
func TestWhatIntakeRefuses(t *testing.T) {
	for want, err := range map[string]error{
		"error: no such flag\n": &intake.Error{Usage: true, Reason: "no such flag"},
		"refused: server 4 is not recorded\nnext: leave it out\nNothing was changed.\n": fmt.Errorf("wrap: %w", &intake.Error{Reason: "server 4 is not recorded", Next: "leave it out"}),
	} {
		exit := map[bool]int{true: exitUsage, false: exitRefused}[strings.HasPrefix(want, "error")]
		var out strings.Builder
		if code := report(&out, err); code != exit || out.String() != want {
			t.Errorf("exit code %d, %q; want %d, %q", code, out.String(), exit, want)
		}
	}
}

// TestOutcome: what ended a command is what is said, with a command that works.
func TestOutcome(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	late := fmt.Errorf("canary write through server 3: %w", &zkprobe.CanaryError{Addr: "10.96.0.3:2181", Stage: zkprobe.CanaryCommit, NoCommit: true, Err: context.DeadlineExceeded})
	mask := &hosts.ConfirmationError{Action: engine.HostMask, Host: "10.0.0.1", Flag: "--fenced"}
	refused := migration.Decision{Kind: migration.Stop, Code: migration.CodeDegraded, Reason: "not every server is in sync"}
	for name, c := range map[string]struct {
		o    MoveOptions
		ctx  context.Context
		d    migration.Decision
		err  error
		code int
		says []string
	}{
		"a question of its own timed out": {MoveOptions{kind: migration.Replace}, t.Context(), migration.Decision{}, late, exitError,
			[]string{"does not commit", "next: kubectl zkmigrate replace demo --id=1 -n zk", "state is saved"}},
		"interrupted":          {MoveOptions{kind: migration.Replace}, over, migration.Decision{}, context.Canceled, exitInterrupted, []string{"interrupted", "state is saved"}},
		"to be confirmed":      {MoveOptions{kind: migration.Replace, all: true}, t.Context(), migration.Decision{}, mask, exitPaused, []string{"next: kubectl zkmigrate replace demo --id=1 -n zk --fenced"}},
		"refused at once":      {MoveOptions{kind: migration.Replace}, t.Context(), refused, nil, exitRefused, []string{"Nothing was changed."}},
		"refused, pods made":   {MoveOptions{kind: migration.Replace, wrote: true}, t.Context(), refused, nil, exitRefused, []string{"No server was touched."}},
		"refused, after one":   {MoveOptions{kind: migration.Replace, all: true, wrote: true, moved: 1}, t.Context(), refused, nil, exitPaused, []string{"paused"}},
		"a restart by program": {MoveOptions{kind: migration.Reconfigure}, t.Context(), migration.Decision{}, errors.New("x"), exitError, []string{"reconfigure demo -n zk --host-hook='h x'"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := wrapped(t, "3.4.13")
			s.kube.via = command.Via{}.WithOwn(command.Given{As: "--host-hook=", Values: []string{"h x"}, On: []string{"reconfigure"}})
			c.o.deps = &deps{}
			var out strings.Builder
			code := report(&out, c.o.outcome(c.ctx, s, migration.Intent{ID: 1}, c.d, c.err, time.Now()))
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("does not say %q:\n%s", want, out.String())
				}
			}
		})
	}
}

// TestOutcomeBesideAnother: what is refused for another's sake does not go on.
func TestOutcomeBesideAnother(t *testing.T) {
	s := wrapped(t, "3.4.13")
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec.Flight = &migration.Flight{Kind: migration.Replace, ID: 3, By: "somebody"}
	if err := s.journal.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	o := MoveOptions{kind: migration.Revert, deps: &deps{}}
	d := migration.Decision{Kind: migration.Stop, Code: migration.CodeOneAtATime, Reason: "in the middle of another"}
	for id, want := range map[ensemble.ID]string{1: "Nothing was changed", 3: "goes on from here"} {
		var out strings.Builder
		if code := report(&out, o.outcome(t.Context(), s, migration.Intent{ID: id}, d, nil, time.Now())); code != exitPaused || !strings.Contains(out.String(), want) {
			t.Errorf("server %d: exit code %d\n%s", id, code, out.String())
		}
	}
}

// TestProgressRetries: what is not tried again is not called so.
func TestProgressRetries(t *testing.T) {
	var out strings.Builder
	p := &progress{out: &out}
	p.event(engine.Event{Kind: engine.EventError, Err: fmt.Errorf("step mask-host: %w", &hosts.ConfirmationError{}), Final: true})
	if out.Len() > 0 {
		t.Errorf("printed %q", out.String())
	}
	p.event(engine.Event{Kind: engine.EventError, Err: errors.New("the API server is away")})
	if !strings.Contains(out.String(), "retry") {
		t.Errorf("printed %q", out.String())
	}
}

// TestProgressOfPaths: a step that found paths missing is not called ok.
func TestProgressOfPaths(t *testing.T) {
	for missing, want := range map[int]string{0: "ok    try the paths that the server will need (why)\n", 2: "lost  try the paths that the server will need (2 missing)\n"} {
		var out strings.Builder
		p := &progress{out: &out}
		p.event(engine.Event{Kind: engine.EventStepOK, Decision: migration.Decision{Step: migration.StepTryPaths, Reason: "why"}, Missing: missing})
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("printed %q, want %q", out.String(), want)
		}
	}
}

// TestAQuestionCanBeInterrupted: nobody types an answer after a Ctrl-C.
func TestAQuestionCanBeInterrupted(t *testing.T) {
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readLine(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if line, err := readLine(t.Context(), strings.NewReader("y")); line != "y" || err != nil {
		t.Errorf("got %q, %v", line, err)
	}
}

// TestInterruptedReading: an interrupt while a pipe is read is one, whoever wanted the file.
func TestInterruptedReading(t *testing.T) {
	for name, err := range map[string]error{
		"a host's file": unreadable(context.Canceled), "a template": &usageError{fmt.Errorf("--pod-template: %w", context.Canceled)},
	} {
		if code := report(io.Discard, err); code != exitInterrupted {
			t.Errorf("%s: exit code %d", name, code)
		}
	}
}
