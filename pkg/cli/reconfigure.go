package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

type reconfigureFlags struct {
	deps      *deps
	said      *said
	dir       string
	cmdlines  []string
	dataSize  string
	verify    bool
	confirmed []int
	timeout   time.Duration
	verbose   bool
	yes       bool
}

func newReconfigureCommand(d *deps) *cobra.Command {
	return (&reconfigureFlags{deps: d, timeout: defaultTimeout}).command()
}

func (f *reconfigureFlags) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:                   "reconfigure [NAME] [-f zoo.cfg]... [--verify | --host-hook=PROGRAM]",
		DisableFlagsInUseLine: true,
		Short:                 "Emit the patches for the hosts' zoo.cfg; verify the rolling restart",
		Long: long(`
			Writes, for each host, a unified diff that turns its zoo.cfg into one with the
			Services' addresses and quorumListenOnAllIPs=true, an undo patch, and a README
			with the commands and the order, leader last. Beside them: scripts that fence a
			retired host, DNS records for the clients' step, connection strings, and the JVM
			flags to carry over (--jvm-cmdline). Nothing is changed on any host.

			--verify watches until every server runs with the new list, writes through each
			one, counts elections, and keeps that in the journal. It says which host to look
			at when one was forgotten, has a mistyped address, lacks quorumListenOnAllIPs or
			was restarted without the file. ZooKeeper 3.4 does not show its list: let --verify
			run during the restarts, or say with --confirmed=ID,... that they were done.

			--host-hook has your own program apply the patch, stop and start each server, with
			a canary write before and after each.`),
		Example: examples(`
			# Write the patches into ./zkmigrate-zk1
			%[1]s reconfigure zk1 -f 1=host1/zoo.cfg -f 2=host2/zoo.cfg -f 3=host3/zoo.cfg

			# Servers that run under supervisord, and names in the server lines
			%[1]s reconfigure zk1 -f conf/ --supervisor=supervisord --unit=zk --address=dns

			# Servers that run in containers of the official image
			%[1]s reconfigure zk1 -f conf/ --supervisor=docker --unit=1=zk-a,2=zk-b,3=zk-c --path=/conf/zoo.cfg

			# Leave out an optional change, by the name README.txt gives it
			%[1]s reconfigure zk1 -f zoo.cfg --leave=tcp-keep-alive

			# Watch while the hosts are restarted
			%[1]s reconfigure zk1 --verify`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return within(cmd.Context(), f.timeout, func(ctx context.Context) error { return f.run(ctx, args) })
		},
	}
	f.said = f.deps.says(cmd, "spec.address", "spec.clusterDomain", "spec.hosts", "spec.dns", "spec.credentials")
	f.said.addHosts()
	cmd.Flag("host-hook").Usage = "Program that applies the patches and restarts the servers"
	cmd.Flags().StringArrayVar(&f.cmdlines, "jvm-cmdline", nil, "ID=FILE, a copy of /proc/PID/cmdline of that server's JVM: lists the flags to carry over; repeatable")
	cmd.Flags().StringVar(&f.dataSize, "data-size", "", "Size of a snapshot, as 800Mi, where the servers do not tell (mntr): initLimit follows it")
	cmd.Flags().StringVar(&f.dir, "output-dir", "", "Where the patches go (default ./zkmigrate-NAME)")
	cmd.Flags().BoolVar(&f.verify, "verify", false, "Watch until every server runs with the new list")
	cmd.Flags().IntSliceVar(&f.confirmed, "confirmed", nil, "Ids of servers that were restarted with the patched file, where that cannot be seen (3.4)")
	cmd.Flags().DurationVar(&f.timeout, "timeout", f.timeout, "How long to go on; the state is saved")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "Do not ask before the program that a manifest names restarts servers")
	cmd.Flags().BoolVar(&f.verbose, "verbose", false, "Print every step, and patches that have not changed")
	return cmd
}

func (f *reconfigureFlags) run(ctx context.Context, args []string) error {
	// A manifest names the program for all commands.
	hook := f.said.Spec.Hosts.Hook
	if f.verify && f.said.cmd.Flags().Changed("host-hook") {
		return usagef("--verify watches, --host-hook does: use one of them")
	}

	if err := f.check(); err != nil {
		return err
	}
	if hook != "" && !f.verify && !f.agreed() && f.deps.terminal() == nil {
		return usagef("%s would restart servers: confirm with --yes where there is no terminal", f.said.place("host-hook"))
	}
	in := f.source()
	if !in.empty() {
		// The input first: what is wrong there is told without a cluster.
		if desc, err := in.read(ctx, ""); err != nil {
			return err
		} else if err := intake.RefuseLint(desc.Unpatched()); err != nil {
			return err
		}
	}
	s, rec, err := f.deps.open(ctx, args, ensemble.MaybeID{})
	if err != nil {
		return err
	}
	if err := f.deps.unlessAway(s.beforeStop(ctx, rec, migration.PlanReconfigure, access.For(access.Reconfigure), false), rec, migration.Reconfigure, ensemble.MaybeID{}); err != nil {
		return err
	}
	if len(f.confirmed) > 0 {
		if err := s.locked(ctx, func(ctx context.Context) error { return f.confirm(ctx, s) }); err != nil {
			return err
		}
	}
	if f.dir == "" {
		f.dir = "zkmigrate-" + s.name
	}
	switch {
	case f.verify:
		return s.locked(ctx, func(ctx context.Context) error { return f.watch(ctx, s) })
	case hook == "" && len(f.confirmed) > 0 && len(f.said.files) == 0:
		return nil
	}
	if err := f.chosen(&rec); err != nil {
		return err
	}
	e, err := f.plan(ctx, s, rec, in)
	if err != nil {
		return err
	}
	kept, err := e.write(f.dir)
	if err != nil {
		return err
	}
	f.printPlan(rec, e, kept)
	return s.locked(ctx, func(ctx context.Context) error {
		if err := f.keep(ctx, s, e); err != nil || hook == "" {
			return err
		}
		if may, err := f.mayDrive(ctx, s, e); !may {
			return err
		}
		if err := s.lookForTwins(ctx, rec, f.deps.streams.ErrOut); err != nil {
			return err
		}
		return f.drive(ctx, s, rec)
	})
}

