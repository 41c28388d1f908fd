package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hosts"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/rollout"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
)

// moveFlags are those of replace and revert.
type moveFlags struct {
	deps    *deps
	kind    migration.FlightKind
	id      idFlag
	all     bool
	yes     bool
	fenced  bool
	data    string
	said    *said
	timeout time.Duration
	verbose bool
	undo    bool
	loss    string
	dryRun  string
	output  string
	// end is what finalize adds; nil for other commands.
	end *ending
}

// MoveOptions is replace or revert with everything resolved.
type MoveOptions struct {
	deps *deps
	kind migration.FlightKind
	args []string
	// id is the server, none with all.
	id      ensemble.MaybeID
	all     bool
	yes     bool
	fenced  bool
	data    migration.DataMode
	hook    string
	timeout time.Duration
	verbose bool
	// undo takes back a change of the pods' settings that no server has joined with.
	undo bool
	// loss is whom the operator accepts to lose with the last host.
	loss   sessions.Consent
	pods   podSettings
	dryRun string
	format printer.Format
	// assumed is what the operator of an unpark or unwrap answers for.
	assumed []string
	// end is what finalize adds; nil for other commands.
	end *ending
	// moved counts the servers this command has moved, wrote says that it has
	// written anything, seen is the last look it decided on.
	moved int
	wrote bool
	seen  migration.Observation
}

