package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// RemoveOptions is unpark or unwrap.
type RemoveOptions struct {
	MoveOptions
	said *said
}

func newUnparkCommand(d *deps) *cobra.Command {
	o := &RemoveOptions{MoveOptions: MoveOptions{deps: d, kind: migration.Unpark, timeout: 10 * time.Minute}}
	cmd := &cobra.Command{
		Use:                   "unpark [NAME]",
		DisableFlagsInUseLine: true,
		Short:                 "Take back pods and volumes in which nothing ever ran",
		Long: long(`
			Deletes the pods in which ZooKeeper was never started, their volume claims and,
			when no pod is left, the StatefulSet, the gate and their other objects. What was
			seen of each volume is written down first, and each object is deleted by its uid.
			A server that runs in its pod stays, and so does a volume that holds data.

			A StatefulSet numbers its pods from 0: a pod stays where one with a higher number is
			in use. A volume of which no pod tells what is on it stays, unless you answer for
			it by name (--assume-unused=volume-N). Needs the rights that "rbac --removal"
			prints. Kill it at any time: the same command goes on; park creates the pods again.`),
		Example: examples(`
			# Take the pods back
			%[1]s unpark zk1`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	o.add(cmd)
	return cmd
}

func newUnwrapCommand(d *deps) *cobra.Command {
	o := &RemoveOptions{MoveOptions: MoveOptions{deps: d, kind: migration.Unwrap, timeout: 5 * time.Minute}}
	cmd := &cobra.Command{
		Use:                   "unwrap [NAME] [-f ID=zoo.cfg]... [--assume-unused=WHAT,...]",
		DisableFlagsInUseLine: true,
		Short:                 "Take back Services that nobody uses, and the journal",
		Long: long(`
			Deletes what wrap has created: the Services, their endpoints, what is kept beside
			the journal and, last, the journal. Before each Service goes it is proved that
			nobody uses it: every server is seen, and the list that it runs with names no
			Service; neither do the hosts' files (-f), the hosts' names, nor the list in
			/zookeeper/config. Otherwise nothing is deleted: a Service takes its address along,
			and servers that know each other by it find no leader any more.

			What cannot be seen is refused by name until you answer for it: whether clients came
			through a Service (clients), a file that was not given (file-N), and, on 3.4, the list
			of a server whose patch was handed out (list-N).

			Pods go first, by unpark. Needs the rights that "rbac --removal" prints. Kill it at
			any time: the same command goes on. Until it has ended, wrap creates the Services
			again, with the same addresses.`),
		Example: examples(`
			# Take a wrap back that no client was told of
			%[1]s unwrap zk1 -f 1=host1/zoo.cfg -f 2=host2/zoo.cfg -f 3=host3/zoo.cfg --assume-unused=clients`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	o.add(cmd)
	o.said.addFiles()
	return cmd
}

func (o *RemoveOptions) add(cmd *cobra.Command) {
	o.said = o.deps.says(cmd, "spec.credentials")
	cmd.Flags().StringSliceVar(&o.assumed, "assume-unused", nil, "What was not seen and you know to be unused, by the names that a refusal prints; kept in the journal")
	cmd.Flags().DurationVar(&o.timeout, "timeout", o.timeout, "How long to go on; the same command continues")
	cmd.Flags().BoolVar(&o.verbose, "verbose", false, "Print every step, also those that only keep something in the journal")
}

func (o *RemoveOptions) run(ctx context.Context, args []string) error {
	o.args = args
	return within(ctx, o.timeout, o.Run)
}

// Run takes back what it can prove to be unused.
func (o *RemoveOptions) Run(ctx context.Context) error {
	in := o.said.input()
	var files []ensemble.HostConfig
	if !in.empty() {
		desc, err := in.read(ctx, "")
		if err != nil {
			return err
		}
		files = desc.Hosts
	}
	k, err := o.deps.kube()
	if err != nil {
		return err
	}
	name, err := k.pick(ctx, o.args)
	if err != nil {
		return err
	}
	s := o.deps.session(k, name)
	rec, err := s.journal.Load(ctx)
	if journal.IsNotFound(err) && o.kind == migration.Unwrap {
		return o.nothing(ctx, s)
	}
	if journal.IsNotFound(err) {
		return s.gone(ctx)
	}
	if err == nil {
		err = s.ours(rec)
	}
	if err != nil {
		return err
	}
	for _, key := range o.assumed {
		if known := migration.UseKeys(rec); !slices.Contains(known, key) {
			return usagef("--assume-unused=%q: expected one of %s", key, strings.Join(known, ", "))
		}
	}
	if err := s.askThrough(ctx, rec, ensemble.MaybeID{}); err != nil {
		return err
	}
	if err := o.mayRemove(ctx, s, rec); err != nil {
		return err
	}
	return s.locked(ctx, func(ctx context.Context) error { return o.locked(ctx, s, files) })
}

// mayRemove asks for the rights before anything goes.
func (o *RemoveOptions) mayRemove(ctx context.Context, s *session, rec migration.Record) error {
	f := wrappedFacts(rec)
	permissionFacts(ctx, s, rec, access.For(access.Command(o.kind)), false, &f)
	lacking := slices.Concat(f.Lacking, f.Unanswered)
	if f.PermissionsError != "" {
		lacking = append(lacking, f.PermissionsError)
	}
	if len(lacking) == 0 {
		return nil
	}
	return &refusedError{reason: "permissions are missing that this command needs", evidence: lacking,
		next: "have an administrator apply what this prints: " + orText(f.RoleCommand, s.kube.at().Ours("rbac %s --removal", s.name))}
}

func (o *RemoveOptions) locked(ctx context.Context, s *session, files []ensemble.HostConfig) error {
	rec, err := s.journal.Load(ctx)
	if journal.IsNotFound(err) && o.kind == migration.Unwrap {
		return o.last(ctx, s) // another command has just ended it
	}
	if err != nil {
		return err
	}
	s.engine.Remover = s.kube.cluster()
	if o.kind == migration.Unwrap {
		s.engine.Focus = rec.Ensemble().IDs()
		if s.engine.Uses, err = s.uses(ctx, rec, files); err != nil {
			return err
		}
	}
	var before migration.Belongings
	if o.kind == migration.Unpark { // whose last word names the volumes
		if before, err = s.kube.cluster().Belongings(ctx, rec); err != nil {
			return err
		}
	}
	in := migration.Intent{Kind: o.kind, By: me(), ID: rec.Servers[0].ID, Assumed: o.assumed}
	d, err := o.drive(ctx, s, in)
	if refused := (*refusedError)(nil); errors.As(err, &refused) && len(d.Unseen) > 0 {
		o.assumed = append(o.assumed, d.Unseen...)
		refused.next = o.again(s, in.ID)
	}
	if err != nil {
		return err
	}
	if o.kind == migration.Unwrap {
		return o.finish(ctx, s)
	}
	fmt.Fprintln(o.deps.streams.Out, d.Reason)
	return o.unparked(s, before)
}

// unparked says what Kubernetes may keep, and what comes next. Who may unpark need not be allowed to
// look at PersistentVolumes, which belong to the whole cluster.
func (o *RemoveOptions) unparked(s *session, before migration.Belongings) error {
	var volumes []string
	for _, claim := range before.Claims {
		if claim.Volume != "" {
			volumes = append(volumes, claim.Volume)
		}
	}
	if len(volumes) > 0 {
		fmt.Fprintf(o.deps.streams.Out, "PersistentVolumes with reclaim policy Retain stay, Released, until somebody deletes them: %s\n",
			s.kube.at().Kubectl("get pv %s", quote.Words(volumes)))
	}
	_, err := fmt.Fprintf(o.deps.streams.ErrOut, "next: %s   (or, to take the Services back as well: %s)\n", s.kube.at().Ours("park %s", s.name), s.kube.at().Ours("unwrap %s", s.name))
	return err
}

// finish deletes what no look is needed for: what is kept beside the journal, the lock and,
// last, the journal. Without it nobody would know that anything is left.
func (o *RemoveOptions) finish(ctx context.Context, s *session) error {
	if err := s.held(ctx); err != nil {
		return err
	}
	rec, err := s.journal.Load(ctx)
	if err != nil {
		return err
	}
	if r := rec.Removal; r == nil || r.Kind != migration.Unwrap {
		return s.changedMeanwhile()
	}
	failed := func(err error) error { return &failedError{err: err, next: o.again(s, rec.Servers[0].ID)} }
	if err := s.kube.cluster().DeleteNotes(ctx, rec); err != nil {
		return failed(err)
	}
	if err := s.lock.Remove(ctx); err != nil {
		return failed(err)
	}
	if err := s.journal.Delete(ctx); err != nil {
		return failed(err)
	}
	fmt.Fprintf(o.deps.streams.Out, "%s is unwrapped: its %d Services and its journal are gone.\n", s.name, len(rec.Servers))
	return nil
}

func (s *session) changedMeanwhile() error {
	return &refusedError{reason: fmt.Sprintf("the journal of %s was changed by another command meanwhile", s.name), next: "look at " + s.kube.at().Ours("status %s", s.name)}
}

// nothing is what unwrap says where there is no journal. A command that was killed right before
// its end may have left the lock; where more is left, the journal was lost, and is put back first.
func (o *RemoveOptions) nothing(ctx context.Context, s *session) error {
	left, err := s.kube.client.CoreV1().Services(s.kube.namespace).List(ctx, metav1.ListOptions{LabelSelector: render.EnsembleLabel + "=" + s.name})
	if err != nil {
		return fmt.Errorf("cannot list Services in namespace %s: %w", s.kube.namespace, err)
	}
	if _, _, kept := s.copyKept(ctx); kept || len(left.Items) > 0 {
		return s.gone(ctx)
	}
	_, err = s.kube.client.CoordinationV1().Leases(s.kube.namespace).Get(ctx, render.JournalName(s.name), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = fmt.Fprintf(o.deps.streams.Out, "Nothing of %s is in namespace %s.\n", s.name, s.kube.namespace)
		return err
	case err != nil:
		return fmt.Errorf("cannot read the lock in Lease %s/%s: %w", s.kube.namespace, render.JournalName(s.name), err)
	}
	return s.locked(ctx, func(ctx context.Context) error { return o.last(ctx, s) })
}

func (o *RemoveOptions) last(ctx context.Context, s *session) error {
	if err := s.lock.Remove(ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintf(o.deps.streams.Out, "Nothing of %s is in namespace %s.\n", s.name, s.kube.namespace)
	return err
}
