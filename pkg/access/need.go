// Package access holds one table: which permission each command needs, for
// which objects, and why. The Role that is printed and published, the questions
// that are asked before the first host is touched, and the page about
// permissions all come from it, so that they cannot differ.
package access

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Command is a command that needs permissions.
type Command string

// The commands. Permissions are the same whichever way a command is called;
// what only some calls need is told apart by When.
const (
	Status      Command = "status"
	Plan        Command = "plan"
	Clients     Command = "clients"
	Render      Command = "render"
	Diff        Command = "diff"
	Check       Command = "check"
	Wrap        Command = "wrap"
	Reconfigure Command = "reconfigure"
	Replace     Command = "replace"
	Apply       Command = "apply"
	Revert      Command = "revert"
	Finalize    Command = "finalize"
	Seed        Command = "seed"
	Park        Command = "park"
	Unpark      Command = "unpark"
	Unwrap      Command = "unwrap"
	Retire      Command = "retire"
)

// Migration lists the commands of a whole migration, in order, with the way
// back: what is asked for when it begins.
func Migration() []Command { return []Command{Wrap, Reconfigure, Replace, Apply, Revert} }

// ReadOnly lists the commands that write no object; check keeps host reports where it may, and
// diff has the API server try what it keeps nothing of.
func ReadOnly() []Command { return []Command{Check, Status, Plan, Clients, Render, Diff} }

// Target says which objects of an ensemble a permission is for.
type Target string

// The targets. For All, Kubernetes cannot narrow the permission to names.
const (
	All         Target = ""
	Services    Target = "the servers' Services"
	AllServices Target = "the servers' Services and the pods' own"
	Bridges     Target = "the servers' bridge slices"
	Maps        Target = "the journal, its copy and report, the gate and the pods' files"
	Journals    Target = "the journal, its copy and the gate"
	Applied     Target = "the gate and the pods' files"
	Reports     Target = "the host reports"
	Sessions    Target = "the clients' sessions"
	FilesSecret Target = "the Secret that --files-secret names"
	FilesMap    Target = "the ConfigMap that --files-configmap names"
	// Kept is everything of ours in ConfigMaps.
	Kept      Target = "the journal, its copy, the gate, the pods' files, the host reports and the clients' sessions"
	OwnSecret Target = "the Secret with the passwords of zoo.cfg"
	// ReadSecrets is that one, and what --files-secret names.
	ReadSecrets Target = "the Secrets with the passwords of zoo.cfg and with the pods' files"
	Lock        Target = "the lock"
	Set         Target = "the pods' StatefulSet"
	Budget      Target = "the pods' PodDisruptionBudget"
	Pods        Target = "the pods"
	Claims      Target = "the pods' claims"
	ProbePods   Target = "the probe pods"
	AskedPods   Target = "the pods and the probe pods"
	// WholeCluster is in no Role: an administrator gives it with a ClusterRole.
	WholeCluster Target = "the whole cluster, in no Role"
)

// When says for which calls a permission is needed.
type When string

// The cases.
const (
	Always When = ""
	// SliceWrites and LegacyWrites depend on --endpoints-api.
	SliceWrites  When = "--endpoints-api=endpointslices"
	LegacyWrites When = "--endpoints-api=endpoints"
	// Copy: to run programs in pods is much, and many do without.
	Copy When = "--data=copy"
	// Through: where no server answers the operator's machine.
	Through When = "--probe-via=pod"
	// Cleaning: an administrator can do it as well.
	Cleaning When = "finalize --delete-helpers"
	// Private: passwords are kept in a Secret of ours, which nobody needs to read.
	Private When = "a zoo.cfg with passwords"
	// Finalizing: to lay files out, and put zoo.cfg together, takes to know them.
	Finalizing When = "finalize with passwords in zoo.cfg, --files-secret or --files-configmap"
	// Removing: whoever migrates needs to delete none of it.
	Removing When = "unpark and unwrap"
	// Entries: whether a file is missing is else told by the parked pod.
	Entries When = "--files-secret and --files-configmap, whose entries are not looked at without it"
	// Unnamed: one who may not list ConfigMaps gives the NAME.
	Unnamed When = "NAME is left out, or status -A"
	// Keeping: host reports are read, and judged, without it; later commands do not know them.
	Keeping When = "check --host-hook or --host-report, whose reports are not kept without it"
	// Known: what is not known of earlier reports is asked again.
	Known When = "host reports that are kept, which are not known without it"
	// Remembered: what was seen of clients before is not known without it, and more of them
	// are named than need be.
	Remembered When = "what is remembered of clients' sessions, which is found out anew without it"
	// Watched: what cannot be looked at is not known.
	Watched When = "whether somebody deleted it, which is not known without it"
	// Forecast foretells what would keep the pods from parking. Nobody is refused
	// for the lack of it: a check that may not look is skipped.
	Forecast When = "checks K8S004 to K8S007, which are skipped without it"
)

// Need is one permission: one verb on one resource.
type Need struct {
	// Group, Resource (with its subresource, as "pods/log") and Verb are those of
	// a Role.
	Group, Resource, Verb string
	Target                Target
	When                  When
	// Commands need it; Steps are those of a replacement or a revert that do.
	Commands []Command
	Steps    []migration.StepID
	// Why completes "it is needed to".
	Why string
}

// Object is the resource as kubectl names it.
func (n Need) Object() string {
	if n.Group == "" {
		return n.Resource
	}
	return n.Resource + "." + n.Group
}

// Optional reports whether commands work without the permission.
func (n Need) Optional() bool {
	return n.When == Forecast || n.When == Keeping || n.When == Known || n.When == Cleaning || n.When == Remembered || n.When == Entries || n.When == Watched
}

// For returns what those commands need, in the table's order.
func For(commands ...Command) []Need {
	var out []Need
	for _, r := range Resources() {
		for _, n := range r.Needs {
			if slices.ContainsFunc(commands, func(c Command) bool { return slices.Contains(n.Commands, c) }) {
				out = append(out, n)
			}
		}
	}
	return out
}

// WithWayBack returns what a command and the way back from it need.
func WithWayBack(c Command) []Need {
	if c == Replace {
		return For(Replace, Revert)
	}
	return For(c)
}
