package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// fleetPoll is the pause between two looks of a run at its state, and at what is to begin.
const fleetPoll = 3 * time.Second

// defaultFleetTimeout bounds one command: a run may wait for a window for days.
const defaultFleetTimeout = 7 * 24 * time.Hour

type fleetRunFlags struct {
	deps    *deps
	file    string
	yes     bool
	wait    bool
	restart bool
	dir     string
	timeout time.Duration
}

func newFleetRunCommand(d *deps) *cobra.Command {
	f := &fleetRunFlags{deps: d}
	cmd := &cobra.Command{
		Use:                   "run -f FILE [--yes] [--wait=false]",
		DisableFlagsInUseLine: true,
		Short:                 "Begin a run, or go on with it",
		Long: long(`
			Freezes the plan of a Fleet manifest, and moves its ensembles by it. Run again, on any
			machine with the same files, it goes on: first with what was under way, wherever that
			was. If the ensembles, their files or the strategy have changed since, it says what
			has changed and stops; --restart begins a new run with them, once nothing is under
			way, and passes over ensembles that have reached the goal.

			An ensemble that fails is red: it stays as it is. What is under way goes on to its
			end, and nothing else of its stage begins. Printed as next is the fleet retry that
			resumes it, with what must be fixed first, and the fleet skip that leaves it out.

			It waits for approvals, windows and soaks; with --wait=false it ends when nothing is
			under way and nothing can begin, and goes on when it is run again.`),
		Example: examples(`
			# What would it do?
			%[1]s fleet plan -f wave-1.yaml

			# Do it
			%[1]s fleet run -f wave-1.yaml --yes

			# From a job that runs every five minutes
			%[1]s fleet run -f wave-1.yaml --yes --wait=false`),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return within(cmd.Context(), f.timeout, func(ctx context.Context) error { return f.run(ctx, cmd) })
		},
	}
	cmd.Flags().StringVarP(&f.file, "filename", "f", "", "The Fleet manifest (docs/fleet.md)")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "Do not ask before a run begins")
	cmd.Flags().BoolVar(&f.wait, "wait", true, "Wait for approvals, windows and soaks")
	cmd.Flags().BoolVar(&f.restart, "restart", false, "Begin a new run in the place of one that has another plan")
	cmd.Flags().StringVar(&f.dir, "output-dir", "", "Where the hosts' patches go, a directory per ensemble (default ./zkmigrate-fleet-NAME)")
	cmd.Flags().DurationVar(&f.timeout, "timeout", defaultFleetTimeout, "How long to go on; the state is saved and the same command continues")
	return cmd
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments\nSee '%s --help' for usage", cmd.CommandPath(), cmd.CommandPath())
	}
	return nil
}

func (f *fleetRunFlags) run(ctx context.Context, cmd *cobra.Command) error {
	if err := checkOutDir(f.dir); err != nil {
		return err
	}
	doc, err := f.deps.readFleet(ctx, f.file)
	if err != nil {
		return err
	}
	k, err := f.deps.kube()
	if err != nil {
		return err
	}
	look := newFleetLooker(f.deps, cmd)
	defer look.end()
	in, err := f.deps.fleetInput(ctx, doc, look)
	if err != nil {
		return err
	}
	r := k.fleet(k.namespace, doc.Metadata.Name)
	fresh, err := f.fresh(ctx, r, in)
	if err != nil {
		return err
	}
	if f.dir == "" {
		f.dir = "zkmigrate-fleet-" + r.name
	}
	out := &lines{out: f.deps.streams.ErrOut}
	mover := &fleetMover{look: look, out: out, dir: f.dir, goal: in.plan.Until, timeout: in.plan.Timeout.Duration}
	runner := &fleetRunner{run: r, in: in, fresh: fresh, out: out, wait: f.wait, poll: fleetPoll, move: mover.move, now: time.Now,
		looks: func(ctx context.Context, targets []fleetTarget) map[string]fleet.Fact {
			return look.looks(ctx, targets, in.plan.Until)
		},
		halts: func(ctx context.Context) (map[string]string, error) { return look.halts(ctx, in.plan) },
	}
	mover.safe = runner.safe
	return runner.locked(ctx)
}

