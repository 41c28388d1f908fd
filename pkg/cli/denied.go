package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// isDenied reports whether the API server refused because of who asks, and
// nothing has been made of that yet.
func isDenied(err error) bool {
	var refused *refusedError
	var paused *pausedError
	if errors.As(err, &refused) || errors.As(err, &paused) {
		return false
	}
	_, denied := access.DenialIn(err)
	return denied
}

// finalDenial: a permission that is not there does not come by asking again.
func finalDenial(err error) bool {
	d, denied := access.DenialIn(err)
	return denied && d.Permanent()
}

// reportDenial prints a refusal by the API server that ended a command as a
// whole.
func reportDenial(w io.Writer, err error, where func() string) int {
	d, _ := access.DenialIn(err)
	fmt.Fprintf(w, "refused: %s\n", d)
	printDetails(w, append(d.Evidence(), problem{api: true}.rests(where)...), denialHint(d, nameIn(err), d.Namespace, ""))
	if working := (*workingError)(nil); errors.As(err, &working) {
		fmt.Fprintln(w, "The state is saved; the same command, on any machine, goes on from here.")
	}
	if d.Login {
		return exitError
	}
	return exitRefused
}

// namedError is about one ensemble, whose name is known.
type namedError struct {
	name string
	err  error
}

func (e *namedError) Error() string { return e.err.Error() }
func (e *namedError) Unwrap() error { return e.err }

// about keeps the ensemble's name with an error; nil stays nil.
func (s *session) about(err error) error {
	if err == nil {
		return nil
	}
	return &namedError{s.name, err}
}

// nameIn is the name of the ensemble that an error is about, NAME where it is not known.
func nameIn(err error) string {
	if n := (*namedError)(nil); errors.As(err, &n) {
		return n.name
	}
	return "NAME"
}

// denied says which permission ended an operation, at which step, and with which
// command it goes on once it is back. One that has not begun is refused.
func (o *MoveOptions) denied(ctx context.Context, s *session, err error, last migration.Decision, again string) error {
	d, _ := access.DenialIn(err)
	reason := d.String()
	if last.Step != "" {
		reason = fmt.Sprintf("at step %s: %s", last.Step, d)
	}
	next := denialHint(d, s.name, s.kube.namespace, again)
	// Whether something is under way, the journal says, if it may be read still.
	rec, loadErr := s.record(context.WithoutCancel(ctx))
	if loadErr == nil && rec.Flight == nil && o.moved == 0 {
		return &refusedError{reason: reason, evidence: d.Evidence(), next: next, parked: o.wrote}
	}
	return &pausedError{reason: reason, evidence: d.Evidence(), next: next}
}

// denialHint says how the permission is given back; again is the command that
// goes on then.
func denialHint(d access.Denial, name, namespace, again string) string {
	then := ""
	if again != "" {
		then = ", then " + again
	}
	switch {
	case d.Login:
		return "log in to the cluster again" + then
	case d.Policy != "":
		return "have an administrator name you in that policy, or lift it" + then
	case d.Namespace == "" && d.Verb == "list":
		return "name the namespaces that you may look into, as -n a,b,c, or have an administrator give you that permission in the whole cluster"
	}
	if n, known := d.Row(); known && n.When == access.Unnamed {
		return "give the ensemble's NAME" + then
	}
	return "have an administrator run: " + command.At{Namespace: namespace}.Ours("rbac %s %s", name, command.Quoted(subjectFlag(d.User))) + " | " + command.ApplyRole + then
}
