//go:build linux && zk

package zkprobe

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// eachVersion runs a test against a three-server ensemble of every version,
// with server 4 as an observer.
func eachVersion(t *testing.T, config map[string]string, test func(ctx context.Context, t *testing.T, e *zkreal.Ensemble)) {
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			test(ctx, t, startReal(ctx, t, zkreal.Options{
				Version: version, IDs: []int{1, 2, 3, 4}, Observers: []int{4}, Dir: t.TempDir(), Config: config,
			}))
		})
	}
}

func TestRealSightAndCanary(t *testing.T) {
	eachVersion(t, nil, func(ctx context.Context, t *testing.T, e *zkreal.Ensemble) {
		var p Prober
		before := p.Learn(ctx, e.Server(1).ClientAddr())
		var last ensemble.Zxid
		for _, id := range e.IDs() {
			server := e.Server(id)
			c, err := p.Canary(ctx, []string{server.ClientAddr()})
			if err != nil {
				t.Fatal(err)
			}
			if c.Via != server.ClientAddr() || c.Origin.IDByte != ensemble.ID(id).SessionByte() || c.Zxid <= last {
				t.Errorf("canary via server %d: got %+v after %s", id, c, last)
			}
			// Create session, check, close session: three transactions.
			if last != 0 && c.Zxid != last+3 {
				t.Errorf("canary via server %d: %s does not follow %s by three", id, c.Zxid, last)
			}
			last = c.Zxid
		}
		for _, id := range e.IDs() {
			server := e.Server(id)
			var s Answers
			waitFor(ctx, t, "the canary to reach every server", func() bool {
				s = p.Learn(ctx, server.ClientAddr())
				return s.Zxid >= last
			})
			role := ensemble.Participant
			if id == 4 {
				role = ensemble.Observer
			}
			if s.Reach != vantage.Answered || s.Error != "" || !s.ServerID.Is(ensemble.ID(id)) || !s.Mode.Serving() || s.Role != role ||
				(s.Mode == ensemble.Observing) != (id == 4) || s.TickTime != time.Second || s.ElectionPort != server.ElectionPort {
				t.Errorf("server %d: got %+v", id, s)
			}
			if s.Nodes != before.Nodes || s.Ephemerals != 0 {
				t.Errorf("server %d: the canaries left something: %d znodes (before: %d), %d ephemerals", id, s.Nodes, before.Nodes, s.Ephemerals)
			}
			if modern := s.Version.AtLeast(3, 5, 0); modern != (len(s.Members) == 4) || modern != (s.Uptime > 0) {
				t.Errorf("server %d (%s): members %v, uptime %s", id, s.Version, s.Members, s.Uptime)
			}
			if leads := s.Mode == ensemble.Leader; leads != (s.Learners == 3) || leads != (s.SyncedFollowers == 2) {
				t.Errorf("server %d (%s): %d learners, %d synced", id, s.Mode, s.Learners, s.SyncedFollowers)
			}
			clients, rest := ParseCons(p.Ask(ctx, server.ClientAddr(), Cons).Text)
			if len(clients) != 1 || clients[0].SessionID != 0 || len(rest) != 0 {
				t.Errorf("server %d: connections left: %+v, %q", id, clients, rest)
			}
		}
	})
}

func TestRealNoQuorum(t *testing.T) {
	eachVersion(t, nil, func(ctx context.Context, t *testing.T, e *zkreal.Ensemble) {
		p := Prober{CommitTimeout: 2 * time.Second}
		leader := e.Leader(ctx)
		for _, id := range []int{1, 2, 3} {
			if id != leader {
				e.Server(id).Pause()
				defer e.Server(id).Resume()
			}
		}
		// ZOOKEEPER-3829 as far as it can be seen from outside: the leader calls
		// itself leader and nothing is committed. Here it lasts until the leader
		// notices, syncLimit ticks later.
		_, err := p.Canary(ctx, []string{e.Server(leader).ClientAddr()})
		var failure *CanaryError
		if !errors.As(err, &failure) || !failure.NoCommit || failure.Stage != CanarySession {
			t.Errorf("canary of a leader without followers: got %v", err)
		}
		if s := p.Learn(ctx, e.Server(leader).ClientAddr()); s.Mode != ensemble.Leader {
			t.Errorf("srvr of it: got mode %q (%s)", s.Mode, s.Error)
		}
		var s Answers
		waitFor(ctx, t, "the leader to give up", func() bool {
			s = p.Learn(ctx, e.Server(leader).ClientAddr())
			// On its way it may close a connection without a word.
			return s.Reach == vantage.NotServing
		})
		if s.Reach != vantage.NotServing || s.Mode != ensemble.NotServing || s.Error == "" || !s.ServerID.IsZero() {
			t.Errorf("without a quorum: got %+v", s)
		}
		if _, err = p.Canary(ctx, []string{e.Server(leader).ClientAddr()}); !errors.As(err, &failure) || failure.Stage != CanarySession {
			t.Errorf("canary without a quorum: got %v", err)
		}
		e.Server(leader).Stop()
		if s := p.Learn(ctx, e.Server(leader).ClientAddr()); s.Reach != vantage.Refused {
			t.Errorf("stopped server: got %q", s.Reach)
		}
		if state, err := p.ProbePort(ctx, e.Server(leader).ElectionAddr()); state != vantage.PortClosed {
			t.Errorf("election port of the stopped server: got %q, %v", state, err)
		}
	})
}

func TestRealWhitelist(t *testing.T) {
	eachVersion(t, map[string]string{"4lw.commands.whitelist": "ruok"}, func(ctx context.Context, t *testing.T, e *zkreal.Ensemble) {
		var p Prober
		s := p.Learn(ctx, e.Server(2).ClientAddr())
		if s.Reach != vantage.Answered || !s.Mode.Serving() || len(s.Denied) != 2 || !s.ServerID.IsZero() || s.Learners != -1 {
			t.Errorf("got %+v", s)
		}
		// A canary tells the id where conf must not.
		c, err := p.Canary(ctx, []string{e.Server(2).ClientAddr()})
		if err != nil || c.Origin.IDByte != 2 {
			t.Errorf("canary: got %+v, %v", c, err)
		}
	})
}

// TestRealLocalSessions shows why the canary does more than open a session.
func TestRealLocalSessions(t *testing.T) {
	eachVersion(t, map[string]string{"localSessionsEnabled": "true"}, func(ctx context.Context, t *testing.T, e *zkreal.Ensemble) {
		var p Prober
		addr := e.Server(e.Leader(ctx)).ClientAddr()
		zxid := func() ensemble.Zxid { return p.Learn(ctx, addr).Zxid }
		start := zxid()
		holdSession(ctx, t, addr)()
		modern := p.Learn(ctx, addr).Version.AtLeast(3, 5, 0)
		if got := zxid(); modern != (got == start) {
			t.Errorf("a session moved the zxid from %s to %s", start, got)
		}
		for _, id := range e.IDs() {
			before := zxid()
			c, err := p.Canary(ctx, []string{e.Server(id).ClientAddr()})
			if err != nil {
				t.Fatal(err)
			}
			if c.Zxid <= before {
				t.Errorf("canary via server %d: %s is not after %s", id, c.Zxid, before)
			}
		}
	})
}
