package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Engine carries out what migration.Decide says.
type Engine struct {
	Cluster Cluster
	Prober  Prober
	// From is where the prober asks from.
	From  vantage.Point
	Hosts Hosts
	// Paths tries what only pods and hosts can; nil where nobody can be asked.
	Paths Paths
	// Clients tells who is connected; nil where no rule needs it.
	Clients Clients
	Journal Journal
	// Remover is nil where nothing is proved of the pods' objects or taken back.
	Remover Remover
	// Lock is asked before each step; nil where none is taken, as by a look.
	Lock  Lock
	Clock Clock
	// OnEvent, when set, is told what happens; it must not block for long.
	OnEvent func(Event)
	// OnLook, when set, is told each look of Run, and when it had ended.
	OnLook func(o migration.Observation, ended time.Time)
	// Poll is the pause between two looks while waiting.
	Poll time.Duration
	// ErrorBudget is for how long API and journal errors in a row are taken for
	// passing ones; 0 means that none is.
	ErrorBudget time.Duration
	// Twins are other ensembles with the same hosts, looked for once.
	Twins []migration.Claim
	// Uses are possible users of the Services, asked for once.
	Uses []migration.Use
	// Focus are servers whose hosts are probed besides the one that Run is about.
	Focus []ensemble.ID
	// Via is put into the commands that are printed of a look.
	Via command.Via
	// Elsewhere, when set, looks for another pod to ask from, where the one in From is no
	// second witness for this server, or where nobody was seen from it and it may be gone.
	Elsewhere func(ctx context.Context, rec migration.Record, id ensemble.ID)
	// Final, when set, knows more errors that asking again will not mend.
	Final func(error) bool

	announced string
}

// EventKind is the kind of an Event.
type EventKind string

// The kinds of events.
const (
	EventStep    EventKind = "step"
	EventStepOK  EventKind = "step-ok"
	EventWaiting EventKind = "waiting"
	EventStopped EventKind = "stopped"
	EventDone    EventKind = "done"
	EventError   EventKind = "error"
)

// Event is something the engine tells its caller.
type Event struct {
	Kind     EventKind
	At       time.Time
	ID       ensemble.ID
	Decision migration.Decision
	// Took is how long a finished step took.
	Took time.Duration
	// By is who has done, or was asked for, what a finished step wants of a host.
	By string
	// Missing is how many of the paths that it tried are not there.
	Missing int
	Err     error
	// Final: it is not tried again.
	Final bool
	// Observation is the look the decision rests on.
	Observation migration.Observation
}

// Looker looks as the engine does, at records that need not be the journal's.
func (e *Engine) Looker() Looker {
	return Looker{Cluster: e.Cluster, Prober: e.Prober, From: e.From, Clock: e.Clock, Via: e.Via}
}

// Observe reads the journal and takes one look at everything. focus are the servers
// whose hosts are probed, too.
func (e *Engine) Observe(ctx context.Context, focus ...ensemble.ID) (migration.Observation, error) {
	rec, err := e.Journal.Load(ctx)
	if err != nil {
		return migration.Observation{}, err
	}
	o, err := e.Looker().Look(ctx, rec, e.Twins, focus...)
	if err == nil && e.Clients != nil {
		o.Clients = e.Clients.Look(ctx, rec)
	}
	if err != nil || e.Remover == nil {
		return o, err
	}
	b, err := e.Remover.Belongings(ctx, rec)
	if err != nil {
		return o, fmt.Errorf("looking at the pods' objects: %w", err)
	}
	o.Belongings, o.Uses = &b, e.Uses
	return o, nil
}

