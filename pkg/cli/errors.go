package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hosts"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// usageError is a mistake in arguments, flags or input files.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, a ...any) error { return &usageError{fmt.Errorf(format, a...)} }

// refusedError: a check refused, nothing was changed.
type refusedError struct {
	// code is the rule's stable name, where a rule of the migration refused.
	code     migration.Code
	reason   string
	evidence []string
	next     string
	// parked: pods were made or changed before the refusal; moved servers were moved.
	parked bool
	moved  int
}

func (e *refusedError) Error() string { return e.reason }

// exchanged says that the journal has lost a server between two looks at it: only
// somebody who writes it by hand does that.
func (s *session) exchanged(id ensemble.ID) error {
	return &refusedError{reason: fmt.Sprintf("the journal of %s has no server %d any more: somebody has exchanged it while this command ran", s.name, id),
		next: s.kube.at().Ours("status %s", s.name)}
}

// pausedError: the state is saved; the same command goes on.
type pausedError struct {
	code     migration.Code
	reason   string
	evidence []string
	next     string
	timeout  bool
	// other: what is under way is another operation than the one asked for.
	other bool
	// passing: the same command may go on by itself; what stopped it says nothing about the
	// ensemble.
	passing bool
}

func (e *pausedError) Error() string { return e.reason }

// workingError ended a command that keeps its state in the journal.
type workingError struct{ err error }

func (e *workingError) Error() string { return e.err.Error() }
func (e *workingError) Unwrap() error { return e.err }

// failedError ended a command in the middle, by something outside; what it had
// reached is kept.
type failedError struct {
	err  error
	next string
	// lost: the journal went meanwhile, and what was under way with it.
	lost bool
}

func (e *failedError) Error() string { return e.err.Error() }
func (e *failedError) Unwrap() error { return e.err }

// fromIntake puts what intake makes nothing of among the errors of this package.
func fromIntake(err error) error {
	var e *intake.Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.Usage:
		return &usageError{e}
	}
	return &refusedError{reason: e.Reason, next: e.Next}
}

// message is an error as report prints it, for whoever keeps it.
type message struct {
	code, reason, next string
	evidence           []string
	// passing: the API server did not answer, or answered that it cannot now, or too late for
	// the lock.
	passing bool
}

func tell(err error, via command.Via) message {
	err = fromIntake(err)
	var refused *refusedError
	var paused *pausedError
	var failed *failedError
	switch {
	case errors.As(err, &refused):
		return message{code: string(refused.code), reason: refused.reason, evidence: refused.evidence, next: refused.next}
	case errors.As(err, &paused):
		return message{code: string(paused.code), reason: paused.reason, evidence: paused.evidence, next: paused.next, passing: paused.passing}
	case isDenied(err):
		d, _ := access.DenialIn(err)
		return message{reason: d.String(), evidence: d.Evidence(), next: denialHint(d, nameIn(err), d.Namespace, "")}
	}
	p := advised(err, via)
	t := message{reason: p.text, next: p.next, passing: p.api}
	if errors.As(err, &failed) {
		t.next = advice(p.next, failed.next)
	}
	return t
}

// report prints an error in three lines, what, what it rests on and what now,
// and returns the exit code. It is the only place that looks into errors.
func report(w io.Writer, err error) int {
	return reportAt(w, err, command.Via{}, func() string { return "" })
}

// reportAt also says which API server an error is about; via is put into the commands
// that help.
func reportAt(w io.Writer, err error, via command.Via, where func() string) int {
	if err == nil {
		return exitOK
	}
	err = fromIntake(err)
	var usage *usageError
	var input *ensemble.InputError
	var refused *refusedError
	var paused *pausedError
	var failed *failedError
	var confirm *hosts.ConfirmationError
	var late *timeoutError
	var compared *comparedError
	var only exitOnlyError
	switch {
	case errors.Is(err, differences{}):
		return exitError
	case errors.As(err, &only):
		return only.code
	case errors.As(err, &compared):
		// 1 says that there are differences.
		return max(reportAt(w, compared.err, via, where), exitUsage)
	case isDenied(err):
		return reportDenial(w, err, where)
	case errors.As(err, &refused):
		fmt.Fprintf(w, "refused: %s%s\n", refused.reason, bracketed(refused.code))
		printDetails(w, refused.evidence, refused.next)
		switch {
		case refused.moved > 0:
			fmt.Fprintf(w, "No other server was touched; %d %s moved before.\n", refused.moved, wasOrWere(refused.moved))
		case refused.parked:
			fmt.Fprintln(w, "No server was touched.")
		default:
			fmt.Fprintln(w, "Nothing was changed.")
		}
		return exitRefused
	case errors.As(err, &paused):
		fmt.Fprintf(w, "paused: %s%s\n", paused.reason, bracketed(paused.code))
		printDetails(w, paused.evidence, paused.next)
		if paused.other {
			fmt.Fprintln(w, "Nothing was changed; the state of what is under way is saved.")
			return exitPaused
		}
		fmt.Fprintln(w, "The state is saved; the same command, on any machine, goes on from here.")
		if paused.timeout {
			return exitTimeout
		}
		return exitPaused
	case errors.As(err, &confirm):
		fmt.Fprintf(w, "waiting: %v\n", confirm)
		fmt.Fprintln(w, "The state is saved.")
		return exitPaused
	case errors.As(err, &usage) && !errors.Is(err, context.Canceled): // while a pipe was read
		fmt.Fprintf(w, "error: %v\n", usage.err)
		return exitUsage
	case errors.As(err, &input):
		fmt.Fprintf(w, "error: %v\n", err)
		return exitUsage
	case errors.As(err, &failed):
		// Before the ends of contexts: some question of its own may have timed out.
		p := advised(err, via)
		fmt.Fprintf(w, "error: %s\n", p.text)
		printDetails(w, p.rests(where), advice(p.next, failed.next))
		if failed.lost {
			fmt.Fprintln(w, "What was under way is forgotten with it: start and stop nothing by hand until there is a journal again, and status has said what to do.")
			return exitError
		}
		fmt.Fprintln(w, "The state is saved; the same command, on any machine, goes on from here.")
		return exitError
	case errors.As(err, &late):
		fmt.Fprintf(w, "error: %v\n", late)
		printDetails(w, nil, advised(late.cause, via).next)
		return exitTimeout
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "interrupted")
		if working := (*workingError)(nil); errors.As(err, &working) {
			fmt.Fprintln(w, "The state is saved; the same command, on any machine, goes on from here.")
		}
		return exitInterrupted
	}
	p := advised(err, via)
	fmt.Fprintf(w, "error: %s\n", p.text)
	printDetails(w, p.rests(where), p.next)
	switch {
	case p.usage:
		return exitUsage
	case p.timeout:
		return exitTimeout
	}
	return exitError
}

// rests is what an error about the API server rests on.
func (p problem) rests(where func() string) []string {
	if at := where(); p.api && at != "" {
		return []string{at}
	}
	return nil
}

func wasOrWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// advice is what to do about an error, and then the command that goes on.
func advice(first, then string) string {
	if first == "" || then == "" {
		return first + then
	}
	return first + "; then " + then
}

// bracketed is how a rule's name is printed, to look it up by or to match.
func bracketed(c migration.Code) string {
	if c == "" {
		return ""
	}
	return fmt.Sprintf(" [%s]", c)
}

func printDetails(w io.Writer, evidence []string, next string) {
	for _, e := range evidence {
		fmt.Fprintf(w, "  - %s\n", e)
	}
	if next = strings.TrimSpace(next); next != "" {
		fmt.Fprintf(w, "next: %s\n", next)
	}
}
