package cluster

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

func claim(namespace, ensemble, name, manager string, address string, ports ...int32) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{discoveryv1.LabelManagedBy: manager, render.EnsembleLabel: ensemble}},
		Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{address}}},
	}
	for _, p := range ports {
		s.Ports = append(s.Ports, discoveryv1.EndpointPort{Port: &p})
	}
	return s
}

// TestClaims: endpoints of ours, by ensemble; those of controllers, and those that
// name no ensemble, are nobody's claim.
func TestClaims(t *testing.T) {
	kube := fake.NewClientset(
		claim("b", "main", "main-1", render.Manager, "10.0.0.1", 2181, 2888),
		claim("b", "main", "main-2", render.Manager, "2001:db8::2", 2181),
		claim("a", "main", "main-1", render.Manager, "10.9.0.1", 2181),
		claim("b", "", "stray", render.Manager, "10.0.0.7", 2181),
		claim("b", "other", "made", "endpointslice-controller.k8s.io", "10.0.0.8", 2181),
		&discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: "b", Name: "main-3", Labels: map[string]string{discoveryv1.LabelManagedBy: render.Manager, render.EnsembleLabel: "main"}},
			Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.3"}}}, Ports: []discoveryv1.EndpointPort{{}},
		},
	)
	here := migration.Claim{Namespace: "b", Name: "main", Addresses: []string{"10.0.0.1:2181", "10.0.0.1:2888", "[2001:db8::2]:2181"}}
	for namespace, want := range map[string][]migration.Claim{
		"":  {{Namespace: "a", Name: "main", Addresses: []string{"10.9.0.1:2181"}}, here},
		"b": {here},
		"c": nil,
	} {
		got, err := New(kube).Claims(t.Context(), namespace)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("namespace %q (-want +got):\n%s", namespace, diff)
		}
	}
}

// TestClaimsSayWhereNobodyLooked: what could not be listed is named.
func TestClaimsSayWhereNobodyLooked(t *testing.T) {
	kube := fake.NewClientset()
	no := errors.New("no")
	kube.PrependReactor("list", "endpointslices", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, no })
	for namespace, want := range map[string]string{"": "in all namespaces", "zk": "in namespace zk"} {
		if _, err := New(kube).Claims(t.Context(), namespace); !errors.Is(err, no) || !strings.Contains(err.Error(), want) {
			t.Errorf("namespace %q: %v", namespace, err)
		}
	}
}
