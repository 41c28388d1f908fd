package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
)

// newFleetCommand moves many ensembles.
func newFleetCommand(d *deps) *cobra.Command {
	cmd := &cobra.Command{
		Use:                   "fleet COMMAND",
		DisableFlagsInUseLine: true,
		Short:                 "Move many ensembles, in stages",
		Long: long(`
			Moves the ensembles that a Fleet manifest (docs/fleet.md) names, stage by stage:
			each with the same wrap, reconfigure, replace and finalize that move one, and by the same
			rules. The manifest says who goes first, how many at once, what must be approved, in
			which windows, and how many leader elections an hour may bring.

			The plan and what became of it are kept in the ConfigMap FLEET-zkfleet. Kill a run at
			any time: the same command, on any machine, goes on. An annotation zkmigrate.io/halt
			on that ConfigMap, or on the ConfigMap NAME-zkmigrate of any ensemble of the plan,
			halts the run before the next server, whoever sets it and with whatever tool.`),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q\nSee '%s --help' for the commands", args[0], cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		d.addProbeFlags(newFleetPlanCommand(d)), d.addProbeFlags(newFleetRunCommand(d)), newFleetStatusCommand(d), newFleetReportCommand(d),
		newFleetPauseCommand(d), newFleetResumeCommand(d), newFleetApproveCommand(d), newFleetSkipCommand(d), newFleetRetryCommand(d),
	)
	return cmd
}

// fleetRun is the record of one run.
type fleetRun struct {
	kube  kube
	name  string
	store *journal.Fleet
}

func (k kube) fleet(namespace, name string) *fleetRun {
	k.namespace = namespace
	store := journal.NewFleet(k.client, namespace, name)
	store.Via = k.via
	return &fleetRun{kube: k, name: name, store: store}
}

// openFleet finds the run: the only one of the namespace where none is named.
func (d *deps) openFleet(ctx context.Context, args []string) (*fleetRun, error) {
	k, err := d.kube()
	if err != nil {
		return nil, err
	}
	if len(args) == 1 {
		return k.fleet(k.namespace, args[0]), nil
	}
	names, err := journal.Fleets(ctx, k.client, k.namespace)
	switch {
	case err != nil:
		return nil, err
	case len(names) == 0:
		return nil, usagef("namespace %s holds no fleet\nnext: %s", k.namespace, k.at().Ours("fleet run -f FILE"))
	case len(names) > 1:
		return nil, usagef("namespace %s holds %d fleets: name one of %s", k.namespace, len(names), strings.Join(names, ", "))
	}
	return k.fleet(k.namespace, names[0]), nil
}

// load reads the record; a fleet that was never run is a usage error.
func (r *fleetRun) load(ctx context.Context) (journal.FleetRecord, error) {
	rec, err := r.store.Load(ctx)
	if journal.IsNoFleet(err) {
		return rec, usagef("%w\nnext: %s", err, r.kube.at().Ours("fleet run -f FILE"))
	}
	return rec, err
}

// mark is that this operator does something now.
func mark(why string) fleet.Mark { return fleet.Mark{At: time.Now().UTC(), By: me(), Why: why} }

// atMostFleet accepts the fleet's name or nothing.
func atMostFleet(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("%s takes at most one FLEET, got %s\nSee '%s --help' for usage", cmd.CommandPath(), strings.Join(args, " "), cmd.CommandPath())
	}
	return atMostName(cmd, args)
}

// targetNamed finds an ensemble by its id, or by its name where only one has it.
func targetNamed(p fleet.Plan, name string) (string, error) {
	if _, ok := p.Target(name); ok {
		return name, nil
	}
	var found []string
	for _, t := range p.Targets {
		if t.Name == name || t.Namespace+"/"+t.Name == name {
			found = append(found, t.ID)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", usagef("fleet %s has several ensembles %s: name one of %s", p.Name, name, strings.Join(found, ", "))
	}
	near := p.Targets
	if len(near) > 10 {
		near = near[:10]
	}
	var known []string
	for _, t := range near {
		known = append(known, t.ID)
	}
	if len(near) < len(p.Targets) {
		known = append(known, "...")
	}
	return "", usagef("fleet %s has no ensemble %q; it has %s", p.Name, name, strings.Join(known, ", "))
}

// halts are the annotations on the journals of the plan's ensembles, by id.
func (f *fleetLooker) halts(ctx context.Context, p fleet.Plan) (map[string]string, error) {
	out := map[string]string{}
	var places []location
	for _, t := range p.Targets {
		if at := (location{t.Context, t.Namespace}); !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	for _, at := range places {
		_, k, err := f.reach.deps(ctx, at, "", "")
		if err != nil {
			return nil, err
		}
		kept, listErr := journal.Journals(ctx, k.meta, at.namespace)
		if listErr != nil && !isDenied(listErr) {
			return nil, listErr
		}
		for _, t := range p.Targets {
			if t.Context != at.context || t.Namespace != at.namespace {
				continue
			}
			one := kept[t.Name]
			if listErr != nil { // a Role that is narrowed to an ensemble lets nobody list
				if one, err = journal.JournalOf(ctx, k.meta, at.namespace, t.Name); err != nil {
					return nil, err
				}
			}
			if one.Halt != "" {
				out[t.ID] = one.Halt
			}
		}
	}
	return out, nil
}
