package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

const (
	// looks is how often a check asks before it calls a server unseen. A lost packet
	// or a short pause of the server must not fail a check.
	looks = 3
	// lookPause is between two of them.
	lookPause = time.Second
)

// patientProber asks again whom it did not see, and says so.
type patientProber struct {
	prober prober
	pause  func(context.Context, time.Duration) error
	out    io.Writer
}

func (p patientProber) learn(ctx context.Context, t vantage.Target) zkprobe.Answers {
	for n := 1; ; n++ {
		raw := p.prober.Learn(ctx, t)
		live := raw.Sighting()
		told := !live.Hidden() || live.Reach == vantage.NotWhitelisted
		if told || !p.again(ctx, n, "server %d at %s was not seen: %s", t.Server, t.Address(), orText(live.Detail, string(live.Reach))) {
			return raw
		}
	}
}

func (p patientProber) port(ctx context.Context, t vantage.Target) vantage.PortState {
	for n := 1; ; n++ {
		state := p.prober.Port(ctx, t)
		told := state == vantage.PortOpen || state == vantage.PortClosed
		if told || !p.again(ctx, n, "the election port of server %d, %s, is %s", t.Server, t.Address(), orText(string(state), "not seen")) {
			return state
		}
	}
}

// again says why and waits, unless this was the last time.
func (p patientProber) again(ctx context.Context, n int, format string, a ...any) bool {
	if n == looks {
		return false
	}
	fmt.Fprintf(p.out, format+"; asking again\n", a...)
	return p.pause(ctx, lookPause) == nil
}
