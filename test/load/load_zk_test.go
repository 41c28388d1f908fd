//go:build linux && zk

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/load/check"
	"github.com/zkmigrate/kubectl-zkmigrate/test/load/verify"
	"github.com/zkmigrate/kubectl-zkmigrate/test/load/workload"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// lab is a real ensemble and a zkload that works on it.
type lab struct {
	t       *testing.T
	ctx     context.Context
	e       *zkreal.Ensemble
	report  string
	socket  string
	connect string
	ended   chan error
	log     *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newLab(ctx context.Context, t *testing.T, version string) *lab {
	t.Helper()
	dir := t.TempDir()
	e, err := zkreal.New(ctx, zkreal.Options{Version: version, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if err := e.Start(ctx); err != nil {
		t.Fatal(err)
	}
	l := &lab{
		t: t, ctx: ctx, e: e, report: filepath.Join(dir, "report.json"), socket: filepath.Join(dir, "ctl"),
		connect: strings.Join(e.ClientAddrs(), ","), ended: make(chan error, 1), log: &syncBuffer{},
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("zkload said:\n%s", l.log)
		}
	})
	l.must("prepare", "--connect", l.connect, "--znodes", "1000")
	return l
}

func (l *lab) must(args ...string) string {
	l.t.Helper()
	var out bytes.Buffer
	if err := command(l.ctx, args, &out, l.log); err != nil {
		l.t.Fatalf("zkload %s: %v", strings.Join(args, " "), err)
	}
	return out.String()
}

// run starts zkload run and waits until it writes.
func (l *lab) run(flags ...string) {
	l.t.Helper()
	args := append([]string{"run", "--connect", l.connect, "--report", l.report, "--control", l.socket}, flags...)
	go func() { l.ended <- command(l.ctx, args, l.log, l.log) }()
	l.until("the workload to write", func() bool {
		var out bytes.Buffer
		err := command(l.ctx, []string{"ctl", "--control", l.socket, "status"}, &out, l.log)
		return err == nil && !strings.HasPrefix(out.String(), "acknowledged 0,")
	})
}

// acknowledged asks the run how many writes it has so far.
func (l *lab) acknowledged() int {
	l.t.Helper()
	n, _ := l.soFar()
	return n
}

// soFar asks the run for its acknowledged writes and its visits.
func (l *lab) soFar() (writes, visits int) {
	l.t.Helper()
	if _, err := fmt.Sscanf(l.must("ctl", "--control", l.socket, "status"), "acknowledged %d, visits %d,", &writes, &visits); err != nil {
		l.t.Fatal(err)
	}
	return writes, visits
}

// stop ends the run and returns its report.
func (l *lab) stop() workload.Report {
	l.t.Helper()
	l.must("ctl", "--control", l.socket, "stop")
	if err := <-l.ended; err != nil {
		l.t.Fatal(err)
	}
	r, err := workload.ReadReport(l.report)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

func (l *lab) until(what string, done func() bool) {
	l.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case err := <-l.ended:
			l.t.Fatalf("waited for %s; zkload ended: %v", what, err)
		case <-l.ctx.Done():
			l.t.Fatalf("waited for %s: %v", what, l.ctx.Err())
		}
	}
}

func (l *lab) restart(id int) {
	l.t.Helper()
	s := l.e.Server(id)
	s.Stop()
	if err := s.Start(); err != nil {
		l.t.Fatal(err)
	}
	if _, err := s.WaitServing(l.ctx); err != nil {
		l.t.Fatal(err)
	}
}

// check judges the run's history.
func (l *lab) check() (check.Result, error) {
	l.t.Helper()
	var out, words bytes.Buffer
	err := command(l.ctx, []string{"check", l.report + ".history.jsonl"}, &out, &words)
	var r check.Result
	if jsonErr := json.Unmarshal(out.Bytes(), &r); jsonErr != nil {
		l.t.Fatalf("check printed no JSON (%v): %v", jsonErr, err)
	}
	l.t.Logf("%.1f s: %s", r.Seconds, &words)
	return r, err
}

func (l *lab) verify() (verify.Result, error) {
	l.t.Helper()
	var out bytes.Buffer
	err := command(l.ctx, []string{"verify", "--connect", l.connect, "--report", l.report}, &out, l.log)
	var r verify.Result
	if jsonErr := json.Unmarshal(out.Bytes(), &r); jsonErr != nil {
		l.t.Fatalf("verify printed no JSON (%v): %v", jsonErr, err)
	}
	return r, err
}

