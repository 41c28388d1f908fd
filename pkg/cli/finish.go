package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// settleFor is for how long the end of replace --all looks again at what may pass
// by itself: a look without an answer, a follower that is counted twice.
const settleFor = 10 * time.Second

// finish says that all servers run in pods, if nothing that is seen contradicts
// it.
func (o *MoveOptions) finish(ctx context.Context, s *session, obs migration.Observation) error {
	out := o.deps.streams.ErrOut
	said := false
	for until := time.Now().Add(settleFor); obs.Record.Flight == nil && time.Now().Before(until); {
		hindrances := migration.Hindrances(migration.Problems(obs))
		if len(hindrances) == 0 {
			break
		}
		if !said {
			said = true
			fmt.Fprintf(out, "Looking again for up to %s: %s\n", settleFor, hindrances[0].Text)
		}
		if err := (clock{}).Sleep(ctx, pollInterval); err != nil {
			return err
		}
		var err error
		if obs, err = s.engine.Observe(ctx); err != nil {
			return err
		}
	}
	return finished(o.deps.streams.Out, obs, o.moved > 0)
}

// finished is the last word of replace --all; moved says that this command has
// moved a server.
func finished(out io.Writer, obs migration.Observation, moved bool) error {
	hindrances := migration.Hindrances(migration.Problems(obs))
	if len(hindrances) == 0 {
		_, err := fmt.Fprintf(out, "All %d servers of %s run in pods.\n", len(obs.Record.Servers), obs.Record.Name)
		return err
	}
	code, reason := hindrances[0].Code, "no server is left on its host, but the migration is not at its end"
	var evidence []string
	for _, p := range hindrances {
		evidence = append(append(evidence, p.Text), p.Evidence...)
	}
	if !moved && obs.Record.Flight == nil {
		return &refusedError{code: code, reason: reason, evidence: evidence, next: migration.Next(obs)}
	}
	return &pausedError{code: code, reason: reason, evidence: evidence, next: migration.Next(obs), other: !moved}
}
