package journal

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestArchive: what the journal said last stays as a report, and no command finds the ensemble.
func TestArchive(t *testing.T) {
	kube := fake.NewClientset()
	j := New(kube, "zk", "main")
	if err := j.Create(t.Context(), record("zk", "main")); err != nil {
		t.Fatal(err)
	}
	maps := kube.CoreV1().ConfigMaps("zk")
	journal, err := maps.Get(t.Context(), render.JournalName("main"), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Archive(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := maps.Get(t.Context(), render.ReportName("main"), metav1.GetOptions{})
	if err != nil || report.Data[Key] != journal.Data[Key] || report.Data[Key] == "" {
		t.Errorf("%v %v", err, report)
	}
	if report.Labels[render.RoleLabel] != "" {
		t.Error("it is taken for a journal")
	}
	if _, err := j.Load(t.Context()); !IsNotFound(err) {
		t.Errorf("the journal is left: %v", err)
	}
	if rec, err := j.Report(t.Context()); err != nil || rec.Name != "main" {
		t.Errorf("the report says %+v, %v", rec, err)
	}
	if _, err := New(kube, "zk", "other").Report(t.Context()); !IsNotFound(err) {
		t.Errorf("a report of nobody: %v", err)
	}
}