func newReplaceCommand(d *deps) *cobra.Command {
	f := &moveFlags{deps: d, kind: migration.Replace}
	cmd := &cobra.Command{
		Use:                   "replace [NAME] (--id=N | --all) [--host-hook=PROGRAM]",
		DisableFlagsInUseLine: true,
		Short:                 "Move a server from its host into its pod",
		Long: long(`
			Moves one server (--id) or all that are left, leader last (--all). The pod is
			parked first. Then: a canary write that all n servers hold, the stop on the host,
			proof from two places that it is dead, a canary write that all n-1 others hold,
			the Service's address moved to the pod in one write, the gate opened, and the pod
			watched until it has been in sync for syncLimit.

			With --data=copy the pod does not start from nothing: once the host's server is
			dead, its data is copied into the parked pod (the hook sends it, or you do, with
			the line that is printed), and the start is an ordinary restart. What a
			replacement was begun with stays until it is over or taken back.

			Whatever must happen on the host is printed and waited for, or done by your own
			program (--host-hook, see docs/host-hook.md). Kill the command at any time: the
			same command, on any machine, goes on. If neither a command nor the parked pod has
			watched the stopped host meanwhile, its unit is masked once more and a copy made
			anew. revert goes back.

			A server on its way back to its host is taken into its pod again, as long as
			nothing may have run on the host.`),
		Example: examples(`
			# Replace server 1; prints what to do on its host and waits for it
			%[1]s replace --id=1

			# The same with a copy of the host's data
			%[1]s replace --id=1 --data=copy

			# The objects of the pods as they would be applied
			%[1]s replace --id=1 --dry-run=server -o yaml

			# The rest, in the safe order, with a program that stops and masks units
			%[1]s replace --all --host-hook=./hook.sh --yes`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.add(cmd, "spec.hosts.hook", "spec.pods", "spec.credentials")
	cmd.Flags().BoolVar(&f.all, "all", false, "Replace every server that still runs on its host, leader last")
	cmd.Flags().BoolVar(&f.fenced, "fenced", false, "Confirm that nothing can start the host's server again (unit masked); with --id only")
	cmd.Flags().StringVar(&f.data, "data", "", "What the pod starts from: empty (a full sync from the leader; the default) or copy (the stopped host's data)")
	cmd.Flags().StringVar(&f.loss, "accept-client-loss", "", "Stop the last host although clients have only ever been seen at hosts: how many sessions at most, or addresses, or unknown where a host does not tell; separated by commas")
	cmd.Flags().StringVar(&f.dryRun, "dry-run", "none", "none, client (print the objects of the pods; only the journal is read) or server (let the API server check them, keep nothing)")
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "Output format of a dry run: yaml, json or name")
	return cmd
}

func newRevertCommand(d *deps) *cobra.Command {
	f := &moveFlags{deps: d, kind: migration.Revert}
	cmd := &cobra.Command{
		Use:                   "revert [NAME] --id=N [--host-hook=PROGRAM]",
		DisableFlagsInUseLine: true,
		Short:                 "Move a server back to its host",
		Long: long(`
			Moves one server back to its host, whether its pod has served or not, and also
			from the middle of a replacement. A pod that has served makes the host's data
			stale: the other servers must prove first that they hold every write, exactly as
			in a replacement. Until unmasking is asked of the host, replace --id=N turns the revert
			back: the pod's data is complete until then.`),
		Example: examples(`
			# Take server 1 back
			%[1]s revert --id=1`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.add(cmd, "spec.hosts.hook", "spec.credentials")
	return cmd
}

// add adds the flags; said are the fields that have some.
func (f *moveFlags) add(cmd *cobra.Command, said ...string) {
	f.said = f.deps.says(cmd, said...)
	f.timeout = defaultTimeout
	f.id.add(cmd)
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "Do not ask before a server is stopped")
	cmd.Flags().DurationVar(&f.timeout, "timeout", f.timeout, "How long to go on; the state is saved and the same command continues")
	cmd.Flags().BoolVar(&f.verbose, "verbose", false, "Print every step, also those that only keep something in the journal")
}

func (f *moveFlags) run(cmd *cobra.Command, args []string) error {
	o, err := f.toOptions(args)
	if err != nil {
		return err
	}
	return within(cmd.Context(), o.timeout, o.Run)
}

func (f *moveFlags) toOptions(args []string) (*MoveOptions, error) {
	hook := f.said.Spec.Hosts.Hook
	switch {
	case f.all && f.id.given():
		return nil, usagef("--id and --all exclude each other: use one of them")
	case !f.all && !f.id.given() && f.kind != migration.Apply:
		if f.kind == migration.Replace {
			return nil, usagef("name the server with --id=N, or use --all")
		}
		return nil, usagef("name the server with --id=N")
	case f.all && f.fenced:
		return nil, usagef("--fenced confirms one host: use it with --id")
	case f.fenced && hook != "":
		return nil, usagef("--fenced and --host-hook exclude each other, for the hook masks the unit: use one of them")
	case f.data != "" && f.data != string(migration.DataEmpty) && f.data != string(migration.DataCopy):
		return nil, usagef("--data=%q: allowed are empty, copy", f.data)
	case f.timeout <= 0:
		return nil, badTimeout(f.timeout)
	}
	loss, err := sessions.ParseConsent(f.loss)
	if err != nil {
		return nil, usagef("--accept-client-loss: %w", err)
	}
	if f.end != nil {
		if err := f.end.check(f.dryRun); err != nil {
			return nil, err
		}
	}
	var pods podSettings
	if f.kind != migration.Revert && f.end == nil {
		pods = f.said.settings()
	}
	format, err := dryRunOutput(f.dryRun, f.output)
	if err != nil {
		return nil, err
	}
	return &MoveOptions{
		dryRun: f.dryRun, format: format,
		deps: f.deps, kind: f.kind, args: args, id: f.id.MaybeID, all: f.all || !f.id.given(), yes: f.yes, fenced: f.fenced, data: migration.DataMode(f.data),
		hook: hook, timeout: f.timeout, verbose: f.verbose, loss: loss, pods: pods, undo: f.undo, end: f.end,
	}, nil
}

// Run works until the intent is done, a rule stops it, or the time is over.
func (o *MoveOptions) Run(ctx context.Context) error {
	if o.end != nil && (o.dryRun == dryRunClient || o.end.dir != "") {
		return o.show(ctx)
	}
	if o.dryRun == dryRunClient || o.dryRun == dryRunServer {
		return o.preview(ctx)
	}
	s, rec, err := o.deps.open(ctx, o.args, o.id)
	if o.end != nil && o.end.over(err) {
		fmt.Fprintln(o.deps.streams.Out, err)
		return nil
	}
	if err != nil {
		return err
	}
	if _, ok := rec.ServerOf(o.id); !ok && !o.all {
		return usagef("ensemble %s has no server %s; it has %v", s.name, o.id, rec.Ensemble().IDs())
	}
	s.ending = o.end != nil
	if err := o.before(ctx, s, rec); err != nil {
		return err
	}
	return s.locked(ctx, func(ctx context.Context) error { return o.locked(ctx, s) })
}

func (o *MoveOptions) locked(ctx context.Context, s *session) error {
	if err := o.store(ctx, s); err != nil {
		return err
	}
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	err = s.tryEndpoints(ctx, rec, "have both controllers switched on: without them no address of a Service moves")
	if err := o.deps.unlessAway(err, rec, o.kind, o.id); err != nil {
		return err
	}
	out := io.Discard
	if o.kind == migration.Replace {
		out = o.deps.streams.ErrOut // the way back is open beside a twin, too
	}
	if err := s.lookForTwins(ctx, rec, out); err != nil {
		return err
	}
	if err := s.fenceResumed(ctx, rec, o.id); err != nil {
		return err
	}
	s.engine.Hosts = o.deps.hosts(rec, o.hook, o.fenced, s.lockUntil(), nil)
	s.engine.Paths = newPaths(s, s.engine.Hosts)
	p := &progress{out: o.deps.streams.ErrOut, start: time.Now(), verbose: o.verbose}
	s.engine.OnEvent = o.watch(p)
	if o.kind == migration.Replace {
		s.engine.Clients = newWhereabouts(s, true)
	}
	in := migration.Intent{Kind: o.kind, By: me(), Data: o.data, All: o.all, AcceptLoss: o.loss, Undo: o.undo}
	if id, one := o.id.Get(); one {
		in.ID = id
		return o.one(ctx, s, in)
	}
	all := rollout.Queue{Order: migration.Replacements}
	switch {
	case o.end != nil:
		in, all.Order = o.end.wants(in), o.end.order
	case o.kind == migration.Apply:
		all.Order = migration.ApplyOrder
	}
	for {
		obs, err := o.observe(ctx, s)
		if err != nil {
			return err
		}
		id, epoch, ok := all.Next(obs)
		if !ok && o.end != nil {
			return o.finalized(ctx, s, in, obs)
		}
		if !ok {
			if err := o.keep(ctx, s); err != nil {
				return err
			}
			return o.finish(ctx, s, obs)
		}
		if err := o.deps.goOn(ctx, obs.Record); err != nil {
			return err
		}
		in.ID, in.EpochAtStart = id, epoch
		if err := o.one(ctx, s, in); err != nil {
			return err
		}
		all.Moved()
	}
}

// one moves one server and prints how it ended.
func (o *MoveOptions) one(ctx context.Context, s *session, in migration.Intent) error {
	out := o.deps.streams.ErrOut
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	sr, ok := rec.Server(in.ID)
	if !ok {
		return s.exchanged(in.ID)
	}
	if err := s.askThrough(ctx, rec, in.ID.Known()); err != nil {
		return err
	}
	verb := map[migration.FlightKind]string{migration.Replace: "Replacing", migration.Revert: "Reverting", migration.Apply: "Making again the pod of"}[o.kind]
	fmt.Fprintf(out, "%s server %d of %s (host %s, address %s). Stop at any time with Ctrl-C: the state is saved.\n", verb, in.ID, s.name, sr.HostIP, sr.ClusterIP)
	if what := rec.Pods.What(); what != "" && o.kind == migration.Replace {
		// They are made with this operator's rights, from what the journal says.
		fmt.Fprintf(out, "Its pod runs %s.\n", what)
		if sets := render.TemplateFields(rec.Pods.Template); len(sets) > 0 {
			fmt.Fprintf(out, "Its pod template sets %s.\n", strings.Join(sets, ", "))
		}
	}
	if s.engine.Clients != nil {
		for _, line := range migration.ClientsAtStop(rec, s.engine.Clients.Look(ctx, rec), in.ID) {
			fmt.Fprintln(out, line)
		}
	}
	switch question := o.question(*sr); {
	case o.kind == migration.Apply:
		err = o.begin(ctx, s, in)
	case rec.Flight == nil && !o.yes && question != "":
		err = o.ask(ctx, rec, in.ID, question)
	}
	if err != nil {
		return err
	}
	began := time.Now()
	d, err := s.engine.Run(ctx, in)
	return o.outcome(ctx, s, in, d, err, began)
}

// watch prints events and keeps whether something was written.
func (o *MoveOptions) watch(p *progress) func(engine.Event) {
	return func(e engine.Event) {
		if e.Kind != engine.EventError {
			o.seen = e.Observation
		}
		o.wrote = o.wrote || e.Kind == engine.EventStepOK && migration.StepByID(e.Decision.Step).Writes
		p.event(e)
	}
}

// again is the command that goes on with it.
func (o *MoveOptions) again(s *session, id ensemble.ID) string {
	if o.end != nil && o.end.undo {
		return s.kube.at().Ours("finalize %s --undo", s.name)
	}
	if o.end != nil {
		return s.kube.at().Ours("finalize %s --give-up-way-back=%s", s.name, s.name)
	}
	switch o.kind {
	case migration.Reconfigure:
		return s.kube.at().Ours("reconfigure %s", s.name)
	case migration.Apply:
		return s.kube.at().Ours("apply %s --id=%d", s.name, id)
	case migration.Revert:
		return s.kube.at().Ours("revert %s --id=%d", s.name, id)
	case migration.Park:
		return s.kube.at().Ours("park %s", s.name)
	case migration.Unpark, migration.Unwrap:
		return o.removal(s)
	default:
		if o.data != "" {
			return s.kube.at().Ours("replace %s --id=%d --data=%s", s.name, id, o.data)
		}
		return s.kube.at().Ours("replace %s --id=%d", s.name, id)
	}
}

// removal is the same unpark or unwrap, with what the operator answers for.
func (o *MoveOptions) removal(s *session) string {
	at, all := s.kube.at(), strings.Join(o.assumed, ",")
	switch {
	case o.kind == migration.Unpark && all == "":
		return at.Ours("unpark %s", s.name)
	case o.kind == migration.Unpark:
		return at.Ours("unpark %s --assume-unused=%s", s.name, all)
	case all == "":
		return at.Ours("unwrap %s", s.name)
	}
	return at.Ours("unwrap %s --assume-unused=%s", s.name, all)
}

// outcome maps how an engine's run ended to an error, and prints an end that is none.
func (o *MoveOptions) outcome(ctx context.Context, s *session, in migration.Intent, d migration.Decision, err error, began time.Time) error {
	if err := o.ended(ctx, s, in, d, err); err != nil {
		return err
	}
	o.moved++
	fmt.Fprintf(o.deps.streams.Out, "server %d: %s (%.1f s)\n", in.ID, d.Reason, time.Since(began).Seconds())
	return nil
}

func (o *MoveOptions) ended(ctx context.Context, s *session, in migration.Intent, d migration.Decision, err error) error {
	again := o.again(s, in.ID)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		return &pausedError{code: d.Code, reason: "timed out while waiting for: " + d.Reason, evidence: d.Evidence,
			next: migration.GoesOn(in, o.seen, again), timeout: true}
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return &workingError{err}
	case refusedCopy(err) != nil:
		r := refusedCopy(err)
		if rec, recErr := s.record(context.WithoutCancel(ctx)); recErr == nil {
			again = afterRefusedCopy(r, rec, in.ID, again, s.kube.at())
		}
		return &pausedError{reason: r.Error(), next: again}
	case err != nil && errors.As(err, new(*hosts.ConfirmationError)):
		return o.unconfirmed(s, in.ID, err)
	case journal.IsBroken(err):
		return &failedError{err: err, lost: true}
	case journal.IsNotFound(err):
		lost := &failedError{err: err, next: again, lost: true}
		if reason, next, ok := s.copyKept(context.WithoutCancel(ctx)); ok {
			lost.err, lost.next = errors.New(reason), next
		}
		return lost
	case isDenied(err):
		return o.denied(ctx, s, err, d, again)
	case err != nil:
		return &failedError{err: err, next: again}
	case d.Kind == migration.Stop:
		// The time may be over by now; how it stands is told all the same.
		rec, loadErr := s.record(context.WithoutCancel(ctx))
		// What asks for consent is a refusal after other servers have moved, too: it is not
		// the same command that goes on.
		if loadErr == nil && rec.Flight == nil && (o.moved == 0 || d.Code == migration.CodeClientLoss || d.Code == migration.CodeWayBack) {
			return &refusedError{code: d.Code, reason: d.Reason, evidence: d.Evidence, next: d.Next, parked: o.wrote, moved: o.moved}
		}
		return &pausedError{code: d.Code, reason: d.Reason, evidence: d.Evidence, next: d.Next, other: loadErr == nil && rec.Flight != nil && rec.Flight.ID != in.ID}
	}
	return nil
}

// unconfirmed says with which command an action on a host is confirmed: with
// --all there is none that would be meant for one host.
func (o *MoveOptions) unconfirmed(s *session, id ensemble.ID, err error) error {
	var c *hosts.ConfirmationError
	if !errors.As(err, &c) {
		return err
	}
	return &pausedError{reason: fmt.Sprintf("%s on host %s cannot be seen from here and must be confirmed", c.Action, c.Host),
		evidence: []string{"do it on the host first"}, next: o.again(s, id) + " " + c.Flag}
}

// hosts is the operator's program, or the operator.
func (d *deps) hosts(rec migration.Record, hook string, fenced bool, notAfter func() time.Time, filesDir func(migration.ServerRecord) string) engine.Hosts {
	if hook != "" {
		return hosts.Hook{Program: hook, Ensemble: rec.Name, Namespace: rec.Namespace, FilesDir: filesDir, NotAfter: notAfter}
	}
	return &hosts.Manual{Out: d.streams.ErrOut, In: d.terminal(), Fenced: fenced, Commands: manualCommands(rec.Hosts), Copy: manualCopy(rec, d.via())}
}

// manualCommands renders what the operator runs on the host, for the supervisor
// that reconfigure was told.
func manualCommands(o migration.HostOptions) func(engine.HostAction, migration.ServerRecord) []string {
	return func(a engine.HostAction, s migration.ServerRecord) []string {
		c, err := hostpatch.CommandsFor(hostpatch.Supervisor(o.Supervisor), o.UnitOf(s.ID))
		if err != nil {
			// Written by hand into the journal: better the common ones than none.
			c, _ = hostpatch.CommandsFor(hostpatch.Systemd, o.UnitOf(s.ID))
		}
		switch a {
		case engine.HostStop:
			return []string{c.StopHeld}
		case engine.HostStart:
			return []string{c.StartHeld}
		case engine.HostMask:
			lines := []string{c.Hold}
			for _, note := range c.Notes {
				lines = append(lines, "# "+note)
			}
			return lines
		case engine.HostUnmask:
			return []string{c.Unhold}
		default:
			return nil
		}
	}
}
