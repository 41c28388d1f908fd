package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/metadata"
	metadatafake "k8s.io/client-go/metadata/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestStatusOfAllShowsWhatCannotBeSeen: one ensemble whose objects cannot be
// read does not hide the others, and does not pass for healthy.
func TestStatusOfAllShowsWhatCannotBeSeen(t *testing.T) {
	s, rec := wrappedHere(t)
	cm, err := s.kube.client.CoreV1().ConfigMaps("zk").Get(t.Context(), render.JournalName("demo"), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	other := cm.DeepCopy()
	other.Name, other.ResourceVersion = render.JournalName("other"), ""
	other.Data = map[string]string{"record.json": strings.ReplaceAll(cm.Data["record.json"], `"demo"`, `"other"`)}
	gate := render.Gate(rec, render.GateData{})
	gate.Name, gate.Data = render.GateName("other"), map[string]string{"released": "x", "generation": "1"}
	for _, o := range []*metav1.ObjectMeta{&other.ObjectMeta, &gate.ObjectMeta} {
		o.Labels[render.EnsembleLabel] = "other"
	}
	if _, err := s.kube.client.CoreV1().ConfigMaps("zk").Create(t.Context(), other, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.kube.client.CoreV1().ConfigMaps("zk").Create(t.Context(), gate, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	o := overviewOf(t, s)
	ways := map[string][]migration.EnsembleStatus{}
	for _, way := range []string{"lists of everything", "each by itself"} {
		if way == "each by itself" {
			refuse(s, forbidden("services"), "services", "")
		}
		items, err := o.look(t.Context())
		if err != nil || len(items) != 2 {
			t.Fatal(way, items, err)
		}
		if len(items[0].Servers) != 3 {
			t.Errorf("%s: demo: %+v", way, items[0])
		}
		if items[1].Name != "other" || items[1].Healthy || len(items[1].Problems) != 1 || !strings.Contains(items[1].Problems[0].Text, "gate") {
			t.Errorf("%s: other: %+v", way, items[1])
		}
		for i := range items {
			items[i].At = time.Time{}
		}
		ways[way] = items
	}
	if diff := cmp.Diff(ways["lists of everything"], ways["each by itself"]); diff != "" {
		t.Errorf("the two ways differ:\n%s", diff)
	}
	if _, err := o.deps.glance(t.Context(), s.kube, ensembleName{"zk", "other"}); err == nil {
		t.Error("one alone that cannot be seen is no error")
	}
}

// TestStatusOfAllLooksAgain: what was written between the list of the journals and the
// looks is not judged by the old journal.
func TestStatusOfAllLooksAgain(t *testing.T) {
	s, _ := wrappedHere(t)
	client := s.kube.client.(*fake.Clientset)
	client.PrependReactor("list", "statefulsets", func(clienttesting.Action) (bool, runtime.Object, error) {
		return false, nil, client.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("configmaps"), "zk", render.JournalName("demo"))
	})
	items, err := overviewOf(t, s).look(t.Context())
	if err != nil || len(items) != 1 || len(items[0].Problems) != 1 || !strings.Contains(items[0].Problems[0].Text, "journal of ensemble demo") {
		t.Errorf("%+v, %v", items, err)
	}
}

// metadataOf serves the metadata of ConfigMaps that the other client has.
func metadataOf(t *testing.T, client *fake.Clientset) metadata.Interface {
	t.Helper()
	scheme := metadatafake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := metadatafake.NewSimpleMetadataClient(scheme)
	c.PrependReactor("list", "configmaps", func(a clienttesting.Action) (bool, runtime.Object, error) {
		list, err := client.CoreV1().ConfigMaps(a.GetNamespace()).List(t.Context(), metav1.ListOptions{})
		out := &metav1.List{}
		for _, cm := range list.Items {
			out.Items = append(out.Items, runtime.RawExtension{Object: &metav1.PartialObjectMetadata{ObjectMeta: cm.ObjectMeta}})
		}
		return true, out, err
	})
	return c
}

// wrappedHere is a wrapped ensemble at whose addresses every connection is refused at
// once.
func wrappedHere(t *testing.T) (*session, migration.Record) {
	t.Helper()
	s := wrapped(t, "3.4.13")
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range rec.Servers {
		rec.Servers[i].HostIP, rec.Servers[i].ClusterIP = "127.0.0.1", "127.0.0.1"
	}
	if err := s.journal.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	return s, rec
}