// Run works on the intent until it is done or Decide stops it. It returns the
// last decision; the error is set when the context ended or something outside
// failed for longer than the budget. The state is saved at every moment.
func (e *Engine) Run(ctx context.Context, in migration.Intent) (migration.Decision, error) {
	var last migration.Decision
	var failingSince, seen time.Time
	var spans spans
	begun := false
	in.Began = e.Clock.Now()
	for {
		o, err := e.Observe(ctx, append(slices.Clone(e.Focus), in.ID)...)
		if err == nil {
			if e.OnLook != nil {
				e.OnLook(o, e.Clock.Now())
			}
			in.Since = watchedSince(in.Since, seen, o)
			in.UnseenSince, in.NoQuorumSince = spans.look(o)
			if in.EpochAtStart == 0 {
				in.EpochAtStart, _ = o.Epoch()
			}
			if f := o.Record.Flight; !begun {
				begun = true
				if f != nil {
					in.RenewalsAtStart = f.Renewals
				}
			}
			d := migration.Decide(in, o)
			if e.Elsewhere != nil && badlyPlaced(o, d, in.ID) {
				e.Elsewhere(ctx, o.Record, in.ID)
			}
			var changed bool
			changed, err = e.act(ctx, in, o, d)
			last = d
			if err == nil && told(o, in.ID) {
				seen = lastSeen(o.At, e.Clock.Now(), d.Step)
			}
			if err == nil && (d.Kind == migration.Done || d.Kind == migration.Stop) {
				return d, nil
			}
			if err == nil && changed {
				if d.Step == migration.StepRestorePods && !in.Undo && !in.Regate && (in.Kind == migration.Apply || in.Kind != migration.Revert && o.Record.Flight == nil) {
					in.Refused = d.Reason
				}
				failingSince = time.Time{}
				continue
			}
		}
		if err != nil {
			if ctx.Err() != nil {
				return last, ctx.Err()
			}
			if failingSince.IsZero() {
				failingSince = e.Clock.Now()
			}
			final := permanent(err) || e.Final != nil && e.Final(err)
			e.tell(Event{Kind: EventError, ID: in.ID, Decision: last, Err: err, Final: final})
			if final || e.Clock.Now().Sub(failingSince) > e.ErrorBudget {
				return last, err
			}
		} else {
			failingSince = time.Time{}
		}
		if err := e.Clock.Sleep(ctx, e.Poll); err != nil {
			return last, err
		}
	}
}

// badlyPlaced reports whether the pod that asks is no second witness for the server, or may
// be gone.
func badlyPlaced(o migration.Observation, d migration.Decision, id ensemble.ID) bool {
	v, _ := o.View(id)
	beside := d.Code == migration.CodeSecondVantage && v.Cluster.Pod.Node == o.From.Node
	return o.From.IsPod() && (beside || o.SeesNobody())
}

// watchedSince is from when on the host has been looked at without a gap; seen
// is when the last step after a look that told something had ended. A machine
// that sleeps stops its monotonic clock, so the wall's counts.
func watchedSince(since, seen time.Time, o migration.Observation) time.Time {
	if since.IsZero() || o.At.Round(0).Sub(seen.Round(0)) > migration.WatchGap {
		return o.At.Round(0)
	}
	return since
}

// lastSeen is until when a look counts: to the end of the step that it led to,
// which may be somebody's work on a host and take as long as it likes. Any other
// step that takes long has slept.
func lastSeen(look, end time.Time, step migration.StepID) time.Time {
	if hostAction(step) != "" || step == migration.StepSeed || end.Round(0).Sub(look.Round(0)) <= migration.WatchGap {
		return end
	}
	return look
}

// told reports whether the host answered or refused; silence tells nothing, and
// neither does something that accepts connections and does not answer.
func told(o migration.Observation, id ensemble.ID) bool {
	v, _ := o.View(id)
	return v.Host.Up() || v.Host.Closed()
}

// Permanent is implemented by errors that looking again will not mend, such
// as a missing permission.
type Permanent interface{ Permanent() bool }

func permanent(err error) bool {
	var p Permanent
	return errors.As(err, &p) && p.Permanent()
}

// act carries out one decision: write-ahead, the step, what it brought. It
// reports whether looking again at once makes sense.
func (e *Engine) act(ctx context.Context, in migration.Intent, o migration.Observation, d migration.Decision) (bool, error) {
	ev := Event{ID: d.Server, Decision: d, Observation: o}
	switch d.Kind {
	case migration.Wait:
		ev.Kind = EventWaiting
		e.tell(ev)
		return false, nil
	case migration.Stop:
		ev.Kind = EventStopped
		e.tell(ev)
		return false, nil
	case migration.Done:
		ev.Kind = EventDone
		e.tell(ev)
		return false, nil
	case migration.Do:
	}
	if what := string(d.Step) + d.Reason; what != e.announced {
		e.announced = what
		ev.Kind = EventStep
		e.tell(ev)
	}
	began := e.Clock.Now()
	rec := o.Record
	if next, changed := rec.Before(d); changed {
		rec = next
		rec.Note(migration.AuditEntry{At: began, By: in.By, ID: d.About(), Step: string(d.Step), Detail: d.Reason})
		if err := e.Journal.Save(ctx, rec); err != nil {
			return false, fmt.Errorf("writing the journal before step %s: %w", d.Step, err)
		}
	} else if err := e.unchanged(ctx, o.Record); err != nil {
		return false, err
	}
	if err := e.stillOurs(ctx, o, d); err != nil {
		return false, err
	}
	outcome, err := e.perform(ctx, o, rec, d)
	if err != nil {
		return false, fmt.Errorf("step %s of server %d: %w", d.Step, d.Server, err)
	}
	leader := o.Leader()
	if next, changed := rec.After(in.By, d, outcome, leader); changed {
		next.Note(migration.AuditEntry{At: outcome.At, By: in.By, ID: d.About(), Step: string(d.Step), Detail: "done"})
		// The save must go through a journal that has seen our first write.
		if err := e.Journal.Save(ctx, next); err != nil {
			return false, fmt.Errorf("writing the journal after step %s: %w", d.Step, err)
		}
	}
	if !outcome.Done {
		// Asked for, not done: the operator's move.
		return false, nil
	}
	if outcome.Paths != nil {
		ev.Missing = len(outcome.Paths.Missing(o, d.Server))
	}
	ev.Kind, ev.By = EventStepOK, outcome.By
	ev.Took = outcome.At.Sub(began)
	e.tell(ev)
	return true, nil
}