func TestRealRollingRestartLosesNothing(t *testing.T) {
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			l := newLab(ctx, t, version)
			l.run()
			for _, id := range l.e.LeaderLast(ctx) {
				l.restart(id)
			}
			// Clients move to two servers only, then to another order of all.
			addrs := l.e.ClientAddrs()
			for _, to := range []string{addrs[1] + "," + addrs[2], addrs[0]} {
				out := l.must("ctl", "--control", l.socket, "connect", to)
				if strings.Contains(out, "LOST") || strings.Count(out, "kept via") != 3 {
					t.Errorf("move to %s: %s", to, out)
				}
				for _, field := range strings.Split(strings.TrimSpace(out), "; ") {
					if _, via, _ := strings.Cut(field, "via "); !strings.Contains(to, via) {
						t.Errorf("moved to %s and came to %q", to, field)
					}
				}
			}
			r := l.stop()
			t.Logf("stall %.2f s, %d stalls, p50 %.1f ms, p99 %.1f ms, %d acknowledged, %d refused, %d unknown, watches %+v, %d reconnects",
				r.LongestStall.Seconds, len(r.Stalls), r.Latency.P50, r.Latency.P99, r.Acknowledged, r.Failed, r.Unknown, r.Watches, r.Reconnects)
			if r.Sessions.Opened != 3 || r.Sessions.Lost != 0 || !r.EphemeralHeld || len(r.Troubles) != 0 {
				t.Errorf("sessions %+v, ephemeral held %t, troubles %q", r.Sessions, r.EphemeralHeld, r.Troubles)
			}
			if r.Watches.Set < 25 || r.Watches.Fired != r.Watches.Set || r.Watches.Duplicate != 0 || r.Watches.Missed != 0 {
				t.Errorf("watches %+v", r.Watches)
			}
			// Three clients, two moves each, and servers that went away.
			if r.Acknowledged < 100 || r.Reads < 100 || r.Reconnects < 7 || r.LongestStall.Seconds <= 0 || len(r.Stalls) == 0 {
				t.Errorf("report %+v", r)
			}
			got, err := l.verify()
			if err != nil || !got.Good() || got.Acknowledged != r.Acknowledged || got.Tree != 1000 || len(got.Servers) != 3 {
				t.Errorf("verify: %v, %+v", err, got)
			}
			if h, err := l.check(); err != nil || h.Writes != r.Acknowledged {
				t.Errorf("check: %v, %+v", err, h)
			}
		})
	}
}

// TestRealHistoryIsLinearizable kills the leader in the middle of everything:
// the clients lose their connections, writes go without an answer, and still
// one order explains it all.
func TestRealHistoryIsLinearizable(t *testing.T) {
	for _, version := range []string{"3.4.13", "3.8.0"} {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			l := newLab(ctx, t, version)
			l.run("--visit-every", "200ms", "--writers", "6", "--readers", "4", "--pace", "3ms")
			more := func(n int) {
				had := l.acknowledged()
				l.until("more writes", func() bool { return l.acknowledged() >= had+n })
			}
			more(500)
			leader := l.e.Server(l.e.Leader(ctx))
			leader.Kill()
			more(500)
			if err := leader.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := leader.WaitServing(ctx); err != nil {
				t.Fatal(err)
			}
			more(500)
			l.until("visits", func() bool { _, n := l.soFar(); return n >= 5 })
			r := l.stop()
			h, err := l.check()
			if err != nil || h.Verdict != check.Linearizable || h.Writes != r.Acknowledged || h.Unknown != r.Unknown {
				t.Errorf("check: %v, %+v", err, h)
			}
			if h.Writes < 1500 || h.CurrentReads < 100 || h.Reads < 100 || h.Creates < 100 || h.Refused == 0 {
				t.Errorf("too little was done: %+v", h)
			}
			if h.Ephemerals.Ended < 5 || h.Ephemerals.Gone < h.Ephemerals.Ended-1 || h.Watches.Fired < 20 {
				t.Errorf("ephemerals or watches: %+v", h)
			}
			if h.Sessions.Expired != 0 || h.Sessions.Running != 0 || h.Sessions.Closed != h.Sessions.Opened || h.Sessions.Reconnects == 0 {
				t.Errorf("sessions: %+v", h.Sessions)
			}
		})
	}
}

