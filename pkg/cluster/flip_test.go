package cluster

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestPointToHost writes hand-made endpoints that somebody spoiled.
func TestPointToHost(t *testing.T) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "main-5", Namespace: "zk"}}
	bridge := func(change func(*discoveryv1.EndpointSlice)) *discoveryv1.EndpointSlice {
		s := aSlice("main-5-bridge", render.Manager, nil, "10.1.0.5")
		s.Namespace = "zk"
		change(&s)
		return &s
	}
	for name, c := range map[string]struct {
		live *discoveryv1.EndpointSlice
		err  string
	}{
		"a port is gone: it is written anew": {live: bridge(func(s *discoveryv1.EndpointSlice) { s.Ports = s.Ports[1:] })},
		"without the Service's label nobody finds it": {
			live: bridge(func(s *discoveryv1.EndpointSlice) { delete(s.Labels, discoveryv1.LabelServiceName) }),
			err:  "delete it: kubectl delete endpointslice main-5-bridge -n zk",
		},
	} {
		t.Run(name, func(t *testing.T) {
			kube := fake.NewClientset(service, c.live)
			err := New(kube).PointToHost(t.Context(), record(), 5)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || !IsReason(err, Conflict) {
					t.Fatalf("%v, want a conflict with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := kube.DiscoveryV1().EndpointSlices("zk").Get(t.Context(), "main-5-bridge", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Ports) != 3 {
				t.Errorf("%d ports, want 3", len(got.Ports))
			}
		})
	}
}

// TestAddPorts: endpoints that were made before a port was recorded gain it in one write, and
// lead to where they did.
func TestAddPorts(t *testing.T) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "main-5", Namespace: "zk"}}
	rec := record()
	five, _ := rec.Server(5)
	target, err := render.ToPod(rec, *five, "u1", "10.244.0.1", "node1")
	if err != nil {
		t.Fatal(err)
	}
	for _, api := range []migration.EndpointsAPI{migration.EndpointSlices, migration.LegacyEndpoints} {
		t.Run(string(api), func(t *testing.T) {
			rec.EndpointsAPI = api
			before, err := render.Bridge(rec, *five, target)
			if err != nil {
				t.Fatal(err)
			}
			more := *five
			more.SecureClientPort, more.ObserverMasterPort = 2281, 2191
			after, err := render.Bridge(rec, more, target)
			if err != nil {
				t.Fatal(err)
			}
			kube := fake.NewClientset(service, before)
			c := New(kube)
			for _, want := range []bool{true, false} {
				b, err := c.behind(t.Context(), rec, more, service)
				if err != nil {
					t.Fatal(err)
				}
				if gained, err := c.addPorts(t.Context(), b, false); err != nil || gained != want {
					t.Errorf("gained %t, %v; want %t", gained, err, want)
				}
				if v := b.view(); !same(v.Bridge, []string{"10.244.0.1"}) || v.BridgePodUID != "u1" {
					t.Errorf("it leads to %+v", v)
				}
			}
			var got render.Object
			if api == migration.LegacyEndpoints {
				got, err = kube.CoreV1().Endpoints("zk").Get(t.Context(), after.GetName(), metav1.GetOptions{})
			} else {
				got, err = kube.DiscoveryV1().EndpointSlices("zk").Get(t.Context(), after.GetName(), metav1.GetOptions{})
			}
			if err != nil {
				t.Fatal(err)
			}
			if !sameContent(got, after) {
				t.Errorf("got %+v, want %+v", got, after)
			}
		})
	}
}
