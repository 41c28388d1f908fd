//go:build integration

package integration

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cli"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestManyNamespaces: who may read some namespaces is shown their ensembles, by name or all of them,
// and is told which are not shown.
func TestManyNamespaces(t *testing.T) {
	const user = "reads-some"
	cp, closed := plain(t)
	role := func(name string, rules ...rbacv1.PolicyRule) {
		t.Helper()
		if _, err := cp.admin.RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	reads := func(group string, resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: []string{"get", "list"}}
	}
	role("reads-one", reads("", "configmaps", "services", "pods", "endpoints"), reads("apps", "statefulsets"), reads("discovery.k8s.io", "endpointslices"))
	open := []string{cp.namespace(t, map[string]string{"open": "1"}), cp.namespace(t, map[string]string{"open": "2"})}
	slices.Sort(open)
	for i, ns := range append(slices.Clone(open), closed) {
		rec := ensembleRecord(ns, migration.EndpointSlices)
		for j := range rec.Servers {
			rec.Servers[j].ClientPort, rec.Servers[j].HostIP = 1, "127.0.0."+string(rune('1'+3*i+j))
			rec.Servers[j].ClusterIP = rec.Servers[j].HostIP // where nobody listens
		}
		if err := journal.New(cp.admin, ns, rec.Name).Create(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		if ns != closed {
			cp.bind(t, ns, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "reads-one"}, user)
		}
	}
	status := func(args ...string) (code int, shown []string, said string) {
		var out, errOut bytes.Buffer
		args = append([]string{"status", "--no-headers", "--kubeconfig", cp.path("kubeconfig"), "--as", user}, args...)
		code = cli.Main(t.Context(), args, genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut})
		for line := range strings.Lines(out.String()) {
			shown = append(shown, strings.Fields(line)[0])
		}
		return code, shown, errOut.String()
	}
	eventually(t, "the authorizer knows the roles", func() (bool, string) {
		code, shown, said := status("-n", strings.Join(open, ","))
		return code == 0 && slices.Equal(shown, open), said
	})
	if code, shown, said := status("-n", closed+","+open[0]); code != 3 || !slices.Equal(shown, open[:1]) || !strings.Contains(said, "in namespace "+closed) {
		t.Errorf("one is closed: exit code %d, shown %v, said %s", code, shown, said)
	}
	if code, shown, said := status("-A"); code != 3 || shown != nil || !strings.Contains(said, "-n a,b,c") {
		t.Errorf("no namespace may be listed: exit code %d, shown %v, said %s", code, shown, said)
	}
	role(user, reads("", "namespaces"))
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	}
	if _, err := cp.admin.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "those of all namespaces that are open are shown", func() (bool, string) {
		code, shown, said := status("-A")
		return code == 3 && slices.Equal(shown, open) && strings.Contains(said, "some could not be listed"), said
	})
}