// TestRealLossIsNoticed makes ZooKeeper lose acknowledged writes, in two ways,
// and sees that verify says so.
func TestRealLossIsNoticed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	l := newLab(ctx, t, "3.8.0")
	l.run()
	straggler := l.e.LeaderLast(ctx)[0]
	l.e.Server(straggler).Stop()
	had := l.acknowledged()
	l.until("writes the straggler lacks", func() bool { return l.acknowledged() >= had+50 })
	before := l.stop()
	if got, err := l.verifyOn(straggler); err != nil || !got.Good() {
		t.Fatalf("before the loss: %v, %+v", err, got)
	}

	// The others lose their data; the straggler, which lacks the latest writes,
	// becomes the truth. The last one starts when that is settled: two empty
	// servers may elect each other.
	order := []int{straggler}
	for _, id := range l.e.IDs() {
		l.e.Server(id).Stop()
		if id != straggler {
			order = append(order, id)
			if err := l.e.Server(id).Wipe(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, step := range [][]int{order[:2], order[2:]} {
		for _, id := range step {
			if err := l.e.Server(id).Start(); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range step {
			if _, err := l.e.Server(id).WaitServing(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := l.verify()
	if !lost(err) || got.Missing == 0 || got.Missing >= before.Acknowledged {
		t.Errorf("some lost: %v, %d missing of %d", err, got.Missing, before.Acknowledged)
	}

	for _, id := range l.e.IDs() {
		l.e.Server(id).Stop()
		if err := l.e.Server(id).Wipe(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.e.Start(ctx); err != nil {
		t.Fatal(err)
	}
	got, err = l.verify()
	if !lost(err) || got.Missing != before.Acknowledged {
		t.Errorf("all lost: %v, %d missing of %d", err, got.Missing, before.Acknowledged)
	}
}

// verifyOn checks with the servers other than the one that is stopped.
func (l *lab) verifyOn(stopped int) (verify.Result, error) {
	all := l.connect
	defer func() { l.connect = all }()
	var up []string
	for _, id := range l.e.IDs() {
		if id != stopped {
			up = append(up, l.e.Server(id).ClientAddr())
		}
	}
	l.connect = strings.Join(up, ",")
	return l.verify()
}

// TestRealLostSessionIsNoticed keeps the clients away until their sessions
// have expired.
func TestRealLostSessionIsNoticed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	l := newLab(ctx, t, "3.4.13")
	// Without visitors, who are not among those who stay away.
	l.run("--session-timeout", "4s", "--visit-every", "0")
	away := make(chan error, 1)
	go func() {
		// Nothing listens there, so that this command waits in vain.
		away <- command(ctx, []string{"ctl", "--control", l.socket, "connect", "127.0.0.1:1"}, l.log, l.log)
	}()
	leader := l.e.Server(l.e.Leader(ctx))
	l.until("the ephemeral znode to go", func() bool {
		text, err := leader.Ask(ctx, "mntr")
		return err == nil && strings.Contains(text, "zk_ephemerals_count\t0\n")
	})
	if err := <-away; err == nil {
		t.Error("a move to where nobody listens: no error")
	}
	out := l.must("ctl", "--control", l.socket, "connect", l.connect)
	if strings.Count(out, "LOST") == 0 {
		t.Errorf("move back: %s", out)
	}
	r := l.stop()
	if r.Sessions.Lost == 0 || r.Sessions.Opened <= 3 || r.EphemeralHeld || len(r.Troubles) == 0 || r.Watches.Missed == 0 {
		t.Errorf("sessions %+v, ephemeral held %t, watches %+v, troubles %q", r.Sessions, r.EphemeralHeld, r.Watches, r.Troubles)
	}
}

// TestRealRunEndsWithoutServers sees that a run whose servers have lost all
// data ends, and says that nothing is well. Servers refuse clients that have
// seen more than they have, so that these never get a session again.
func TestRealRunEndsWithoutServers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	l := newLab(ctx, t, "3.8.0")
	l.run()
	for _, id := range l.e.IDs() {
		l.e.Server(id).Stop()
		if err := l.e.Server(id).Wipe(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.e.Start(ctx); err != nil {
		t.Fatal(err)
	}
	r := l.stop()
	if r.EphemeralHeld || r.Watches.Missed < 20 || len(r.Troubles) == 0 || r.LongestStall.Seconds < 10 {
		t.Errorf("got %+v", r)
	}
	if got, err := l.verify(); !lost(err) || got.Missing != r.Acknowledged {
		t.Errorf("verify: %v, %d missing of %d", err, got.Missing, r.Acknowledged)
	}
}

func lost(err error) bool {
	var loss lossError
	return errors.As(err, &loss)
}
