package journal

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func lease(kube *fake.Clientset, c *clock, holder string) Lease {
	return Lease{Kube: kube, Namespace: "zk", Name: "main", Holder: holder, Now: c.now,
		Duration: 30 * time.Second, Renew: 5 * time.Millisecond}
}

func TestLeaseIsRefusedByName(t *testing.T) {
	ctx, c := context.Background(), &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	kube := versioned(t)
	lock, err := lease(kube, c, "alice@laptop/1/a").Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lease(kube, c, "bob@server/2/b").Acquire(ctx)
	held, ok := IsHeld(err)
	if !ok || held.Holder != "alice@laptop/1/a" || !strings.Contains(err.Error(), "refused: alice@laptop/1/a holds") ||
		!strings.Contains(err.Error(), "since 2026-01-02T03:04:05Z") {
		t.Errorf("got %v", err)
	}
	if err := lock.Release(ctx); err != nil {
		t.Fatal(err)
	}
	second, err := lease(kube, c, "bob@server/2/b").Acquire(ctx)
	if err != nil {
		t.Fatalf("after Release: %v", err)
	}
	if err := second.Release(ctx); err != nil {
		t.Fatal(err)
	}
}

// A dead holder's lock: refused before its end, taken after it.
func TestLeaseIsTakenOnlyAfterItsEnd(t *testing.T) {
	for name, next := range map[string]string{"same machine": "alice@laptop/2/b", "other machine": "bob@server/3/c"} {
		t.Run(name, func(t *testing.T) {
			ctx, c := context.Background(), &clock{at: time.Unix(1000, 0)}
			kube := versioned(t)
			dying, kill := context.WithCancel(ctx)
			lock, err := lease(kube, c, "alice@laptop/1/a").Acquire(dying)
			if err != nil {
				t.Fatal(err)
			}
			kill()
			<-lock.done
			c.forward(29 * time.Second)
			if _, err := lease(kube, c, next).Acquire(ctx); err == nil {
				t.Fatal("taken before its end")
			}
			c.forward(2 * time.Second)
			second, err := lease(kube, c, next).Acquire(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if err := second.Release(ctx); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A clock that is ahead must not take a living lock of another machine.
func TestLeaseOfALivingHolderSurvivesAClockAhead(t *testing.T) {
	ctx, c := context.Background(), &clock{at: time.Unix(1000, 0)}
	ahead := &clock{at: time.Unix(9000, 0)}
	kube := versioned(t)
	lock, err := lease(kube, c, "alice@laptop/1/a").Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release(ctx) }()
	other := lease(kube, ahead, "bob@server/2/b")
	other.Renew = 200 * time.Millisecond
	if _, err := other.Acquire(ctx); err == nil {
		t.Error("taken from a living holder")
	} else if _, ok := IsHeld(err); !ok {
		t.Error(err)
	}
	select {
	case <-lock.Lost():
		t.Errorf("the first holder lost it: %v", lock.Err())
	default:
	}
}

func TestLeaseIsLostWhenTaken(t *testing.T) {
	ctx, c := context.Background(), &clock{at: time.Unix(1000, 0)}
	kube := versioned(t)
	lock, err := lease(kube, c, "alice@laptop/1/a").Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	api := kube.CoordinationV1().Leases("zk")
	// The thief may lose the race against a renewal; it tries again.
	for {
		live, err := api.Get(ctx, "main-zkmigrate", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		thief := "bob@server/2/b"
		live.Spec.HolderIdentity = &thief
		if _, err = api.Update(ctx, live, metav1.UpdateOptions{}); err == nil {
			break
		}
	}
	select {
	case <-lock.Lost():
	case <-time.After(10 * time.Second):
		t.Fatal("the loss was not noticed")
	}
	if held, ok := IsHeld(lock.Err()); !ok || held.Holder != "bob@server/2/b" {
		t.Errorf("reason: %v", lock.Err())
	}
	if err := lock.Release(ctx); err != nil {
		t.Fatal(err)
	}
	live, err := api.Get(ctx, "main-zkmigrate", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if holderOf(live) != "bob@server/2/b" {
		t.Error("Release took the lock away from its new holder")
	}
}

// Errors of the API server do not cost the lock until its time is over; then
// the holder must stop, for somebody else may hold it.
func TestLeaseOutlivesErrorsUntilItsEnd(t *testing.T) {
	ctx, c := context.Background(), &clock{at: time.Unix(1000, 0)}
	kube := versioned(t)
	failures := make(chan struct{}, 1000)
	kube.PrependReactor("update", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		select {
		case failures <- struct{}{}:
		default:
		}
		return true, nil, errors.New("connection refused")
	})
	lock, err := lease(kube, c, "alice@laptop/1/a").Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		<-failures
	}
	select {
	case <-lock.Lost():
		t.Fatal("lost at the first errors")
	default:
	}
	c.forward(31 * time.Second)
	select {
	case <-lock.Lost():
	case <-time.After(10 * time.Second):
		t.Fatal("held past its end")
	}
}

// A holder that died with its clock an hour ahead left a lock that lasts an hour
// by ours; who has watched it for longer than a living one lets pass takes it.
func TestLeaseOfADeadHolderWithAClockAhead(t *testing.T) {
	ctx, c := context.Background(), &clock{at: time.Unix(1000, 0)}
	kube := versioned(t)
	dying, kill := context.WithCancel(ctx)
	lock, err := lease(kube, &clock{at: time.Unix(4600, 0)}, "alice@laptop/1/a").Acquire(dying)
	if err != nil {
		t.Fatal(err)
	}
	kill()
	<-lock.done
	next := lease(kube, c, "bob@server/2/b")
	_, err = next.Acquire(ctx)
	held, ok := IsHeld(err)
	if !ok {
		t.Fatal(err)
	}
	other := *held
	other.Free = other.Free.Add(-time.Second)
	next.Watched = &other
	if _, err := next.Acquire(ctx); err == nil {
		t.Error("taken though it was renewed since it was watched")
	}
	next.Watched = held
	second, err := next.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Release(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestAHolderThatSleptHoldsNothing: on a machine that sleeps the renewal does not
// run, and its clock for time-outs stands still; the wall's goes on. Whoever wakes
// up asks before it acts, and learns it though nobody has told it.
func TestAHolderThatSleptHoldsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		slept time.Duration
		taken bool
		want  bool
	}{
		"did not sleep":            {0, false, true},
		"slept a little":           {20 * time.Second, false, true},
		"slept, nobody took it":    {31 * time.Second, false, false},
		"slept, another has it":    {31 * time.Second, true, false},
		"taken while it looked on": {0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, clock := t.Context(), &clock{at: time.Unix(1000, 0)}
			kube := versioned(t)
			l := lease(kube, clock, "alice@laptop/1/a")
			l.Renew = time.Hour // the renewal does not run either
			lock, err := l.Acquire(ctx)
			if err != nil {
				t.Fatal(err)
			}
			clock.forward(c.slept)
			if c.taken {
				thief := lease(kube, clock, "bob@server/2/b")
				thief.Dead = func(string) bool { return true }
				if _, err := thief.Acquire(ctx); err != nil {
					t.Fatal(err)
				}
			}
			err = lock.Held(ctx)
			if (err == nil) != c.want {
				t.Fatalf("held: %v", err)
			}
			select {
			case <-lock.Lost():
				if c.want {
					t.Error("the lock counts as lost")
				}
			default:
				if !c.want {
					t.Error("the lock does not count as lost")
				}
			}
			if _, held := IsHeld(err); held != c.taken {
				t.Errorf("who has it: %v", err)
			}
			if err := lock.Release(ctx); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestALateRenewalDoesNotHideASleep: a renewal that comes after the lock's time
// must not make it look as if it had been held throughout.
func TestALateRenewalDoesNotHideASleep(t *testing.T) {
	ctx, c := t.Context(), &clock{at: time.Unix(1000, 0)}
	lock, err := lease(versioned(t), c, "alice@laptop/1/a").Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c.forward(time.Hour)
	select {
	case <-lock.Lost():
	case <-time.After(10 * time.Second):
		t.Fatal("renewed after an hour")
	}
	var l *LostError
	if !errors.As(lock.Err(), &l) || l.Overslept < 30*time.Second {
		t.Errorf("the reason: %v", lock.Err())
	}
}
