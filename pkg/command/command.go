// Package command renders the commands that the program prints for somebody to
// run: its own, and kubectl's. It is pure.
package command

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Name is how users call the program; every help text and every printed command
// uses it.
const Name = "kubectl zkmigrate"

// ApplyRole is what the output of "kubectl zkmigrate rbac" is piped into. It has
// no flags, as rbac has none: see At.Ours.
const ApplyRole = "kubectl apply -f -"

// At is where a printed command works.
type At struct {
	// Namespace is left out of the command when it is empty.
	Namespace string
	// Via says which cluster is meant, and what else is repeated.
	Via Via
}

// Clusterwide is the same cluster, without the namespace: for nodes and the like,
// and for -A.
func (a At) Clusterwide() At { return At{Via: a.Via} }

// Ours renders a command of ours, from its verb on. The texts among the values are
// quoted for a shell, each as one word, but those that are Quoted. Flags that this
// command was given and that one needs come last, or take the place of a blank.
//
// rbac gets no flags: what it prints is for an administrator, who has a kubeconfig
// of his own, and its --user is the Role's subject.
func (a At) Ours(format string, values ...any) string {
	line := fill(format, values)
	if verb, _, _ := strings.Cut(line, " "); verb == "rbac" {
		a.Via = Via{}
	}
	line = a.Via.filled(line)
	return Name + " " + before(a.Via.both) + line + a.inNamespace() + a.Via.repeated(line, a.Namespace)
}

// Kubectl renders a command of kubectl's, from its verb on, quoted like Ours.
func (a At) Kubectl(format string, values ...any) string {
	return "kubectl " + before(a.Via.both) + fill(format, values) + a.inNamespace()
}

func (a At) inNamespace() string {
	if a.Namespace == "" {
		return ""
	}
	return " -n " + quote.Shell(a.Namespace)
}

// Quoted are words of a command that are quoted already.
type Quoted string

func fill(format string, values []any) string {
	if len(values) == 0 {
		return format
	}
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
		if _, ready := v.(Quoted); ready {
			continue
		}
		if t := reflect.ValueOf(v); t.Kind() == reflect.String {
			out[i] = quote.Shell(t.String()) // of a named type, too
		}
	}
	return fmt.Sprintf(format, out...)
}
