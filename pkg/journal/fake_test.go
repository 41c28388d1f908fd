package journal

import (
	"strconv"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// versioned is a fake API server that keeps resourceVersions as the real one
// does; client-go's own fake lets every update through.
func versioned(t *testing.T, objects ...runtime.Object) *fake.Clientset {
	t.Helper()
	kube := fake.NewClientset(objects...)
	var mu sync.Mutex
	version := 100
	next := func(o runtime.Object) error {
		a, err := meta.Accessor(o)
		if err != nil {
			return err
		}
		version++
		a.SetResourceVersion(strconv.Itoa(version))
		return nil
	}
	kube.PrependReactor("create", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		return false, nil, next(action.(clienttesting.CreateAction).GetObject())
	})
	kube.PrependReactor("update", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		sent, err := meta.Accessor(action.(clienttesting.UpdateAction).GetObject())
		if err != nil {
			return true, nil, err
		}
		live, err := kube.Tracker().Get(action.GetResource(), action.GetNamespace(), sent.GetName())
		if err != nil {
			return true, nil, err
		}
		have, err := meta.Accessor(live)
		if err != nil {
			return true, nil, err
		}
		if sent.GetResourceVersion() != have.GetResourceVersion() {
			return true, nil, apierrors.NewConflict(action.GetResource().GroupResource(), sent.GetName(), nil)
		}
		return false, nil, next(action.(clienttesting.UpdateAction).GetObject())
	})
	return kube
}

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
