package cluster

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// TestStrayedSlice: who may do what the Role allows, which is no get, is told of
// a slice that lost its labels; one that somebody has just made is looked for again.
func TestStrayedSlice(t *testing.T) {
	labels := map[string]string{discoveryv1.LabelServiceName: "main-5", discoveryv1.LabelManagedBy: "zkmigrate.io"}
	for name, c := range map[string]struct {
		labels map[string]string
		want   Reason
	}{
		"lost": {nil, Conflict}, "somebody was faster": {labels, Stale},
	} {
		t.Run(name, func(t *testing.T) {
			desired := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: "main-5-bridge", Namespace: "zk", Labels: labels}}
			live := desired.DeepCopy()
			live.Labels = c.labels
			kube := fake.NewClientset(live)
			kube.PrependReactor("get", "endpointslices", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(discoveryv1.Resource("endpointslices"), live.Name, errors.New("no get in the Role"))
			})
			err := New(kube).strayed(t.Context(), desired, apierrors.NewAlreadyExists(discoveryv1.Resource("endpointslices"), live.Name))
			if !IsReason(err, c.want) || strings.Contains(err.Error(), "delete it") != (c.want == Conflict) {
				t.Error(err)
			}
		})
	}
}

// TestAPodThatLostItsLabel is a pod all the same: it may serve.
func TestAPodThatLostItsLabel(t *testing.T) {
	pod := podObject(func(p *corev1.Pod) { p.Labels = nil })
	views, err := New(fake.NewClientset(pod)).Observe(t.Context(), record())
	if err != nil {
		t.Fatal(err)
	}
	if v := views[5].Pod; v.UID != string(pod.UID) {
		t.Errorf("%+v", v)
	}
}