// fresh reports whether a new run begins, and asks before that; a run that is recorded must
// have the same plan.
func (f *fleetRunFlags) fresh(ctx context.Context, r *fleetRun, in fleetInput) (bool, error) {
	rec, err := r.store.Load(ctx)
	switch {
	case journal.IsNoFleet(err):
	case err != nil:
		return false, err
	case rec.Plan.Digest() == in.plan.Digest():
		return false, nil
	case !f.restart:
		return false, &refusedError{reason: fmt.Sprintf("fleet %s is not the one that its run began with", r.name), evidence: fleet.Differences(rec.Plan, in.plan),
			next: "restore what has changed; or begin a new run with it: " + r.kube.at().Ours("fleet run -f FILE --restart")}
	}
	if f.yes {
		return true, nil
	}
	until := string(in.plan.Until)
	if in.plan.Until == fleet.Finalized {
		until += ", after which no server can go back to its host"
	}
	question := fmt.Sprintf("Move %d ensembles in %d stages until they are %s, with the programs that %s names? [y/N] ", len(in.plan.Targets), len(in.plan.Stages), until, in.doc.File)
	return true, f.deps.confirm(ctx, question)
}

// freeze begins a new run. Elections of the one before still count.
func (r *fleetRun) freeze(ctx context.Context, p fleet.Plan) error {
	rec, err := r.store.Load(ctx)
	if err != nil && !journal.IsNoFleet(err) {
		return err
	}
	for id, result := range rec.State.Results {
		if result.Phase == fleet.UnderWay {
			return &refusedError{reason: fmt.Sprintf("%s is under way in the run that is recorded: no other run begins before it has ended", id), next: "restore what has changed, run the fleet until it has ended, then begin anew"}
		}
	}
	s := fleet.State{Spent: rec.State.Spent}
	return r.store.Begin(ctx, p, s)
}

// lockLost says why a run ends before its time.
func (r *fleetRun) lockLost(lost error) error {
	e := &pausedError{reason: "the lock of the run was lost", next: r.kube.at().Ours("fleet status %s", r.name)}
	if held, ok := journal.IsHeld(lost); ok {
		e.reason = fmt.Sprintf("the lock of the run was lost, another command has it: %s", quote.Line(held.Holder))
	}
	return e
}

// fleetRunner is a run in this process.
type fleetRunner struct {
	run *fleetRun
	in  fleetInput
	out *lines
	// fresh: a new run begins.
	fresh, wait bool
	poll        time.Duration
	now         func() time.Time
	// move takes an ensemble to the goal, looks looks at some, halts finds annotations.
	move  func(context.Context, fleetTarget) (fleet.Ending, bool)
	looks func(context.Context, []fleetTarget) map[string]fleet.Fact
	halts func(context.Context) (map[string]string, error)

	lock *journal.Lock
	// running are under way in this process, ended those of them that are over.
	running map[string]bool
	ended   chan turnOver
	said    map[string]bool
	// looked: ensembles were looked at, once at least.
	looked bool
}

type turnOver struct {
	id   string
	how  fleet.Ending
	over bool
}

func (f *fleetRunner) locked(ctx context.Context) error {
	lock, err := f.run.kube.acquire(ctx, journal.Lease{Namespace: f.run.kube.namespace, Name: f.run.name, Fleet: true})
	if err != nil {
		return err
	}
	f.lock, f.running, f.ended, f.said = lock, map[string]bool{}, make(chan turnOver), map[string]bool{}
	return f.run.kube.whileHeld(ctx, lock, f.run.lockLost, func(ctx context.Context) error {
		if f.fresh {
			if err := f.run.freeze(ctx, f.in.plan); err != nil {
				return err
			}
		}
		work, cancel := context.WithCancel(ctx)
		err := f.loop(work)
		cancel()
		// What is under way is waited for: it keeps its own state, and its lock.
		for len(f.running) > 0 {
			e := <-f.ended
			delete(f.running, e.id)
			if e.over {
				_ = f.record(context.WithoutCancel(ctx), e) // the next run finds out by itself
			}
		}
		return err
	})
}