// stillOurs is the last thing that is asked before a step, whatever it is: that
// the lock is held, and that what was decided on is not over. A machine that
// slept, or a process that was stopped, anywhere between the look and this moment
// finds out here; so does one whose API server took long to answer. Hosts know
// neither lock nor version: for what is done there nothing else asks.
func (e *Engine) stillOurs(ctx context.Context, o migration.Observation, d migration.Decision) error {
	if e.Lock != nil {
		if err := e.Lock.Held(ctx); err != nil {
			return fmt.Errorf("step %s of server %d was not taken: %w", d.Step, d.Server, err)
		}
	}
	if old := e.Clock.Now().Round(0).Sub(o.At.Round(0)); old > migration.WatchGap {
		return fmt.Errorf("step %s of server %d was not taken: what it rests on is %.0f s old; looking again", d.Step, d.Server, old.Seconds())
	}
	return nil
}

// unchanged looks at the journal once more right before an act that is not
// preceded by a write of it: a command that was overtaken while it looked must
// not act on what it saw. A write finds out by itself.
func (e *Engine) unchanged(ctx context.Context, seen migration.Record) error {
	now, err := e.Journal.Load(ctx)
	if err != nil {
		return err
	}
	if !now.Equal(seen) {
		return errors.New("the journal was changed while we looked; looking again")
	}
	return nil
}

// hostAction maps a step to what the host must do.
func hostAction(step migration.StepID) HostAction {
	switch step {
	case migration.StepMaskHost:
		return HostMask
	case migration.StepStopHost:
		return HostStop
	case migration.StepUnmaskHost:
		return HostUnmask
	case migration.StepStartHost:
		return HostStart
	case migration.StepApplyPatch:
		return HostApplyPatch
	default:
		return ""
	}
}

