package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/rollout"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
	"github.com/zkmigrate/kubectl-zkmigrate/test/simworld"
)

const (
	manyEnsembles = 300
	manyCanaries  = 3
	// consumersOf is how many ensembles have a consumer in common.
	consumersOf = 5
	manyAtOnce  = 12
)

// simulated are ensembles with simulated servers and hosts, moved by the engine.
type simulated struct {
	t      *testing.T
	worlds map[string]*simworld.World
	// stubborn are those whose hosts do not stop, until somebody mends them.
	stubborn map[string]bool

	mu sync.Mutex
	// under is what is under way, each consumer's, and all.
	under map[string]int
	most  int
	// kill, at this many servers moved, ends the runner.
	moved, killAt int
	kill          context.CancelFunc
}

// newSimulated makes the fleet's file, and the ensembles: some API servers fail now and then.
func newSimulated(t *testing.T) (*simulated, string) {
	s := &simulated{t: t, worlds: map[string]*simworld.World{}, stubborn: map[string]bool{}, under: map[string]int{}}
	var file strings.Builder
	file.WriteString("apiVersion: zkmigrate.io/v1alpha1\nkind: Fleet\nmetadata: {name: wave, namespace: ops}\nspec:\n  ensembles:\n")
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range manyEnsembles {
		name, wave := fmt.Sprintf("e%03d", i), "rest"
		if i < manyCanaries {
			wave = "canary"
		}
		fmt.Fprintf(&file, "  - {name: %s, labels: {wave: %s}, consumers: [c%d]}\n", name, wave, i/consumersOf)
		w := simworld.New()
		for j := range w.Rec.Servers {
			w.Rec.Servers[j].Reconfigured = nil
		}
		passing := rand.New(rand.NewPCG(3, uint64(i)))
		w.Hiccup = func() bool { return passing.IntN(40) == 0 }
		s.worlds["zk/"+name] = w
		if i >= manyCanaries && rnd.IntN(60) == 0 {
			s.stubborn["zk/"+name] = true
		}
	}
	fmt.Fprintf(&file, "  strategy:\n    maxConcurrency: %d\n    stages:\n    - {name: canary, selector: wave=canary, approveAfter: ok}\n    - {name: rest, selector: wave=rest, concurrency: %d}\n", manyAtOnce, manyAtOnce)
	return s, file.String()
}

// turn moves an ensemble to its end: the rolling restart, then one server after the other.
func (s *simulated) turn(ctx context.Context, id string, consumer string) (fleet.Ending, bool) {
	s.enter(consumer, 1)
	defer s.enter(consumer, -1)
	w := s.worlds[id]
	w.Stubborn, w.Until = s.stubborn[id], w.At.Add(time.Minute)
	for _, part := range []struct {
		kind  migration.FlightKind
		order func(migration.Observation) []ensemble.ID
	}{{migration.Reconfigure, toRestart}, {migration.Replace, migration.Replacements}} {
		queue := rollout.Queue{Order: part.order}
		for {
			e := w.Engine()
			o, err := e.Observe(ctx)
			if err != nil {
				return fleet.Ending{}, false
			}
			server, epoch, left := queue.Next(o)
			if !left {
				break
			}
			d, err := e.Run(ctx, migration.Intent{Kind: part.kind, ID: server, By: "fleet", All: true, EpochAtStart: epoch, AcceptLoss: sessions.Consent{Any: true}})
			switch {
			case ctx.Err() != nil:
				return fleet.Ending{}, false
			case err != nil:
				return fleet.Ending{Red: true, Reason: err.Error()}, true
			case d.Kind != migration.Done:
				return fleet.Ending{Red: true, Code: string(d.Code), Reason: d.Reason}, true
			}
			queue.Moved()
			w.Until = w.At.Add(time.Minute)
			s.count()
		}
	}
	return fleet.Ending{}, true
}

// toRestart are the servers that are left to restart: the one in flight, then followers, then the
// leader.
func toRestart(o migration.Observation) []ensemble.ID {
	var first, last []ensemble.ID
	for _, server := range rollout.Left(o.Record) {
		switch {
		case o.Record.Flight != nil && o.Record.Flight.ID == server.ID:
			first = append([]ensemble.ID{server.ID}, first...)
		case o.Leader().Is(server.ID):
			last = append(last, server.ID)
		default:
			first = append(first, server.ID)
		}
	}
	return append(first, last...)
}

func (s *simulated) enter(consumer string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.under[consumer] += n
	s.under[""] += n
	s.most = max(s.most, s.under[""])
	if s.under[consumer] > 1 || s.under[""] > manyAtOnce {
		s.t.Errorf("at once: %d of consumer %s, %d of all", s.under[consumer], consumer, s.under[""])
	}
}

func (s *simulated) count() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moved++; s.moved == s.killAt {
		s.kill()
	}
}

// TestThreeHundred: a fleet of 300 ensembles with simulated servers and hosts is moved by the
// runner and the engine, in one process: API errors come and go, hosts do not stop, the runner is
// killed 20 times.
func TestThreeHundred(t *testing.T) {
	s, file := newSimulated(t)
	p := play(t, file)
	consumers := map[string]string{}
	for _, target := range p.plan.Targets {
		consumers[target.ID] = target.Consumers[0]
	}
	p.turn = func(ctx context.Context, id string) (fleet.Ending, bool) { return s.turn(ctx, id, consumers[id]) }
	rnd := rand.New(rand.NewPCG(7, 8))
	kills, reds, fresh := 0, 0, true
	for range 200 {
		ctx, kill := context.WithCancel(t.Context())
		s.kill, s.killAt = kill, 0
		if kills < 20 && !fresh {
			s.killAt = s.moved + 1 + rnd.IntN(80)
		}
		err := p.runner(fresh).locked(ctx)
		killed := ctx.Err() != nil
		kill()
		fresh = false
		if killed {
			kills++
			continue
		}
		if err == nil {
			break
		}
		var paused *pausedError
		if !errors.As(err, &paused) {
			t.Fatal(err)
		}
		p.change(func(plan fleet.Plan, state *fleet.State) error {
			if len(state.Approvals) == 0 {
				return state.Approve(plan, "ok", mark(""))
			}
			for id, r := range state.Results {
				if r.Phase == fleet.Red {
					if !s.stubborn[id] {
						t.Errorf("%s is red: %s", id, r.Reason)
					}
					reds++
					delete(s.stubborn, id)
					return state.Retry(plan, id, mark(""))
				}
			}
			return nil
		})
	}
	state := p.state()
	if c := fleet.Count(p.plan, state); c.Done != manyEnsembles {
		t.Errorf("at the end: %s", c)
	}
	for id, w := range s.worlds {
		for _, server := range w.Rec.Servers {
			if server.Replaced == nil || w.Rec.Flight != nil {
				t.Errorf("%s: server %d is not in its pod", id, server.ID)
			}
		}
		for _, wrong := range w.Wrong {
			t.Errorf("%s: %s", id, wrong)
		}
	}
	if kills != 20 || reds == 0 || s.most < manyAtOnce/2 {
		t.Errorf("%d kills, %d red ones mended, %d at once at most", kills, reds, s.most)
	}
	t.Logf("%d servers moved, %d kills, %d red ones mended, %d at once at most", s.moved, kills, reds, s.most)
}
