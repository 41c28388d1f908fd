package cli

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestRBACPrintsObjects: what is printed goes straight into kubectl apply, so it
// parses strictly as the objects that are meant, for that ensemble and nobody else.
func TestRBACPrintsObjects(t *testing.T) {
	// Nothing but the journal is asked for, and the rest is refused.
	server := hostileCluster(t, map[string]any{"/api/v1/namespaces/zk/configmaps/" + render.JournalName("zk1"): sampleJournal(t)},
		metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: 403, Reason: metav1.StatusReasonForbidden})
	t.Chdir(t.TempDir())
	put(t, map[string]string{"zoo.cfg": good})
	scope := func(change ...func(*access.Scope)) access.Scope {
		s := access.Scope{Namespace: "zk", Name: "zk1", Servers: []ensemble.ID{1, 2, 3}, EndpointsAPI: migration.EndpointSlices, Copy: true, Through: true}
		for _, c := range change {
			c(&s)
		}
		return s
	}
	recorded := func(s *access.Scope) {
		s.Conf, s.PlainConf = render.ConfName("zk1")+"-", render.PlainConfName("zk1")+"-"
	}
	for name, c := range map[string]struct {
		args  []string
		scope access.Scope
		to    access.Subjects
		kinds []string
	}{
		"all ensembles of a namespace": {args: nil, scope: access.Scope{Namespace: "zk", Copy: true, Through: true, Private: true}, kinds: []string{"Role"}},
		"all, for a group": {args: []string{"--group=sre"}, scope: access.Scope{Namespace: "zk", Copy: true, Through: true, Private: true},
			to: access.Subjects{Groups: []string{"sre"}}, kinds: []string{"Role", "RoleBinding"}},
		"one by its ids, in any order": {args: []string{"zk1", "--ids=3,1,2"}, scope: scope(), kinds: []string{"Role"}},
		"one by its file":              {args: []string{"zk1", "-f", "zoo.cfg"}, scope: scope(), kinds: []string{"Role"}},
		"one by its members": {args: []string{"zk1", "--member", "1=a:2888:3888;2181", "--member", "2=b:2888:3888;2181", "--member", "3=c:2888:3888;2181"},
			scope: scope(), kinds: []string{"Role"}},
		"without copies, with Endpoints": {args: []string{"zk1", "--ids=1,2,3", "--data=empty", "--endpoints-api=endpoints"},
			scope: scope(func(s *access.Scope) { s.Copy, s.EndpointsAPI = false, migration.LegacyEndpoints }), kinds: []string{"Role"}},
		"one with passwords and files": {args: []string{"zk1", "--ids=1,2,3", "--secrets", "--files-secret=zk1-files", "--files-configmap=zk1-conf"},
			scope: scope(func(s *access.Scope) { s.Private, s.FilesSecret, s.FilesConfigMap = true, "zk1-files", "zk1-conf" }), kinds: []string{"Role"}},
		"with what takes it back": {args: []string{"zk1", "--ids=1,2,3", "--removal"}, scope: scope(func(s *access.Scope) { s.Removing = true }), kinds: []string{"Role"}},
		"one by its journal":      {args: []string{"zk1"}, scope: scope(recorded), kinds: []string{"Role"}},
		"by its journal, with another way to write endpoints": {args: []string{"zk1", "--endpoints-api=endpoints"},
			scope: scope(recorded, func(s *access.Scope) { s.EndpointsAPI = migration.LegacyEndpoints }), kinds: []string{"Role"}},
		"for several, and nobody else": {
			args:  []string{"zk1", "--ids=1,2,3", "--user=alice", "--user=o'brien: {x}", "--group=sre", "--serviceaccount=ci:robot", "--admission-policy"},
			scope: scope(), to: access.Subjects{Users: []string{"alice", "o'brien: {x}"}, Groups: []string{"sre"}, ServiceAccounts: []string{"ci:robot"}},
			kinds: []string{"Role", "RoleBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}},
	} {
		for _, format := range []string{"yaml", "json"} {
			t.Run(name+" as "+format, func(t *testing.T) {
				code, out, errOut := run(t, "", append(append([]string{"rbac"}, c.args...), "-n", "zk", "-o", format, "--server", server)...)
				if code != exitOK {
					t.Fatalf("exit code %d: %s", code, errOut)
				}
				for _, conf := range []*string{&c.scope.Conf, &c.scope.PlainConf} {
					if strings.HasSuffix(*conf, "-") {
						// The ConfigMap that the pods have their files from is named by its content.
						_, rest, _ := strings.Cut(out, *conf)
						*conf += rest[:16]
					}
				}
				want := map[string]any{
					"Role": c.scope.Role(), "RoleBinding": c.scope.Binding(c.to),
					"ValidatingAdmissionPolicy": c.scope.Policy(c.to), "ValidatingAdmissionPolicyBinding": c.scope.PolicyBinding(),
				}
				var kinds []string
				for _, doc := range documents(t, format, out) {
					var meta metav1.TypeMeta
					if err := yaml.Unmarshal(doc, &meta); err != nil {
						t.Fatalf("%v\n%s", err, doc)
					}
					kinds = append(kinds, meta.Kind)
					got := map[string]any{
						"Role": &rbacv1.Role{}, "RoleBinding": &rbacv1.RoleBinding{},
						"ValidatingAdmissionPolicy": &admissionv1.ValidatingAdmissionPolicy{}, "ValidatingAdmissionPolicyBinding": &admissionv1.ValidatingAdmissionPolicyBinding{},
					}[meta.Kind]
					if err := yaml.UnmarshalStrict(doc, got); err != nil {
						t.Fatalf("%v\n%s", err, doc)
					}
					if diff := cmp.Diff(want[meta.Kind], got); diff != "" {
						t.Errorf("%s (-meant +printed):\n%s", meta.Kind, diff)
					}
					if role, ok := got.(*rbacv1.Role); ok {
						narrowed(t, *role, c.scope.Name)
					}
				}
				if diff := cmp.Diff(c.kinds, kinds); diff != "" {
					t.Errorf("kinds (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// documents takes apart what kubectl apply reads as several objects.
func documents(t *testing.T, format, text string) (docs [][]byte) {
	t.Helper()
	if format == "yaml" {
		return bytes.Split([]byte(text), []byte("---\n"))
	}
	for d := json.NewDecoder(strings.NewReader(text)); d.More(); {
		var doc json.RawMessage
		if err := d.Decode(&doc); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		docs = append(docs, doc)
	}
	return docs
}

// narrowed: what can be read or changed of an object is allowed by name, and each
// name is one of the ensemble's; without an ensemble nothing is named.
func narrowed(t *testing.T, role rbacv1.Role, ensemble string) {
	t.Helper()
	for _, r := range role.Rules {
		for _, name := range r.ResourceNames {
			if ensemble == "" || name != ensemble && !strings.HasPrefix(name, ensemble+"-") && !strings.Contains(name, "-"+ensemble+"-") {
				t.Errorf("%s %s of %q", r.Verbs, r.Resources, name)
			}
		}
		if ensemble != "" && len(r.ResourceNames) == 0 && (slices.Contains(r.Verbs, "get") || slices.Contains(r.Verbs, "patch") || slices.Contains(r.Verbs, "update")) {
			t.Errorf("%s %s of every name", r.Verbs, r.Resources)
		}
	}
	if ensemble == "" {
		return
	}
	services := []string{ensemble + "-1", ensemble + "-2", ensemble + "-3", ensemble + "-pods"}
	if !slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
		return slices.Contains(r.Resources, "services") && slices.Contains(r.Verbs, "patch") &&
			!slices.ContainsFunc(services, func(name string) bool { return !slices.Contains(r.ResourceNames, name) })
	}) {
		t.Errorf("no rule to patch the services %s", services)
	}
}

// TestRBACRefuses: a Role for somebody else than was meant is worse than none, so
// nothing is printed where the command line leaves a doubt.
func TestRBACRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, map[string]string{"zoo.cfg": good})
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"an id that is none":             {[]string{"zk1", "--ids=1,2,-256"}, "--ids: -256"},
		"an id twice":                    {[]string{"zk1", "--ids=1,2,2"}, "--ids: 2"},
		"ids of no ensemble":             {[]string{"--ids=1,2,3"}, "give its NAME"},
		"a file of no ensemble":          {[]string{"-f", "zoo.cfg"}, "give its NAME"},
		"ids and a file":                 {[]string{"zk1", "--ids=1,2,3", "-f", "zoo.cfg"}, "use one of them"},
		"a name that is none":            {[]string{"Zk_1", "--ids=1,2,3"}, "Zk_1"},
		"two names":                      {[]string{"zk1", "zk2"}, "at most one NAME"},
		"a table":                        {[]string{"zk1", "--ids=1,2,3", "-o", "wide"}, `"wide"`},
		"another kind of data":           {[]string{"zk1", "--ids=1,2,3", "--data=some"}, `--data="some"`},
		"another kind of endpoints":      {[]string{"zk1", "--ids=1,2,3", "--endpoints-api=v2"}, `--endpoints-api="v2"`},
		"a policy for a whole namespace": {[]string{"--admission-policy", "--user=alice"}, "give its NAME"},
		"a policy that lets nobody in":   {[]string{"zk1", "--ids=1,2,3", "--admission-policy"}, "name at least one"},
		"a service account of nowhere":   {[]string{"zk1", "--ids=1,2,3", "--serviceaccount=robot"}, "NAMESPACE:NAME"},
		"nobody":                         {[]string{"zk1", "--ids=1,2,3", "--user="}, "--user has no value"},
		"a user with a newline":          {[]string{"zk1", "--ids=1,2,3", "--user=a\nkind: ClusterRole"}, "control characters"},
		"a group of control characters":  {[]string{"zk1", "--ids=1,2,3", "--group=" + evil}, "control characters"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := run(t, "", append([]string{"rbac", "-n", "zk"}, c.args...)...)
			if code != exitUsage || out != "" || !strings.Contains(errOut, c.says) {
				t.Errorf("exit code %d, output %q; want %q in\n%s", code, out, c.says, errOut)
			}
			harmlessly(t, "stderr", errOut)
		})
	}
	// Before the wrap there is no journal to read the ids from.
	missing := metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: 404, Reason: metav1.StatusReasonNotFound}
	code, out, errOut := run(t, "", "rbac", "zk1", "-n", "zk", "--server", hostileCluster(t, nil, missing))
	if code != exitUsage || out != "" || !strings.Contains(errOut, "kubectl zkmigrate rbac zk1 --ids=1,2,3 -n zk") {
		t.Errorf("exit code %d, output %q\n%s", code, out, errOut)
	}
}
