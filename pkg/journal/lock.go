package journal

import (
	"context"
	"fmt"
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
	// renewed is what the clock said right before the lock was last renewed.
	renewed time.Time
	reason  error
}

// LostError says that a lock is no longer held.
type LostError struct {
	// Overslept is for how long it was not renewed, when that is why.
	Overslept time.Duration
	Err       error
}

func (e *LostError) Error() string {
	if e.Overslept > 0 {
		return fmt.Sprintf("the lock was lost: it was not renewed for %.0f s, so another command may hold it", e.Overslept.Seconds())
	}
	return "the lock was lost: " + e.Err.Error()
}

// Unwrap returns who holds it, or why it could not be renewed.
func (e *LostError) Unwrap() error { return e.Err }

// Permanent says that trying again does not help.
func (e *LostError) Permanent() bool { return true }

// hold starts the renewal.
func (l Lease) hold(ctx context.Context, object *coordinationv1.Lease) *Lock {
	ctx, cancel := context.WithCancel(ctx)
	k := &Lock{lease: l, lost: make(chan struct{}), done: make(chan struct{}), stop: cancel, object: object, renewed: l.Now()}
	if at := object.Spec.RenewTime; at != nil {
		k.renewed = at.Time
	}
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

// Held is asked right before an act. The renewal alone is not enough: on a
// machine that slept, or in a process that was stopped, it has not run either.
// The API server says whose the lock is; then our own clock says whether it
// could have been taken since it was last renewed. A lock whose time is over is
// lost, also when nobody has taken it yet.
func (k *Lock) Held(ctx context.Context) error {
	if err := k.Err(); err != nil {
		return err
	}
	live, err := k.lease.Kube.CoordinationV1().Leases(k.lease.Namespace).Get(ctx, k.lease.object(), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		k.lose(&LostError{Err: k.lease.failed("read", err)})
	case err != nil:
		return k.lease.failed("read", err)
	case holderOf(live) != k.lease.Holder:
		k.lose(&LostError{Err: k.lease.held(live)})
	}
	if age := k.age(); age >= k.lease.Duration {
		k.lose(&LostError{Overslept: age})
	}
	return k.Err()
}

// Until is when the lock's time is over, by this machine's clock, unless it is
// renewed before.
func (k *Lock) Until() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.renewed.Add(k.lease.Duration)
}

// age is how long ago the lock was renewed, by whichever of the two clocks says
// more: the monotonic one stands still while the machine sleeps, and the wall's
// may be set back.
func (k *Lock) age() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.lease.Now()
	return max(now.Sub(k.renewed), now.Round(0).Sub(k.renewed.Round(0)))
}

// renew keeps the lock. API errors are tried again until the lock's own time is
// over; a conflict means that somebody else has it.
func (k *Lock) renew(ctx context.Context) {
	defer close(k.done)
	tick := time.NewTicker(k.lease.Renew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if age := k.age(); age >= k.lease.Duration {
			// Renewing it now would hide that it could have been taken meanwhile.
			k.lose(&LostError{Overslept: age})
			return
		}
		err := k.renewOnce(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
		case apierrors.IsConflict(err) || apierrors.IsNotFound(err):
			k.lose(&LostError{Err: k.lease.heldNow(ctx, err)})
			return
		case k.age() >= k.lease.Duration-k.lease.Renew:
			k.lose(&LostError{Err: k.lease.failed("renew", err)})
			return
		}
	}
}

func (k *Lock) renewOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.lease.Renew)
	defer cancel()
	at := k.lease.Now()
	err := k.write(ctx, func(l *coordinationv1.Lease) {
		now := metav1.NewMicroTime(at)
		l.Spec.RenewTime = &now
	})
	if err == nil {
		k.mu.Lock()
		k.renewed = at
		k.mu.Unlock()
	}
	return err
}

// write changes the lease. A conflict is looked into once: a write of ours
// whose answer got lost leaves the lock ours in another version.
func (k *Lock) write(ctx context.Context, change func(*coordinationv1.Lease)) error {
	api := k.lease.Kube.CoordinationV1().Leases(k.lease.Namespace)
	k.mu.Lock()
	next := k.object.DeepCopy()
	k.mu.Unlock()
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
	k.mu.Lock()
	k.object = written
	k.mu.Unlock()
	return nil
}

// lose keeps the first reason.
func (k *Lock) lose(reason error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.reason == nil {
		k.reason = reason
		close(k.lost)
	}
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
