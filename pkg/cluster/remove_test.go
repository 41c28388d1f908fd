package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// head is that of an object; of somebody else where ours is false.
func head(name string, ours bool) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Name: name, Namespace: "zk", UID: types.UID("uid of " + name), ResourceVersion: "7"}
	if ours {
		m.Labels = render.Labels("main")
	}
	return m
}

func gateMap(released string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: head(render.GateName("main"), true), Data: map[string]string{render.GateReleasedKey: released, render.GateGenerationKey: "3\n"}}
}

func set(replicas int32, ours bool) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{ObjectMeta: head("main-pod", ours), Spec: appsv1.StatefulSetSpec{Replicas: &replicas}}
}

func boundClaim(ordinal int, ours bool) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: head(render.ClaimName("main", ordinal), ours), Status: corev1.PersistentVolumeClaimStatus{
		Phase: corev1.ClaimBound, Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
	}}
}

func conf(name string, ours bool) *corev1.ConfigMap {
	cm := &corev1.ConfigMap{ObjectMeta: head(name, ours)}
	if ours {
		cm.Labels[render.RoleLabel] = render.RoleConf
	}
	return cm
}

// deleted lists what was deleted, and fails where that was not by uid and version.
func deleted(t *testing.T, kube *fake.Clientset) []string {
	t.Helper()
	var out []string
	for _, a := range kube.Actions() {
		d, ok := a.(clienttesting.DeleteActionImpl)
		if !ok {
			continue
		}
		out = append(out, d.Resource.Resource+"/"+d.Name)
		p := d.DeleteOptions.Preconditions
		if d.Resource.Resource != "secrets" && (p == nil || p.UID == nil || *p.UID != types.UID("uid of "+d.Name) || p.ResourceVersion == nil || *p.ResourceVersion != "7") {
			t.Errorf("%s is deleted with preconditions %+v", d.Name, p)
		}
	}
	return out
}

// TestOnlyOurOwnGoes: an object of our name without our label is somebody else's, and stays.
func TestOnlyOurOwnGoes(t *testing.T) {
	for _, ours := range []bool{true, false} {
		objects := []runtime.Object{
			set(0, ours), conf("main-zkmigrate-conf-1", ours), conf("main-zkmigrate-conf-2", ours), boundClaim(0, ours), boundClaim(1, ours),
			&policyv1.PodDisruptionBudget{ObjectMeta: head("main-pods", ours)}, &corev1.Service{ObjectMeta: head("main-pods", ours)},
			&corev1.ConfigMap{ObjectMeta: head(render.ReportsName("main"), ours)}, &corev1.ConfigMap{ObjectMeta: head(render.ClientsName("main"), ours)},
		}
		var want []string
		if ours {
			objects = append(objects, gateMap(""))
			want = []string{"statefulsets/main-pod", "poddisruptionbudgets/main-pods", "services/main-pods", "configmaps/main-zkmigrate-gate",
				"configmaps/main-zkmigrate-conf-1", "configmaps/main-zkmigrate-conf-2", "configmaps/main-zkmigrate-reports", "configmaps/main-zkmigrate-clients", "persistentvolumeclaims/data-main-pod-0"}
		}
		kube := fake.NewClientset(objects...)
		c := New(kube)
		rec := record()
		rec.Pods.StorageSize = "2Gi"
		b, err := c.Belongings(t.Context(), rec)
		if err != nil {
			t.Fatal(err)
		}
		if b.Set != ours || (len(b.Objects) > 0) != ours || (len(b.Claims) > 0) != ours {
			t.Errorf("ours %t: %+v", ours, b)
		}
		if ours && (len(b.Objects) != 5 || len(b.Claims) != 2 || b.Claims[0].Short != "it has 1Gi, and 2Gi is recorded") {
			t.Errorf("%+v", b)
		}
		if err := c.DeletePodObjects(t.Context(), rec); err != nil {
			t.Error(err)
		}
		if err := c.DeleteNotes(t.Context(), rec); err != nil {
			t.Error(err)
		}
		// The second is another one than was proved.
		if err := c.DeleteClaims(t.Context(), rec, []migration.ClaimRef{{ID: 2, UID: "uid of data-main-pod-0"}, {ID: 5, UID: "another"}, {ID: 9, UID: "none"}}); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, deleted(t, kube)); diff != "" {
			t.Errorf("ours %t (-want +got):\n%s", ours, diff)
		}
	}
}

