package cluster

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestDeleteHelpers: what the pods mount stays, and nothing goes before the end.
func TestDeleteHelpers(t *testing.T) {
	rec := record()
	rec.Pods.Plain, rec.Pods.PrivateSecret = true, render.PrivatePrefix(rec.Name)+"1"
	kube := fake.NewClientset()
	secrets := kube.CoreV1().Secrets(rec.Namespace)
	for _, name := range []string{rec.Pods.PrivateSecret, "main-conf-1", "main-files"} {
		if _, err := secrets.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: rec.Namespace}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	maps := kube.CoreV1().ConfigMaps(rec.Namespace)
	conf := map[string]string{render.EnsembleLabel: rec.Name, render.RoleLabel: render.RoleConf}
	stays := []string{render.Conf(rec).Name, render.JournalName(rec.Name), "somebody-elses"}
	for name, labels := range map[string]map[string]string{
		stays[0]: {render.EnsembleLabel: rec.Name}, stays[1]: nil, stays[2]: nil, render.GateName(rec.Name): {render.EnsembleLabel: rec.Name}, "main-zkmigrate-conf-1": conf, "main-zkmigrate-conf-2": conf,
	} {
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: rec.Namespace, Labels: labels}}
		if _, err := maps.Create(t.Context(), cm, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	c := New(kube)
	if _, err := c.DeleteHelpers(t.Context(), rec); !IsReason(err, Precondition) {
		t.Errorf("before the end: %v", err)
	}
	rec.Finalized = &migration.Confirmation{}
	deleted, err := c.DeleteHelpers(t.Context(), rec)
	if err != nil || len(deleted) != 4 || !slices.Contains(deleted, "secret/"+rec.Pods.PrivateSecret) {
		t.Errorf("%v, %v", deleted, err)
	}
	if left, err := secrets.List(t.Context(), metav1.ListOptions{}); err != nil || len(left.Items) != 2 {
		t.Errorf("Secrets that are left: %v, %v", left, err)
	}
	list, err := maps.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, cm := range list.Items {
		if !slices.Contains(stays, cm.Name) {
			t.Errorf("%s is left", cm.Name)
		}
	}
	if len(list.Items) != len(stays) {
		t.Errorf("%d are left", len(list.Items))
	}
}
