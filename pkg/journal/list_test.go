package journal

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	metadatafake "k8s.io/client-go/metadata/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

func TestList(t *testing.T) {
	ctx := context.Background()
	kube := versioned(t, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "broken-zkmigrate", Namespace: "b", Labels: map[string]string{render.RoleLabel: render.RoleJournal}},
	}, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "main-zkmigrate-gate", Namespace: "a", Labels: map[string]string{render.RoleLabel: render.RoleGate, render.EnsembleLabel: "main"}},
	})
	for _, where := range [][2]string{{"b", "y"}, {"a", "z"}, {"a", "x"}} {
		if err := New(kube, where[0], where[1]).Create(ctx, record(where[0], where[1])); err != nil {
			t.Fatal(err)
		}
	}
	all, err := List(ctx, kube, In(""), command.Via{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/x", "a/z", "b/y"}, namesOf(all.Records)); diff != "" {
		t.Error(diff)
	}
	if len(all.Broken) != 1 {
		t.Errorf("broken: %v", all.Broken)
	}
	if l, _ := List(ctx, kube, In("a"), command.Via{}); len(l.Records) != 2 {
		t.Errorf("%d records in a", len(l.Records))
	}
}

// TestWrittenSince: journals that are written, deleted, or made again since they were
// listed, and no other.
func TestWrittenSince(t *testing.T) {
	ctx := context.Background()
	kube := versioned(t)
	for _, name := range []string{"deleted", "same", "written"} {
		if err := New(kube, "zk", name).Create(ctx, record("zk", name)); err != nil {
			t.Fatal(err)
		}
	}
	listing, err := List(ctx, kube, In(""), command.Via{})
	if err != nil {
		t.Fatal(err)
	}
	written := func() (names []string) {
		t.Helper()
		at, err := listing.Written(ctx, metadataOf(ctx, t, kube))
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range at {
			names = append(names, listing.Records[i].Name)
		}
		return names
	}
	if got := written(); len(got) > 0 {
		t.Errorf("before anything was written: %v", got)
	}
	j := New(kube, "zk", "written")
	rec, err := j.Load(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rec.Note(migration.AuditEntry{Step: "test"})
	if err := j.Save(ctx, rec); err != nil {
		t.Fatal(err)
	}
	if err := kube.CoreV1().ConfigMaps("zk").Delete(ctx, render.JournalName("deleted"), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"deleted", "written"}, written()); diff != "" {
		t.Error(diff)
	}
}

// metadataOf serves the metadata of what the other client holds now.
func metadataOf(ctx context.Context, t *testing.T, kube kubernetes.Interface) *metadatafake.FakeMetadataClient {
	t.Helper()
	scheme := metadatafake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	list, err := kube.CoreV1().ConfigMaps("").List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var out []runtime.Object
	for _, cm := range list.Items {
		out = append(out, &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: cm.ObjectMeta})
	}
	return metadatafake.NewSimpleMetadataClient(scheme, out...)
}

func namesOf(records []migration.Record) []string {
	var names []string
	for _, r := range records {
		names = append(names, r.Namespace+"/"+r.Name)
	}
	return names
}
