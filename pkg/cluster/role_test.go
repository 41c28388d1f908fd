package cluster

import (
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"
)

// The published Role grants what the check asks for, and nothing more. That
// this is what is really used is shown against a real API server
// (test/integration).
func TestRoleGrantsExactlyWhatIsNeeded(t *testing.T) {
	data, err := os.ReadFile("../../docs/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.Role
	if err := yaml.UnmarshalStrict(data, &role); err != nil {
		t.Fatal(err)
	}
	var granted, needed []string
	for _, r := range role.Rules {
		for _, g := range r.APIGroups {
			for _, res := range r.Resources {
				for _, v := range r.Verbs {
					granted = append(granted, strings.TrimPrefix(g+"/"+res, "/")+" "+v)
				}
			}
		}
	}
	for _, n := range needs() {
		res := n.resource
		if n.subresource != "" {
			res += "/" + n.subresource
		}
		for _, v := range n.verbs {
			needed = append(needed, strings.TrimPrefix(n.group+"/"+res, "/")+" "+v)
		}
	}
	sort.Strings(granted)
	sort.Strings(needed)
	if diff := cmp.Diff(needed, granted); diff != "" {
		t.Errorf("docs/rbac/role.yaml (-needed +granted):\n%s", diff)
	}
	for _, g := range granted {
		if g == "services delete" || g == "services update" {
			t.Errorf("the Role allows %q: a Service must never go away", g)
		}
	}
}

// TestExecIsAskedForByCopiesAlone: many may not run programs in pods.
func TestExecIsAskedForByCopiesAlone(t *testing.T) {
	kube := fake.NewClientset()
	kube.PrependReactor("create", "selfsubjectaccessreviews", func(action kubetesting.Action) (bool, runtime.Object, error) {
		review := action.(kubetesting.CreateAction).GetObject().(*authorizationv1.SelfSubjectAccessReview)
		review.Status.Allowed = review.Spec.ResourceAttributes.Subresource != "exec"
		return true, review, nil
	})
	c := New(kube)
	if denied, err := c.Denied(t.Context(), "zk"); err != nil || len(denied) > 0 {
		t.Errorf("denied: %v, %v", denied, err)
	}
	denied, err := c.DeniedCopy(t.Context(), "zk")
	want := []string{"get pods/exec in namespace zk", "create pods/exec in namespace zk"}
	if diff := cmp.Diff(want, denied); err != nil || diff != "" {
		t.Errorf("for a copy: %v (-want +got):\n%s", err, diff)
	}
}