// loop looks, decides, begins, and looks again.
func (f *fleetRunner) loop(ctx context.Context) error {
	for {
		d, rec, err := f.round(ctx)
		switch {
		case ctx.Err() != nil:
			return f.interrupted(ctx)
		case journal.IsStale(err):
			continue // somebody approved, paused, skipped
		case err != nil:
			return &failedError{err: err, next: f.run.kube.at().Ours("fleet run -f FILE")}
		case len(f.running) == 0 && f.final(d):
			return f.outcome(d, rec)
		}
		select {
		case e := <-f.ended:
			delete(f.running, e.id)
			if !e.over {
				f.out.line(e.id + ": stopped before its next server; it goes on later")
			} else if err := f.record(ctx, e); err != nil && ctx.Err() == nil {
				return &failedError{err: err, next: f.run.kube.at().Ours("fleet run -f FILE")}
			}
		case <-time.After(f.poll):
		case <-ctx.Done():
			return f.interrupted(ctx)
		}
	}
}

func (f *fleetRunner) interrupted(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &pausedError{reason: "timed out", next: f.run.kube.at().Ours("fleet run -f FILE"), timeout: true}
	}
	return &workingError{ctx.Err()}
}

// final reports whether nothing is waited for in this process.
func (f *fleetRunner) final(d fleet.Decision) bool {
	switch d.Verdict {
	case fleet.Finished, fleet.Stopped, fleet.Halted:
		return true
	case fleet.Waiting:
		return !f.wait
	case fleet.Going:
	}
	return false
}

// round is one look, one decision, and what it brings.
func (f *fleetRunner) round(ctx context.Context) (fleet.Decision, journal.FleetRecord, error) {
	rec, err := f.run.load(ctx)
	if err != nil {
		return fleet.Decision{}, rec, err
	}
	if rec.Plan.Digest() != f.in.plan.Digest() {
		return fleet.Decision{}, rec, errors.New("another run of this fleet was begun meanwhile")
	}
	facts, err := f.facts(ctx, rec)
	if err != nil {
		return fleet.Decision{}, rec, err
	}
	changed := f.already(&rec.State, facts)
	d := fleet.Decide(rec.Plan, rec.State, facts, f.now())
	for _, id := range d.Begin {
		rec.State.Begin(id, facts.Targets[id], f.mark())
	}
	if changed || len(d.Begin) > 0 {
		if err := f.save(ctx, rec.State); err != nil {
			return d, rec, err
		}
	}
	f.tell(d)
	for _, id := range append(slices.Clone(d.Resume), d.Begin...) {
		f.start(ctx, id)
	}
	return d, rec, nil
}

// facts looks at what matters now: at ensembles only where one of them might begin, for a run
// may wait for days.
func (f *fleetRunner) facts(ctx context.Context, rec journal.FleetRecord) (fleet.Facts, error) {
	halts, err := f.halts(ctx)
	if err != nil {
		return fleet.Facts{}, err
	}
	if idle := fleet.Assume(rec.Plan, rec.Halt, halts, 0); f.looked && len(fleet.Decide(rec.Plan, rec.State, idle, f.now()).Begin) == 0 {
		return idle, nil
	}
	f.looked = true
	var targets []fleetTarget
	for _, id := range fleet.Needs(rec.Plan, rec.State) {
		targets = append(targets, f.in.targets[id])
	}
	facts := fleet.Facts{Halt: rec.Halt, Targets: f.looks(ctx, targets)}
	for id, why := range halts {
		fact := facts.Targets[id]
		fact.Halt = why
		facts.Targets[id] = fact
	}
	return facts, ctx.Err()
}

// already keeps that ensembles have reached the goal without this run, and reports whether
// there are any.
func (f *fleetRunner) already(s *fleet.State, facts fleet.Facts) bool {
	changed := false
	for id, fact := range facts.Targets {
		if s.Phase(id) == "" && fact.Healthy && fact.Reached() {
			s.Was(id, fact.Servers, f.mark())
			changed = true
		}
	}
	return changed
}

// mark is that this run does something now, by its clock.
func (f *fleetRunner) mark() fleet.Mark {
	m := mark("")
	m.At = f.now().UTC()
	return m
}

// save writes the state while the lock is held.
func (f *fleetRunner) save(ctx context.Context, s fleet.State) error {
	if err := f.lock.Held(ctx); err != nil {
		return err
	}
	return f.run.store.Save(ctx, s)
}

// start moves an ensemble that is under way, unless this process does already.
func (f *fleetRunner) start(ctx context.Context, id string) {
	if f.running[id] {
		return
	}
	f.running[id] = true
	f.out.line(id + ": under way")
	go func() {
		how, over := f.move(ctx, f.in.targets[id])
		f.ended <- turnOver{id, how, over}
	}()
}

