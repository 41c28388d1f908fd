package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
)

type checkFlags struct {
	deps   *deps
	said   *said
	output *outputFlags
	// timeout bounds the whole look.
	timeout time.Duration
	// emit prints the host script instead; reports are files with its answers.
	emit    bool
	reports []string
	// fromPods has pods try the paths, too.
	fromPods bool
	scope    scopeFlags
}

// CheckOptions is check with everything resolved.
type CheckOptions struct {
	deps    *deps
	args    []string
	input   input
	printer printer.Printer
	waive   []string
	reports []string
	hook    string
	// fromPods has pods try the paths, too.
	fromPods bool
	// pods is how a manifest has pods made; nothing of them is known without one before wrap.
	pods intake.PodFlags
}

func newCheckCommand(d *deps) *cobra.Command {
	f := &checkFlags{deps: d, output: newOutputFlags()}
	cmd := &cobra.Command{
		Use:                   "check [NAME] [-f zoo.cfg]... [-A] [-l LABELS] [-o FORMAT]",
		DisableFlagsInUseLine: true,
		Short:                 "Check that an ensemble can be migrated, and what stands in the way",
		Long: long(`
			Runs every check and prints each with what was seen and what helps. Before the
			wrap it needs the hosts' files (-f or --member); afterwards it uses what is
			recorded. Nothing is written to ZooKeeper but one session that is opened and closed, to see
			that the ensemble commits. A check whose input is missing is skipped and says which;
			one that could not see a server is unknown. Exit code 3 when a check fails, or one
			that must hold is unknown.

			What hosts and client machines reach can only be learned there, by a read-only shell
			script. --host-hook has your own program run it on every host; --emit-host-script
			prints it for other machines, and --host-report reads what it printed
			(docs/host-report.md). --from-pods has pods try the same. The result is a grid of
			every path that the migration needs, with the likeliest cause where one is lost. Reports
			are kept in the cluster; for an hour plan, replace and a later check know them.

			With -A, -l, --contexts=a,b or -n a,b,c it checks many wrapped ensembles by what is
			recorded of them, one line each with the checks that do not hold.`),
		Example: examples(`
			# Before anything is created
			%[1]s check zk1 -f zoo.cfg

			# Later on
			%[1]s check zk1

			# What every host reaches, and what pods reach
			%[1]s check zk1 --host-hook=./hook.sh --from-pods

			# What client machines reach
			%[1]s check zk1 --emit-host-script > report.sh
			for h in app1 app2; do ssh $h sudo sh -s < report.sh; done > reports
			%[1]s check zk1 --host-report reports`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := f.output.toPrinter(cmd.Context())
			if err != nil {
				return err
			}
			if f.emit && len(f.reports) > 0 {
				return usagef("--emit-host-script prints the script whose answers --host-report reads: use one of them")
			}
			if f.emit && cmd.Flags().Changed("host-hook") {
				return usagef("--emit-host-script prints the script that --host-hook has run: use one of them")
			}
			o := &CheckOptions{deps: d, args: args, printer: p, waive: f.said.Spec.Waive, reports: f.reports, hook: f.said.Spec.Hosts.Hook, fromPods: f.fromPods || d.probe.via == viaPod,
				input: f.said.input()}
			if f.said.doc != nil {
				o.pods = f.said.pods()
			}
			scope, err := f.scope.toScope(d, cmd, args)
			switch {
			case err != nil:
				return err
			case scope != nil && (f.emit || len(f.reports) > 0 || o.hook != "" || !o.input.empty()):
				return usagef("many ensembles are checked by what is recorded of each: leave files, reports, scripts and hooks out")
			case scope != nil:
				return within(cmd.Context(), f.timeout, func(ctx context.Context) error { return o.runMany(ctx, scope) })
			}
			if f.emit {
				return within(cmd.Context(), f.timeout, o.emitScript)
			}
			return within(cmd.Context(), f.timeout, o.Run)
		},
	}
	f.said = d.says(cmd, "spec.waive", "spec.hosts.hook", "spec.credentials")
	f.said.addHosts()
	f.said.makesPods = true
	cmd.Flag("waive").Usage = "Ids of checks to waive for this run"
	cmd.Flag("host-hook").Usage = "Program that runs the script on the hosts (docs/host-hook.md)"
	f.output.add(cmd)
	f.scope.add(cmd)
	cmd.Flags().BoolVar(&f.emit, "emit-host-script", false, "Print a read-only shell script that tells what a host or a client machine reaches, and do nothing else")
	cmd.Flags().StringArrayVar(&f.reports, "host-report", nil, "File with what the script printed, one line per machine, or - for standard input; repeatable")
	cmd.Flags().BoolVar(&f.fromPods, "from-pods", false, "Try the paths from pods on different nodes as well: those of the ensemble or, where none runs, up to three that are made for it; --probe-via=pod does so, too")
	lookFlag(cmd, &f.timeout)
	return cmd
}

// Run collects facts, evaluates all checks and fails once.
func (o *CheckOptions) Run(ctx context.Context) error {
	facts, err := o.collect(ctx)
	if err != nil {
		return err
	}
	findings := preflight.Run(facts)
	if err := o.printer.Check(o.deps.streams.Out, printer.NewCheckReport("", facts, findings)); err != nil {
		return err
	}
	if failed := preflight.Failed(findings); len(failed) > 0 {
		return &refusedError{reason: failedText(failed, len(findings))}
	}
	return nil
}

