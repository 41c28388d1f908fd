package access

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func main259(copies bool) Scope {
	return Scope{Namespace: "zk", Name: "main", Servers: []ensemble.ID{2, 5, 9}, EndpointsAPI: migration.EndpointSlices, Copy: copies}
}

// TestPublishedRole: docs/rbac/role.yaml is the Role for all ensembles of a
// namespace, and what is printed is what is meant.
func TestPublishedRole(t *testing.T) {
	published, err := os.ReadFile("../../docs/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(Published()), string(published)); diff != "" {
		t.Errorf("docs/rbac/role.yaml (run go run ./hack/docs; -table +page):\n%s", diff)
	}
	for _, s := range []Scope{{Copy: true}, {Namespace: "zk"}, main259(true), main259(false)} {
		var role rbacv1.Role
		if err := yaml.UnmarshalStrict(s.YAML(), &role); err != nil {
			t.Fatalf("%+v: %v\n%s", s, err, s.YAML())
		}
		if diff := cmp.Diff(s.Role(), &role); diff != "" {
			t.Errorf("%+v (-Role +YAML):\n%s", s, diff)
		}
	}
}

// TestAServiceIsNeverDeleted: the other servers know it by its ClusterIP (I1).
func TestAServiceIsNeverDeleted(t *testing.T) {
	for _, n := range For(append(Migration(), Seed, Status, Plan, Check, Clients, Park, Unpark, Unwrap)...) {
		if n.When == Removing && !(Scope{Private: true, Copy: true, Through: true}).Wants(n) && (n.Commands[0] == Unpark || n.Commands[0] == Unwrap) {
			continue // proved to be unused, and in no Role that is not asked for it
		}
		if n.Resource == "services" && (n.Verb == "delete" || n.Verb == "update") || n.Verb == "deletecollection" || n.Verb == "*" {
			t.Errorf("the table has %s %s", n.Verb, n.Object())
		}
	}
}

// TestNarrowed: without a name stands only what Kubernetes cannot narrow, and no
// name of another ensemble is allowed.
func TestNarrowed(t *testing.T) {
	var wide []string
	for _, r := range main259(true).Role().Rules {
		for _, v := range r.Verbs {
			if len(r.ResourceNames) == 0 {
				wide = append(wide, v+" "+r.Resources[0])
			}
		}
	}
	want := []string{"list services", "list endpointslices", "create endpointslices", "delete endpointslices", "create configmaps", "create leases", "list pods", "list resourcequotas", "list limitranges"}
	if diff := cmp.Diff(want, wide); diff != "" {
		t.Errorf("not narrowed (-want +got):\n%s", diff)
	}
	for _, n := range For(Replace) {
		if n.Target == Pods {
			if diff := cmp.Diff([]string{"main-pod-0", "main-pod-1", "main-pod-2"}, main259(true).Names(n)); diff != "" {
				t.Errorf("pods of %s %s:\n%s", n.Verb, n.Resource, diff)
			}
		}
	}
}

// TestScopeOfARecord: pods go by their ordinals, in whatever order the servers
// stand.
func TestScopeOfARecord(t *testing.T) {
	rec := migration.Record{Name: "main", Namespace: "zk"}
	for ordinal, id := range []ensemble.ID{5, 9, 2} {
		rec.Servers = append(rec.Servers, migration.ServerRecord{Server: ensemble.Server{ID: id}, Ordinal: (ordinal + 1) % 3})
	}
	if diff := cmp.Diff(main259(false), func() Scope { s := Of(rec, false); slices.Sort(s.Servers); return s }()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]ensemble.ID{2, 5, 9}, Of(rec, false).Servers); diff != "" {
		t.Error(diff)
	}
}

// TestEveryRowSaysWhy: what is refused can be explained.
func TestEveryRowSaysWhy(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Resources() {
		for _, n := range r.Needs {
			if n.Why == "" || len(n.Commands) == 0 {
				t.Errorf("%s %s: no reason, or no command", n.Verb, n.Object())
			}
			if key := fmt.Sprint(n.Verb, n.Object(), n.Target == WholeCluster, n.When); seen[key] {
				t.Errorf("%s %s stands twice", n.Verb, n.Object())
			} else {
				seen[key] = true
			}
			for _, s := range n.Steps {
				if migration.StepByID(s).Why == "" {
					t.Errorf("%s %s names step %s, which there is not", n.Verb, n.Object(), s)
				}
			}
		}
	}
}

// TestFinalizeReads: Secrets are read by name alone, and only where finalize was asked for.
func TestFinalizeReads(t *testing.T) {
	reads := func(s Scope) (names []string) {
		for _, rule := range s.Role().Rules {
			if slices.Contains(rule.Resources, "secrets") && slices.Contains(rule.Verbs, "get") {
				if len(rule.ResourceNames) == 0 {
					t.Errorf("%+v: all Secrets may be read", s)
				}
				names = append(names, rule.ResourceNames...)
			}
		}
		return names
	}
	s := main259(false)
	s.Secret, s.Joined, s.FilesSecret, s.Finalizing = "private", true, "files", true
	if got := reads(s); !slices.Contains(got, "private") || !slices.Contains(got, "files") {
		t.Errorf("it reads %v", got)
	}
	s.Joined = false // ZooKeeper has the passwords on its volume
	if got := reads(s); slices.Contains(got, "private") {
		t.Errorf("it reads %v", got)
	}
	s.Joined, s.Finalizing = true, false
	if got := reads(s); slices.Contains(got, "private") {
		t.Errorf("without finalize: %v", got)
	}
	reads(Scope{Namespace: "zk", Finalizing: true, Private: true})
}
