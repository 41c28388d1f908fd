package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// ending is what finalize adds to the restart of pods.
type ending struct {
	// giveUp is the ensemble's name, by which an operator gives up the way back.
	giveUp string
	// undo gives pods their gates again.
	undo bool
	// helpers: the objects that only the migration needed are deleted at the end.
	helpers bool
	// dir gets the objects as a kustomize base; nothing else is done then.
	dir string
}

func newFinalizeCommand(d *deps) *cobra.Command {
	f := &moveFlags{deps: d, kind: migration.Apply, end: &ending{}}
	cmd := &cobra.Command{
		Use:                   "finalize [NAME] --give-up-way-back=NAME | --undo | --dry-run=client",
		DisableFlagsInUseLine: true,
		Short:                 "End the migration: plain pods, run by Kubernetes alone",
		Long: long(`
			Makes the pods again without the gate: they run the image's own entry point with a
			mounted zoo.cfg. One server at a time, leader last, each by a restart under proof as
			apply makes it. Then the StatefulSet gets the update strategy RollingUpdate, and
			everything is left to Kubernetes.

			This gives up what depends on the gates: servers can no longer return to their hosts,
			and a lost volume is no longer replaced under proof. You confirm it with the
			ensemble's name; --yes is not enough. Until the last pod is recreated, --undo
			restores the gates; after that nothing does.

			--dry-run=client prints the objects that the ensemble is left with, for Git;
			--output-dir writes them as a kustomize base. See docs/finalize.md.`),
		Example: examples(`
			# What the ensemble is left with
			%[1]s finalize zk1 --dry-run=client -o yaml

			# End the migration
			%[1]s finalize zk1 --give-up-way-back=zk1

			# Back to pods with a gate, before the end
			%[1]s finalize zk1 --undo

			# Later: delete what only the migration needed; the journal stays as a report
			%[1]s finalize zk1 --give-up-way-back=zk1 --delete-helpers`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.said = d.says(cmd, "spec.credentials")
	f.timeout = defaultTimeout
	fs := cmd.Flags()
	fs.StringVar(&f.end.giveUp, "give-up-way-back", "", "The ensemble's name: no server can go back to its host from then on")
	fs.BoolVar(&f.end.undo, "undo", false, "Give the pods their gates again, as long as the ensemble was not finalized")
	fs.BoolVar(&f.end.helpers, "delete-helpers", false, "Once finalized, delete what only the migration needed (gate, scripts, journal, lock); the journal stays as a report")
	fs.StringVar(&f.end.dir, "output-dir", "", "Write the objects that the ensemble is left with into this directory, as a kustomize base, and do nothing else")
	fs.StringVar(&f.dryRun, "dry-run", "none", "none or client (print the objects that the ensemble is left with; only the journal, and the Secrets and ConfigMap that it names, are read)")
	fs.StringVarP(&f.output, "output", "o", "", "Output format of a dry run: yaml, json or name")
	fs.BoolVarP(&f.yes, "yes", "y", false, "Do not ask before a server is restarted")
	fs.DurationVar(&f.timeout, "timeout", f.timeout, "How long to go on; the state is saved and the same command continues")
	fs.BoolVar(&f.verbose, "verbose", false, "Print every step, also those that only keep something in the journal")
	return cmd
}

// check refuses flags that exclude each other.
func (e *ending) check(dryRun string) error {
	switch {
	case e.undo && e.giveUp != "":
		return usagef("--undo and --give-up-way-back exclude each other: use one of them")
	case e.undo && e.helpers:
		return usagef("--undo and --delete-helpers exclude each other: use one of them")
	case dryRun == dryRunServer:
		return usagef("--dry-run=server: allowed are none, client")
	}
	return checkOutDir(e.dir)
}

// over: the journal was archived, so the end was reached before.
func (e *ending) over(err error) bool {
	refused := (*refusedError)(nil)
	return !e.undo && errors.As(err, &refused) && refused.code == migration.CodeFinalized
}

// wants fills in what is asked of Decide.
func (e *ending) wants(in migration.Intent) migration.Intent {
	in.Plain, in.GiveUp, in.Regate = !e.undo, e.giveUp, e.undo
	return in
}

// order is that of the servers that are still to be restarted.
func (e *ending) order(o migration.Observation) []ensemble.ID {
	if e.undo {
		return migration.RegateOrder(o)
	}
	return migration.FinalizeOrder(o)
}

// show prints what the ensemble is left with, or writes it.
func (o *MoveOptions) show(ctx context.Context) error {
	s, rec, err := o.deps.load(ctx, o.args)
	if err != nil {
		return err
	}
	if !rec.Pods.Plain {
		if rec.Pods.PlainFiles, _, err = s.plainFiles(ctx, rec); err != nil {
			return err
		}
	}
	objects, err := render.Left(rec)
	if err != nil {
		return err
	}
	if o.end.dir != "" {
		files, err := kustomizeBase(objects)
		if err != nil {
			return err
		}
		if _, err := writeDir(o.end.dir, files); err != nil {
			return err
		}
		fmt.Fprintf(o.deps.streams.Out, "Wrote %d files to %s.\n", len(files), o.end.dir)
		if p := rec.Pods.PlainFiles; p != nil && p.Secret != "" {
			fmt.Fprintf(o.deps.streams.Out, "Secret %s is not among them: finalize makes it.\n", p.Secret)
		}
		return nil
	}
	format := o.format
	if format == printer.Table {
		format = printer.YAML
	}
	return printObjects(o.deps.streams.Out, format, objects)
}

// plainFiles finds out what pods without a gate mount, with the Secret that is made for it; nil for
// none. An ensemble that a mount cannot serve is refused.
func (s *session) plainFiles(ctx context.Context, rec migration.Record) (*migration.PlainFiles, *corev1.Secret, error) {
	if !render.NeedsPlainFiles(rec) {
		return nil, nil, nil
	}
	c := s.kube.cluster()
	from, err := c.PlainSources(ctx, rec)
	if cluster.IsReason(err, cluster.Forbidden) {
		scope := access.Of(rec, false)
		scope.Finalizing = true
		return nil, nil, &refusedError{reason: plain(err).text, next: "have an administrator apply what this prints: " + roleCommand(rec, scope, c.WhoAmI(ctx))}
	}
	if err != nil {
		return nil, nil, err
	}
	files, secret, err := render.MakePlainFiles(rec, from)
	if err != nil {
		return nil, nil, &refusedError{reason: err.Error(), next: "or leave the pods as they are: with their gates they are restarted and drained as well (docs/finalize.md)"}
	}
	return files, secret, nil
}

// store refuses what pods without a gate cannot be made from, before anything is begun, and makes
// their Secret again where that was made before and is gone.
func (e *ending) store(ctx context.Context, s *session, rec migration.Record, out io.Writer) error {
	if e.giveUp != rec.Name || rec.Finalized != nil {
		return nil
	}
	files, secret, err := s.plainFiles(ctx, rec)
	if err != nil || !rec.Pods.Plain {
		return err
	}
	if !reflect.DeepEqual(files, rec.Pods.PlainFiles) {
		return &refusedError{reason: "since pods began to lose their gates, entries have come to or gone from what --files-secret and --files-configmap name, or passwords, JVM flags or JAAS files in there have changed",
			next: "put them back, or begin again: " + s.kube.at().Ours("finalize %s --undo", rec.Name)}
	}
	if secret == nil {
		return nil
	}
	result, err := s.kube.cluster().MakeSecret(ctx, secret)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "secret/%s %s: what pods without a gate have that nobody else may read\n", secret.Name, result)
	return err
}

// tryEnd refuses what the last write would be refused for, before a pod is restarted for it.
func (e *ending) tryEnd(ctx context.Context, s *session, rec migration.Record) error {
	if !rec.Pods.Plain {
		var err error
		if rec.Pods.PlainFiles, _, err = s.plainFiles(ctx, rec); err != nil {
			return err
		}
	}
	taken := &cluster.Error{}
	if err := s.kube.cluster().TryFinalize(ctx, rec); !errors.As(err, &taken) || taken.Reason != cluster.Conflict {
		return err
	}
	return &refusedError{reason: "the last step of finalize would be refused: " + taken.What, next: taken.Next}
}

// kustomizeBase has a file per object but Secrets, and lists them.
func kustomizeBase(objects []render.Object) ([]outFile, error) {
	list := []string{"apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", "resources:"}
	var out []outFile
	for _, o := range objects {
		if o.GetObjectKind().GroupVersionKind().Kind == "Secret" {
			continue // what it holds is for nobody's repository
		}
		data, err := render.YAML([]render.Object{o})
		if err != nil {
			return nil, err
		}
		name := strings.ToLower(o.GetObjectKind().GroupVersionKind().Kind) + "-" + o.GetName() + ".yaml"
		list = append(list, "- "+name)
		out = append(out, outFile{name, data, 0o644})
	}
	return append(out, outFile{"kustomization.yaml", []byte(strings.Join(list, "\n") + "\n"), 0o644}), nil
}

// finalized takes the last step once no pod has a gate, or says that all have theirs again.
func (o *MoveOptions) finalized(ctx context.Context, s *session, in migration.Intent, obs migration.Observation) error {
	if o.end.undo {
		if obs.Record.Pods.Plain {
			in.ID = obs.Record.Servers[0].ID
			if err := o.one(ctx, s, in); err != nil {
				return err
			}
		}
		fmt.Fprintf(o.deps.streams.Out, "All pods of %s have their gates.\n", s.name)
		return nil
	}
	in.ID = obs.Record.Servers[0].ID
	d, err := s.engine.Run(ctx, in)
	if err != nil || d.Kind != migration.Done {
		return o.outcome(ctx, s, in, d, err, time.Now())
	}
	fmt.Fprintf(o.deps.streams.Out, "%s is finalized: its pods are plain, and StatefulSet %s restarts them by itself.\n", s.name, render.StatefulSetName(s.name))
	if !o.end.helpers {
		return nil
	}
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	deleted, err := s.kube.cluster().DeleteHelpers(ctx, rec)
	if err != nil {
		return err
	}
	// Right before the journal, as in unwrap: without it no command would find the lock.
	switch err := s.lock.Remove(ctx); {
	case apierrors.IsForbidden(err):
		fmt.Fprintf(o.deps.streams.ErrOut, "note: Lease %s stays: deleting it is not allowed to you\n", render.JournalName(s.name))
	case err != nil:
		return err
	default:
		deleted = append(deleted, "lease/"+render.JournalName(s.name))
	}
	if err := s.journal.Archive(ctx); err != nil {
		return err
	}
	fmt.Fprintf(o.deps.streams.Out, "Deleted %s; the journal stays as ConfigMap %s.\n", strings.Join(slices.Concat(deleted, []string{"the journal"}), ", "), render.ReportName(s.name))
	return nil
}
