// Package workload uses an ensemble the way applications do, while something
// happens to it: one session that holds an ephemeral znode and watches, one
// that writes, one that reads.
package workload

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/client"
	"github.com/zkmigrate/kubectl-zkmigrate/test/load/history"
	"github.com/zkmigrate/kubectl-zkmigrate/test/load/stats"
)

// Options describe a run.
type Options struct {
	Connect []string
	// Name is part of the root znode's name.
	Name string
	// History is the file operations go to.
	History string
	// Session is the session timeout to ask for.
	Session time.Duration
	// Writers and Readers count goroutines; each waits Pace after an operation.
	Writers, Readers int
	Pace             time.Duration
	// VisitEvery is the pause between short sessions, each with an ephemeral
	// znode of its own; 0: none.
	VisitEvery time.Duration
	// Registers is how many registers all writers share.
	Registers int
	// StallOver is the shortest gap that is listed.
	StallOver time.Duration
	Logf      func(string, ...any)
}

// grace bounds what is still awaited when a run has been told to end.
const grace = 20 * time.Second

// Run is a workload under way.
type Run struct {
	opts     Options
	root     string
	rec      *history.Recorder
	writes   *stats.Writes
	holder   *client.Client
	writer   *client.Client
	reader   *client.Client
	started  time.Time
	versions []atomic.Int32 // last version seen, by register

	acked, visited, failed, unknown, reads atomic.Int64

	mu       sync.Mutex
	connect  []string
	watches  Watches
	eph      ephemeral
	troubles []string
}

// Start connects, prepares the run's znodes and returns; Work does the rest.
func Start(ctx context.Context, opts Options) (*Run, error) {
	r := &Run{opts: opts, connect: opts.Connect, versions: make([]atomic.Int32, opts.Registers), started: time.Now()}
	r.root = fmt.Sprintf("/zkload/%s-%s", opts.Name, strings.ToLower(r.started.UTC().Format("20060102T150405.000")))
	var err error
	if r.rec, err = history.NewRecorder(opts.History); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		to   **client.Client
		name string
	}{{&r.holder, "holder"}, {&r.writer, "writer"}, {&r.reader, "reader"}} {
		if *c.to, err = client.Open(c.name, opts.Connect, opts.Session, opts.Logf, r.tell(c.name)); err != nil {
			return nil, errors.Join(err, r.disconnect(), r.rec.Close())
		}
	}
	for _, c := range r.clients() {
		if err := c.WaitSession(ctx); err != nil {
			return nil, errors.Join(err, r.disconnect(), r.rec.Close())
		}
	}
	if err := r.prepare(); err != nil {
		return nil, errors.Join(err, r.disconnect(), r.rec.Close())
	}
	return r, nil
}

// Root returns the znode everything of the run is below.
func (r *Run) Root() string { return r.root }

// clients are those that have been opened.
func (r *Run) clients() []*client.Client {
	var out []*client.Client
	for _, c := range []*client.Client{r.holder, r.writer, r.reader} {
		if c != nil {
			out = append(out, c)
		}
	}
	return out
}

func (r *Run) disconnect() error {
	for _, c := range r.clients() {
		r.close(c)
	}
	return nil
}

func (r *Run) register(i int) string { return fmt.Sprintf("%s/registers/%d", r.root, i) }

func (r *Run) prepare() error {
	paths := []string{"/zkload", r.root, r.root + "/registers", r.root + "/created", r.root + "/held", r.root + "/ephemeral", r.root + "/visits"}
	for i := range r.opts.Registers {
		paths = append(paths, r.register(i))
	}
	for i := range heldWatches {
		paths = append(paths, r.held(i))
	}
	paths = append(paths, r.cycle())
	for _, path := range paths {
		if _, err := r.writer.Create(path, nil, 0, zk.WorldACL(zk.PermAll)); err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("create %s: %w", path, err)
		}
	}
	return r.openEphemeral()
}

