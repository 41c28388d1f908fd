package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/rollout"
)

func newParkCommand(d *deps) *cobra.Command {
	o := &MoveOptions{deps: d, kind: migration.Park, timeout: 10 * time.Minute}
	var id idFlag
	var said *said
	cmd := &cobra.Command{
		Use:                   "park [NAME] [--id=N] [--host-hook=PROGRAM]",
		DisableFlagsInUseLine: true,
		Short:                 "Create the pods, parked, and prove them, days before",
		Long: long(`
			Creates the pods and waits until each is proved: scheduled, with an image that holds
			the hosts' ZooKeeper, its volume bound, as large as recorded and never used, with
			every file that its configuration names, and listening at its server's ports. Then
			the paths between each pod and the other servers are tried. ZooKeeper is started in
			none of them, no host is touched, and no Service changes. replace finds them parked.

			One StatefulSet creates all pods at once; with --id only that server's is waited
			for and proved. Hosts' own paths to the pods are tried by --host-hook (action
			report). unpark takes the pods back.`),
		Example: examples(`
			# Create and prove all pods
			%[1]s park zk1

			# With what the hosts see
			%[1]s park zk1 --host-hook=./hook.sh`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.args, o.id, o.hook, o.pods = args, id.MaybeID, said.Spec.Hosts.Hook, said.settings()
			return within(cmd.Context(), o.timeout, o.park)
		},
	}
	said = d.says(cmd, "spec.hosts.hook", "spec.pods", "spec.credentials")
	id.add(cmd)
	cmd.Flags().DurationVar(&o.timeout, "timeout", o.timeout, "How long to go on; the same command continues")
	cmd.Flags().BoolVar(&o.verbose, "verbose", false, "Print every step, and the rule behind each wait")
	return cmd
}

// park makes the pods, has them proved, and tries the paths to them.
func (o *MoveOptions) park(ctx context.Context) error {
	s, rec, err := o.deps.open(ctx, o.args, o.id)
	if err != nil {
		return err
	}
	switch sr, ok := rec.ServerOf(o.id); {
	case !o.id.IsZero() && !ok:
		return usagef("ensemble %s has no server %s; it has %v", s.name, o.id, rec.Ensemble().IDs())
	case ok && sr.Replaced != nil:
		return &refusedError{code: migration.CodeInUse, reason: fmt.Sprintf("server %d runs in its pod already", sr.ID), next: s.kube.at().Ours("status %s", s.name)}
	}
	if err := o.before(ctx, s, rec); err != nil {
		return err
	}
	return s.locked(ctx, func(ctx context.Context) error { return o.parkLocked(ctx, s) })
}

func (o *MoveOptions) parkLocked(ctx context.Context, s *session) error {
	if err := o.pods.store(ctx, s, o.id, func(rec migration.Record) error { return o.askRoom(ctx, s, rec) }); err != nil {
		return err
	}
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	ids := onHosts(rec)
	if len(ids) == 0 {
		obs, err := s.engine.Observe(ctx)
		if err != nil {
			return err
		}
		if err := contradicted(obs, "there is nothing to park, but not everything is as it should be", false); err != nil {
			return err
		}
		fmt.Fprintf(o.deps.streams.Out, "All %d servers of %s run in pods: there is nothing to park.\n", len(rec.Servers), s.name)
		return nil
	}
	in := migration.Intent{Kind: o.kind, By: me(), ID: ids[0], All: true}
	if id, one := o.id.Get(); one {
		in.ID, in.All, ids = id, false, []ensemble.ID{id}
	}
	if what := rec.Pods.What(); what != "" {
		// They are made with this operator's rights, from what the journal says.
		fmt.Fprintf(o.deps.streams.ErrOut, "The pods run %s.\n", what)
	}
	s.engine.Remover, s.engine.Focus = s.kube.cluster(), ids
	s.engine.Paths = newPaths(s, o.deps.hosts(rec, o.hook, false, s.lockUntil(), nil))
	d, err := o.drive(ctx, s, in)
	if err != nil {
		return err
	}
	out := o.deps.streams.Out
	fmt.Fprintln(out, d.Reason)
	for _, e := range d.Evidence {
		fmt.Fprintf(out, "  - %s\n", e)
	}
	return o.tryPaths(ctx, s, ids)
}

// drive runs the engine to its end, and prints on the way.
func (o *MoveOptions) drive(ctx context.Context, s *session, in migration.Intent) (migration.Decision, error) {
	s.engine.OnEvent = o.watch(&progress{out: o.deps.streams.ErrOut, start: time.Now(), verbose: o.verbose})
	d, err := s.engine.Run(ctx, in)
	return d, o.ended(ctx, s, in, d, err)
}

func onHosts(rec migration.Record) []ensemble.ID {
	var out []ensemble.ID
	for _, s := range rec.Servers {
		if s.Replaced == nil {
			out = append(out, s.ID)
		}
	}
	return out
}

// tryPaths tries the paths of each parked pod. One that is missing would hold its replacement;
// one that nobody could try is told.
func (o *MoveOptions) tryPaths(ctx context.Context, s *session, ids []ensemble.ID) error {
	obs, err := s.engine.Observe(ctx)
	if err != nil {
		return err
	}
	e := &refusedError{code: migration.CodePathMissing, parked: true, reason: "the pods are parked, and paths between them and the other servers are missing",
		next: "open these paths (a NetworkPolicy, a firewall, a route back to the pods' range), then " + o.again(s, ids[0])}
	for _, id := range ids {
		tried, err := s.engine.TryPaths(ctx, obs, obs.Record, migration.Replace, id)
		if err != nil {
			return err
		}
		e.evidence = append(e.evidence, tried.Missing(obs, id)...)
		if unproven, why := tried.Unproven(id); len(unproven) > 0 {
			fmt.Fprintf(o.deps.streams.ErrOut, "note: not tried: paths between the pod of server %d and server %s (%s)\n", id, ensemble.JoinIDs(unproven), why)
		}
	}
	if len(e.evidence) > 0 {
		return e
	}
	fmt.Fprintf(o.deps.streams.ErrOut, "next: %s\n", o.nextStep(s, obs))
	return nil
}

// nextStep is what comes after parking.
func (o *MoveOptions) nextStep(s *session, obs migration.Observation) string {
	if len(rollout.Left(obs.Record)) > 0 {
		return s.kube.at().Ours("reconfigure %s", s.name)
	}
	return s.kube.at().Ours("plan %s", s.name)
}
