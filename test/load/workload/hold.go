package workload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
)

const (
	// heldWatches are set at the start and fire at the end, whatever happened
	// to servers and connections in between.
	heldWatches = 20
	// firePatience is how long a watch may take to fire after the change was
	// acknowledged; a reconnect may lie in between.
	firePatience = 30 * time.Second
	cycleEvery   = 250 * time.Millisecond
	lookEvery    = time.Second
)

// ephemeral is the znode the holder's session keeps.
type ephemeral struct {
	path  string
	owner int64
	czxid int64
	held  bool
}

func (r *Run) held(i int) string { return fmt.Sprintf("%s/held/%d", r.root, i) }
func (r *Run) cycle() string     { return r.root + "/cycle" }

func (r *Run) openEphemeral() error {
	path := r.root + "/ephemeral/held"
	if op := r.ephemeral(r.holder, path); op.Result != history.OK {
		return fmt.Errorf("create the ephemeral znode: %s", op.Error)
	}
	_, stat, err := r.holder.Get(path)
	if err != nil {
		return fmt.Errorf("read the ephemeral znode: %w", err)
	}
	r.eph = ephemeral{path: path, owner: stat.EphemeralOwner, czxid: stat.Czxid, held: true}
	return nil
}

// watchEphemeral looks for the ephemeral znode with another session's eyes.
func (r *Run) watchEphemeral(ctx context.Context) {
	for ctx.Err() == nil {
		r.lookEphemeral()
		pauseFor(ctx, lookEvery)
	}
}

// lookEphemeral reports whether it could look.
func (r *Run) lookEphemeral() bool {
	r.mu.Lock()
	eph := r.eph
	r.mu.Unlock()
	op, czxid := r.look(eph.path)
	if op.Result != history.OK {
		return false
	}
	if op.Owner == history.SessionName(eph.owner) && czxid == eph.czxid {
		return true
	}
	r.mu.Lock()
	first := r.eph.held
	r.eph.held = false
	r.mu.Unlock()
	if first {
		r.trouble("the ephemeral znode %s of session 0x%x is gone", eph.path, uint64(eph.owner))
	}
	return true
}

// checkEphemeral has the last word.
func (r *Run) checkEphemeral() {
	ctx, cancel := context.WithTimeout(context.Background(), firePatience)
	defer cancel()
	if !r.persist(ctx, func() error {
		if !r.lookEphemeral() {
			return errors.New("not read")
		}
		return nil
	}) {
		r.trouble("the ephemeral znode could not be read at the end")
		r.mu.Lock()
		r.eph.held = false
		r.mu.Unlock()
	}
}

// persist repeats f until it has no error; false when ctx ends first.
func (r *Run) persist(ctx context.Context, f func() error) bool {
	for ctx.Err() == nil {
		if f() == nil {
			return true
		}
		pauseFor(ctx, 50*time.Millisecond)
	}
	return false
}

// armHeld sets the watches that stay. A client that is moved meanwhile loses
// its connection under the call; asking again harms nothing.
func (r *Run) armHeld(ctx context.Context) error {
	// What was begun is finished even when the run is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), firePatience)
	defer cancel()
	for i := range heldWatches {
		var err error
		if !r.persist(ctx, func() error { err = r.watch(r.held(i)); return err }) {
			return fmt.Errorf("watch %s: %w", r.held(i), err)
		}
	}
	r.mu.Lock()
	r.watches.Set += heldWatches
	r.mu.Unlock()
	return nil
}

// fireHeld changes every watched znode and waits for the events.
func (r *Run) fireHeld() {
	ctx, cancel := context.WithTimeout(context.Background(), firePatience)
	defer cancel()
	for i := range heldWatches {
		path := r.held(i)
		early := r.holder.Fired(path)
		if early > 0 {
			r.trouble("the watch on %s fired before anything changed there", path)
		}
		if !r.change(ctx, path) {
			r.trouble("%s could not be changed at the end", path)
		}
	}
	if n := len(r.holder.Stats().Sessions); n > 1 {
		cancel() // watches went with the session that set them: no need to wait
		r.trouble("the holder had %d sessions: what the first one watched is not watched any more", n)
	}
	for i := range heldWatches {
		path := r.held(i)
		r.await(ctx, path, 0)
	}
}

// cycleWatches sets a watch, changes the znode, waits for the event, and so on.
// A change whose outcome is unknown is repeated until one is acknowledged: by
// then the watch must have fired, once.
func (r *Run) cycleWatches(ctx context.Context) {
	path := r.cycle()
	for ctx.Err() == nil {
		before := r.holder.Fired(path)
		if err := r.watch(path); err != nil {
			pauseFor(ctx, 50*time.Millisecond)
			continue
		}
		r.mu.Lock()
		r.watches.Set++
		r.mu.Unlock()
		// What was begun is finished even when the run is over.
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), firePatience)
		if r.change(patience, path) {
			r.await(patience, path, before)
		} else {
			r.trouble("%s could not be changed for %s", path, firePatience)
		}
		cancel()
		pauseFor(ctx, cycleEvery)
	}
}

func (r *Run) change(ctx context.Context, path string) bool {
	return r.persist(ctx, func() error {
		op := history.Op{Process: "changer", Op: history.Set, Key: path, Value: time.Now().UTC().Format(time.RFC3339Nano)}
		if r.do(&op); op.Result != history.OK {
			return errors.New(op.Error)
		}
		return nil
	})
}

// watch registers one watch of the holder.
func (r *Run) watch(path string) error {
	op := history.Op{Process: "holder", Op: history.Watch, Key: path}
	r.within(r.holder, &op, func() error {
		value, stat, _, err := r.holder.GetW(path)
		if err == nil {
			op.Value, op.Version, op.Zxid = string(value), stat.Version, stat.Mzxid
		}
		return err
	})
	r.rec.Record(op)
	if op.Result != history.OK {
		return errors.New(op.Error)
	}
	return nil
}

// await counts the event of a watch on path, given how many came before it.
func (r *Run) await(ctx context.Context, path string, before int) {
	here := func() bool { return r.holder.Fired(path) > before }
	fired := here() || r.persist(ctx, func() error {
		if here() {
			return nil
		}
		return errors.New("not yet")
	})
	r.mu.Lock()
	if fired {
		r.watches.Fired++
	} else {
		r.watches.Missed++
	}
	r.mu.Unlock()
	if !fired {
		r.trouble("the watch on %s did not fire within %s", path, firePatience)
	}
}

// countDuplicates compares all events that came with the watches that fired; a
// second event of one watch may come late.
func (r *Run) countDuplicates() {
	events := r.holder.Fired(r.cycle())
	for i := range heldWatches {
		events += r.holder.Fired(r.held(i))
	}
	r.mu.Lock()
	extra := events - r.watches.Fired
	r.watches.Duplicate = max(extra, 0)
	r.mu.Unlock()
	if extra > 0 {
		r.trouble("%d watch events more than watches", extra)
	}
}
