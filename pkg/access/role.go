package access

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RoleName is the Role's, and its binding's.
func (s Scope) RoleName() string {
	if s.Name == "" {
		return "zkmigrate"
	}
	return "zkmigrate-" + s.Name
}

// rule is one rule of the Role with its comment.
type rule struct {
	note string
	rbacv1.PolicyRule
}

// rules are the table's rows that are wanted here; verbs for the same names of
// the same resource go together.
func (s Scope) rules() []rule {
	var out []rule
	for _, r := range Resources() {
		note, from := r.Note, len(out)
		for _, n := range r.Needs {
			if !s.Wants(n) || n.Target == WholeCluster {
				continue
			}
			names := s.Names(n)
			same := slices.IndexFunc(out[from:], func(have rule) bool { return slices.Equal(have.ResourceNames, names) })
			if same >= 0 {
				if !slices.Contains(out[from+same].Verbs, n.Verb) {
					out[from+same].Verbs = append(out[from+same].Verbs, n.Verb)
				}
				continue
			}
			out = append(out, rule{note: note, PolicyRule: rbacv1.PolicyRule{
				APIGroups: []string{r.Group}, Resources: []string{r.Name}, ResourceNames: names, Verbs: []string{n.Verb},
			}})
			note = ""
		}
	}
	return out
}

// Role allows what the scope needs, and nothing more. What Kubernetes can narrow
// to the ensemble's objects is narrowed; it cannot for "list", for "create" by
// an ordinary request (the name comes in the body), and where others choose the
// names. Objects that are made by server-side apply have their name in the
// request, so their "create" is narrowed as well.
func (s Scope) Role() *rbacv1.Role {
	role := &rbacv1.Role{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "Role"},
		ObjectMeta: metav1.ObjectMeta{Name: s.RoleName(), Namespace: s.Namespace},
	}
	for _, r := range s.rules() {
		role.Rules = append(role.Rules, r.PolicyRule)
	}
	return role
}

// Subjects are whom a Role is for, and whom a policy lets through.
type Subjects struct {
	Users, Groups []string
	// ServiceAccounts are "namespace:name".
	ServiceAccounts []string
}

// Empty reports whether nobody is named.
func (s Subjects) Empty() bool { return len(s.Users)+len(s.Groups)+len(s.ServiceAccounts) == 0 }

// Binding gives the Role to somebody.
func (s Scope) Binding(to Subjects) *rbacv1.RoleBinding {
	b := &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: s.RoleName(), Namespace: s.Namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: s.RoleName()},
	}
	for _, u := range to.Users {
		b.Subjects = append(b.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: u})
	}
	for _, g := range to.Groups {
		b.Subjects = append(b.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: g})
	}
	for _, a := range to.ServiceAccounts {
		namespace, name, _ := strings.Cut(a, ":")
		b.Subjects = append(b.Subjects, rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name})
	}
	return b
}

// header is the comment above the Role.
func (s Scope) header() string {
	if s.Name == "" {
		return `What a person (or a robot) needs to migrate ensembles in one namespace.

An administrator applies it once and binds it:

  kubectl zkmigrate rbac -n NAMESPACE --user=NAME | kubectl apply -f -

The roles "edit" and "admin" that Kubernetes ships are not enough: they do not
allow writing endpoints and endpointslices (CVE-2021-25740).

It is exactly what the commands use; "kubectl zkmigrate check" says what is
missing, and "kubectl zkmigrate rbac NAME" prints a Role that is narrowed to one
ensemble. To list ensembles of all namespaces (status -A), "list" on configmaps
is needed cluster-wide; nothing else is. With "list" on services, pods,
configmaps, endpoints, endpointslices, statefulsets and poddisruptionbudgets cluster-wide it asks once
for all of them, not for each. With "list" on nodes, pods, storageclasses and
persistentvolumes cluster-wide, more is known before a pod is created.
docs/rbac.md says who can do what with these rights.`
	}
	return "What a person (or a robot) needs to migrate ensemble " + s.Name + " in namespace " + s.Namespace + `,
narrowed to its objects wherever Kubernetes can do that. It cannot for "list",
for "create" where the name comes in the request's body, and for slices that
controllers have named. Commands are given the ensemble's NAME: to find it out
would take "list" on all ConfigMaps of the namespace.`
}

// YAML is the Role as text, with what each rule is for.
func (s Scope) YAML() []byte {
	var b strings.Builder
	comment(&b, s.header())
	b.WriteString("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: " + s.RoleName() + "\n")
	if s.Namespace != "" {
		b.WriteString("  namespace: " + s.Namespace + "\n")
	}
	b.WriteString("rules:\n")
	for _, r := range s.rules() {
		comment(&b, r.note)
		b.WriteString("- apiGroups: " + flow(r.APIGroups) + "\n  resources: " + flow(r.Resources) + "\n")
		if len(r.ResourceNames) > 0 {
			b.WriteString("  resourceNames: " + flow(r.ResourceNames) + "\n")
		}
		b.WriteString("  verbs: " + flow(r.Verbs) + "\n")
	}
	return []byte(b.String())
}

func comment(b *strings.Builder, text string) {
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight("# "+strings.TrimRight(line, "\n"), " ") + "\n")
	}
}

// flow is a list of words that hold no quotes: verbs, and names of objects that
// the API server would accept.
func flow(words []string) string {
	return `["` + strings.Join(words, `", "`) + `"]`
}

// Published is docs/rbac/role.yaml: the Role for all ensembles of a namespace.
func Published() []byte { return Scope{Copy: true, Through: true, Private: true}.YAML() }