// collect asks everybody about one ensemble.
func (o *CheckOptions) collect(ctx context.Context) (preflight.Facts, error) {
	s, rec, desc, known, err := o.open(ctx)
	if err != nil {
		return preflight.Facts{}, err
	}
	reports, err := o.readReports(ctx)
	if err != nil {
		return preflight.Facts{}, err
	}
	if err := s.askThrough(ctx, rec, ensemble.MaybeID{}); err != nil {
		return preflight.Facts{}, err
	}
	facts := collectFacts(ctx, s, rec, desc, known, o.deps.streams.ErrOut)
	switch {
	case known:
		lookFacts(ctx, s, &facts)
	case o.pods.Given != nil:
		o.foretell(ctx, s, rec, desc, &facts)
	}
	if err := s.pathFacts(ctx, rec, known, asks{hook: o.hook, given: reports, pods: o.fromPods}, &facts); err != nil {
		return preflight.Facts{}, err
	}
	facts.Waivers = append(facts.Waivers, o.waive...)
	return facts, nil
}

// foretell looks at what the pods of a manifest would find, before the wrap.
func (o *CheckOptions) foretell(ctx context.Context, s *session, rec migration.Record, desc intake.Description, f *preflight.Facts) {
	if release(rec, *f).IsZero() {
		f.PodsUnknown = "no server says which ZooKeeper it runs"
		return
	}
	w := &WrapOptions{deps: o.deps, endpointsAPI: rec.EndpointsAPI}
	rec, err := w.aim(rec.Name, rec.Namespace, rec, false).Record(desc, lookup(ctx))
	if err == nil {
		// No Service has an address yet; names stand in for them in zoo.cfg, which nobody looks at here.
		rec.Hosts.Address = migration.AddressDNS
		_, err = s.describePods(ctx, &rec, o.pods, desc, func(intake.Lag) {})
	}
	if err != nil {
		f.PodsUnknown = plain(err).text
		return
	}
	roomFacts(ctx, s.kube, rec, f)
}

// runMany checks every ensemble of the scope, and fails once.
func (o *CheckOptions) runMany(ctx context.Context, s *scope) error {
	items, gone, err := each(ctx, s, func(ctx context.Context, f oneOf) (printer.CheckReport, error) {
		one := &CheckOptions{deps: f.deps, args: []string{f.name}, waive: o.waive, fromPods: o.fromPods}
		facts, err := one.collect(ctx)
		if err != nil {
			return printer.CheckReport{}, err
		}
		return printer.NewCheckReport(f.context, facts, preflight.Run(facts)), nil
	}, func(f oneOf, err error) printer.CheckReport {
		out := printer.NewCheckReport(f.context, preflight.Facts{Record: migration.Record{Name: f.name, Namespace: f.namespace}}, nil)
		out.Error = plain(err).text
		return out
	})
	if err != nil {
		return err
	}
	if err := o.printer.Checks(o.deps.streams.Out, items); err != nil {
		return err
	}
	if err := gone.err(len(items)); err != nil {
		return err
	}
	bad := 0
	for _, c := range items {
		if c.Error != "" || len(preflight.Failed(c.Checks)) > 0 {
			bad++
		}
	}
	if bad > 0 {
		return &refusedError{reason: fmt.Sprintf("of %d of %d ensembles a check failed, or one that must hold is unknown", bad, len(items)),
			next: command.At{Namespace: "NAMESPACE", Via: o.deps.via()}.Ours("check NAME")}
	}
	return nil
}

// open reads the input and what is recorded; known is false for an ensemble that was never
// wrapped. What a check reports better is not refused here.
func (o *CheckOptions) open(ctx context.Context) (*session, migration.Record, intake.Description, bool, error) {
	w := &WrapOptions{deps: o.deps, args: o.args, input: o.input, endpointsAPI: migration.EndpointSlices}
	s, recorded, known, err := w.open(ctx, func(intake.Description) error { return nil })
	if err != nil {
		return nil, recorded, intake.Description{}, known, err
	}
	rec, desc, err := o.describe(ctx, w, s.name, s.kube.namespace, recorded, known)
	return s, rec, desc, known, err
}

// failedText counts what failed and what could not be seen.
func failedText(failed []preflight.Finding, all int) string {
	unknown := 0
	for _, f := range failed {
		if f.Result == preflight.Unknown {
			unknown++
		}
	}
	switch {
	case unknown == 0:
		return fmt.Sprintf("%d of %d checks failed", len(failed), all)
	case unknown == len(failed):
		return fmt.Sprintf("%d of %d checks are unknown: not everything could be seen from here", unknown, all)
	}
	return fmt.Sprintf("%d of %d checks failed, and %d are unknown", len(failed)-unknown, all, unknown)
}

// describe reads the input without refusing what a check reports better.
func (o *CheckOptions) describe(ctx context.Context, w *WrapOptions, name, namespace string, recorded migration.Record, known bool) (migration.Record, intake.Description, error) {
	if w.input.empty() {
		return w.desired(ctx, name, namespace, recorded, known)
	}
	desc, err := w.input.read(ctx, name)
	if err != nil {
		return recorded, desc, err
	}
	rec, err := w.aim(name, namespace, recorded, known).Sketch(desc, lookup(ctx))
	return rec, desc, err
}
