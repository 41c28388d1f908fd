package cli

import (
	"context"
	"net"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// prober is what the engine asks through.
type prober struct {
	zkprobe.Prober
	// called are the hosts in the servers' principals.
	called map[ensemble.ID]string
}

// at is the prober for a target: by TLS where its port is secure, and as whom clients know its
// server.
func (p prober) at(t vantage.Target) zkprobe.Prober {
	out := p.At(t)
	if name := p.called[t.Server]; name != "" && out.SASL != nil {
		as := *out.SASL
		as.ServerHost = func(string) string { return name }
		out.SASL = &as
	}
	return out
}

// probeTimeout bounds one question; long enough for a busy server, short
// enough that a dead one does not hold up a look.
const probeTimeout = 2 * time.Second

func newProber(d zkprobe.Dialer) prober {
	if d == nil {
		d = &net.Dialer{KeepAlive: -1} // no connection is idle
	}
	return prober{Prober: zkprobe.Prober{Dialer: d, Timeout: probeTimeout}}
}

// prober asks by a dialer, nil for this machine's, with what --credentials say.
func (d *deps) prober(dialer zkprobe.Dialer) prober {
	p := newProber(dialer)
	p.TLS, p.SASL, p.called = d.probe.tls, d.probe.sasl, d.probe.called
	return p
}

// ServingSince is when a server last began to serve, by this machine's clock
// (the server's own may be wrong by any amount); zero when it cannot be told.
func (p prober) ServingSince(ctx context.Context, t vantage.Target) time.Time {
	s, err := p.at(t).ServingSince(ctx, t.Address())
	if err != nil || s.Since.IsZero() || !s.AheadKnown {
		return time.Time{}
	}
	return s.Since.Add(-s.Ahead)
}

// Canary implements engine.Prober.
func (p prober) Canary(ctx context.Context, t vantage.Target) (ensemble.Zxid, error) {
	r, err := p.canary(ctx, t)
	return r.Zxid, err
}

func (p prober) canary(ctx context.Context, t vantage.Target) (zkprobe.CanaryResult, error) {
	return p.at(t).Canary(ctx, []string{t.Address()})
}

// Learn asks everything of a server.
func (p prober) Learn(ctx context.Context, t vantage.Target) zkprobe.Answers {
	return p.at(t).Learn(ctx, t.Address())
}

// Ask asks one word.
func (p prober) Ask(ctx context.Context, t vantage.Target, word zkprobe.Word) zkprobe.Answer {
	return p.at(t).Ask(ctx, t.Address(), word)
}

// crowd is a prober that asks only so many servers side by side. Waiting for a place takes
// nothing from the time-out of the question.
type crowd struct {
	prober
	places chan struct{}
}

// Sight implements engine.Prober.
func (c crowd) Sight(ctx context.Context, t vantage.Target) vantage.Sighting {
	c.places <- struct{}{}
	defer func() { <-c.places }()
	return c.prober.Sight(ctx, t)
}

// Port implements engine.Prober.
func (c crowd) Port(ctx context.Context, t vantage.Target) vantage.PortState {
	c.places <- struct{}{}
	defer func() { <-c.places }()
	return c.prober.Port(ctx, t)
}

// clock is the machine's.
type clock struct{}

// Now implements engine.Clock.
func (clock) Now() time.Time { return time.Now() }

// Sleep implements engine.Clock.
func (clock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
