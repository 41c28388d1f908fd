package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func newPlanCommand(d *deps) *cobra.Command {
	output := newOutputFlags(printer.Name, printer.Wide)
	var from string
	var limit time.Duration
	var many scopeFlags
	cmd := &cobra.Command{
		Use:                   "plan [NAME] [-A] [-l LABELS] [-o FORMAT] [--from FILE]",
		DisableFlagsInUseLine: true,
		Short:                 "Show what would happen next, in order, and why each step is safe",
		Long: long(`
			Looks at everything, as replace would, and says what is left: the phases that are
			not done, the servers in the order in which they go (leader last, observers after
			it), how many elections that forces, and for each server why it may be taken away
			at its turn, or what stands in the way. The verdicts are those of the very rules
			that replace and reconfigure follow. Nothing is written.

			Below stand the network paths that the next step needs, as far as hosts and client
			machines have reported within the hour (check --host-hook), and with --probe-via=pod
			what pods reach.

			Where a second failure would cost the quorum while a pod is still empty (three
			voters on 3.4 or 3.5), it recommends to move the data as well.

			With -A, -l, --contexts=a,b or -n a,b,c it prints one line per ensemble: what is left,
			how many servers of it could go now, the elections that it forces, and what stands in
			the way.`),
		Example: examples(`
			# What would happen, and in which order?
			%[1]s plan

			# With the steps of each server, and what each is for
			%[1]s plan zk1 -o wide

			# What did it say of a look that was kept?
			%[1]s plan --from zk1.json`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := output.toPrinter(cmd.Context())
			if err != nil {
				return err
			}
			scope, err := many.toScope(d, cmd, args)
			switch {
			case err != nil:
				return err
			case scope != nil && from != "":
				return usagef("--from reads one saved look: leave -A out")
			case scope != nil:
				return within(cmd.Context(), limit, func(ctx context.Context) error { return planMany(ctx, d, scope, p) })
			}
			return within(cmd.Context(), limit, func(ctx context.Context) error { return runPlan(ctx, d, args, from, p) })
		},
	}
	output.add(cmd)
	many.add(cmd)
	fromFlag(cmd, &from)
	d.says(cmd, "spec.credentials")
	lookFlag(cmd, &limit)
	return cmd
}

// runPlan looks once, or takes the look from a file.
func runPlan(ctx context.Context, d *deps, args []string, from string, p printer.Printer) error {
	if from != "" {
		o, err := d.replayed(ctx, from, args)
		if err != nil {
			return err
		}
		return p.Plan(d.streams.Out, migration.Plan(o), nil)
	}
	s, o, err := d.whole(ctx, args)
	if err != nil {
		return err
	}
	f := wrappedFacts(o.Record)
	f.Through = map[ensemble.ID]vantage.Sighting{}
	for _, v := range o.Servers {
		f.Through[v.ID] = v.Live
	}
	parkedFacts(o, &f)
	if err := s.pathFacts(ctx, o.Record, true, asks{pods: d.probe.via == viaPod}, &f); err != nil {
		return err
	}
	plan := migration.Plan(o)
	if err := p.Plan(d.streams.Out, plan, f.PathsFor(plan.Phases)); err != nil {
		return err
	}
	roomFacts(ctx, s.kube, o.Record, &f)
	warnRoom(d.streams.ErrOut, "not all pods will park", preflight.Failed(preflight.ForPods(f)))
	return nil
}

// whole is a look at everything, at all hosts, too: each server is judged as if it
// were its turn.
func (d *deps) whole(ctx context.Context, args []string) (*session, migration.Observation, error) {
	s, rec, err := d.open(ctx, args, ensemble.MaybeID{})
	if err != nil {
		return s, migration.Observation{}, err
	}
	if err := s.lookForTwins(ctx, rec, d.streams.ErrOut); err != nil {
		return s, migration.Observation{}, s.about(err)
	}
	s.engine.Clients = newWhereabouts(s, false)
	o, err := s.engine.Observe(ctx, rec.Ensemble().IDs()...)
	return s, o, s.about(err)
}

// planMany looks at all ensembles of the scope.
func planMany(ctx context.Context, d *deps, s *scope, p printer.Printer) error {
	items, gone, err := each(ctx, s, func(ctx context.Context, f oneOf) (migration.EnsemblePlan, error) {
		_, o, err := f.deps.whole(ctx, []string{f.name})
		plan := migration.Plan(o)
		plan.Context = f.context
		return plan, err
	}, func(f oneOf, err error) migration.EnsemblePlan {
		st := notLookedAt(f.ensembleName, err, f.kube.via)
		return migration.EnsemblePlan{
			APIVersion: st.APIVersion, Kind: "EnsemblePlan", Name: f.name, Namespace: f.namespace, Context: f.context,
			At: st.At, Problems: st.Problems, Next: st.Next,
		}
	})
	if err != nil {
		return err
	}
	if err := p.Plans(d.streams.Out, items); err != nil {
		return err
	}
	return gone.err(len(items))
}