// Work writes, reads and watches until ctx ends, then lets what is under way
// come to its end, and reports.
func (r *Run) Work(ctx context.Context) (Report, error) {
	r.writes = stats.NewWrites(time.Now(), r.opts.StallOver)
	if err := r.armHeld(ctx); err != nil {
		return Report{}, errors.Join(err, r.disconnect(), r.rec.Close())
	}
	var workers, background sync.WaitGroup
	for i := range r.opts.Writers {
		workers.Go(func() { r.write(ctx, i) })
	}
	for i := range r.opts.Readers {
		workers.Go(func() { r.read(ctx, i) })
	}
	workers.Go(func() { r.cycleWatches(ctx) })
	workers.Go(func() { r.watchEphemeral(ctx) })
	if r.opts.VisitEvery > 0 {
		workers.Go(func() { r.visits(ctx) })
	}
	flushing, stop := context.WithCancel(context.Background())
	background.Go(func() { r.flush(flushing) })

	<-ctx.Done()
	// Operations that nobody will answer any more must not keep us: closing the
	// clients ends them as unknown.
	late := time.AfterFunc(grace, func() { _ = r.disconnect() })
	workers.Wait()
	ended := time.Now()
	if late.Stop() {
		r.fireHeld()
		r.checkEphemeral()
		r.countDuplicates()
	} else {
		r.giveUp()
	}
	stop()
	background.Wait()
	report := r.report(ended)
	return report, errors.Join(r.disconnect(), r.rec.Close())
}

// giveUp judges a run at whose end nobody answered, as after a loss of data:
// servers refuse clients that have seen more than they have.
func (r *Run) giveUp() {
	r.trouble("operations were still unanswered %s after the end", grace)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watches.Missed = r.watches.Set - r.watches.Fired
	r.eph.held = false
}

func (r *Run) flush(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := r.rec.Flush(); err != nil {
				r.trouble("history: %v", err)
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// Switch moves all sessions to other servers, one after the other, and tells
// how each fared.
func (r *Run) Switch(ctx context.Context, servers []string) (string, error) {
	var out []string
	for _, c := range r.clients() {
		before, after, err := c.Switch(ctx, servers)
		if err != nil {
			return strings.Join(out, "; "), err
		}
		fate := "kept"
		if before != after {
			fate = fmt.Sprintf("LOST, now 0x%x", uint64(after))
			r.trouble("%s: session 0x%x was lost when it moved to %s", c.Name, uint64(before), strings.Join(servers, ","))
		}
		out = append(out, fmt.Sprintf("%s 0x%x %s via %s", c.Name, uint64(before), fate, c.Server()))
	}
	r.mu.Lock()
	r.connect = servers
	r.mu.Unlock()
	return strings.Join(out, "; "), nil
}

func (r *Run) trouble(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	r.troubles = append(r.troubles, text)
	r.opts.Logf("trouble: %s", text)
}

// Status is one line about the run so far.
func (r *Run) Status() string {
	report := r.report(time.Time{})
	return fmt.Sprintf("acknowledged %d, visits %d, failed %d, unknown %d, reads %d, sessions %d of %d lost, reconnects %d, watches fired %d of %d, ephemeral held %t",
		report.Acknowledged, report.Visits, report.Failed, report.Unknown, report.Reads, report.Sessions.Lost, report.Sessions.Opened,
		report.Reconnects, report.Watches.Fired, report.Watches.Set, report.EphemeralHeld)
}

// report gathers; a zero end leaves out what only an end can tell.
func (r *Run) report(end time.Time) Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := Report{
		Root: r.root, Connect: r.connect, Started: r.started.UTC(), Ended: end.UTC(), History: r.opts.History,
		Acknowledged: int(r.acked.Load()), Visits: int(r.visited.Load()), Failed: int(r.failed.Load()), Unknown: int(r.unknown.Load()), Reads: int(r.reads.Load()),
		Watches: r.watches, EphemeralHeld: r.eph.held, Troubles: append([]string(nil), r.troubles...),
	}
	for _, c := range r.clients() {
		s := c.Stats()
		report.Sessions.Expected++
		report.Sessions.Opened += len(s.Sessions)
		report.Sessions.Lost += max(s.Expired, len(s.Sessions)-1)
		report.Reconnects += s.Reconnects
		for _, id := range s.Sessions {
			report.Sessions.IDs = append(report.Sessions.IDs, fmt.Sprintf("0x%x", uint64(id)))
		}
	}
	if end.IsZero() {
		return report
	}
	sum := r.writes.Summary(end)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	report.LongestStall, report.Stalls = sum.Longest, append([]stats.Stall{}, sum.Stalls...)
	report.Latency = Latency{P50: ms(sum.P50), P99: ms(sum.P99), Max: ms(sum.Max)}
	return report
}

func pauseFor(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
