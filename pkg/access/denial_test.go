package access

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestDenial: what the API server refused, in the words of a Role, however the
// error is wrapped, and what looks like it and is none.
func TestDenial(t *testing.T) {
	services := schema.GroupResource{Resource: "services"}
	slices := schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"}
	forbidden := func(r schema.GroupResource, name, text string) error {
		return fmt.Errorf("step flip of server 3: %w", apierrors.NewForbidden(r, name, errors.New(text)))
	}
	for name, c := range map[string]struct {
		err             error
		is, permanent   bool
		says, restsUpon string
	}{
		"a verb": {forbidden(slices, "main-3-bridge", `User "alice" cannot update resource "endpointslices" in API group "discovery.k8s.io" in the namespace "zk"`),
			true, true, "you are not allowed to update endpointslices.discovery.k8s.io main-3-bridge in namespace zk", "move a Service's address"},
		"a subresource": {forbidden(schema.GroupResource{Resource: "pods"}, "main-pod-0", `User "alice" cannot get resource "pods/log" in API group "" in the namespace "zk"`),
			true, true, "get pods/log main-pod-0 in namespace zk", "what the gate in a pod reports"},
		"one of several needs": {forbidden(schema.GroupResource{Resource: "pods"}, "main-pod-0", `User "alice" cannot create resource "pods/exec" in API group "" in the namespace "zk"`),
			true, true, "create pods/exec main-pod-0 in namespace zk", "to ask ZooKeeper from a pod"},
		"everywhere": {forbidden(schema.GroupResource{Resource: "configmaps"}, "", `User "alice" cannot list resource "configmaps" in API group "" at the cluster scope`),
			true, true, "list configmaps in all namespaces", "find the ensembles"},
		"a policy": {forbidden(services, "main-3", `ValidatingAdmissionPolicy 'p' with binding 'p' denied request: this object belongs to ZooKeeper ensemble main`),
			true, true, "a policy of the cluster", "belongs to ZooKeeper ensemble main"},
		"a login":               {fmt.Errorf("looking at the cluster: %w", apierrors.NewUnauthorized("Unauthorized")), true, false, "does not accept your login", "401"},
		"a quota":               {forbidden(services, "main-3", "exceeded quota: q, requested: services=1, used: services=5, limited: services=5"), false, false, "", ""},
		"a namespace that goes": {forbidden(services, "main-3", "unable to create new content in namespace zk because it is being terminated"), false, false, "", ""},
		"something else":        {apierrors.NewNotFound(services, "main-3"), false, false, "", ""},
		"no answer":             {errors.New("connection refused"), false, false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, is := DenialIn(c.err)
			if is != c.is || is && d.Permanent() != c.permanent {
				t.Fatalf("%t %+v", is, d)
			}
			if rests := strings.Join(d.Evidence(), "\n"); is && (!strings.Contains(d.String(), c.says) || !strings.Contains(rests, c.restsUpon)) {
				t.Errorf("%s\n%s", d, rests)
			}
		})
	}
}
