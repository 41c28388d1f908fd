package cli

import (
	"context"
	"net"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// prober gives the engine what zkprobe learns, in the core's words.
type prober struct{ zk zkprobe.Prober }

// probeTimeout bounds one question; long enough for a busy server, short
// enough that a dead one does not hold up a look.
const probeTimeout = 2 * time.Second

func newProber(d zkprobe.Dialer) prober {
	if d == nil {
		d = &net.Dialer{}
	}
	return prober{zk: zkprobe.Prober{Dialer: d, Timeout: probeTimeout}}
}

// Sight implements engine.Prober.
func (p prober) Sight(ctx context.Context, address string) migration.Sighting {
	return sighting(p.zk.Glance(ctx, address))
}

// sighting keeps of an answer what decisions need.
func sighting(s zkprobe.Sighting) migration.Sighting {
	out := migration.Sighting{
		Reach: reach(s.Reach), Detail: s.Error, Version: s.Version, Mode: s.Mode, ServerID: s.ServerID, Members: s.Members,
		ConfUnread:      s.Conf != zkprobe.Unknown && s.Conf != zkprobe.Answered && s.Conf != zkprobe.NotWhitelisted,
		SyncedFollowers: int(s.SyncedFollowers), Learners: int(s.Learners), Connections: int(max(s.Connections, 0)), Znodes: int(max(s.Nodes, 0)),
	}
	if out.ConfUnread {
		out.Detail = s.ConfError
	}
	if s.ZxidKnown {
		out.Zxid = s.Zxid
	}
	return out
}

func reach(r zkprobe.Reach) migration.Reach {
	switch r {
	case zkprobe.Answered:
		return migration.ReachAnswered
	case zkprobe.NotServing:
		return migration.ReachNotServing
	case zkprobe.NotWhitelisted:
		return migration.ReachNotWhitelisted
	case zkprobe.Refused:
		return migration.ReachRefused
	case zkprobe.Timeout:
		return migration.ReachTimeout
	case zkprobe.Unreachable:
		return migration.ReachUnreachable
	case zkprobe.ClosedEmpty, zkprobe.Garbled:
		return migration.ReachOther
	default:
		return migration.ReachUnknown
	}
}

// ServingSince is when a server last began to serve, by this machine's clock
// (the server's own may be wrong by any amount); zero when it cannot be told.
func (p prober) ServingSince(ctx context.Context, address string) time.Time {
	s, err := p.zk.ServingSince(ctx, address)
	if err != nil || s.Since.IsZero() || !s.AheadKnown {
		return time.Time{}
	}
	return s.Since.Add(-s.Ahead)
}

// Port implements engine.Prober.
func (p prober) Port(ctx context.Context, address string) migration.PortState {
	// The error explains the state in words; the state is what counts here.
	state, _ := p.zk.ProbePort(ctx, address)
	switch state {
	case zkprobe.PortOpen:
		return migration.PortOpen
	case zkprobe.PortClosed:
		return migration.PortClosed
	case zkprobe.PortFiltered:
		return migration.PortSilent
	case zkprobe.PortUnreachable:
		return migration.PortUnreachable
	default:
		return migration.PortUnknown
	}
}

// Canary implements engine.Prober.
func (p prober) Canary(ctx context.Context, address string) (ensemble.Zxid, error) {
	r, err := p.zk.Canary(ctx, []string{address})
	return r.Zxid, err
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
