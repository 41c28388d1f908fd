package access

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Denial is a request that the API server refused because of who asked.
type Denial struct {
	// Verb, Group, Resource, Name and Namespace are what was asked for; empty
	// where the API server does not say.
	Verb, Group, Resource, Name, Namespace string
	// User is who asked, as the API server knows him.
	User string
	// Login: it is not known at all who asks (401), for instance because a token
	// has expired.
	Login bool
	// Policy is what an admission plugin or a policy said: the Role allows it,
	// something else does not.
	Policy string
}

// DenialIn finds such an answer in an error, however it is wrapped. A quota that
// is exceeded, and a namespace that is being deleted, are answered in the same
// way and are none.
func DenialIn(err error) (Denial, bool) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return Denial{}, false
	}
	answer := status.Status()
	d := Denial{}
	if answer.Details != nil {
		d.Group, d.Resource, d.Name = answer.Details.Group, answer.Details.Kind, answer.Details.Name
	}
	switch {
	case apierrors.IsUnauthorized(err):
		d.Login = true
		return d, true
	case !apierrors.IsForbidden(err) || strings.Contains(answer.Message, "exceeded quota") || strings.Contains(answer.Message, "being terminated"):
		return Denial{}, false
	}
	said := authorizerSaid().FindStringSubmatch(answer.Message)
	if said == nil {
		d.Policy = answer.Message
		return d, true
	}
	d.User, d.Verb, d.Resource, d.Group, d.Namespace = said[1], said[2], said[3], said[4], said[5]
	return d, true
}

// authorizerSaid matches what the API server writes for every authorizer
// (apiserver, handlers/responsewriters/errors.go).
func authorizerSaid() *regexp.Regexp {
	return regexp.MustCompile(`(?:User "([^"]*)" )?cannot ([a-z]+) resource "([^"]*)" in API group "([^"]*)"(?: in the namespace "([^"]*)")?`)
}

// Row finds the permission in the table; the first where it is needed for several things.
func (d Denial) Row() (Need, bool) {
	if rows := d.rows(); len(rows) > 0 {
		return rows[0], true
	}
	return Need{}, false
}

func (d Denial) rows() (out []Need) {
	for _, r := range Resources() {
		for _, n := range r.Needs {
			if n.Group == d.Group && n.Resource == d.Resource && n.Verb == d.Verb {
				out = append(out, n)
			}
		}
	}
	return out
}

// String says what happened.
func (d Denial) String() string {
	object := Need{Group: d.Group, Resource: d.Resource}.Object()
	if d.Name != "" {
		object += " " + d.Name
	}
	switch {
	case d.Login:
		return "the API server does not accept your login any more"
	case d.Policy != "" && d.Resource == "":
		return "you may not do that: something in front of the API server, or a policy of the cluster, refuses it"
	case d.Policy != "":
		return fmt.Sprintf("a policy of the cluster does not let you write %s", object)
	case d.Namespace == "":
		return fmt.Sprintf("you are not allowed to %s %s in all namespaces", d.Verb, object)
	}
	return fmt.Sprintf("you are not allowed to %s %s in namespace %s", d.Verb, object, d.Namespace)
}

// Evidence is what the refusal rests on.
func (d Denial) Evidence() []string {
	switch {
	case d.Login:
		return []string{"it answered 401 Unauthorized: a token or a certificate may have expired"}
	case d.Policy != "":
		return []string{"it answered 403 Forbidden: " + d.Policy}
	}
	var out []string
	for _, n := range d.rows() {
		out = append(out, "it is "+neededBy(n.Commands)+" to "+n.Why)
	}
	return out
}

// Permanent reports whether asking again does not help. A login may be accepted
// again in a moment: the service that knows it may be away.
func (d Denial) Permanent() bool { return !d.Login }
