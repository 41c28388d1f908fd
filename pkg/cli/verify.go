package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/rollout"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// verifier is --verify: it looks until every server is known to run with the
// new list.
type verifier struct {
	f     *reconfigureFlags
	s     *session
	watch rollout.Watch
	// moved says that a server was verified by this command.
	moved bool
}

func (f *reconfigureFlags) watch(ctx context.Context, s *session) error {
	v := &verifier{f: f, s: s}
	left := 0
	err := until(ctx, pollInterval, func(ctx context.Context) (done bool, err error) {
		left, err = v.look(ctx)
		return left == 0, err
	})
	switch {
	case err == nil:
		return s.reconfigured(ctx, f.deps.streams, v.moved)
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		return v.timeout(context.WithoutCancel(ctx), left)
	}
	return err
}

// look is one round; it returns how many servers are left.
func (v *verifier) look(ctx context.Context) (int, error) {
	obs, err := v.s.engine.Observe(ctx)
	if err != nil {
		return 0, err
	}
	if obs.From.IsPod() && obs.SeesNobody() {
		_ = v.s.askThrough(ctx, obs.Record, ensemble.MaybeID{}) // the pod may be gone; this look counts as it is
	}
	if err := v.countElections(ctx, obs); err != nil {
		return 0, err
	}
	if obs.Record, err = v.s.takeBack(ctx, obs, v.f.deps.streams.ErrOut); err != nil {
		return 0, err
	}
	left := 0
	for _, sr := range rollout.Left(obs.Record) {
		view, _ := obs.View(sr.ID)
		w := v.judge(ctx, obs, sr, view.Live)
		if w.News() {
			fmt.Fprint(v.f.deps.streams.ErrOut, verdictText(sr, w.Verdict()))
		}
		if w.Verdict().Code != migration.VerdictReconfigured {
			left++
			continue
		}
		if done, err := v.verified(ctx, sr, w); err != nil {
			return 0, err
		} else if !done {
			left++
		} else {
			v.moved = true
		}
	}
	return left, nil
}

// takeBack takes the confirmation from servers that show another list by now, and
// returns the journal as it is then: their restart is to be verified again.
func (s *session) takeBack(ctx context.Context, obs migration.Observation, out io.Writer) (migration.Record, error) {
	if len(migration.Relisted(obs)) == 0 {
		return obs.Record, nil
	}
	rec, err := s.record(ctx)
	if err != nil {
		return rec, err
	}
	for _, b := range rollout.TakeBack(&rec, obs, me(), time.Now()) {
		fmt.Fprintf(out, "server %d: it was seen with the Services' addresses at %s, and its live list is another one now (%s): to be verified again\n",
			b.ID, b.Confirmed.Local().Format(time.DateTime), b.Why)
	}
	return rec, s.save(ctx, rec)
}

// judge brings what is remembered of one server up to date, asks what the verdict
// still lacks, and judges.
func (v *verifier) judge(ctx context.Context, obs migration.Observation, sr migration.ServerRecord, live vantage.Sighting) *rollout.Watched {
	w := v.watch.Server(sr.ID)
	w.Look(obs, live, v.watch.Epoch())
	if w.AskSince(sr, time.Now()) {
		w.Since(v.s.prober.ServingSince(ctx, sr.AtService()))
	}
	w.Judge(obs.Record, sr)
	if w.AskPort(time.Now()) {
		w.Port(v.s.prober.Port(ctx, sr.ElectionAtHost()))
		w.Judge(obs.Record, sr)
	}
	return w
}

// verdictText says how it stands with a server, and what to look at.
func verdictText(sr migration.ServerRecord, d migration.Verdict) string {
	if d.Code.Wrong() {
		return fmt.Sprintf("server %d: WRONG (%s): %s\n  look at %s\n  restart no other server before that is mended\n", sr.ID, d.Code, d.Why, d.Look)
	}
	text := fmt.Sprintf("server %d: %s\n", sr.ID, d.Why)
	if d.Look != "" {
		text += fmt.Sprintf("  look at %s\n", d.Look)
	}
	return text
}

// verified writes a canary through the restarted server and keeps the verdict:
// srvr alone does not show a leader that commits nothing (ZOOKEEPER-3829).
// false: not yet.
func (v *verifier) verified(ctx context.Context, sr migration.ServerRecord, w *rollout.Watched) (bool, error) {
	out := v.f.deps.streams.ErrOut
	if _, err := v.s.prober.Canary(ctx, sr.AtService()); err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if why := "it runs with the new list, but: " + err.Error(); w.Hinder(why) {
			fmt.Fprintf(out, "server %d: %s; restart no other server meanwhile\n", sr.ID, why)
		}
		return false, nil
	}
	if err := v.keep(ctx, sr.ID, w.Verdict().Why); err != nil {
		return false, err
	}
	fmt.Fprintf(out, "server %d: verified, and the ensemble commits\n", sr.ID)
	return true, nil
}

