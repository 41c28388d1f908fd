package zkprobe

import (
	"context"
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// ProbePort connects to an address and closes at once. The error explains every
// state but PortOpen.
//
// On election and quorum ports of live servers this disturbs nothing: the
// server logs "Exception reading or writing challenge: EOFException" (election)
// or "Unexpected exception causing shutdown while sock still open" (a leader's
// quorum port) and goes on; no election, and others join as before (seen on
// 3.4.13, 3.8.0 and 3.9.3). The connection must never be held open, though: the
// listener reads the other side's id on its accepting thread
// (QuorumCnxManager.receiveConnection), so one silent connection keeps every
// peer out for syncLimit ticks. Seen: a restart took 4.8 to 5.4 s instead of
// 0.5 to 1.5 s at tickTime 1000, syncLimit 5.
func (p Prober) ProbePort(ctx context.Context, addr string) (vantage.PortState, error) {
	limit := orDefault(p.Timeout, DefaultTimeout)
	dialCtx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := p.dialer().DialContext(dialCtx, "tcp", addr)
	if err == nil {
		_ = conn.Close() // nothing was written
		return vantage.PortOpen, nil
	}
	what := fmt.Sprintf("connect to %s", addr)
	if streamBroke(err) {
		return vantage.PortUnknown, fmt.Errorf("%s: %w", what, err)
	}
	switch classifyError(ctx, err) {
	case vantage.Refused:
		return vantage.PortClosed, fmt.Errorf("%s: refused: nothing listens there: %w", what, err)
	case vantage.Timeout:
		return vantage.PortSilent, fmt.Errorf("%s: no answer within %s: host down, or a firewall drops it: %w", what, limit, err)
	case vantage.NotAsked:
		return vantage.PortUnknown, fmt.Errorf("%s: %w", what, err)
	default:
		return vantage.PortUnreachable, fmt.Errorf("%s: %w", what, err)
	}
}
