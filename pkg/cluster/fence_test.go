package cluster

import (
	"errors"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Every object that a late write could change becomes another version, and no
// other one; their content stays.
func TestFence(t *testing.T) {
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name, Namespace: "zk"} }
	service := func(name string) *corev1.Service {
		return &corev1.Service{ObjectMeta: meta(name), Spec: corev1.ServiceSpec{Selector: map[string]string{"a": "b"}}}
	}
	gate := &corev1.ConfigMap{ObjectMeta: meta("main-zkmigrate-gate"), Data: map[string]string{"released": ""}}
	slice := func(name, service, by string) *discoveryv1.EndpointSlice {
		s := aSlice(name, by, nil, "10.1.0.5")
		s.Namespace, s.Labels[discoveryv1.LabelServiceName] = "zk", service
		return &s
	}
	endpoints := &corev1.Endpoints{ObjectMeta: meta("main-5")} //nolint:staticcheck // what --endpoints-api=endpoints writes
	all := []runtime.Object{service("main-2"), service("main-5"), gate, slice(render.BridgeName("main", 5), "main-5", render.Manager),
		slice("main-5-abc", "main-5", sliceController), slice(render.BridgeName("main", 2), "main-2", render.Manager), endpoints}
	for name, c := range map[string]struct {
		objects  []runtime.Object
		api      migration.EndpointsAPI
		conflict bool
		want     []string
	}{
		"slices":             {all, migration.EndpointSlices, false, []string{"main-5 Service", "main-5-bridge EndpointSlice", "main-zkmigrate-gate ConfigMap"}},
		"written in between": {all, migration.EndpointSlices, true, []string{"main-5 Service", "main-5-bridge EndpointSlice", "main-zkmigrate-gate ConfigMap"}},
		"v1 Endpoints":       {all, migration.LegacyEndpoints, false, []string{"main-5 Endpoints", "main-5 Service", "main-zkmigrate-gate ConfigMap"}},
		"no bridge":          {[]runtime.Object{service("main-5"), gate}, migration.EndpointSlices, false, []string{"main-5 Service", "main-zkmigrate-gate ConfigMap"}},
		"nothing there":      {nil, migration.EndpointSlices, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			kube := fake.NewClientset(c.objects...)
			if c.conflict {
				first := true
				kube.PrependReactor("update", "endpointslices", func(clienttesting.Action) (bool, runtime.Object, error) {
					was := first
					first = false
					return was, nil, apierrors.NewConflict(discoveryv1.Resource("endpointslices"), "main-5-bridge", errors.New("modified"))
				})
			}
			rec := record()
			rec.EndpointsAPI = c.api
			if err := New(kube).Fence(t.Context(), rec, 5, "me@here/1/a"); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, fenced(t, kube)); diff != "" {
				t.Errorf("fenced (-want +got):\n%s", diff)
			}
		})
	}
}

// fenced lists the objects that were taken over, and makes sure that nothing
// but the annotation is new.
func fenced(t *testing.T, kube *fake.Clientset) []string {
	t.Helper()
	var out []string
	for kind, look := range map[string]func() ([]metav1.ObjectMeta, bool){
		"Service": func() (metas []metav1.ObjectMeta, kept bool) {
			list, err := kube.CoreV1().Services("zk").List(t.Context(), metav1.ListOptions{})
			kept = err == nil
			for _, o := range list.Items {
				metas, kept = append(metas, o.ObjectMeta), kept && o.Spec.Selector["a"] == "b"
			}
			return metas, kept
		},
		"ConfigMap": func() (metas []metav1.ObjectMeta, kept bool) {
			list, err := kube.CoreV1().ConfigMaps("zk").List(t.Context(), metav1.ListOptions{})
			kept = err == nil
			for _, o := range list.Items {
				_, released := o.Data["released"]
				metas, kept = append(metas, o.ObjectMeta), kept && released
			}
			return metas, kept
		},
		"EndpointSlice": func() (metas []metav1.ObjectMeta, kept bool) {
			list, err := kube.DiscoveryV1().EndpointSlices("zk").List(t.Context(), metav1.ListOptions{})
			kept = err == nil
			for _, o := range list.Items {
				metas, kept = append(metas, o.ObjectMeta), kept && cmp.Equal(ready(o), []string{"10.1.0.5"})
			}
			return metas, kept
		},
		"Endpoints": func() (metas []metav1.ObjectMeta, kept bool) {
			list, err := kube.CoreV1().Endpoints("zk").List(t.Context(), metav1.ListOptions{})
			for _, o := range list.Items {
				metas = append(metas, o.ObjectMeta)
			}
			return metas, err == nil
		},
	} {
		metas, kept := look()
		if !kept {
			t.Errorf("a %s has lost something", kind)
		}
		for _, m := range metas {
			if m.Annotations[FenceAnnotation] == "me@here/1/a" {
				out = append(out, m.Name+" "+kind)
			}
		}
	}
	sort.Strings(out)
	return out
}
