package journal

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
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
	other := New(kube, "zk", "other")
	j, via := New(kube, "zk", "main"), command.Via{}.With("context", "prod")
	j.Via, other.Via = via, via
	if _, err := j.Load(ctx); err == nil || !strings.Contains(err.Error(), "kubectl zkmigrate --context=prod wrap main -n zk") {
		t.Errorf("for another cluster: %v", err)
	}
	if _, err := other.Load(ctx); err == nil || !strings.Contains(err.Error(), "kubectl zkmigrate --context=prod status -A ") {
		t.Errorf("of another cluster: %v", err)
	}
	if l, err := List(ctx, kube, In("zk"), via); len(l.Broken) != 1 || !strings.Contains(l.Broken[0].Error(), "kubectl zkmigrate --context=prod wrap main") {
		t.Errorf("listed on another cluster: %v, %v", l.Broken, err)
	}
	restored("a garbled journal", settled)
	if cm, err = maps.Get(ctx, render.JournalName("main"), metav1.GetOptions{}); err != nil || cm.Data[brokenKey] != "{ half" {
		t.Errorf("what was garbled is lost: %v %v", cm.Data, err)
	}
	if l, err := List(ctx, kube, In("zk"), command.Via{}); len(l.Records) != 1 || len(l.Broken) != 0 || err != nil {
		t.Errorf("listed: %d, broken %v, %v", len(l.Records), l.Broken, err)
	}
}

// TestAConflictOnTheCopyFailsNothing: the journal is saved, and that is what
// counts. The copy is written again, unless somebody's newer one is there.
func TestAConflictOnTheCopyFailsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		conflicts int
		newer     bool
		// kept: the copy is that of the second record.
		kept bool
	}{
		"none":              {0, false, true},
		"one":               {1, false, true},
		"without end":       {1000, false, false},
		"with a newer save": {1, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			kube := versioned(t)
			j := New(kube, "zk", "main")
			if err := j.Create(ctx, record("zk", "main")); err != nil {
				t.Fatal(err)
			}
			left := c.conflicts
			kube.PrependReactor("update", "configmaps", func(action clienttesting.Action) (bool, runtime.Object, error) {
				name := action.(clienttesting.UpdateAction).GetObject().(*corev1.ConfigMap).Name
				if name != render.JournalCopyName("main") || left == 0 {
					return false, nil, nil
				}
				left--
				if c.newer {
					live, err := kube.Tracker().Get(action.GetResource(), "zk", render.JournalName("main"))
					if err != nil {
						t.Error(err)
						return true, nil, err
					}
					next := live.DeepCopyObject().(*corev1.ConfigMap)
					next.ResourceVersion = "999"
					if err := kube.Tracker().Update(action.GetResource(), next, "zk"); err != nil {
						t.Error(err)
					}
				}
				return true, nil, apierrors.NewConflict(action.GetResource().GroupResource(), name, nil)
			})
			second := record("zk", "main")
			second.Settings.InitLimit = 77
			if err := j.Save(ctx, second); err != nil {
				t.Fatalf("the journal is saved, and yet: %v", err)
			}
			got, err := j.Copy(ctx)
			if err != nil || (got.Settings.InitLimit == 77) != c.kept {
				t.Errorf("the copy: initLimit %d, %v", got.Settings.InitLimit, err)
			}
		})
	}
}
