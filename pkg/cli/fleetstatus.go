package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

func newFleetStatusCommand(d *deps) *cobra.Command {
	output := newOutputFlags(printer.Markdown, printer.HTML)
	var watch bool
	var limit time.Duration
	cmd := &cobra.Command{
		Use:                   "status [FLEET] [-o FORMAT] [-w]",
		DisableFlagsInUseLine: true,
		Short:                 "Show how a run stands",
		Long: long(`
			Prints the stages and ensembles of a run from what is recorded, what it waits for, and
			who is at work on it; no ensemble is asked (status -A does that). Exit code 0 where it
			is done or goes on, 1 where an ensemble is red, 4 where it is paused or halted, or waits
			for an approval.`),
		Example: examples(`
			# How does it stand?
			%[1]s fleet status wave-1

			# Watch it
			%[1]s fleet status wave-1 -w`),
		Args: atMostFleet,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := output.toPrinter(cmd.Context())
			if err != nil {
				return err
			}
			var o fleet.Overview
			var last string
			look := newFleetLooker(d, cmd)
			err = until(cmd.Context(), fleetPoll, func(ctx context.Context) (bool, error) {
				if err := within(ctx, limit, func(ctx context.Context) (err error) {
					o, err = d.overseeFleet(ctx, args, look)
					return err
				}); err != nil {
					return false, err
				}
				if now := o.Same(); now != last {
					last = now
					if err := p.FleetStatus(d.streams.Out, o); err != nil {
						return false, err
					}
				}
				return !watch || o.Verdict == fleet.Finished, nil
			})
			if err != nil {
				return err
			}
			return verdictError(o)
		},
	}
	output.add(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "Keep watching until it is done, and print again on every change")
	lookFlag(cmd, &limit)
	return cmd
}

// exitOnlyError ends a command whose output has said everything.
type exitOnlyError struct{ code int }

func (e exitOnlyError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// verdictError has the exit code say how a run stands.
func verdictError(o fleet.Overview) error {
	person := false
	for _, w := range o.Waits {
		person = person || w.Code == fleet.WaitApproval
		if w.Code == fleet.WaitRed {
			return exitOnlyError{exitError}
		}
	}
	if o.Verdict == fleet.Halted || o.Verdict == fleet.Waiting && person {
		return exitOnlyError{exitPaused}
	}
	return nil
}

func newFleetReportCommand(d *deps) *cobra.Command {
	output := newOutputFlags(printer.Markdown, printer.HTML)
	var limit time.Duration
	cmd := &cobra.Command{
		Use:                   "report [FLEET] [-o FORMAT]",
		DisableFlagsInUseLine: true,
		Short:                 "Show what happened in a run",
		Long: long(`
			Prints what status prints, and who did what when; of red ensembles everything they have
			said. With -o markdown or html it is a document to keep.`),
		Example: examples(`
			# To keep
			%[1]s fleet report wave-1 -o markdown > wave-1-report.md`),
		Args: atMostFleet,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := output.toPrinter(cmd.Context())
			if err != nil {
				return err
			}
			return within(cmd.Context(), limit, func(ctx context.Context) error {
				o, err := d.overseeFleet(ctx, args, newFleetLooker(d, cmd))
				if err != nil {
					return err
				}
				o.Kind = "FleetReport"
				return p.FleetReport(d.streams.Out, o)
			})
		},
	}
	output.add(cmd)
	lookFlag(cmd, &limit)
	return cmd
}

// overseeFleet reads a run, and who is at work on it.
func (d *deps) overseeFleet(ctx context.Context, args []string, look *fleetLooker) (fleet.Overview, error) {
	r, err := d.openFleet(ctx, args)
	if err != nil {
		return fleet.Overview{}, err
	}
	rec, err := r.load(ctx)
	if err != nil {
		return fleet.Overview{}, err
	}
	halts, err := look.halts(ctx, rec.Plan)
	if err != nil {
		return fleet.Overview{}, err
	}
	runner, end, err := journal.Lease{Kube: r.kube.client, Namespace: r.kube.namespace, Name: r.name, Fleet: true}.Who(ctx)
	if err != nil {
		return fleet.Overview{}, err
	}
	if end.Before(time.Now()) {
		runner = ""
	}
	o := fleet.Oversee(rec.Plan, rec.State, rec.Halt, halts, quote.Line(runner), time.Now())
	r.advise(rec.Plan, o)
	return o, nil
}

// advise puts the commands that help into an overview.
func (r *fleetRun) advise(p fleet.Plan, o fleet.Overview) {
	for i, w := range o.Waits {
		o.Waits[i].Next = r.next(p, w)
	}
	for i, e := range o.Ensembles {
		if e.Phase == fleet.Red {
			o.Ensembles[i].Next = r.again(e.ID, e.Next)
		}
	}
}