// check refuses flags that nothing can be made of, before anybody is asked.
func (f *reconfigureFlags) check() error {

	for _, n := range f.confirmed {
		if n < int(ensemble.MinID) || n > int(ensemble.MaxID) {
			return usagef("--confirmed=%d: ids are %d to %d", n, ensemble.MinID, ensemble.MaxID)
		}
	}
	if err := checkOutDir(f.dir); err != nil {
		return err
	}
	if _, err := intake.DataSize(f.dataSize); err != nil {
		return err
	}
	_, err := f.commandLines()
	return err
}

// source is what the hosts' files are read from; --verify reads none.
func (f *reconfigureFlags) source() *input {
	in := f.said.input()
	if file, ok := defaultFile(); ok && in.empty() && !f.verify && len(f.confirmed) == 0 {
		in.files = []string{file}
	}
	return &in
}

// chosen puts the flags over what is recorded of the hosts; those that were not
// given keep what the journal has.
func (f *reconfigureFlags) chosen(rec *migration.Record) error {
	given := f.said.hostOptions()
	if own, ok := given.Stranger(*rec); ok {
		return usagef("%s: %d=%s: the ensemble has no server %d", f.said.place("unit"), own.ID, own.Unit, own.ID)
	}
	rec.Hosts = given.Complete(rec.Hosts)
	return nil
}

// agreed: whoever gave no --host-hook, but a manifest with one, may have come for the patches.
func (f *reconfigureFlags) agreed() bool { return f.yes || f.said.cmd.Flags().Changed("host-hook") }

// mayDrive asks before the program of a manifest restarts servers.
func (f *reconfigureFlags) mayDrive(ctx context.Context, s *session, e emission) (bool, error) {
	if f.agreed() {
		return true, nil
	}
	err := f.deps.confirm(ctx, fmt.Sprintf("Have %s apply these patches and restart the servers, one at a time, in the order %v? [y/N] ", f.said.Spec.Hosts.Hook, e.plan.Order))
	if no := (*refusedError)(nil); errors.As(err, &no) {
		fmt.Fprintf(f.deps.streams.ErrOut, "Nothing was restarted.\nnext: %s   (leave it running during the restarts)\n", s.kube.at().Ours("reconfigure %s --verify", s.name))
		return false, nil
	}
	return err == nil, err
}

// drive has the hook restart every server, leader last.
func (f *reconfigureFlags) drive(ctx context.Context, s *session, rec migration.Record) error {
	files := func(sr migration.ServerRecord) string {
		dir := filepath.Join(f.dir, hostpatch.PatchDir(hostpatch.HostPatch{ID: sr.ID, Address: sr.HostIP}))
		if abs, err := filepath.Abs(dir); err == nil {
			return abs
		}
		return dir
	}
	s.engine.Hosts = f.deps.hosts(rec, f.said.Spec.Hosts.Hook, false, s.lockUntil(), files)
	s.engine.Paths = newPaths(s, s.engine.Hosts)
	p := &progress{out: f.deps.streams.ErrOut, start: time.Now(), verbose: f.verbose}
	mover := &MoveOptions{deps: f.deps, kind: migration.Reconfigure}
	s.engine.OnEvent = mover.watch(p)
	moved := false
	for {
		obs, err := s.engine.Observe(ctx)
		if err != nil {
			return err
		}
		if obs.Record, err = s.takeBack(ctx, obs, f.deps.streams.ErrOut); err != nil {
			return err
		}
		order := migration.RestartOrder(obs)
		if len(order) == 0 {
			return s.reconfigured(ctx, f.deps.streams, moved)
		}
		if err := f.deps.goOn(ctx, obs.Record); err != nil {
			return err
		}
		in := migration.Intent{Kind: migration.Reconfigure, ID: order[0], By: me()}
		fmt.Fprintf(f.deps.streams.ErrOut, "Restarting server %d with the new list.\n", in.ID)
		began := time.Now()
		moved = true
		d, err := s.engine.Run(ctx, in)
		if err := mover.outcome(ctx, s, in, d, err, began); err != nil {
			return err
		}
	}
}
