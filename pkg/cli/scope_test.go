package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// reached has contexts and namespaces lead to this session's cluster.
func reached(s *session, contexts, namespaces []string) *reach {
	d := &deps{flags: genericclioptions.NewConfigFlags(false), probe: s.deps.probe}
	r := &reach{parent: d, opened: map[string]*opened{}}
	for _, c := range contexts {
		for _, ns := range append(namespaces, "") {
			k := s.kube
			k.namespace = ns
			r.opened[strings.Join([]string{c, ns, ""}, "\x00")] = &opened{deps: d, kube: k}
		}
	}
	return r
}

// inThree has one ensemble in each of three namespaces.
func inThree(t *testing.T) *session {
	t.Helper()
	s, _ := wrappedHere(t)
	s.deps = &deps{}
	for i, ns := range []string{"a", "b"} {
		also(t, s, ns, "x", func(server *migration.ServerRecord) { server.HostIP = fmt.Sprintf("10.0.%d.%d", i, server.ID) })
	}
	for _, ns := range []string{"a", "b", "zk", "closed"} {
		if _, err := s.kube.client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func idsOf(items []migration.EnsembleStatus) (out []string) {
	for _, e := range items {
		out = append(out, strings.TrimPrefix(e.Context+"/", "/")+e.Namespace+"/"+e.Name)
	}
	return out
}

// TestScope: which ensembles are shown, and what is said of those that cannot be.
func TestScope(t *testing.T) {
	all := []string{"a/x", "b/x", "zk/demo"}
	for name, c := range map[string]struct {
		scope   scope
		closed  []string
		garbled bool
		want    []string
		missing string
	}{
		"all namespaces":          {scope: scope{all: true}, want: all},
		"several namespaces":      {scope: scope{namespaces: []string{"a", "zk"}}, want: []string{"a/x", "zk/demo"}},
		"one of them is closed":   {scope: scope{namespaces: []string{"a", "zk"}}, closed: []string{"a"}, want: []string{"zk/demo"}, missing: "namespace a"},
		"all of them are closed":  {scope: scope{namespaces: []string{"a", "b"}}, closed: []string{"a", "b"}, missing: "namespace a"},
		"not in all namespaces":   {scope: scope{all: true}, closed: []string{"", "closed"}, want: all, missing: "namespace closed"},
		"labels":                  {scope: scope{all: true, selector: labels.SelectorFromSet(labels.Set{"team": "search"})}, want: []string{"b/x"}},
		"several clusters":        {scope: scope{all: true, contexts: []string{"one", "two"}}, want: []string{"one/a/x", "one/b/x", "one/zk/demo", "two/a/x", "two/b/x", "two/zk/demo"}},
		"a journal is garbled":    {scope: scope{all: true}, garbled: true, want: []string{"b/x", "zk/demo"}, missing: "a/x-zkmigrate"},
		"a cluster without a way": {scope: scope{all: true, contexts: []string{"one", "gone"}}, want: []string{"one/a/x", "one/b/x", "one/zk/demo"}, missing: "gone"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			s := inThree(t)
			refuse(s, forbidden("configmaps"), "configmaps", c.closed...)
			cm, err := s.kube.client.CoreV1().ConfigMaps("b").Get(t.Context(), "x-zkmigrate", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			cm.Labels["team"] = "search"
			if _, err := s.kube.client.CoreV1().ConfigMaps("b").Update(t.Context(), cm, metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			if c.garbled {
				if _, err := s.kube.client.CoreV1().ConfigMaps("a").Patch(t.Context(), "x-zkmigrate", types.MergePatchType, []byte(`{"data":{"record.json":"{"}}`), metav1.PatchOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			c.scope.reach = reached(s, []string{"", "one", "two"}, nil)
			o := &StatusOptions{deps: &deps{}, scope: &c.scope, alone: map[string]bool{}}
			items, gone, err := o.collect(t.Context())
			if err == nil {
				err = gone.err(len(items))
			}
			if got := idsOf(items); !slices.Equal(got, c.want) {
				t.Errorf("shown: %v, want %v", got, c.want)
			}
			said := ""
			if err != nil {
				told := tell(err, s.kube.via)
				said = strings.Join(append(told.evidence, told.reason), "\n")
				if gone != nil {
					said += strings.Join(gone.told, "\n")
				}
			}
			if (c.missing == "") != (said == "") || !strings.Contains(said, c.missing) {
				t.Errorf("said: %q, want something of %q", said, c.missing)
			}
		})
	}
}

// TestScopeListsWhereItLooks: for some namespaces nothing is listed in the whole cluster.
func TestScopeListsWhereItLooks(t *testing.T) {
	s := inThree(t)
	client := s.kube.client.(*fake.Clientset)
	client.ClearActions()
	o := &StatusOptions{deps: &deps{}, scope: &scope{namespaces: []string{"a", "b"}, reach: reached(s, []string{""}, nil)}, alone: map[string]bool{}}
	if _, _, err := o.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, a := range client.Actions() {
		if a.GetVerb() == "list" && a.GetNamespace() != "a" && a.GetNamespace() != "b" {
			t.Errorf("%s were listed in namespace %q", a.GetResource().Resource, a.GetNamespace())
		}
	}
	if o.alone[""] {
		t.Error("each was looked at by itself")
	}
}

// TestProblemsOnlySorted: those that are not as they should be, in the order that was asked for.
func TestProblemsOnlySorted(t *testing.T) {
	items := []migration.EnsembleStatus{{Name: "b", Epoch: 10, Healthy: true}, {Name: "a", Epoch: 9}, {Name: "c", Servers: []migration.ServerStatus{}}}
	for path, want := range map[string]string{".epoch": "c a b", ".healthy": "a c b", "{.name}": "a b c", "": "b a c"} {
		sorted := slices.Clone(items)
		if err := sortBy(sorted, path); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range sorted {
			got = append(got, e.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("by %q: %v, want %s", path, got, want)
		}
	}
	for _, bad := range []string{".nothing", "{.x", "[", ".", ".servers", ".health["} {
		if err := sortBy(slices.Clone(items), bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestScopeFlags: what contradicts itself is refused before anything is asked.
func TestScopeFlags(t *testing.T) {
	usageErrors(t, map[string]string{
		"status zk1 -A":                      "leave NAME out",
		"status zk1 -l a=b":                  "leave NAME out",
		"status zk1 -n a,b":                  "leave NAME out",
		"status -A -n a,b":                   "use one of them",
		"status -n a,B_":                     "not the name of a namespace",
		"status -A --contexts=a --context=b": "use one of them",
		"status -A --contexts=a,,b":          "has no name",
		"status -A --contexts=":              "has no value",
		"status --contexts=a --cluster=b":    "leave --cluster and --server out",
		"status -n a,":                       `"" is not the name`,
		"status -l a=b=c":                    "--selector",
		"status --problems-only":             "add -A",
		"status --sort-by=.name":             "add -A",
		"status -A --from x":                 "leave -A and -w out",
		"plan -A --from x":                   "leave -A out",
		"check -A --host-report x":           "leave files, reports",
		"check -A --emit-host-script":        "leave files, reports",
		"check -A --host-hook=true":          "leave files, reports",
		"check -A --contexts=a --context=b":  "use one of them",
		"plan zk1 -l a=b":                    "leave NAME out",
	})
}