// record keeps how an ensemble's turn ended.
func (f *fleetRunner) record(ctx context.Context, e turnOver) error {
	if err := f.lock.Held(ctx); err != nil {
		return err
	}
	m := f.mark()
	if e.how.Red {
		f.out.line(e.id + ": RED: " + e.how.Reason)
	} else {
		f.out.line(e.id + ": done")
	}
	return f.run.store.Change(ctx, func(_ fleet.Plan, s *fleet.State) error {
		s.End(e.id, e.how, m)
		return nil
	})
}

// safe is asked by each ensemble that is under way, where none of its servers is away.
func (f *fleetRunner) safe(ctx context.Context, id string) error {
	rec, err := f.run.load(ctx)
	if err != nil {
		return err
	}
	halts, err := f.halts(ctx)
	switch {
	case err != nil:
		return err
	case rec.Halt != "":
		return &haltedError{"the fleet is halted: " + rec.Halt}
	case halts[id] != "":
		return &haltedError{halts[id]}
	}
	return nil
}

// tell prints what is waited for, once.
func (f *fleetRunner) tell(d fleet.Decision) {
	now := map[string]bool{}
	for _, w := range d.Waits {
		if w.Code == fleet.WaitTurn {
			continue
		}
		now[w.Text] = true
		if !f.said[w.Text] {
			f.out.line("waiting: " + waitText(w))
		}
	}
	f.said = now
}

func waitText(w fleet.Wait) string {
	if w.Until.IsZero() {
		return w.Text
	}
	return fmt.Sprintf("%s, until %s", w.Text, w.Until.Local().Format(time.DateTime))
}

// outcome is how the run ends in this process.
func (f *fleetRunner) outcome(d fleet.Decision, rec journal.FleetRecord) error {
	if d.Verdict == fleet.Finished {
		c := fleet.Count(rec.Plan, rec.State)
		fmt.Fprintf(f.out.out, "Fleet %s is done: %s.\n", f.run.name, c)
		return nil
	}
	e := &pausedError{reason: fmt.Sprintf("fleet %s is %s", f.run.name, d.Verdict)}
	for _, w := range d.Waits {
		if w.Code != fleet.WaitTurn {
			e.evidence = append(e.evidence, waitText(w))
		}
		if e.next == "" {
			e.next = f.run.next(rec.Plan, w)
		}
	}
	e.evidence = e.evidence[:min(len(e.evidence), 20)]
	return e
}

// next is what helps against a wait.
func (r *fleetRun) next(p fleet.Plan, w fleet.Wait) string {
	switch w.Code {
	case fleet.WaitRed:
		return r.again(w.Target, w.Next)
	case fleet.WaitApproval:
		return r.kube.at().Ours("fleet approve %s --approval=%s", r.name, w.Approval)
	case fleet.WaitPause:
		return r.kube.at().Ours("fleet resume %s", r.name)
	case fleet.WaitHalt:
		return r.unhalt(p, w)
	case fleet.WaitSoak, fleet.WaitWindow, fleet.WaitElections, fleet.WaitConsumer, fleet.WaitHealth, fleet.WaitReady, fleet.WaitUnseen, fleet.WaitTurn:
	}
	return strings.TrimSpace(w.Next)
}

// again has a red ensemble go on; own is its own way out, which comes first.
func (r *fleetRun) again(id, own string) string {
	first := ""
	if own = strings.TrimSpace(own); own != "" {
		first = "first: " + own + "; "
	}
	return fmt.Sprintf("%s   (%sor leave it out: %s)", r.kube.at().Ours("fleet retry %s --ensemble=%s", r.name, id), first, r.kube.at().Ours("fleet skip %s --ensemble=%s", r.name, id))
}

// unhalt takes away the annotation that halts the run.
func (r *fleetRun) unhalt(p fleet.Plan, w fleet.Wait) string {
	at, object := r.kube.at(), render.FleetName(r.name)
	if t, ok := p.Target(w.Target); ok {
		at.Namespace, object = t.Namespace, render.JournalName(t.Name)
		if t.Context != "" {
			at.Via = command.Via{}.With("context", t.Context)
		}
	}
	return at.Kubectl("annotate configmap %s %s", object, render.HaltAnnotation+"-")
}
