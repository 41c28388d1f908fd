package cluster

import (
	"errors"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestErrorsNameTheCluster: the way out of a refusal is for the cluster that refused.
func TestErrorsNameTheCluster(t *testing.T) {
	via := command.Via{}.With("context", "a b")
	c := New(fake.NewClientset(), WithVia(via))
	sets := schema.GroupResource{Group: "apps", Resource: "statefulsets"}
	meta := metav1.ObjectMeta{Name: "main-pod", Namespace: "zk"}
	replicas := int32(3)
	set := &appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Replicas: &replicas}}
	owned := apierrors.NewConflict(sets, "main-pod", errors.New("owned"))
	owned.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.x"}}
	_, gone := c.service(t.Context(), record(), *mustServer(t, record(), 5))
	for want, err := range map[string]error{
		"kubectl --context='a b' describe quota -n zk":                                         c.notWritten(apierrors.NewForbidden(sets, "main-pod", errors.New("exceeded quota: x")), "apply", "StatefulSet", "zk", "main-pod"),
		"kubectl --context='a b' get statefulset main-pod --show-managed-fields -o yaml -n zk": c.notWritten(owned, "apply", "StatefulSet", "zk", "main-pod"),
		"`kubectl zkmigrate rbac`":                                                             c.notWritten(apierrors.NewForbidden(sets, "main-pod", errors.New(`User "x" cannot patch resource "statefulsets" in API group "apps" in the namespace "zk"`)), "apply", "StatefulSet", "zk", "main-pod"),
		"kubectl --context='a b' describe namespace zk":                                        c.notWritten(apierrors.NewForbidden(sets, "main-pod", errors.New(`violates PodSecurity "restricted:latest"`)), "apply", "StatefulSet", "zk", "main-pod"),
		"kubectl --context='a b' scale statefulset main-pod --replicas=3 -n zk":                c.wayOut(&Error{Reason: Conflict, What: ".spec.replicas"}, set),
		"kubectl --context='a b' delete statefulset main-pod --cascade=orphan -n zk":           c.wayOut(&Error{Err: apierrors.NewInvalid(schema.GroupKind{}, "x", nil)}, set),
		"kubectl --context='a b' delete configmap main-pod -n zk":                              c.wayOut(&Error{Reason: Conflict, What: ".data.x"}, &corev1.ConfigMap{ObjectMeta: meta}),
		"kubectl --context='a b' get service main-pod --show-managed-fields -o yaml -n zk":     c.foreignSelector(record(), &corev1.Service{ObjectMeta: meta}),
		"kubectl --context='a b' edit configmap main-zkmigrate-gate -n zk":                     c.sameMap(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "main-zkmigrate-gate", Namespace: "zk"}}, render.GateData{Members: []render.GateMember{{}}}, record()),
		"kubectl zkmigrate --context='a b' wrap main -n zk":                                    gone,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
