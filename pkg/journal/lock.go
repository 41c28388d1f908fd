package journal

import (
	"context"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Lock is a lock that is held.
type Lock struct {
	lease Lease
	lost  chan struct{}
	done  chan struct{}
	stop  context.CancelFunc

	mu     sync.Mutex
	object *coordinationv1.Lease
	reason error
}

// hold starts the renewal.
func (l Lease) hold(ctx context.Context, object *coordinationv1.Lease) *Lock {
	ctx, cancel := context.WithCancel(ctx)
	k := &Lock{lease: l, lost: make(chan struct{}), done: make(chan struct{}), stop: cancel, object: object}
	go k.renew(ctx)
	return k
}

// Lost is closed when the lock is no longer ours: taken by somebody else, or
// not renewed in time.
func (k *Lock) Lost() <-chan struct{} { return k.lost }

// Err says why it was lost; nil while it is held.
func (k *Lock) Err() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reason
}

// renew keeps the lock. API errors are tried again until the lock's own time is
// over; a conflict means that somebody else has it.
func (k *Lock) renew(ctx context.Context) {
	defer close(k.done)
	tick := time.NewTicker(k.lease.Renew)
	defer tick.Stop()
	renewed := k.lease.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := k.renewOnce(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			renewed = k.lease.Now()
		case apierrors.IsConflict(err) || apierrors.IsNotFound(err):
			k.lose(k.lease.heldNow(ctx, err))
			return
		case k.lease.Now().Sub(renewed) >= k.lease.Duration-k.lease.Renew:
			k.lose(k.lease.failed("renew", err))
			return
		}
	}
}

func (k *Lock) renewOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.lease.Renew)
	defer cancel()
	return k.write(ctx, func(l *coordinationv1.Lease) {
		now := metav1.NewMicroTime(k.lease.Now())
		l.Spec.RenewTime = &now
	})
}

// write changes the lease. A conflict is looked into once: a write of ours
// whose answer got lost leaves the lock ours in another version.
func (k *Lock) write(ctx context.Context, change func(*coordinationv1.Lease)) error {
	api := k.lease.Kube.CoordinationV1().Leases(k.lease.Namespace)
	k.mu.Lock()
	defer k.mu.Unlock()
	next := k.object.DeepCopy()
	change(next)
	written, err := api.Update(ctx, next, metav1.UpdateOptions{FieldManager: FieldManager})
	if apierrors.IsConflict(err) {
		live, getErr := api.Get(ctx, next.Name, metav1.GetOptions{})
		if getErr != nil || holderOf(live) != k.lease.Holder {
			return err
		}
		change(live)
		written, err = api.Update(ctx, live, metav1.UpdateOptions{FieldManager: FieldManager})
	}
	if err != nil {
		return err
	}
	k.object = written
	return nil
}

func (k *Lock) lose(reason error) {
	k.mu.Lock()
	k.reason = reason
	k.mu.Unlock()
	close(k.lost)
}

// Release gives the lock back, so that the next command need not wait. The
// context is the caller's own, for the command's may have ended. A lock that
// was lost is not touched.
func (k *Lock) Release(ctx context.Context) error {
	k.stop()
	<-k.done
	if k.Err() != nil {
		return nil //nolint:nilerr // lost is no failure of giving it back
	}
	err := k.write(ctx, func(l *coordinationv1.Lease) {
		nobody := ""
		l.Spec.HolderIdentity, l.Spec.RenewTime, l.Spec.AcquireTime = &nobody, nil, nil
	})
	if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		return k.lease.failed("release", err)
	}
	return nil
}

