package cluster

import (
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
)

// Reason is the kind of an Error.
type Reason string

// The kinds of errors.
const (
	// NotFound: an object that must exist does not.
	NotFound Reason = "not-found"
	// Forbidden: the user may not do this.
	Forbidden Reason = "forbidden"
	// Conflict: somebody else owns what would be written.
	Conflict Reason = "conflict"
	// Stale: the object was changed since it was read; looking again helps.
	Stale Reason = "stale"
	// Precondition: the world is not as this write needs it.
	Precondition Reason = "precondition"
	// Invalid: the API server or we refuse the content.
	Invalid Reason = "invalid"
)

// Error says what went wrong, where, and what to do next.
type Error struct {
	Reason Reason
	// What failed, with the object's kind and name.
	What string
	// Next is what to do about it; empty when looking again is all there is.
	Next string
	// Err is the API server's answer, if there was one.
	Err error
}

// Error prints all of it.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.What)
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	if e.Next != "" {
		b.WriteString("; ")
		b.WriteString(e.Next)
	}
	return b.String()
}

// Unwrap returns the API server's answer.
func (e *Error) Unwrap() error { return e.Err }

// Permanent reports whether looking again cannot mend it.
func (e *Error) Permanent() bool {
	return e.Reason == Forbidden || e.Reason == Conflict || e.Reason == Invalid
}

// IsReason reports whether err is an Error of that kind.
func IsReason(err error, r Reason) bool {
	var e *Error
	return errors.As(err, &e) && e.Reason == r
}

// failed names the object in an API error. What is neither the caller's fault
// nor anybody's (time-outs, an API server that restarts) stays as it is, with
// the name in front.
func failed(err error, verb, kind, namespace, name string) error {
	what := cannot(verb, kind, namespace, name)
	switch {
	case err == nil:
		return nil
	case apierrors.IsForbidden(err):
		return &Error{Reason: Forbidden, What: what, Err: err,
			Next: "have an administrator apply what `" + command.At{}.Ours("rbac") + "` prints in namespace " + namespace}
	case apierrors.IsNotFound(err):
		return &Error{Reason: NotFound, What: what, Err: err}
	case apierrors.IsConflict(err):
		return &Error{Reason: Stale, What: what + ": it was changed since it was read", Err: err}
	case apierrors.IsAlreadyExists(err):
		// We create only what was not there a moment ago: somebody was faster,
		// most likely a write of a command that died (its answer never came).
		return &Error{Reason: Stale, What: what + ": it was created since we looked", Err: err}
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return &Error{Reason: Invalid, What: what, Err: err}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// notWritten is failed for a write, which a quota may refuse and another manager's
// field stop.
func (c *Client) notWritten(err error, verb, kind, namespace, name string) error {
	what, at := cannot(verb, kind, namespace, name), c.at(namespace)
	if apierrors.IsForbidden(err) && strings.Contains(err.Error(), "exceeded quota") {
		return &Error{Reason: Forbidden, What: what, Err: err, Next: "have the quota raised: " + at.Kubectl("describe quota")}
	}
	if d, denied := access.DenialIn(err); denied && d.Policy != "" {
		return &Error{Reason: Forbidden, What: what, Err: err,
			Next: "the permissions allow it, and what the namespace or the cluster asks of such objects does not: " + command.At{Via: c.via}.Clusterwide().Kubectl("describe namespace %s", namespace)}
	}
	if conflicts := ownership(err); apierrors.IsConflict(err) && len(conflicts) > 0 {
		return &Error{Reason: Conflict,
			What: what + ": " + strings.Join(conflicts, ", "),
			Next: "either let that manager set the same value, or make it give the field up " +
				"(" + at.Kubectl("get %s %s --show-managed-fields -o yaml", strings.ToLower(kind), name) + " shows who owns what), then run the command again"}
	}
	return failed(err, verb, kind, namespace, name)
}

func cannot(verb, kind, namespace, name string) string {
	return fmt.Sprintf("cannot %s %s %s/%s", verb, kind, namespace, name)
}

// ownership lists the fields that another manager owns, from the causes of a
// server-side apply conflict; empty for any other conflict.
func ownership(err error) []string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var out []string
	for _, c := range status.Status().Details.Causes {
		if c.Type == metav1.CauseTypeFieldManagerConflict {
			out = append(out, c.Field+": "+c.Message)
		}
	}
	return out
}
