package access

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Scope is what permissions are for: a whole namespace, or one ensemble in it.
type Scope struct {
	Namespace string
	// Name is the ensemble's; empty for any ensemble of the namespace, which
	// nothing can be narrowed to.
	Name string
	// Servers are the ids, in the order of their pods.
	Servers []ensemble.ID
	// EndpointsAPI is empty where both are meant.
	EndpointsAPI migration.EndpointsAPI
	// Conf is the ConfigMap with the pods' files, whose name is made from their
	// content; empty while nobody knows it.
	Conf string
	// PlainConf is the same for pods without a gate.
	PlainConf string
	// FilesSecret and FilesConfigMap are what an operator has named; empty for none.
	FilesSecret, FilesConfigMap string
	// Private: with what keeping passwords in a Secret needs.
	Private bool
	// Copy: with what --data=copy and seed need.
	Copy bool
	// Removing: with what unpark and unwrap need; Secret is the recorded one of ours, empty
	// for none.
	Removing bool
	Secret   string
	// Finalizing: with what finalize needs to read; Joined says that it reads Secret.
	Finalizing, Joined bool
	// Through: with what asking ZooKeeper through pods needs.
	Through bool
}

// Of is the scope of a recorded ensemble.
func Of(rec migration.Record, withCopy bool) Scope {
	s := Scope{Namespace: rec.Namespace, Name: rec.Name, EndpointsAPI: rec.EndpointsAPI, Copy: withCopy}
	if s.EndpointsAPI == "" {
		s.EndpointsAPI = migration.EndpointSlices
	}
	s.FilesSecret, s.FilesConfigMap, s.Private = rec.Pods.FilesSecret, rec.Pods.FilesConfigMap, rec.Pods.PrivateSecret != ""
	s.Secret, s.Joined = rec.Pods.PrivateSecret, render.NeedsPrivate(rec)
	if rec.Pods.Image != "" {
		gated, plain := rec, rec
		gated.Pods.Plain, plain.Pods.Plain = false, true
		s.Conf, s.PlainConf = render.Conf(gated).Name, render.Conf(plain).Name
	}
	servers := slices.Clone(rec.Servers)
	slices.SortFunc(servers, func(a, b migration.ServerRecord) int { return a.Ordinal - b.Ordinal })
	for _, srv := range servers {
		s.Servers = append(s.Servers, srv.ID)
	}
	return s
}

// Wants reports whether a permission is needed here. A Role for one ensemble
// does without that of listing all ConfigMaps of the namespace, which would let
// its holder read them all: commands are given the NAME.
func (s Scope) Wants(n Need) bool {
	switch n.When {
	case Entries:
		return s.operators(n.Target) != ""
	case SliceWrites:
		return s.EndpointsAPI != migration.LegacyEndpoints
	case LegacyWrites:
		return s.EndpointsAPI != migration.EndpointSlices
	case Copy:
		return s.Copy
	case Private:
		return s.Private
	case Removing:
		return s.Removing && (n.Target != OwnSecret || s.Secret != "" || s.Name == "" && s.Private)
	case Finalizing:
		return s.Finalizing && s.finalizing(n.Target)
	case Cleaning:
		return s.Removing && (n.Target != OwnSecret || s.Secret != "")
	case Through:
		return s.Through
	case Unnamed:
		return s.Name == ""
	default:
		return true
	}
}

// finalizing: there is something to read, or to make of it.
func (s Scope) finalizing(t Target) bool {
	switch t {
	case All:
		return len(s.read()) > 0 || s.FilesConfigMap != ""
	case ReadSecrets:
		return len(s.read()) > 0
	default:
		return s.operators(t) != ""
	}
}

// read are the Secrets that finalize reads.
func (s Scope) read() (names []string) {
	if s.Joined {
		names = append(names, s.Secret)
	}
	if s.FilesSecret != "" {
		names = append(names, s.FilesSecret)
	}
	return names
}

// Names are the objects a permission is for; empty where Kubernetes cannot
// narrow it, or the scope is a namespace.
func (s Scope) Names(n Need) []string {
	if name := s.operators(n.Target); name != "" {
		return []string{name}
	}
	if n.Target == ReadSecrets {
		return s.read()
	}
	if s.Name == "" {
		return nil
	}
	switch n.Target {
	case Services:
		return s.services()
	case AllServices:
		return append(s.services(), render.HeadlessName(s.Name))
	case Bridges:
		return s.each(func(id ensemble.ID, _ int) string { return render.BridgeName(s.Name, id) })
	case Maps:
		return []string{render.JournalName(s.Name), render.JournalCopyName(s.Name), render.ReportName(s.Name), render.GateName(s.Name), s.conf(), s.plainConf()}
	case Journals:
		return []string{render.JournalName(s.Name), render.JournalCopyName(s.Name), render.GateName(s.Name)}
	case Kept:
		return []string{render.JournalName(s.Name), render.JournalCopyName(s.Name), render.GateName(s.Name), s.conf(), render.ReportsName(s.Name), render.ClientsName(s.Name)}
	case Reports:
		return []string{render.ReportsName(s.Name)}
	case Sessions:
		return []string{render.ClientsName(s.Name)}
	case Applied:
		return []string{render.GateName(s.Name), s.conf(), s.plainConf()}
	case Lock:
		return []string{render.JournalName(s.Name)}
	case Set:
		return []string{render.StatefulSetName(s.Name)}
	case Budget:
		return []string{render.HeadlessName(s.Name)}
	case Pods:
		return s.each(func(_ ensemble.ID, ordinal int) string { return render.PodName(s.Name, ordinal) })
	case ProbePods:
		return render.ProbePodNames(s.Name)
	case AskedPods:
		return append(s.each(func(_ ensemble.ID, ordinal int) string { return render.PodName(s.Name, ordinal) }), render.ProbePodNames(s.Name)...)
	case Claims:
		return s.each(func(_ ensemble.ID, ordinal int) string { return render.ClaimName(s.Name, ordinal) })
	default:
		return nil
	}
}

// operators is the one object that an operator has named; empty for none, and for what is ours.
func (s Scope) operators(t Target) string {
	switch t {
	case FilesSecret:
		return s.FilesSecret
	case OwnSecret:
		return s.Secret
	case FilesMap:
		return s.FilesConfigMap
	default:
		return ""
	}
}

// conf is what the pods' files are called now. With other settings they get another
// name, and the Role has to be printed again.
func (s Scope) conf() string {
	if s.Conf == "" {
		return render.ConfName(s.Name)
	}
	return s.Conf
}

func (s Scope) plainConf() string {
	if s.PlainConf == "" {
		return render.PlainConfName(s.Name)
	}
	return s.PlainConf
}

func (s Scope) services() []string {
	out := s.each(func(id ensemble.ID, _ int) string { return render.ServiceName(s.Name, id) })
	if s.EndpointsAPI == migration.LegacyEndpoints {
		out = append(out, render.TrialName(s.Name))
	}
	return out
}

func (s Scope) each(name func(id ensemble.ID, ordinal int) string) []string {
	out := make([]string, 0, len(s.Servers))
	for ordinal, id := range s.Servers {
		out = append(out, name(id, ordinal))
	}
	return out
}
