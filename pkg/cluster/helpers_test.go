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
	rec.Pods.Plain = true
	kube := fake.NewClientset()
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
	if err != nil || len(deleted) != 3 {
		t.Errorf("%v, %v", deleted, err)
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
