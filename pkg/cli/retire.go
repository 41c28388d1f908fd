package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
)

// RetireOptions is retire with everything resolved.
type RetireOptions struct {
	deps *deps
	args []string
	id   ensemble.ID
	hook string
	// gone is the address that is declared gone, empty where nothing is declared.
	gone string
	undo bool
}

func newRetireCommand(d *deps) *cobra.Command {
	o := &RetireOptions{deps: d}
	var id idFlag
	var limit time.Duration
	var said *said
	cmd := &cobra.Command{
		Use:                   "retire [NAME] --id=N [--host-gone=ADDRESS]",
		DisableFlagsInUseLine: true,
		Short:                 "See to the last things of a host, and declare it gone",
		Long: long(`
			Prints what is left to do on a host that its server has left, and checks what can be
			seen: whether something answers there, and, with --host-hook, whether its unit could
			start the server again. Nothing is written.

			With --host-gone and the host's address it declares that the host is gone for good.
			From then on nothing that has this address is taken for the old host: without it, a
			machine that gets the address and listens at the same ports keeps the pod from its
			next start, and other servers from being moved. It also ends the way back: revert
			refuses. --undo takes the declaration back, while nothing answers at the address.

			Pods learn of it when they are next made; apply makes them again, one at a time.`),
		Example: examples(`
			# What is left to do
			%[1]s retire zk1 --id=1 --host-hook=./hook.sh

			# Its address goes to another machine
			%[1]s retire zk1 --id=1 --host-gone=10.0.0.1`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			one, given := id.Get()
			switch {
			case !given:
				return usagef("name the server with --id=N")
			case o.undo && o.gone != "":
				return usagef("--undo and --host-gone exclude each other: use one of them")
			case limit <= 0:
				return badTimeout(limit)
			}
			o.args, o.id, o.hook = args, one, said.Spec.Hosts.Hook
			return within(cmd.Context(), limit, o.Run)
		},
	}
	said = d.says(cmd, "spec.hosts.hook", "spec.credentials")
	id.add(cmd)
	cmd.Flags().StringVar(&o.gone, "host-gone", "", "The host's address, to declare that the host is gone for good")
	cmd.Flags().BoolVar(&o.undo, "undo", false, "Take the declaration back")
	cmd.Flags().DurationVar(&limit, "timeout", 5*time.Minute, "How long to go on; the same command continues")
	return cmd
}

// Run looks, and declares where that was asked for.
func (o *RetireOptions) Run(ctx context.Context) error {
	s, rec, err := o.deps.open(ctx, o.args, o.id.Known())
	if err != nil {
		return err
	}
	sr, ok := rec.Server(o.id)
	switch {
	case !ok:
		return usagef("ensemble %s has no server %d; it has %v", s.name, o.id, rec.Ensemble().IDs())
	case o.gone != "" && !ensemble.SameAddress(o.gone, sr.HostIP):
		return usagef("--host-gone=%q is not the host of server %d, which is %s: look again which one is meant", o.gone, o.id, sr.HostIP)
	}
	if o.gone == "" && !o.undo {
		return o.show(ctx, s, rec, *sr)
	}
	if err := s.beforeStop(ctx, rec, "", access.For(access.Retire), false); err != nil {
		return err
	}
	return s.locked(ctx, func(ctx context.Context) error { return o.declare(ctx, s) })
}

// show prints the last things of the host.
func (o *RetireOptions) show(ctx context.Context, s *session, rec migration.Record, sr migration.ServerRecord) error {
	if err := o.mayRetire(s, rec, sr); err != nil {
		return err
	}
	out := o.deps.streams.Out
	if sr.Retired != nil {
		fmt.Fprintf(out, "Host %s of server %d was declared gone at %s: whatever has its address is not taken for it.\n", sr.HostIP, sr.ID, sr.Retired.At.UTC().Format(time.RFC3339))
		return nil
	}
	host, err := o.look(ctx, s, rec)
	if err != nil {
		return err
	}
	f := wrappedFacts(rec)
	s.keptFacts(ctx, rec, &f)
	if o.hook != "" {
		one := rec
		one.Servers = []migration.ServerRecord{sr}
		told, err := s.askHosts(ctx, o.hook, one, questions(rec, f.Pods))
		if err != nil {
			return err
		}
		f.Reports = append(dated(told, time.Now()), f.Reports...)
	}
	fmt.Fprintf(out, "Server %d has run in its pod since %s. The last things of host %s:\n", sr.ID, sr.Replaced.UTC().Format(time.RFC3339), sr.HostIP)
	bad := 0
	for _, t := range preflight.LastThings(f, sr, host) {
		fmt.Fprintf(out, "  %-8s %s\n", t.Result, t.Text)
		if t.Result == preflight.Fail {
			bad++
		}
	}
	for _, line := range preflight.ByHand(rec, sr) {
		fmt.Fprintf(out, "  %-8s %s\n", "by hand", line)
	}
	if bad > 0 {
		return &refusedError{code: migration.CodeGhostHost, reason: fmt.Sprintf("host %s is not to be given away yet", sr.HostIP), next: "on host " + sr.HostIP + ": stop the server and mask its unit"}
	}
	if rec.Pods.Plain {
		fmt.Fprintln(o.deps.streams.ErrOut, "Nothing is to be declared: its pod has no gate and asks no host.")
		return nil
	}
	fmt.Fprintf(o.deps.streams.ErrOut, "next, when the host is gone for good: %s\n", s.kube.at().Ours("retire %s --id=%d --host-gone=%s", s.name, sr.ID, sr.HostIP))
	return nil
}