// TestPodObjectsStayWhileTheyAreUsed: an open gate, and a StatefulSet that makes pods.
func TestPodObjectsStayWhileTheyAreUsed(t *testing.T) {
	for name, objects := range map[string][]runtime.Object{
		"an open gate": {set(0, true), gateMap("0 2 3 empty:a-b\n")},
		"it has pods":  {set(1, true), gateMap("")},
	} {
		kube := fake.NewClientset(objects...)
		err := New(kube).DeletePodObjects(t.Context(), record())
		if got := deleted(t, kube); !IsReason(err, Precondition) || len(got) > 0 {
			t.Errorf("%s: %v, deleted %v", name, err, got)
		}
	}
}

// TestDeleteService: the recorded one, by uid, with its slice; never one that selects pods, or of
// another uid.
func TestDeleteService(t *testing.T) {
	rec := record()
	rec.Servers[0].ServiceUID, rec.Servers[0].ClusterIP = "uid of main-2", "10.96.0.2"
	service := func(change func(*corev1.Service)) *corev1.Service {
		s := &corev1.Service{ObjectMeta: head("main-2", true), Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.2"}}
		change(s)
		return s
	}
	slice := &discoveryv1.EndpointSlice{ObjectMeta: head("main-2-bridge", true)}
	slice.Labels[discoveryv1.LabelServiceName], slice.Labels[discoveryv1.LabelManagedBy] = "main-2", render.Manager
	theirs := &discoveryv1.EndpointSlice{ObjectMeta: head("theirs", false)}
	theirs.Labels = map[string]string{discoveryv1.LabelServiceName: "main-2"}
	both := []string{"services/main-2", "endpointslices/main-2-bridge"}
	for name, c := range map[string]struct {
		objects []runtime.Object
		want    []string
		reason  Reason
	}{
		"as recorded":    {objects: []runtime.Object{service(func(*corev1.Service) {}), slice, theirs}, want: both},
		"it is gone":     {objects: []runtime.Object{slice, theirs}, want: both[1:]},
		"all is gone":    {},
		"it selects":     {objects: []runtime.Object{service(func(s *corev1.Service) { s.Spec.Selector = map[string]string{"a": "b"} }), slice}, reason: Precondition},
		"it is another":  {objects: []runtime.Object{service(func(s *corev1.Service) { s.UID = "another" }), slice}, reason: Precondition},
		"other address":  {objects: []runtime.Object{service(func(s *corev1.Service) { s.Spec.ClusterIP = "10.96.0.3" }), slice}, reason: Precondition},
		"lost its label": {objects: []runtime.Object{service(func(s *corev1.Service) { s.Labels = nil }), slice}, want: both},
	} {
		kube := fake.NewClientset(c.objects...)
		err := New(kube).DeleteService(t.Context(), rec, 2)
		if c.reason == "" && err != nil || c.reason != "" && !IsReason(err, c.reason) {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, deleted(t, kube)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestOnlyOurOwnSecretsGo: those that the record names, if their names are of our making.
func TestOnlyOurOwnSecretsGo(t *testing.T) {
	rec := record()
	rec.Pods.PrivateSecret = render.PrivatePrefix("main") + "00"
	rec.PodsBefore = &migration.PodOptions{PrivateSecret: "somebody-elses"}
	kube := fake.NewClientset()
	if err := New(kube).DeleteNotes(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"secrets/main-zkmigrate-private-00"}, deleted(t, kube)); diff != "" {
		t.Error(diff)
	}
}

// TestShrinkSet: only the number of pods changes, and none that serves goes.
func TestShrinkSet(t *testing.T) {
	rec := record()
	at := when(0)
	rec.Servers[2].Replaced = &at
	kube := fake.NewClientset(set(3, true))
	if err := New(kube).ShrinkSet(t.Context(), rec, 2); !IsReason(err, Invalid) || !strings.Contains(err.Error(), "server 9 runs in pod 2") {
		t.Errorf("below a server that runs: %v", err)
	}
	for _, a := range kube.Actions() {
		if a.GetVerb() != "get" {
			t.Errorf("%v", a)
		}
	}
}
