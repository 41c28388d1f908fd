package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Timing of the lock.
const (
	// LeaseDuration is how long a lock outlives its holder.
	LeaseDuration = 30 * time.Second
	// RenewInterval is how often a living holder renews it.
	RenewInterval = 10 * time.Second
)

// HeldError says who holds the lock.
type HeldError struct {
	Namespace, Name string
	// Holder is "user@host#machine/pid/random".
	Holder string
	Since  time.Time
	// Free is when the lock can be taken, should its holder be dead.
	Free time.Time
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("refused: %s holds ensemble %q since %s (Lease %s/%s); if that command is dead, the lock is free at %s",
		e.Holder, e.Name, e.Since.Format(time.RFC3339), e.Namespace, render.JournalName(e.Name), e.Free.Format(time.RFC3339))
}

// IsHeld returns the HeldError in err, if there is one.
func IsHeld(err error) (*HeldError, bool) {
	var e *HeldError
	ok := errors.As(err, &e)
	return e, ok
}

// Lease takes the lock of one ensemble. The lock is advice among well-behaved
// commands: a command that slept past its end is stopped by the journal's
// resourceVersion and the preconditions of every write.
type Lease struct {
	Kube      kubernetes.Interface
	Namespace string
	Name      string
	// Holder is "user@host#machine/pid/random".
	Holder string
	// Duration and Renew are LeaseDuration and RenewInterval when zero.
	Duration, Renew time.Duration
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Dead reports whether a holder is known to have ended (a process of this
	// machine); its lock is taken at once. Nil knows of none.
	Dead func(holder string) bool
	// Watched is a lock that the caller has seen without a renewal for longer
	// than LeaseDuration by its own clock: it is taken, whatever end it names,
	// for that is by a clock that may be wrong.
	Watched *HeldError
}

func (l Lease) defaults() Lease {
	if l.Duration == 0 {
		l.Duration = LeaseDuration
	}
	if l.Renew == 0 {
		l.Renew = RenewInterval
	}
	if l.Now == nil {
		l.Now = time.Now
	}
	return l
}

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

// Acquire takes the lock, or fails with HeldError. A lock whose time is over is
// taken: at once when its holder ran on this machine, whose clock is ours; from
// another machine only when it is not renewed for longer than a renewal takes
// while we watch, for the two clocks may differ. The lock is renewed until the
// context ends or Release is called.
func (l Lease) Acquire(ctx context.Context) (*Lock, error) {
	l = l.defaults()
	api := l.Kube.CoordinationV1().Leases(l.Namespace)
	live, err := api.Get(ctx, render.JournalName(l.Name), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		fresh := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
			Name: render.JournalName(l.Name), Namespace: l.Namespace, Labels: render.Labels(l.Name),
		}}
		made, err := api.Create(ctx, l.take(fresh), metav1.CreateOptions{FieldManager: FieldManager})
		if apierrors.IsAlreadyExists(err) {
			return nil, l.heldNow(ctx, err)
		}
		if err != nil {
			return nil, l.failed("create", err)
		}
		return l.hold(ctx, made), nil
	}
	if err != nil {
		return nil, l.failed("read", err)
	}
	if err := l.free(ctx, live); err != nil {
		return nil, err
	}
	taken, err := api.Update(ctx, l.take(live), metav1.UpdateOptions{FieldManager: FieldManager})
	if apierrors.IsConflict(err) {
		return nil, l.heldNow(ctx, err)
	}
	if err != nil {
		return nil, l.failed("take", err)
	}
	return l.hold(ctx, taken), nil
}

// free returns nil when the lock may be taken in the version given.
func (l Lease) free(ctx context.Context, live *coordinationv1.Lease) error {
	holder, end := holderOf(live), endOf(live)
	if holder == "" || holder == l.Holder || l.Dead != nil && l.Dead(holder) {
		return nil
	}
	if w := l.Watched; w != nil && w.Holder == holder && w.Free.Equal(end) {
		return nil
	}
	if l.Now().Before(end) {
		return l.held(live)
	}
	if machine(holder) == machine(l.Holder) {
		return nil
	}
	// The update that follows fails when the lock is renewed meanwhile; there
	// is nothing to compare here but time to give.
	timer := time.NewTimer(l.Renew + l.Renew/5)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// take writes us into the lease; the resourceVersion that was read stays.
func (l Lease) take(live *coordinationv1.Lease) *coordinationv1.Lease {
	next := live.DeepCopy()
	now := metav1.NewMicroTime(l.Now())
	seconds := int32((l.Duration + time.Second - 1) / time.Second)
	transitions := int32(1)
	if t := live.Spec.LeaseTransitions; t != nil {
		transitions = *t + 1
	}
	next.Spec = coordinationv1.LeaseSpec{
		HolderIdentity: &l.Holder, LeaseDurationSeconds: &seconds,
		AcquireTime: &now, RenewTime: &now, LeaseTransitions: &transitions,
	}
	return next
}

// heldNow names who was faster.
func (l Lease) heldNow(ctx context.Context, cause error) error {
	live, err := l.Kube.CoordinationV1().Leases(l.Namespace).Get(ctx, render.JournalName(l.Name), metav1.GetOptions{})
	if err != nil {
		return l.failed("take", cause)
	}
	return l.held(live)
}

func (l Lease) held(live *coordinationv1.Lease) error {
	e := &HeldError{Namespace: l.Namespace, Name: l.Name, Holder: holderOf(live), Free: endOf(live)}
	if live.Spec.AcquireTime != nil {
		e.Since = live.Spec.AcquireTime.Time
	}
	return e
}

func (l Lease) failed(verb string, err error) error {
	if verb == "create" && apierrors.IsNotFound(err) {
		return fmt.Errorf("there is no namespace %s: kubectl create namespace %s: %w", l.Namespace, l.Namespace, err)
	}
	return fmt.Errorf("cannot %s the lock in Lease %s/%s: %w", verb, l.Namespace, render.JournalName(l.Name), err)
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

func holderOf(l *coordinationv1.Lease) string {
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

// endOf is when the lock's time is over.
func endOf(l *coordinationv1.Lease) time.Time {
	if l.Spec.RenewTime == nil || l.Spec.LeaseDurationSeconds == nil {
		return time.Time{}
	}
	return l.Spec.RenewTime.Add(time.Duration(*l.Spec.LeaseDurationSeconds) * time.Second)
}

// machine is the part of a holder's name that says where it runs.
func machine(holder string) string {
	where, _, _ := strings.Cut(holder, "/")
	return where
}