// mayRetire: the server has left its host, and nothing is under way that counts on it.
func (o *RetireOptions) mayRetire(s *session, rec migration.Record, sr migration.ServerRecord) error {
	status := s.kube.at().Ours("status %s", s.name)
	switch {
	case sr.Replaced == nil:
		return &refusedError{reason: fmt.Sprintf("server %d runs on its host %s", sr.ID, sr.HostIP), next: s.kube.at().Ours("replace %s --id=%d", s.name, sr.ID)}
	case rec.Flight != nil:
		return &refusedError{code: migration.CodeOneAtATime, reason: fmt.Sprintf("the %s of server %d is under way", rec.Flight.Kind, rec.Flight.ID), next: status}
	case rec.PodsBefore != nil:
		return &refusedError{reason: "the pods' settings were changed, and no server has joined with the change yet", next: status}
	}
	return nil
}

// look asks what answers at the host's address, whatever was declared of it.
func (o *RetireOptions) look(ctx context.Context, s *session, rec migration.Record) (migration.HostView, error) {
	rec.Servers = slices.Clone(rec.Servers)
	sr, _ := rec.Server(o.id)
	sr.Retired = nil
	obs, err := s.engine.Looker().Look(ctx, rec, nil, o.id)
	v, _ := obs.View(o.id)
	return v.Host, err
}

// declare writes the declaration down, or takes it back, and has the next pods made by it. The
// journal comes first: a command that is killed in between is run again.
func (o *RetireOptions) declare(ctx context.Context, s *session) error {
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	sr, ok := rec.Server(o.id)
	if !ok {
		return s.exchanged(o.id)
	}
	if err := o.mayRetire(s, rec, *sr); err != nil {
		return err
	}
	host, err := o.look(ctx, s, rec)
	if err != nil {
		return err
	}
	switch {
	case rec.Pods.Plain:
		return &refusedError{reason: "the pods have no gate, and ask no host: there is nothing to declare", next: s.kube.at().Ours("status %s", s.name)}
	case o.undo && sr.Retired != nil && host.Open():
		return &refusedError{code: migration.CodeGhostHost, reason: fmt.Sprintf("something accepts connections at %s: with the declaration taken back, the pod of server %d would take it for its old host and not start beside it", sr.HostIP, o.id),
			next: "see what has that address now"}
	case !o.undo && host.Up():
		return &refusedError{code: migration.CodeGhostHost, reason: fmt.Sprintf("server %d answers at its old host %s: it is not gone", o.id, sr.HostIP),
			next: "on host " + sr.HostIP + ": stop the server and mask its unit"}
	}
	word := "retire"
	if o.undo {
		word, sr.Retired = "retire-undo", nil
	} else if sr.Retired == nil {
		sr.Retired = &migration.Confirmation{At: time.Now(), By: me(), How: "--host-gone=" + sr.HostIP}
	}
	rec.Note(migration.AuditEntry{At: time.Now(), By: me(), ID: o.id.Known(), Step: word, Detail: "host " + sr.HostIP})
	if err := s.save(ctx, rec); err != nil {
		return err
	}
	if err := s.kube.cluster().Park(ctx, rec); err != nil {
		return &failedError{err: err, next: s.kube.at().Ours("retire %s --id=%d --host-gone=%s", s.name, o.id, sr.HostIP)}
	}
	if o.undo {
		fmt.Fprintf(o.deps.streams.Out, "Host %s counts as the old host of server %d again.\n", sr.HostIP, o.id)
	} else {
		fmt.Fprintf(o.deps.streams.Out, "Host %s of server %d is declared gone: whatever has its address from now on is not taken for it, and nothing goes back to it.\n", sr.HostIP, o.id)
	}
	fmt.Fprintf(o.deps.streams.ErrOut, "Pods learn of it when they are next made. To make them again now, one at a time: %s\n", s.kube.at().Ours("apply %s", s.name))
	return nil
}
