package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

const (
	// sincePause is how often a server is asked since when it serves: that
	// costs the ensemble two writes.
	sincePause = 30 * time.Second
	// portPause is how often an election port is asked: each connect costs the
	// server a warning in its log.
	portPause = 3 * time.Second
)

// watched is what is remembered of one server between two looks.
type watched struct {
	sig        migration.RestartSignals
	awayFrom   time.Time
	sameFrom   time.Time
	reach      migration.Reach
	ended      bool // its end was seen in this stretch of refusals
	sinceAsked time.Time
	portAsked  time.Time
	said       string
	verdict    migration.Verdict
}

// verifier is --verify: it looks until every server is known to run with the
// new list.
type verifier struct {
	f       *reconfigureFlags
	s       *session
	servers map[ensemble.ID]*watched
	epoch   uint32
	// moved says that a server was verified by this command.
	moved bool
}

func (f *reconfigureFlags) watch(ctx context.Context, s *session) error {
	v := &verifier{f: f, s: s, servers: map[ensemble.ID]*watched{}}
	for {
		left, err := v.look(ctx)
		if err == nil && left == 0 {
			return s.reconfigured(ctx, f.deps.streams, v.moved)
		}
		if err == nil {
			err = clock{}.Sleep(ctx, pollInterval)
		}
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
			return v.timeout(context.WithoutCancel(ctx), left)
		}
		if err != nil {
			return err
		}
	}
}

