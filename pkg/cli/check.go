package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

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
}

func newCheckCommand(d *deps) *cobra.Command {
	f := &checkFlags{deps: d, output: newOutputFlags()}
	cmd := &cobra.Command{
		Use:                   "check [NAME] [-f zoo.cfg]... [-o FORMAT]",
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
			are kept in the cluster; for an hour plan, replace and a later check know them.`),
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
			if f.emit {
				return within(cmd.Context(), f.timeout, o.emitScript)
			}
			return within(cmd.Context(), f.timeout, o.Run)
		},
	}
	f.said = d.says(cmd, "spec.waive", "spec.hosts.hook", "spec.credentials")
	f.said.addHosts()
	cmd.Flag("waive").Usage = "Ids of checks to waive for this run"
	cmd.Flag("host-hook").Usage = "Program that runs the script on the hosts (docs/host-hook.md)"
	f.output.add(cmd)
	cmd.Flags().BoolVar(&f.emit, "emit-host-script", false, "Print a read-only shell script that tells what a host or a client machine reaches, and do nothing else")
	cmd.Flags().StringArrayVar(&f.reports, "host-report", nil, "File with what the script printed, one line per machine, or - for standard input; repeatable")
	cmd.Flags().BoolVar(&f.fromPods, "from-pods", false, "Try the paths from pods on different nodes as well: those of the ensemble or, where none runs, up to three that are made for it; --probe-via=pod does so, too")
	lookFlag(cmd, &f.timeout)
	return cmd
}

// Run collects facts, evaluates all checks and fails once.
func (o *CheckOptions) Run(ctx context.Context) error {
	s, rec, desc, known, err := o.open(ctx)
	if err != nil {
		return err
	}
	reports, err := o.readReports(ctx)
	if err != nil {
		return err
	}
	if err := s.askThrough(ctx, rec, ensemble.MaybeID{}); err != nil {
		return err
	}
	facts := collectFacts(ctx, s, rec, desc, known, o.deps.streams.ErrOut)
	if known {
		lookFacts(ctx, s, &facts)
	}
	if err := s.pathFacts(ctx, rec, known, asks{hook: o.hook, given: reports, pods: o.fromPods}, &facts); err != nil {
		return err
	}
	facts.Waivers = append(facts.Waivers, o.waive...)
	findings := preflight.Run(facts)
	if err := o.print(findings, facts); err != nil {
		return err
	}
	if failed := preflight.Failed(findings); len(failed) > 0 {
		return &refusedError{reason: failedText(failed, len(findings))}
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

func (o *CheckOptions) print(findings []preflight.Finding, f preflight.Facts) error {
	out := o.deps.streams.Out
	paths, names := f.Paths(), f.Lookups()
	if !o.printer.ForPeople() {
		return o.printer.Structured(out, checkReport{APIVersion: migration.RecordVersion, Kind: "CheckReport", Checks: findings, Paths: paths, Names: names})
	}
	for _, f := range findings {
		fmt.Fprintf(out, "%-7s %-7s %s\n", f.Result, f.ID, f.Title)
		for _, d := range inList(f) {
			fmt.Fprintf(out, "                  - %s\n", d)
		}
		if f.Hint != "" && f.Result != preflight.OK {
			fmt.Fprintf(out, "                  hint: %s\n", f.Hint)
		}
	}
	return o.printer.Paths(out, paths)
}

// inList is what the list of checks says of one. Lost paths are spelled out below their grid.
func inList(f preflight.Finding) []string {
	if f.Result == preflight.OK || f.Result == preflight.Skip || f.Result == preflight.Unknown || !preflight.OfPaths(f.ID) {
		return f.Detail
	}
	return []string{"paths are lost: see below"}
}

// checkReport is what check prints for programs; its form is stable.
type checkReport struct {
	APIVersion string              `json:"apiVersion"`
	Kind       string              `json:"kind"`
	Checks     []preflight.Finding `json:"checks"`
	// Paths are all network paths that the migration needs now, those that nobody has tried
	// among them, Names the names that somebody resolves.
	Paths []preflight.Path   `json:"paths"`
	Names []preflight.Lookup `json:"names"`
}
