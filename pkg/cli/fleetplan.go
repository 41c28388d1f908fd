package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
)

func newFleetPlanCommand(d *deps) *cobra.Command {
	output := newOutputFlags(printer.Markdown, printer.HTML)
	var file string
	var limit time.Duration
	cmd := &cobra.Command{
		Use:                   "plan -f FILE [-o FORMAT]",
		DisableFlagsInUseLine: true,
		Short:                 "Show what a run would do, and which ensembles are not ready",
		Long: long(`
			Reads a Fleet manifest, looks at every ensemble in it, and prints the stages, the
			order, the remaining steps of each ensemble, the elections that they force, and what
			blocks an ensemble, with advice. With -o markdown or html the output is a document for a
			change request. Nothing is written.`),
		Example: examples(`
			# Which ensembles are not ready?
			%[1]s fleet plan -f wave-1.yaml

			# For the change request
			%[1]s fleet plan -f wave-1.yaml -o markdown > wave-1.md`),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := output.toPrinter(cmd.Context())
			if err != nil {
				return err
			}
			return within(cmd.Context(), limit, func(ctx context.Context) error { return d.fleetPlan(ctx, cmd, file, p) })
		},
	}
	output.add(cmd)
	cmd.Flags().StringVarP(&file, "filename", "f", "", "The Fleet manifest (docs/fleet.md)")
	lookFlag(cmd, &limit)
	return cmd
}

func (d *deps) fleetPlan(ctx context.Context, cmd *cobra.Command, file string, p printer.Printer) error {
	doc, err := d.readFleet(ctx, file)
	if err != nil {
		return err
	}
	look := newFleetLooker(d, cmd)
	defer look.end()
	in, err := d.fleetInput(ctx, doc, look)
	if err != nil {
		return err
	}
	k, err := d.kube()
	if err != nil {
		return err
	}
	var targets []fleetTarget
	for _, t := range in.plan.Targets {
		targets = append(targets, in.targets[t.ID])
	}
	facts := look.looksWith(ctx, targets, func(ctx context.Context, t fleetTarget) fleet.Fact {
		return look.foresee(ctx, t, in.plan.Until)
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	rec, err := k.fleet(k.namespace, doc.Metadata.Name).store.Load(ctx)
	if err != nil && !journal.IsNoFleet(err) {
		return err
	}
	view := fleet.Foresee(in.plan, rec.State, facts, time.Now())
	if err == nil {
		view.Recorded = append(view.Recorded, fmt.Sprintf("a run of it is recorded: %s", fleet.Count(rec.Plan, rec.State)))
		if rec.Plan.Digest() != view.Digest {
			for _, line := range fleet.Differences(rec.Plan, in.plan) {
				view.Recorded = append(view.Recorded, "changed since: "+line)
			}
		}
	}
	return p.FleetPlan(d.streams.Out, view)
}

// foresee is look with the verdicts that the rules of one ensemble give on its way.
func (f *fleetLooker) foresee(ctx context.Context, t fleetTarget, goal fleet.Goal) fleet.Fact {
	fact := f.look(ctx, t, goal)
	if !fact.Seen || !fact.Ready || fact.Servers == 0 {
		return fact
	}
	d, _, err := f.deps(ctx, t)
	if err != nil {
		return unseen(err)
	}
	_, o, err := d.whole(ctx, []string{t.Name})
	if err != nil {
		return unseen(err)
	}
	for _, phase := range migration.Plan(o).Phases {
		for _, s := range phase.Servers {
			if s.Readiness == migration.Blocked && fact.Ready && leads(fact.Left, phase.Name) {
				fact.Ready, fact.Why, fact.Next = false, fmt.Sprintf("server %d: %s", s.ID, s.Reason), s.Next
			}
		}
	}
	return fact
}

// leads reports whether a phase of an ensemble's plan is on the way that is left.
func leads(left []fleet.Part, phase migration.PhaseName) bool {
	for _, part := range left {
		if string(part) == string(phase) || phase == migration.PlanFlight {
			return true
		}
	}
	return false
}
