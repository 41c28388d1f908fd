package journal

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestRestore: what is put back is the last record without an operation under
// way, and a journal that can be read is left alone.
func TestRestore(t *testing.T) {
	ctx := t.Context()
	kube := fake.NewClientset()
	maps := kube.CoreV1().ConfigMaps("zk")
	j := New(kube, "zk", "main")
	if _, err := j.Restore(ctx); !IsNotFound(err) {
		t.Fatalf("without a copy: %v", err)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	settled := record("zk", "main")
	settled.Servers[0].Replaced = &at
	flying := settled
	flying.Flight = &migration.Flight{Kind: migration.Replace, ID: 2, Started: at}
	if err := j.Create(ctx, record("zk", "main")); err != nil {
		t.Fatal(err)
	}
	for _, rec := range []migration.Record{settled, flying} {
		if err := j.Save(ctx, rec); err != nil {
			t.Fatal(err)
		}
	}
	restored := func(why string, want migration.Record) {
		t.Helper()
		got, err := New(kube, "zk", "main").Restore(ctx)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", why, err, diff)
		}
		if got, err = New(kube, "zk", "main").Load(ctx); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%s, read again: %v", why, err)
		}
	}
	restored("a journal that can be read", flying)
	if err := maps.Delete(ctx, render.JournalName("main"), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	restored("a journal that is gone", settled)
	cm, err := maps.Get(ctx, render.JournalName("main"), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cm.Data[Key] = "{ half"
	if _, err := maps.Update(ctx, cm, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	_, err = New(kube, "zk", "main").Load(ctx)
	if !IsBroken(err) || !strings.Contains(err.Error(), "kubectl zkmigrate wrap main -n zk") {
		t.Errorf("a garbled journal: %v", err)
	}
	restored("a garbled journal", settled)
	if cm, err = maps.Get(ctx, render.JournalName("main"), metav1.GetOptions{}); err != nil || cm.Data[brokenKey] != "{ half" {
		t.Errorf("what was garbled is lost: %v %v", cm.Data, err)
	}
	if records, broken, err := List(ctx, kube, "zk"); len(records) != 1 || len(broken) != 0 || err != nil {
		t.Errorf("listed: %d, broken %v, %v", len(records), broken, err)
	}
}