// look is one round; it returns how many servers are left.
func (v *verifier) look(ctx context.Context) (int, error) {
	obs, err := v.s.engine.Observe(ctx)
	if err != nil {
		return 0, err
	}
	if err := v.countElections(ctx, obs); err != nil {
		return 0, err
	}
	if obs.Record, err = v.s.takeBack(ctx, obs, v.f.deps.streams.ErrOut); err != nil {
		return 0, err
	}
	left := 0
	for _, sr := range obs.Record.Servers {
		if sr.Reconfigured != nil || sr.Replaced != nil {
			continue
		}
		view, _ := obs.View(sr.ID)
		w := v.watch(ctx, obs, sr, view.Live)
		v.say(sr, w)
		if !w.verdict.OK {
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
	ids := migration.Relisted(obs)
	if len(ids) == 0 {
		return obs.Record, nil
	}
	rec, err := s.record(ctx)
	if err != nil {
		return rec, err
	}
	for _, id := range ids {
		sr, ok := rec.Server(id)
		if !ok || sr.Reconfigured == nil {
			continue
		}
		view, _ := obs.View(id)
		why := strings.Join(migration.ListDifferences(rec, *sr, view.Live), ", ")
		fmt.Fprintf(out, "server %d: it was seen with the Services' addresses at %s, and its live list is another one now (%s): to be verified again\n",
			id, sr.Reconfigured.At.Local().Format(time.DateTime), why)
		sr.Reconfigured = nil
		rec.Note(migration.AuditEntry{At: time.Now(), By: me(), ID: id, Step: "reconfigure", Detail: "no longer verified: " + why})
	}
	return rec, s.save(ctx, rec)
}

// watch brings the signals of one server up to date, asks what the verdict still
// lacks, and judges.
func (v *verifier) watch(ctx context.Context, obs migration.Observation, sr migration.ServerRecord, live migration.Sighting) *watched {
	w, ok := v.servers[sr.ID]
	if !ok {
		w = &watched{}
		v.servers[sr.ID] = w
	}
	sig := &w.sig
	sig.Live, sig.Epoch = live, v.epoch
	w.follow(obs.At, live, migration.OthersAgree(obs))
	if live.Serving() && !sig.SeenDown && sr.Emitted != nil && time.Since(w.sinceAsked) > sincePause {
		w.sinceAsked = time.Now()
		sig.ServingSince = v.s.prober.ServingSince(ctx, hostPort(sr.ClusterIP, sr.ClientPort))
	}
	w.verdict = migration.WatchReconfigured(obs.Record, sr, *sig)
	if w.verdict.Code != migration.VerdictAway && w.verdict.Code != migration.VerdictDeaf && w.verdict.Code != migration.VerdictAlone {
		return w
	}
	if live.Reach != migration.ReachRefused && time.Since(w.portAsked) > portPause {
		w.portAsked = time.Now()
		sig.Host.Election = v.s.prober.Port(ctx, hostPort(sr.HostIP, sr.ElectionPort))
		w.verdict = migration.WatchReconfigured(obs.Record, sr, *sig)
	}
	return w
}

// follow keeps what one look alone does not show: for how long, and how often. A
// refused connection is the end of its process only where the others agree: something
// in between may refuse in its name.
func (w *watched) follow(at time.Time, live migration.Sighting, othersAgree bool) {
	sig := &w.sig
	if live.Serving() {
		if !w.awayFrom.IsZero() {
			// A new stretch of serving: what was asked before is no more true.
			*w = watched{said: w.said, sig: migration.RestartSignals{Live: live, Epoch: sig.Epoch, SeenDown: sig.SeenDown}}
		}
		return
	}
	if w.awayFrom.IsZero() {
		w.awayFrom, w.reach = at, ""
	}
	if w.reach != live.Reach {
		w.reach, w.sameFrom, w.portAsked, sig.Host, w.ended = live.Reach, at, time.Time{}, migration.HostView{}, false
	}
	if live.Reach == migration.ReachRefused && othersAgree && !w.ended {
		w.ended, sig.SeenDown = true, true
		sig.Ends++
	}
	sig.Away, sig.Same = at.Sub(w.awayFrom), at.Sub(w.sameFrom)
}

// say prints a verdict when it is another than before.
func (v *verifier) say(sr migration.ServerRecord, w *watched) {
	d := w.verdict
	key := string(d.Code) + d.Look
	if !d.Code.Wrong() {
		key += d.Why
	}
	if w.said == key {
		return
	}
	w.said = key
	out := v.f.deps.streams.ErrOut
	if !d.Code.Wrong() {
		fmt.Fprintf(out, "server %d: %s\n", sr.ID, d.Why)
		if d.Look != "" {
			fmt.Fprintf(out, "  look at %s\n", d.Look)
		}
		return
	}
	fmt.Fprintf(out, "server %d: WRONG (%s): %s\n  look at %s\n  restart no other server before that is mended\n", sr.ID, d.Code, d.Why, d.Look)
}

// verified writes a canary through the restarted server and keeps the verdict:
// srvr alone does not show a leader that commits nothing (ZOOKEEPER-3829).
// false: not yet.
func (v *verifier) verified(ctx context.Context, sr migration.ServerRecord, w *watched) (bool, error) {
	out := v.f.deps.streams.ErrOut
	if _, err := v.s.prober.Canary(ctx, hostPort(sr.ClusterIP, sr.ClientPort)); err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		w.verdict.Why = "it runs with the new list, but: " + err.Error()
		if w.said != w.verdict.Why {
			w.said = w.verdict.Why
			fmt.Fprintf(out, "server %d: %s; restart no other server meanwhile\n", sr.ID, w.verdict.Why)
		}
		return false, nil
	}
	if err := v.keep(ctx, sr.ID, w.verdict.Why); err != nil {
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
	kept, ok := rec.Server(id)
	if !ok {
		return v.s.exchanged(id)
	}
	kept.Reconfigured = &migration.Confirmation{At: time.Now(), By: me(), How: why}
	rec.NoteRestarted(v.epoch)
	rec.Note(migration.AuditEntry{At: time.Now(), By: me(), ID: id, Step: "reconfigure", Detail: why})
	return v.s.save(ctx, rec)
}

// countElections tells of each election as it is seen; the first leader that is
// seen is the mark to count from where the patches left none.
func (v *verifier) countElections(ctx context.Context, obs migration.Observation) error {
	now, _ := obs.Epoch()
	if now == 0 || now == v.epoch {
		return nil
	}
	first := v.epoch == 0
	v.epoch = now
	if obs.Record.Elections.AtReconfigure == 0 {
		rec, err := v.s.record(ctx)
		if err != nil {
			return err
		}
		rec.Elections.AtReconfigure = now
		return v.s.save(ctx, rec)
	}
	if !first {
		fmt.Fprintf(v.f.deps.streams.ErrOut, "server %d leads in epoch %d. %s\n", obs.Leader(), now, electionsText(obs.Record, now))
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
		for _, sr := range rec.Servers {
			w, ok := v.servers[sr.ID]
			if sr.Reconfigured != nil || sr.Replaced != nil || !ok {
				continue
			}
			left++
			line := fmt.Sprintf("server %d on host %s: %s: %s", sr.ID, sr.HostIP, w.verdict.Code, w.verdict.Why)
			if w.verdict.Look != "" {
				line += "; look at " + w.verdict.Look
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
		address := hostPort(sr.ClusterIP, sr.ClientPort)
		live := s.prober.Sight(ctx, address)
		v := migration.WatchReconfigured(rec, *sr, migration.RestartSignals{
			Live: live, SeenDown: true,
			Host: migration.HostView{Election: s.prober.Port(ctx, hostPort(sr.HostIP, sr.ElectionPort))},
		})
		if !v.OK && v.Code != migration.VerdictUnclear {
			return &refusedError{reason: fmt.Sprintf("server %d does not run with the new list: %s", n, v.Why), next: "look at " + orText(v.Look, "host "+sr.HostIP)}
		}
		if _, err := s.prober.Canary(ctx, address); err != nil {
			return &refusedError{reason: fmt.Sprintf("server %d takes no write: %v", n, err), next: "look at host " + sr.HostIP}
		}
		sr.Reconfigured = &migration.Confirmation{At: time.Now(), By: me(), How: "confirmed by the operator"}
		rec.NoteRestarted(live.Zxid.Epoch())
		rec.Note(migration.AuditEntry{At: time.Now(), By: me(), ID: sr.ID, Step: "reconfigure", Detail: "confirmed by the operator"})
	}
	return s.save(ctx, rec)
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
