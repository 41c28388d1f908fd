package engine

import (
	"context"
	"sync"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// ports answers each question by the next of its states, then by the last.
type ports struct {
	Prober

	mu     sync.Mutex
	states map[string][]vantage.PortState
}

func (p *ports) Port(_ context.Context, t vantage.Target) vantage.PortState {
	p.mu.Lock()
	defer p.mu.Unlock()
	address := t.Address()
	states := p.states[address]
	if len(states) > 1 {
		p.states[address] = states[1:]
	}
	return states[0]
}

func (p *ports) Sight(context.Context, vantage.Target) vantage.Sighting { return vantage.Sighting{} }

// TestHost: one port that accepts beside one that refuses is a server's own only
// when it is seen twice; the first time something in between may just have changed.
func TestHost(t *testing.T) {
	const open, closed = vantage.PortOpen, vantage.PortClosed
	for name, c := range map[string]struct {
		client, election []vantage.PortState
		up               bool
	}{
		"it goes down, or has no plain client port": {[]vantage.PortState{closed}, []vantage.PortState{open}, true},
		"a proxy was taken away in between":         {[]vantage.PortState{closed}, []vantage.PortState{open, closed}, false},
		"a proxy came in between":                   {[]vantage.PortState{closed, open}, []vantage.PortState{open}, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := Looker{Prober: &ports{states: map[string][]vantage.PortState{"10.0.0.1:2181": c.client, "10.0.0.1:3888": c.election}}}
			s := migration.ServerRecord{HostIP: "10.0.0.1"}
			s.ClientPort, s.ElectionPort = 2181, 3888
			if h := e.host(t.Context(), s); h.Up() != c.up {
				t.Errorf("up: %t; %+v", !c.up, h)
			}
		})
	}
}

// TestHostThatIsGone: nobody asks what has its address by now.
func TestHostThatIsGone(t *testing.T) {
	s := migration.ServerRecord{HostIP: "10.0.0.1", Retired: &migration.Confirmation{}}
	if h := (Looker{Prober: &ports{}}).host(t.Context(), s); !h.Gone || !h.Closed() || h.Up() || h.State() != migration.HostRefuses {
		t.Errorf("%+v", h)
	}
}

// TestHostOfNobodyKnown: an answer counts as ours only where it says whose it is.
func TestHostOfNobodyKnown(t *testing.T) {
	answer := vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower}
	for name, c := range map[string]struct {
		change func(*vantage.Sighting)
		up     bool
	}{
		"ours":                    {func(s *vantage.Sighting) { s.ServerID = ensemble.ID(1).Known() }, true},
		"another one's":           {func(s *vantage.Sighting) { s.ServerID = ensemble.ID(2).Known() }, false},
		"its conf did not come":   {func(s *vantage.Sighting) { s.ConfUnread = true }, false},
		"its conf is not allowed": {func(*vantage.Sighting) {}, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := migration.HostView{Client: vantage.PortOpen, Election: vantage.PortOpen, Answer: answer}
			c.change(&h.Answer)
			if h = of(1, h); h.Up() != c.up || (h.State() == migration.HostUnclear) == c.up {
				t.Errorf("%+v", h)
			}
		})
	}
}
