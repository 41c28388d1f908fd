package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
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
	// Object is the Lease's name.
	Namespace, Name, Object string
	// Holder is "user@host#machine/pid/random".
	Holder string
	Since  time.Time
	// Free is when the lock can be taken, should its holder be dead.
	Free time.Time
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("refused: %s holds %q since %s (Lease %s/%s); if that command is dead, the lock is free at %s",
		quote.Line(e.Holder), e.Name, e.Since.Format(time.RFC3339), e.Namespace, e.Object, e.Free.Format(time.RFC3339))
}

// IsHeld returns the HeldError in err, if there is one.
func IsHeld(err error) (*HeldError, bool) {
	var e *HeldError
	ok := errors.As(err, &e)
	return e, ok
}

// Lease takes the lock of one ensemble, or of a fleet's run. The lock is advice among well-behaved
// commands: a command that slept past its end is stopped by the journal's
// resourceVersion and the preconditions of every write.
type Lease struct {
	Kube      kubernetes.Interface
	Namespace string
	// Name is the ensemble's, or with Fleet the fleet's.
	Name  string
	Fleet bool
	// Holder is "user@host#machine/pid/random".
	Holder string
	// Via is put into the commands that errors name.
	Via command.Via
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

// Acquire takes the lock, or fails with HeldError. A lock whose time is over is
// taken: at once when its holder ran on this machine, whose clock is ours; from
// another machine only when it is not renewed for longer than a renewal takes
// while we watch, for the two clocks may differ. The lock is renewed until the
// context ends or Release is called.
func (l Lease) Acquire(ctx context.Context) (*Lock, error) {
	l = l.defaults()
	api := l.Kube.CoordinationV1().Leases(l.Namespace)
	live, err := api.Get(ctx, l.object(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		fresh := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
			Name: l.object(), Namespace: l.Namespace, Labels: l.labels(),
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

// object is the name of the Lease.
func (l Lease) object() string {
	if l.Fleet {
		return render.FleetName(l.Name)
	}
	return render.JournalName(l.Name)
}

func (l Lease) labels() map[string]string {
	if l.Fleet {
		return render.FleetLabels(l.Name)
	}
	return render.Labels(l.Name)
}

// Who says who holds the lock, and until when unless it is renewed; nobody where it is free
// or was never taken.
func (l Lease) Who(ctx context.Context) (holder string, until time.Time, err error) {
	live, err := l.Kube.CoordinationV1().Leases(l.Namespace).Get(ctx, l.object(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, l.failed("read", err)
	}
	return holderOf(live), endOf(live), nil
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
	live, err := l.Kube.CoordinationV1().Leases(l.Namespace).Get(ctx, l.object(), metav1.GetOptions{})
	if err != nil {
		return l.failed("take", cause)
	}
	return l.held(live)
}

func (l Lease) held(live *coordinationv1.Lease) error {
	e := &HeldError{Namespace: l.Namespace, Name: l.Name, Object: l.object(), Holder: holderOf(live), Free: endOf(live)}
	if live.Spec.AcquireTime != nil {
		e.Since = live.Spec.AcquireTime.Time
	}
	return e
}

func (l Lease) failed(verb string, err error) error {
	if verb == "create" && apierrors.IsNotFound(err) {
		return fmt.Errorf("there is no namespace %s: %s: %w", l.Namespace, command.At{Via: l.Via}.Kubectl("create namespace %s", l.Namespace), err)
	}
	return fmt.Errorf("cannot %s the lock in Lease %s/%s: %w", verb, l.Namespace, l.object(), err)
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
