package cli

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// me names this operator in the journal.
func me() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return name + "@" + hostname()
}

func hostname() string {
	host, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return host
}

// holder names this process in the lock: user@host#machine/pid/random.
func holder() string {
	b := make([]byte, 4)
	if _, err := rand.Read(b); err != nil {
		b = []byte{0}
	}
	where := machine()
	if where == "" {
		// Nobody can be compared with us, so nobody is.
		where = fmt.Sprintf("%x", b)
	}
	return fmt.Sprintf("%s#%s/%d/%x", me(), where, os.Getpid(), b)
}

// machine tells what a process id means here from what it means elsewhere: this
// boot of this machine, and within it the container. Hosts' names do not; many
// a jump host and every second container is called localhost. Empty where the
// system does not say.
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	pids, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(string(boot)) + " " + pids))
	return hex.EncodeToString(sum[:4])
}

// ended reports whether a holder was a process of this machine that is gone.
func ended(holder string) bool {
	parts := strings.Split(holder, "/")
	where := machine()
	if len(parts) != 3 || where == "" || !strings.HasSuffix(parts[0], "@"+hostname()+"#"+where) {
		return false
	}
	pid, err := strconv.Atoi(parts[1])
	return err == nil && processGone(pid)
}

// lockPatience is how long a lock that nobody renews is watched: a command
// that died on another machine leaves one behind.
const lockPatience = journal.LeaseDuration + 10*time.Second

// releasePatience bounds the giving back, for somebody who waits for his prompt.
const releasePatience = 5 * time.Second

// acquire takes the lock. One that is renewed while we look is held by a living
// command, which is named; one that is not is waited for.
func (s *session) acquire(ctx context.Context) (*journal.Lock, error) {
	return s.kube.acquire(ctx, journal.Lease{Namespace: s.kube.namespace, Name: s.name})
}

func (k kube) acquire(ctx context.Context, lease journal.Lease) (*journal.Lock, error) {
	lease.Kube, lease.Holder, lease.Dead, lease.Via = k.client, holder(), ended, k.via
	var first *journal.HeldError
	deadline := time.Now().Add(lockPatience)
	var lock *journal.Lock
	err := until(ctx, pollInterval, func(ctx context.Context) (bool, error) {
		var err error
		lock, err = lease.Acquire(ctx)
		held, isHeld := journal.IsHeld(err)
		switch {
		case err == nil:
			return true, nil
		case !isHeld:
			return false, err
		case first == nil:
			first = held
			fmt.Fprintf(k.warn, "%s holds the lock of %s; looking whether it is alive\n", quote.Line(held.Holder), lease.Name)
		case held.Holder == first.Holder && held.Free.Equal(first.Free) && time.Now().After(deadline) && lease.Watched == nil:
			// It says that it is held for long still: its holder's clock was ahead.
			lease.Watched = held
		case held.Holder != first.Holder || held.Free.After(first.Free) || time.Now().After(deadline):
			return false, &refusedError{reason: fmt.Sprintf("%s is at work on %s since %s", quote.Line(held.Holder), lease.Name, held.Since.Local().Format(time.DateTime)),
				next: "let it finish, or interrupt it there"}
		}
		return false, nil
	})
	return lock, err
}

// fence keeps out what a command that died in the middle of an operation may
// have left under way, and this command of an ensemble that was finalized. It comes right
// after the lock and before the first look.
func (s *session) fence(ctx context.Context) error {
	rec, err := s.journal.Load(ctx)
	if journal.IsNotFound(err) || journal.IsBroken(err) {
		return nil // wrap makes it, or puts it back
	}
	if err == nil {
		err = s.ours(rec)
	}
	if err != nil || rec.Flight == nil {
		return err
	}
	return s.takeOver(ctx, rec, rec.Flight.ID)
}

func (s *session) takeOver(ctx context.Context, rec migration.Record, id ensemble.ID) error {
	if err := s.kube.cluster().Fence(ctx, rec, id, holder()); err != nil {
		return fmt.Errorf("taking over the operation on server %s: %w", id, err)
	}
	return nil
}

// fenceResumed does the same for a replaced server that is moved, or whose
// Service and gate are mended: a replace that mends has no operation under way
// to be known by, and a revert writes nothing where there is nothing to take away.
func (s *session) fenceResumed(ctx context.Context, rec migration.Record, id ensemble.MaybeID) error {
	sr, ok := rec.ServerOf(id)
	if !ok || sr.Replaced == nil || rec.Flight != nil {
		return nil
	}
	return s.takeOver(ctx, rec, sr.ID)
}

// lockLost says why a command ends before its time.
func (s *session) lockLost(lost error) error {
	e := &pausedError{
		reason: "the lock was lost, the API server did not answer in time",
		next:   s.kube.at().Ours("status %s", s.name), passing: true,
	}
	var l *journal.LostError
	if held, ok := journal.IsHeld(lost); ok {
		e.passing = false
		e.reason = fmt.Sprintf("the lock was lost, another command has it: %s has held it since %s", quote.Line(held.Holder), held.Since.Local().Format(time.DateTime))
	} else if errors.As(lost, &l) && l.Overslept > 0 {
		e.reason = fmt.Sprintf("this command stood still for %.0f s (did the machine sleep?), so the lock is no longer its own; it did nothing since", l.Overslept.Seconds())
	} else if d, denied := access.DenialIn(lost); denied {
		e.passing = false
		e.reason, e.evidence = "the lock was lost: "+d.String(), d.Evidence()
		e.next = denialHint(d, s.name, s.kube.namespace, e.next)
	}
	return e
}

// held is asked right before a write outside of the engine's loop.
func (s *session) held(ctx context.Context) error {
	if s.lock == nil {
		return nil
	}
	return s.lock.Held(ctx)
}

// lockUntil tells hooks until when nobody else is at work.
func (s *session) lockUntil() func() time.Time {
	if s.lock == nil {
		return nil
	}
	return s.lock.Until
}

// save writes the journal outside of the engine's loop.
func (s *session) save(ctx context.Context, rec migration.Record) error {
	if err := s.held(ctx); err != nil {
		return err
	}
	return s.journal.Save(ctx, rec)
}

// locked runs f while holding the ensemble's lock; the context f gets ends when
// the lock is lost.
func (s *session) locked(ctx context.Context, f func(context.Context) error) error {
	lock, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	s.lock, s.engine.Lock = lock, lock
	return s.kube.whileHeld(ctx, lock, s.lockLost, func(ctx context.Context) error {
		if err := s.fence(ctx); err != nil {
			return err
		}
		return f(ctx)
	})
}

// whileHeld runs f while a lock is held, and gives it back; lostAs says why f ended before
// its time.
func (k kube) whileHeld(ctx context.Context, lock *journal.Lock, lostAs func(error) error, f func(context.Context) error) error {
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-lock.Lost():
			cancel(lostAs(lock.Err()))
		case <-work.Done():
		}
	}()
	err := f(work)
	if lost := lock.Err(); err != nil && ctx.Err() == nil && lost != nil {
		err = lostAs(lost)
	}
	// The lock is given back also when the caller's time is over, and what was
	// done is done also when the API server is gone by now.
	release, stop := context.WithTimeout(context.WithoutCancel(ctx), releasePatience)
	defer stop()
	if releaseErr := lock.Release(release); releaseErr != nil {
		fmt.Fprintf(k.warn, "Warning: %v; it is free %s after its last renewal\n", releaseErr, journal.LeaseDuration)
	}
	return err
}
