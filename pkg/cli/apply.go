package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func newApplyCommand(d *deps) *cobra.Command {
	f := &moveFlags{deps: d, kind: migration.Apply}
	cmd := &cobra.Command{
		Use:                   "apply [NAME] [--id=N] [--memory=SIZE] [--image=IMAGE] ...",
		DisableFlagsInUseLine: true,
		Short:                 "Restart servers in their pods with changed settings",
		Long: long(`
			Changes the settings of pods that serve (image, memory, CPU, JVM flags, files), and
			makes the pods again one server at a time, leader last. Each is an ordinary
			restart: the volume stays, the address stays, and a canary write that all servers
			hold is committed before the pod is deleted and after it has joined. Without a
			flag it restarts every server whose pod was made with other settings than are
			recorded now.

			Until a server has joined with them, new settings can be taken back: --undo. The
			image must hold the same ZooKeeper. A pod that does not run because of its
			settings (too little memory, an image that does not exist) takes new ones at once,
			also in the middle of its restart. Nothing is recorded before you have confirmed it.

			A rollout restart of the StatefulSet does none of this, and restarts nothing: the
			pods' update strategy is OnDelete.`),
		Example: examples(`
			# More memory for every server, one after the other
			%[1]s apply --memory=4Gi

			# Try an image with server 2 first, then the others
			%[1]s apply --id=2 --image=registry.example.com/zookeeper:3.8.4-2
			%[1]s apply

			# Back to the settings of before, where the first pod does not come up
			%[1]s apply --id=2 --undo`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := undoAlone(cmd); err != nil {
				return err
			}
			return f.run(cmd, args)
		},
	}
	f.said = d.says(cmd, "spec.pods", "spec.credentials")
	f.timeout = defaultTimeout
	f.id.add(cmd)
	fs := cmd.Flags()
	fs.BoolVarP(&f.yes, "yes", "y", false, "Do not ask before a server is stopped")
	fs.BoolVar(&f.undo, "undo", false, "Take back a change of settings that no server has joined with")
	fs.DurationVar(&f.timeout, "timeout", f.timeout, "How long to go on; the state is saved and the same command continues")
	fs.BoolVar(&f.verbose, "verbose", false, "Print every step, also those that only keep something in the journal")
	for _, name := range []string{"storage-class", "storage-size", "run-as-user"} {
		_ = fs.MarkHidden(name) // see keepsVolume
	}
	return cmd
}

// keepsVolume: a volume that is in use keeps its class, size and owner.
func keepsVolume(was, to migration.PodOptions) error {
	if was.StorageClass == to.StorageClass && was.StorageSize == to.StorageSize && was.RunAsUser == to.RunAsUser {
		return nil
	}
	return usagef("a volume that is in use keeps its class, size and owner (--storage-class, --storage-size, --run-as-user): a server gets another one by revert and replace")
}

func undoAlone(cmd *cobra.Command) error {
	if undo, _ := cmd.Flags().GetBool("undo"); undo {
		for _, name := range []string{"image", "memory", "cpu", "jvm-flags", "files-secret", "files-configmap", "anti-affinity", "pod-template"} {
			if cmd.Flags().Changed(name) {
				return usagef("--undo and --%s exclude each other: use one of them", name)
			}
		}
	}
	return nil
}

// store keeps what the flags change of the pods' settings. Those of apply are only judged here:
// begin keeps them, once the rules allow the restart and the operator has confirmed it.
func (o *MoveOptions) store(ctx context.Context, s *session) error {
	if o.kind != migration.Apply {
		return o.pods.store(ctx, s, o.id, func(rec migration.Record) error { return o.askRoom(ctx, s, rec) })
	}
	rec, err := s.record(ctx)
	switch {
	case err != nil:
		return err
	case o.end != nil:
		return o.end.store(ctx, s, rec, o.deps.streams.ErrOut)
	}
	to, changed, err := o.pods.over(rec)
	switch {
	case err != nil || o.undo || changed == "" && rec.Flight != nil:
		return err
	case changed == "":
		return o.askRoom(ctx, s, rec)
	case len(migration.InPods(rec)) == 0:
		return &refusedError{reason: "no server runs in a pod yet: replace takes these flags", next: s.kube.at().Ours("replace %s --id=%d %s", s.name, rec.Servers[0].ID, o.pods.again)}
	}
	if err := keepsVolume(rec.Pods, to.Pods); err != nil {
		return err
	}
	return o.askRoom(ctx, s, to)
}

// wanted is the record as this command would have it, with what its flags change of the pods'
// settings in words, empty for nothing.
func (o *MoveOptions) wanted(ctx context.Context, s *session) (rec, to migration.Record, changed string, err error) {
	rec, err = s.record(ctx)
	if err != nil || o.kind != migration.Apply || o.end != nil {
		return rec, rec, "", err
	}
	to, changed, err = o.pods.over(rec)
	return rec, to, changed, err
}

// observe looks at the ensemble as if what the flags change were recorded.
func (o *MoveOptions) observe(ctx context.Context, s *session) (migration.Observation, error) {
	_, to, changed, err := o.wanted(ctx, s)
	if err != nil {
		return migration.Observation{}, err
	}
	if changed == "" {
		return s.engine.Observe(ctx)
	}
	return s.engine.Looker().Look(ctx, to, s.engine.Twins)
}

// begin asks the rules and then the operator before a restart begins, and only then keeps
// what the flags change.
func (o *MoveOptions) begin(ctx context.Context, s *session, in migration.Intent) error {
	rec, to, changed, err := o.wanted(ctx, s)
	if err != nil || rec.Flight != nil && changed == "" {
		return err
	}
	if o.undo || in.Regate {
		to = rec.RestorePods() // what is restarted then
	}
	obs, err := s.engine.Looker().Look(ctx, to, s.engine.Twins, in.ID)
	if err != nil {
		return o.ended(ctx, s, in, migration.Decision{}, err)
	}
	in.Since = obs.At
	d := migration.Decide(in, obs)
	switch {
	case d.Kind == migration.Stop:
		return o.ended(ctx, s, in, d, nil)
	case rec.Flight != nil && !migration.TakesSettings(obs):
		why, next := o.pods.begun(rec, s.kube.at())
		return &refusedError{reason: fmt.Sprintf("%s (%s)", why, changed), next: next}
	case rec.Flight == nil && o.end != nil && !o.end.undo:
		if err := o.end.tryEnd(ctx, s, rec); err != nil {
			return err
		}
	}
	if sr, ok := rec.Server(in.ID); ok && rec.Flight == nil && d.Kind != migration.Done && !o.yes {
		if err := o.ask(ctx, rec, in.ID, o.question(*sr)); err != nil {
			return err
		}
	}
	return o.keep(ctx, s)
}

// keep records what the flags change.
func (o *MoveOptions) keep(ctx context.Context, s *session) error {
	_, to, changed, err := o.wanted(ctx, s)
	if err != nil || changed == "" {
		return err
	}
	fmt.Fprintf(o.deps.streams.ErrOut, "The pods' settings change: %s.\n", changed)
	if err := s.save(ctx, to); err != nil {
		return err
	}
	o.wrote = true
	return nil
}

// applied is the last word where no pod is left to make again.
func (o *MoveOptions) applied(obs migration.Observation) error {
	if err := contradicted(obs, "every pod was made with the recorded settings, but not everything is as it should be", o.moved > 0); err != nil {
		return err
	}
	_, err := fmt.Fprintf(o.deps.streams.Out, "All pods of %s that serve were made with the recorded settings.\n", obs.Record.Name)
	return err
}
