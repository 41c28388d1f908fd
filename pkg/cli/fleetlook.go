package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// fleetLooker looks at the ensembles of a fleet, each in its own cluster and with its own
// credentials.
type fleetLooker struct{ *reach }

func newFleetLooker(d *deps, cmd *cobra.Command) *fleetLooker {
	return &fleetLooker{newReach(d, cmd, silent())}
}

// at are the flags with which commands reach one ensemble.
func (f *fleetLooker) at(t fleetTarget) []string { return f.reach.at(t.location()) }

// deps are what a command about one ensemble would be built from.
func (f *fleetLooker) deps(ctx context.Context, t fleetTarget) (*deps, kube, error) {
	return f.reach.deps(ctx, t.location(), t.credentials, "credentials of "+t.Namespace+"/"+t.Name)
}

func (t fleetTarget) location() location { return location{t.Context, t.Namespace} }

// look is what is seen of one ensemble.
func (f *fleetLooker) look(ctx context.Context, t fleetTarget, goal fleet.Goal) fleet.Fact {
	d, k, err := f.deps(ctx, t)
	if err != nil {
		return unseen(err)
	}
	st, err := d.glance(ctx, k, ensembleName{t.Namespace, t.Name})
	if notWrapped := (*notWrappedError)(nil); errors.As(err, &notWrapped) {
		return t.prepared(fleet.Fact{Seen: true, Healthy: true, Left: fleet.Ahead(goal)})
	}
	if err != nil {
		return unseen(err)
	}
	return t.prepared(factOf(st, goal))
}

func unseen(err error) fleet.Fact {
	said := tell(err, command.Via{})
	return fleet.Fact{Why: said.reason, Next: said.next}
}

func (f *fleetLooker) looksWith(ctx context.Context, targets []fleetTarget, look func(context.Context, fleetTarget) fleet.Fact) map[string]fleet.Fact {
	facts := make([]fleet.Fact, len(targets))
	atOnce(looksAtOnce, len(targets), func(i int) { facts[i] = look(ctx, targets[i]) })
	out := map[string]fleet.Fact{}
	for i, t := range targets {
		out[t.ID] = facts[i]
	}
	return out
}

// factOf is what a status says of the way to the goal.
func factOf(st migration.EnsembleStatus, goal fleet.Goal) fleet.Fact {
	f := fleet.Fact{Seen: true, Ready: true, Healthy: st.Healthy, Servers: len(st.Servers), Epoch: st.Epoch}
	if !st.Healthy {
		f.Why, f.Next = string(st.Health), st.Next
		if len(st.Problems) > 0 {
			f.Why += ": " + st.Problems[0].Text
		}
	}
	restart, replace, finalize := false, false, false
	for _, s := range st.Servers {
		finalize = finalize || s.Phase != migration.PhaseFinalized
		switch {
		case goal == fleet.Finalized && s.Place == migration.PlaceMoving && s.Next == string(migration.Apply):
			// So finalize restarts a server.
		case s.Place == migration.PlaceMoving && s.Next != string(migration.Replace) && s.Next != string(migration.Reconfigure):
			f.Ready, f.Why, f.Next = false, fmt.Sprintf("%s of server %d is under way", s.Next, s.ID), st.Next
		case s.Place == migration.PlaceMoving || s.Place == migration.PlaceHost:
			replace = true
			restart = restart || s.Next == string(migration.Reconfigure)
		}
	}
	for _, part := range fleet.Ahead(goal) {
		if part == fleet.Reconfigure && restart || part == fleet.Replace && replace || part == fleet.Finalize && finalize {
			f.Left = append(f.Left, part)
		}
	}
	f.Elections = fleet.Elections(f.Left)
	return f
}

// prepared says whether everything is at hand that the rest of the way needs.
func (t fleetTarget) prepared(f fleet.Fact) fleet.Fact {
	f.Elections = fleet.Elections(f.Left)
	missing := func(what string) fleet.Fact {
		f.Ready, f.Why, f.Next = false, what, "add it to the Fleet manifest"
		return f
	}
	ready := f.Why == "" || f.Ready
	for _, part := range f.Left {
		switch {
		case (part == fleet.Wrap || part == fleet.Reconfigure) && t.files() == "":
			return missing(fmt.Sprintf("%s needs its hosts' files: manifest or hostFiles", part))
		case (part == fleet.Reconfigure || part == fleet.Replace) && !t.hooked:
			return missing(fmt.Sprintf("%s needs a hook that stops and starts its servers: hook, or hosts.hook of its manifest", part))
		}
	}
	f.Ready = ready
	return f
}