// perform carries out the step's one action.
func (e *Engine) perform(ctx context.Context, o migration.Observation, rec migration.Record, d migration.Decision) (migration.Outcome, error) {
	id := d.Server
	sr, _ := rec.Server(id)
	view, _ := o.View(id)
	pod := view.Cluster.Pod
	out := migration.Outcome{Done: true}
	var err error
	if action := hostAction(d.Step); action != "" {
		if f := rec.Flight; action == HostStart && f != nil && f.Unmasking != nil {
			// Whoever was asked before may have read the lines, and not run them.
			if _, _, err := e.Hosts.Do(ctx, HostUnmask, *sr); err != nil {
				return out, err
			}
		}
		out.Done, out.By, err = e.Hosts.Do(ctx, action, *sr)
		out.At = e.Clock.Now()
		return out, err
	}
	switch d.Step {
	case migration.StepPark:
		err = e.Cluster.Park(ctx, rec)
	case migration.StepUngate:
		out.PlainFiles, err = e.Cluster.Ungate(ctx, rec)
	case migration.StepFinalize:
		err = e.Cluster.Finalize(ctx, rec)
	case migration.StepRestorePods:
		err = e.Cluster.Park(ctx, rec.RestorePods())
	case migration.StepRemakePods:
		for _, p := range d.Pods {
			err = errors.Join(err, e.Cluster.DeletePod(ctx, rec, p.ID, p.UID))
		}
	case migration.StepProveBefore, migration.StepProveAfter:
		out.Zxid, err = e.canary(ctx, rec, through(o, id))
	case migration.StepProveJoined:
		// Through the server itself, as clients come: its own files may keep them out.
		out.Zxid, err = e.canary(ctx, rec, id)
	case migration.StepFlip, migration.StepBridge:
		err = e.Cluster.PointToPod(ctx, rec, id, pod.UID, pod.IP)
	case migration.StepAdopt:
		err = e.Cluster.SetSelector(ctx, rec, id)
	case migration.StepDropBridge:
		err = e.Cluster.DropBridge(ctx, rec, id)
	case migration.StepRelease:
		if err = e.Cluster.OpenGate(ctx, rec, id, d.Start); err == nil {
			err = e.Cluster.Kick(ctx, rec, id)
		}
	case migration.StepRenew:
		if err = e.Cluster.RenewGate(ctx, rec, id, d.Start, view.Cluster.Gate.ReleasedGeneration); err == nil {
			err = e.Cluster.Kick(ctx, rec, id)
		}
	case migration.StepRestoreGate:
		if err = e.Cluster.RestoreGate(ctx, rec, id, *d.Release); err == nil && pod.UID != "" {
			err = e.Cluster.Kick(ctx, rec, id)
		}
	case migration.StepSeed:
		out.Done, err = e.seed(ctx, rec, *sr)
	case migration.StepKick:
		err = e.Cluster.Kick(ctx, rec, id)
	case migration.StepTryPaths:
		out.Paths, err = e.tryPaths(ctx, o, rec, id)
	case migration.StepCloseGate:
		err = e.Cluster.CloseGate(ctx, rec, id)
	case migration.StepDeletePod:
		err = e.Cluster.DeletePod(ctx, rec, id, pod.UID)
	case migration.StepClearSelector:
		err = e.Cluster.ClearSelector(ctx, rec, id)
	case migration.StepDeleteLeftovers:
		err = e.Cluster.DeleteLeftovers(ctx, rec, id)
	case migration.StepFlipBack:
		err = e.Cluster.PointToHost(ctx, rec, id)
	case migration.StepShrinkSet:
		err = e.Remover.ShrinkSet(ctx, rec, d.Replicas)
	case migration.StepDeleteClaims:
		err = e.Remover.DeleteClaims(ctx, rec, d.Claims)
	case migration.StepDeletePodObjects:
		err = e.Remover.DeletePodObjects(ctx, rec)
	case migration.StepDeleteService:
		for _, id := range d.Services {
			err = errors.Join(err, e.Remover.DeleteService(ctx, rec, id))
		}
	default:
		if s := migration.StepByID(d.Step); s.Writes || s.Phase == "" {
			err = fmt.Errorf("nobody carries out step %q", d.Step)
		}
	}
	out.At = e.Clock.Now()
	return out, err
}

// seed copies the host's data into the pod's volume, or has it asked for.
func (e *Engine) seed(ctx context.Context, rec migration.Record, sr migration.ServerRecord) (bool, error) {
	r, err := e.Hosts.CopyData(ctx, sr, rec.Flight.Seed)
	if err != nil || r == nil {
		return false, err
	}
	err = e.Cluster.Seed(ctx, rec, sr.ID, r)
	// Why the copy ended early is said by what makes it, unless it was refused:
	// then its maker only saw the pipe close.
	if closeErr := r.Close(); closeErr != nil && !permanent(err) {
		err = closeErr
	}
	return err == nil, err
}

// canary commits a write through a server.
func (e *Engine) canary(ctx context.Context, rec migration.Record, via ensemble.ID) (ensemble.Zxid, error) {
	sr, ok := rec.Server(via)
	if !ok {
		return 0, fmt.Errorf("no server to write through")
	}
	zxid, err := e.Prober.Canary(ctx, sr.AtService())
	if err != nil {
		return 0, fmt.Errorf("canary write through server %d: %w", via, err)
	}
	return zxid, nil
}

// through is the server to write through while the one in question may be away: the leader, which
// answers even while a follower lags, where its Service leads to it, or else one that serves.
func through(o migration.Observation, id ensemble.ID) ensemble.ID {
	via := id
	for _, v := range o.Servers {
		if v.Live.Serving() {
			via = v.ID
			if v.Live.Mode == ensemble.Leader {
				return v.ID
			}
		}
	}
	return via
}

func (e *Engine) tell(ev Event) {
	if e.OnEvent == nil {
		return
	}
	if ev.At.IsZero() {
		ev.At = e.Clock.Now()
	}
	e.OnEvent(ev)
}
