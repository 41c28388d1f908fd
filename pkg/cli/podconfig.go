package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// complete fills in what is known only now: version, limits, the pods' file,
// waivers and the epoch from which elections are counted.
func (o *WrapOptions) complete(ctx context.Context, s *session, rec *migration.Record, desc intake.Description, known bool) error {
	was := rec.Pods
	made, err := s.describePods(ctx, rec, o.pods, desc, func(lag intake.Lag) {
		fmt.Fprintf(o.deps.streams.ErrOut, "Warning: %s\n", lagText(*rec, lag, o.deps.in(rec.Namespace)))
	})
	if err != nil {
		return err
	}
	if err := s.keepPrivate(ctx, made.Private, o.deps.streams.ErrOut); err != nil {
		return err
	}
	if made.Kept {
		fmt.Fprintln(o.deps.streams.ErrOut, "Warning: the pods keep the zoo.cfg they have: the one given differs in whether it has a dataLogDir, and servers in their pods would not find their logs; name a host's file first that is like it")
	}
	printNotes(o.deps.streams.ErrOut, made.Notes)
	if known {
		o.sayRecorded(*rec, was)
	}
	intake.Waive(rec, o.waive, me(), time.Now())
	if !known {
		rec.Note(migration.AuditEntry{At: time.Now(), By: me(), Step: "wrap", Detail: fmt.Sprintf("%d servers, ZooKeeper %s", len(rec.Servers), rec.Settings.Version)})
	}
	return nil
}

// sayRecorded says what a wrap that is run again changes of how pods are made.
func (o *WrapOptions) sayRecorded(rec migration.Record, was migration.PodOptions) {
	what := "pods are made with it from now on"
	if len(migration.InPods(rec)) > 0 {
		what = o.deps.in(rec.Namespace).Ours("apply %s", rec.Name) + " gives it to the pods"
	}
	for _, change := range append(intake.PodChanges(was, rec.Pods), intake.CfgChanges(was.ZooCfg, rec.Pods.ZooCfg)...) {
		fmt.Fprintf(o.deps.streams.ErrOut, "recorded: %s; %s\n", quote.Line(change), what)
	}
}

// describePods fills in how pods are made: what running servers say, the settings, their files.
// warn is told of hosts that run another version than is recorded.
func (s *session) describePods(ctx context.Context, rec *migration.Record, pods intake.PodFlags, desc intake.Description, warn func(intake.Lag)) (made intake.Derived, err error) {
	versions := intake.FromRunning(rec, s.running(ctx, *rec))
	if lag, lags := intake.FollowVersion(rec, versions, desc.Config != nil); lags {
		warn(lag)
	}
	if err := intake.KnownLimits(*rec); err != nil {
		return made, err
	}
	if rec.Pods, err = pods.Over(rec.Pods, rec.Settings.Version); err != nil {
		return made, err
	}
	return intake.PodFiles(rec, desc.Hosts)
}

// keepPrivate keeps the lines of the pods' configuration that no record has.
func (s *session) keepPrivate(ctx context.Context, secret *corev1.Secret, out io.Writer) error {
	if secret == nil {
		return nil
	}
	result, err := s.kube.cluster().MakeSecret(ctx, secret)
	if err == nil {
		fmt.Fprintf(out, "secret/%s %s: the lines of zoo.cfg that nobody else may read\n", secret.Name, result)
	}
	return err
}

// running asks every server on its host.
func (s *session) running(ctx context.Context, rec migration.Record) []intake.Running {
	var out []intake.Running
	for _, srv := range rec.Servers {
		live := s.prober.Learn(ctx, srv.AtHost())
		out = append(out, intake.Running{
			ID: srv.ID, Says: live.ServerID, Version: live.Version, TickTime: live.TickTime, InitLimit: live.InitLimit, SyncLimit: live.SyncLimit, Mode: live.Mode, Zxid: live.Zxid,
		})
	}
	return out
}

// lagText says why the pods stay with another version than the hosts run, and what
// to do about it.
func lagText(rec migration.Record, lag intake.Lag, at command.At) string {
	if lag.Begun {
		return fmt.Sprintf("the hosts run ZooKeeper %s, and the migration was begun with %s: bring them back to it before another server is replaced", lag.Runs, lag.Recorded)
	}
	return fmt.Sprintf("the hosts run ZooKeeper %s, the pods would be made for %s; so that they follow: %s", lag.Runs, lag.Recorded, at.Ours("wrap %s -f FILE", rec.Name))
}

// printNotes tells what in the pods' configuration somebody has to look at:
// warnings, and what was carried over without being understood.
func printNotes(w io.Writer, notes []ensemble.Note) {
	for _, n := range notes {
		if n.Action == ensemble.Warn || n.Action == ensemble.Carry {
			fmt.Fprintf(w, "pods' zoo.cfg: %s: %s\n", n.Key, n.Text)
		}
	}
}
