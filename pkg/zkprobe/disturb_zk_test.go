//go:build linux && zk

package zkprobe

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestRealPortProbesDisturbNothing knocks on every port many times.
func TestRealPortProbesDisturbNothing(t *testing.T) {
	eachVersion(t, nil, func(ctx context.Context, t *testing.T, e *zkreal.Ensemble) {
		var p Prober
		origin := map[int]SessionOrigin{}
		canary := func(id int) CanaryResult {
			c, err := p.Canary(ctx, []string{e.Server(id).ClientAddr()})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		for _, id := range e.IDs() {
			origin[id] = canary(id).Origin
		}
		epoch := canary(1).Zxid.Epoch()
		leader := e.Leader(ctx)
		for range 50 {
			for _, id := range e.IDs() {
				if state, err := p.ProbePort(ctx, e.Server(id).ElectionAddr()); state != vantage.PortOpen {
					// 3.4 observers listen, too; all of them must be open.
					t.Fatalf("election port of server %d: %s, %v", id, state, err)
				}
				want := vantage.PortClosed // only a leader listens on its quorum port
				if id == leader {
					want = vantage.PortOpen
				}
				if state, err := p.ProbePort(ctx, e.Server(id).PeerAddr()); state != want {
					t.Fatalf("quorum port of server %d: %s, %v, want %s", id, state, err, want)
				}
			}
		}
		for _, id := range e.IDs() {
			if c := canary(id); c.Origin != origin[id] || c.Zxid.Epoch() != epoch {
				t.Errorf("server %d began to serve anew: %+v, before %+v, epoch %d, before %d", id, c.Origin, origin[id], c.Zxid.Epoch(), epoch)
			}
		}
		// The listeners still do their work: a server that restarts gets in.
		e.Server(1).Stop()
		if err := e.Server(1).Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Server(1).WaitServing(ctx); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRealServingSince reads off a session when its server began to serve, and
// sees restarts and elections in it.
func TestRealServingSince(t *testing.T) {
	eachVersion(t, nil, func(ctx context.Context, t *testing.T, e *zkreal.Ensemble) {
		var p Prober
		look := func(id int) SessionOrigin {
			c, err := p.Canary(ctx, []string{e.Server(id).ClientAddr()})
			if err != nil {
				t.Fatal(err)
			}
			return c.Origin
		}
		first := map[int]SessionOrigin{}
		for _, id := range e.IDs() {
			first[id] = look(id)
			if again := look(id); again != first[id] {
				t.Errorf("server %d: two canaries, two origins: %+v, %+v", id, first[id], again)
			}
			if wall, ok := first[id].WallClock(time.Now()); ok {
				t.Errorf("server %d: clock %s taken for the wall clock: %s", id, first[id].Clock, wall)
			}
		}

		leader := e.Leader(ctx)
		follower := 1
		if leader == 1 {
			follower = 2
		}
		e.Server(follower).Stop()
		restarted := time.Now()
		if err := e.Server(follower).Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Server(follower).WaitServing(ctx); err != nil {
			t.Fatal(err)
		}
		if got := look(follower); got.Clock <= first[follower].Clock {
			t.Errorf("restarted server %d: clock %s, before %s", follower, got.Clock, first[follower].Clock)
		}
		serving, err := p.ServingSince(ctx, e.Server(follower).ClientAddr())
		if err != nil || serving.Origin.IDByte != ensemble.ID(follower).SessionByte() {
			t.Fatalf("server %d: %+v, %v", follower, serving, err)
		}
		if serving.Since.Before(restarted) || serving.Since.After(time.Now()) {
			t.Errorf("server %d serves since %s by its own word; it was started at %s", follower, serving.Since, restarted)
		}
		first4, err := p.ServingSince(ctx, e.Server(4).ClientAddr())
		if err != nil || first4.Origin != first[4] || !first4.Since.Before(restarted) {
			t.Errorf("server 4, not restarted at %s: %+v, %v", restarted, first4, err)
		}

		e.Server(leader).Stop()
		for _, id := range e.IDs() {
			if id == leader {
				continue
			}
			var after SessionOrigin
			waitFor(ctx, t, "the rest to serve again", func() bool {
				s := p.Learn(ctx, e.Server(id).ClientAddr())
				if !s.Mode.Serving() || s.Mode == ensemble.Leader && s.SyncedFollowers < 1 {
					return false
				}
				c, err := p.Canary(ctx, []string{e.Server(id).ClientAddr()})
				after = c.Origin
				return err == nil && c.Zxid.Epoch() > 1
			})
			if after.Clock <= first[id].Clock {
				t.Errorf("server %d after an election: clock %s, before %s", id, after.Clock, first[id].Clock)
			}
		}
	})
}

// TestRealHeldElectionConnection shows why ProbePort closes at once: one silent
// connection to each election port keeps a restarted server out until the
// listeners give up on it, syncLimit ticks (here 5 s) later.
func TestRealHeldElectionConnection(t *testing.T) {
	eachVersion(t, nil, func(ctx context.Context, t *testing.T, e *zkreal.Ensemble) {
		restart := 1
		if e.Leader(ctx) == 1 {
			restart = 2
		}
		e.Server(restart).Stop()
		var d net.Dialer
		for _, id := range e.IDs() {
			if id == restart {
				continue
			}
			conn, err := d.DialContext(ctx, "tcp", e.Server(id).ElectionAddr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
		}
		start := time.Now()
		if err := e.Server(restart).Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Server(restart).WaitServing(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 3*time.Second {
			t.Errorf("server %d was back after %s: the listeners were not held up", restart, took)
		}
	})
}