// keep writes down that a server was seen to run with the new list.
func (v *verifier) keep(ctx context.Context, id ensemble.ID, why string) error {
	rec, err := v.s.record(ctx)
	if err != nil {
		return err
	}
	if !rollout.Confirm(&rec, id, why, v.watch.Epoch(), me(), time.Now()) {
		return v.s.exchanged(id)
	}
	return v.s.save(ctx, rec)
}

// countElections tells of each election as it is seen; the first leader that is
// seen is the mark to count from where the patches left none.
func (v *verifier) countElections(ctx context.Context, obs migration.Observation) error {
	switch v.watch.Elections(obs) {
	case rollout.ElectionNone:
	case rollout.ElectionUnmarked:
		rec, err := v.s.record(ctx)
		if err != nil {
			return err
		}
		rec.Elections.AtReconfigure = v.watch.Epoch()
		return v.s.save(ctx, rec)
	case rollout.ElectionHeld:
		epoch := v.watch.Epoch()
		fmt.Fprintf(v.f.deps.streams.ErrOut, "server %s leads in epoch %d. %s\n", obs.Leader(), epoch, electionsText(obs.Record, epoch))
	}
	return nil
}

// electionsText counts the elections of the restarts and says what was planned.
func electionsText(rec migration.Record, epoch uint32) string {
	n, known := rec.RestartElections(epoch)
	ended := rec.Elections.AtReconfigured != 0
	switch {
	case !known:
		return "Elections were not counted: no leader was seen when the patches were written."
	case ended && n > migration.PlannedRestartElections:
		return fmt.Sprintf("Elections from the day the patches were written to the end of the restarts: %d (planned: %d).", n, migration.PlannedRestartElections)
	case ended:
		return fmt.Sprintf("Elections during the restarts: %d (planned: %d).", n, migration.PlannedRestartElections)
	case n > migration.PlannedRestartElections:
		return fmt.Sprintf("Elections since the patches were written: %d, MORE THAN PLANNED (%d). The leader must come last: ask srvr before each restart.", n, migration.PlannedRestartElections)
	}
	return fmt.Sprintf("Elections since the patches were written: %d (planned: %d).", n, migration.PlannedRestartElections)
}

// timeout says how it stands with every server that is left.
func (v *verifier) timeout(ctx context.Context, left int) error {
	e := &pausedError{timeout: true, next: v.s.kube.at().Ours("reconfigure %s --verify", v.s.name)}
	if rec, err := v.s.record(ctx); err == nil {
		left = 0
		for _, sr := range rollout.Left(rec) {
			w, seen := v.watch.Seen(sr.ID)
			if !seen {
				continue
			}
			left++
			d := w.Verdict()
			line := fmt.Sprintf("server %d on host %s: %s: %s", sr.ID, sr.HostIP, d.Code, d.Why)
			if d.Look != "" {
				line += "; look at " + d.Look
			}
			e.evidence = append(e.evidence, line)
		}
	}
	e.reason = fmt.Sprintf("%d servers are not known to run with the new list", left)
	return e
}

// confirm keeps the operator's word for servers that do not show their list,
// unless what can be seen contradicts it.
func (f *reconfigureFlags) confirm(ctx context.Context, s *session) error {
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	for _, n := range f.confirmed {
		sr, ok := rec.Server(ensemble.ID(n))
		if !ok {
			return usagef("--confirmed=%d: ensemble %s has no such server", n, rec.Name)
		}
		live := s.prober.Sight(ctx, sr.AtService())
		v, ok := rollout.ByWord(rec, *sr, live, s.prober.Port(ctx, sr.ElectionAtHost()))
		if !ok {
			return &refusedError{reason: fmt.Sprintf("server %d does not run with the new list: %s", n, v.Why), next: "look at " + orText(v.Look, "host "+sr.HostIP)}
		}
		if _, err := s.prober.Canary(ctx, sr.AtService()); err != nil {
			return &refusedError{reason: fmt.Sprintf("server %d takes no write: %v", n, err), next: "look at host " + sr.HostIP}
		}
		rollout.Confirm(&rec, sr.ID, "confirmed by the operator", live.Zxid.Epoch(), me(), time.Now())
	}
	return s.save(ctx, rec)
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
