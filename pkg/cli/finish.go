package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/rollout"
)

// settleFor is for how long the end of a command looks again at what may pass by
// itself: a look without an answer, a follower that is counted twice, an election.
const settleFor = 10 * time.Second

// settled looks again, for a while, as long as something hinders the last word.
func (s *session) settled(ctx context.Context, out io.Writer, obs migration.Observation) (migration.Observation, error) {
	hindrances := func() []migration.Problem {
		if obs.Record.Flight != nil {
			return nil
		}
		return migration.Hindrances(migration.Problems(obs))
	}
	first := hindrances()
	if len(first) == 0 {
		return obs, nil
	}
	fmt.Fprintf(out, "Looking again for up to %s: %s\n", settleFor, first[0].Text)
	// The last look is not cut off by the end of the patience.
	patience, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	var failed error
	_ = until(patience, pollInterval, func(context.Context) (bool, error) { // running out of patience is not an error
		var o migration.Observation
		if o, failed = s.engine.Observe(ctx); failed != nil {
			return false, failed
		}
		obs = o
		return len(hindrances()) == 0, nil
	})
	if failed != nil {
		return obs, failed
	}
	return obs, ctx.Err()
}

// finish says that all servers run in pods, if nothing that is seen contradicts
// it.
func (o *MoveOptions) finish(ctx context.Context, s *session, obs migration.Observation) error {
	obs, err := s.settled(ctx, o.deps.streams.ErrOut, obs)
	if err != nil {
		return err
	}
	if o.kind == migration.Apply {
		return o.applied(obs)
	}
	return finished(o.deps.streams.Out, obs, o.moved > 0)
}

// finished is the last word of replace --all; moved says that this command has
// moved a server.
func finished(out io.Writer, obs migration.Observation, moved bool) error {
	if err := contradicted(obs, "no server is left on its host, but the migration is not at its end", moved); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "All %d servers of %s run in pods.\n", len(obs.Record.Servers), obs.Record.Name)
	return err
}

// reconfigured is the last word of reconfigure, whoever restarted the servers;
// moved says that this command has verified or restarted one.
func (s *session) reconfigured(ctx context.Context, streams genericiooptions.IOStreams, moved bool) error {
	obs, err := s.engine.Observe(ctx)
	if err != nil {
		return err
	}
	if obs, err = s.settled(ctx, streams.ErrOut, obs); err != nil {
		return err
	}
	if err := contradicted(obs, "every server was seen with the Services' addresses, but not everything is as it should be now", moved); err != nil {
		return err
	}
	epoch, _ := obs.Epoch()
	fmt.Fprintf(streams.Out, "All servers of %s run with the Services' addresses. %s\n", s.name, electionsText(obs.Record, epoch))
	fmt.Fprintf(streams.ErrOut, "next: %s\n", s.kube.at().Ours("plan %s", s.name))
	return nil
}

// contradicted is what a look says against a last word; nil where nothing does.
func contradicted(obs migration.Observation, reason string, moved bool) error {
	doubt, found := rollout.Doubts(obs)
	if !found {
		return nil
	}
	if !moved && obs.Record.Flight == nil {
		return &refusedError{code: doubt.Code, reason: reason, evidence: doubt.Evidence, next: doubt.Next}
	}
	return &pausedError{code: doubt.Code, reason: reason, evidence: doubt.Evidence, next: doubt.Next, other: !moved}
}
