package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

func aSlice(name, by string, ready *bool, addresses ...string) discoveryv1.EndpointSlice {
	s := discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: name, Labels: map[string]string{discoveryv1.LabelServiceName: "main-5"}},
		AddressType: discoveryv1.AddressTypeIPv4,
	}
	if by == render.Manager {
		rec := record()
		server, _ := rec.Server(5)
		s.Ports = render.SlicePorts(*server)
	}
	if by != "" {
		s.Labels[discoveryv1.LabelManagedBy] = by
	}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}, Conditions: discoveryv1.EndpointConditions{Ready: ready}})
	}
	return s
}

func TestEndpointsView(t *testing.T) {
	yes, no := true, false
	fromPod := aSlice("main-5-bridge", render.Manager, &yes, "10.244.0.1")
	fromPod.OwnerReferences = []metav1.OwnerReference{{Kind: "Pod", Name: "main-pod-1", UID: "u1"}}
	portless := aSlice("main-5-bridge", render.Manager, &yes, "10.1.0.5")
	portless.Ports = portless.Ports[1:]
	object := func(labels map[string]string, address string) *corev1.Endpoints { //nolint:staticcheck // what is tested
		return &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: "main-5", Labels: labels}, //nolint:staticcheck // what is tested
			Subsets: []corev1.EndpointSubset{{Addresses: []corev1.EndpointAddress{{IP: address}}}}} //nolint:staticcheck // what is tested
	}
	mine := map[string]string{render.BridgeLabel: "true"}
	tests := map[string]struct {
		api       migration.EndpointsAPI
		selector  string
		slices    []discoveryv1.EndpointSlice
		endpoints *corev1.Endpoints //nolint:staticcheck // what is tested
		want      migration.EndpointsView
	}{
		"nothing": {},
		"wrapped": {
			slices: []discoveryv1.EndpointSlice{aSlice("main-5-bridge", render.Manager, &yes, "10.1.0.5")},
			want:   migration.EndpointsView{BridgeFound: true, Bridge: []string{"10.1.0.5"}, Union: []string{"10.1.0.5"}},
		},
		"wrapped, and a port is gone: it leads nowhere": {
			slices: []discoveryv1.EndpointSlice{portless},
			want:   migration.EndpointsView{BridgeFound: true},
		},
		"adopting: one address in two slices is one": {
			selector:  "main-pod-1",
			slices:    []discoveryv1.EndpointSlice{fromPod, aSlice("main-5-abc", sliceController, nil, "10.244.0.1")},
			endpoints: object(nil, "10.244.0.1"),
			want: migration.EndpointsView{BridgeFound: true, Bridge: []string{"10.244.0.1"}, BridgePodUID: "u1", Controller: []string{"10.244.0.1"},
				Leftovers: []string{"EndpointSlice/main-5-abc", "Endpoints/main-5"}, Union: []string{"10.244.0.1"}},
		},
		"not ready does not count": {
			slices: []discoveryv1.EndpointSlice{aSlice("main-5-abc", sliceController, &no, "10.244.0.1")},
			want:   migration.EndpointsView{Leftovers: []string{"EndpointSlice/main-5-abc"}},
		},
		"a left-over slice of another address": {
			slices: []discoveryv1.EndpointSlice{aSlice("main-5-bridge", render.Manager, &yes, "10.1.0.5"), aSlice("main-5-abc", sliceController, &yes, "10.244.0.1")},
			want: migration.EndpointsView{BridgeFound: true, Bridge: []string{"10.1.0.5"}, Controller: []string{"10.244.0.1"},
				Leftovers: []string{"EndpointSlice/main-5-abc"}, Union: []string{"10.1.0.5", "10.244.0.1"}},
		},
		"somebody else's slice": {
			slices: []discoveryv1.EndpointSlice{aSlice("x", "", &yes, "10.9.9.9"), aSlice("main-5-bridge", "them", &yes, "10.9.9.8")},
			want:   migration.EndpointsView{Foreign: []string{"EndpointSlice/main-5-bridge", "EndpointSlice/x"}, Union: []string{"10.9.9.8", "10.9.9.9"}},
		},
		"legacy: wrapped": {
			api: migration.LegacyEndpoints, endpoints: object(mine, "10.1.0.5"),
			slices: []discoveryv1.EndpointSlice{aSlice("main-5-m", mirrorController, nil, "10.1.0.5")},
			want:   migration.EndpointsView{BridgeFound: true, Bridge: []string{"10.1.0.5"}, Union: []string{"10.1.0.5"}},
		},
		"legacy: adopted, the controller has it": {
			api: migration.LegacyEndpoints, selector: "main-pod-1", endpoints: object(nil, "10.244.0.1"),
			slices: []discoveryv1.EndpointSlice{aSlice("main-5-abc", sliceController, nil, "10.244.0.1")},
			want: migration.EndpointsView{Controller: []string{"10.244.0.1"}, Leftovers: []string{"EndpointSlice/main-5-abc", "Endpoints/main-5"},
				Union: []string{"10.244.0.1"}},
		},
		"legacy: cleared, the object is ours again, the slice is left over": {
			api: migration.LegacyEndpoints, endpoints: object(nil, "10.244.0.1"),
			slices: []discoveryv1.EndpointSlice{aSlice("main-5-abc", sliceController, nil, "10.244.0.1"), aSlice("main-5-m", mirrorController, nil, "10.244.0.1")},
			want: migration.EndpointsView{BridgeFound: true, Bridge: []string{"10.244.0.1"}, Controller: []string{"10.244.0.1"},
				Leftovers: []string{"EndpointSlice/main-5-abc"}, Union: []string{"10.244.0.1"}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			rec := record()
			if tc.api != "" {
				rec.EndpointsAPI = tc.api
			}
			s, _ := rec.Server(5)
			got := behind{rec: rec, s: *s, selector: tc.selector, slices: tc.slices, endpoints: tc.endpoints}.view()
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSliceOfAnEarlierRelease: an observer's slice had its peer port, and leads where it did.
func TestSliceOfAnEarlierRelease(t *testing.T) {
	rec := record()
	five, _ := rec.Server(5)
	five.Role = ensemble.Observer
	b := behind{rec: rec, s: *five, slices: []discoveryv1.EndpointSlice{aSlice("main-5-bridge", render.Manager, nil, "10.1.0.5")}}
	if v := b.view(); !same(v.Bridge, []string{"10.1.0.5"}) {
		t.Errorf("it leads to %+v", v)
	}
}
