package journal

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// TestDelete: the copy before the journal, and each only as it was read.
func TestDelete(t *testing.T) {
	ctx := t.Context()
	kube := versioned(t)
	j := New(kube, "zk", "main")
	if err := j.Delete(ctx); err == nil {
		t.Error("what was never read is deleted")
	}
	if err := j.Create(ctx, record("zk", "main")); err != nil {
		t.Fatal(err)
	}
	if err := j.Delete(ctx); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range kube.Actions() {
		d, ok := a.(clienttesting.DeleteActionImpl)
		if !ok {
			continue
		}
		names = append(names, d.Name)
		if p := d.DeleteOptions.Preconditions; p == nil || p.UID == nil || p.ResourceVersion == nil || *p.ResourceVersion == "" {
			t.Errorf("%s is deleted with preconditions %+v", d.Name, p)
		}
	}
	if diff := cmp.Diff([]string{"main-zkmigrate-copy", "main-zkmigrate"}, names); diff != "" {
		t.Error(diff)
	}
	if _, err := j.Load(ctx); !IsNotFound(err) {
		t.Errorf("after that: %v", err)
	}
	if err := j.Delete(ctx); err != nil {
		t.Errorf("once more: %v", err)
	}
}

// TestAJournalThatWasWrittenMeanwhileStays: the API server refuses an old version.
func TestAJournalThatWasWrittenMeanwhileStays(t *testing.T) {
	kube := versioned(t)
	j := New(kube, "zk", "main")
	if err := j.Create(t.Context(), record("zk", "main")); err != nil {
		t.Fatal(err)
	}
	kube.PrependReactor("delete", "configmaps", func(a clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewConflict(a.GetResource().GroupResource(), "main-zkmigrate", errors.New("the resourceVersion is another one"))
	})
	if err := j.Delete(t.Context()); !IsStale(err) {
		t.Errorf("%v", err)
	}
}

// TestLockRemoved: the lock goes, and giving it back afterwards is no error.
func TestLockRemoved(t *testing.T) {
	kube := fake.NewClientset()
	lock, err := Lease{Kube: kube, Namespace: "zk", Name: "main", Holder: "me@here#1/2/3"}.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(t.Context()); err != nil {
		t.Errorf("giving it back: %v", err)
	}
	if _, err := kube.CoordinationV1().Leases("zk").Get(t.Context(), "main-zkmigrate", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the lock is still there: %v", err)
	}
}
