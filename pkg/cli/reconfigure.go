package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

type reconfigureFlags struct {
	deps       *deps
	cmd        *cobra.Command
	input      inputFlags
	dir        string
	path       string
	leave      []string
	supervisor string
	units      []string
	address    string
	domain     string
	dnsZone    string
	dnsServer  string
	cmdlines   []string
	dataSize   string
	verify     bool
	hook       string
	confirmed  []int
	timeout    time.Duration
	verbose    bool
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
	f.cmd = cmd
	f.input.add(cmd)
	cmd.Flags().StringVar(&f.supervisor, "supervisor", string(hostpatch.Systemd), "What starts the servers on their hosts: systemd, supervisord, script, docker or podman; kept in the journal")
	cmd.Flags().StringSliceVar(&f.units, "unit", nil, "The name of the unit, program or container, or the path of zkServer.sh (default zookeeper), or ID=NAME for one server; repeatable; kept in the journal")
	cmd.Flags().StringVar(&f.address, "address", migration.AddressIP, "What goes into the server lines: ip, the Services' addresses, or dns, their names (TLS, Kerberos); kept in the journal")
	cmd.Flags().StringVar(&f.domain, "cluster-domain", "cluster.local", "The cluster's DNS domain, for --address=dns")
	cmd.Flags().StringVar(&f.dnsZone, "dns-zone", "", "Zone of the hosts' names, for the DNS records")
	cmd.Flags().StringVar(&f.dnsServer, "dns-server", "", "Name server that takes updates, for the nsupdate script")
	cmd.Flags().StringArrayVar(&f.cmdlines, "jvm-cmdline", nil, "ID=FILE, a copy of /proc/PID/cmdline of that server's JVM: lists the flags to carry over; repeatable")
	cmd.Flags().StringVar(&f.dataSize, "data-size", "", "Size of a snapshot, as 800Mi, where the servers do not tell (mntr): initLimit follows it")
	cmd.Flags().StringVar(&f.dir, "output-dir", "", "Where the patches go (default ./zkmigrate-NAME)")
	cmd.Flags().StringVar(&f.path, "path", "zoo.cfg", "Path of zoo.cfg as the commands name it: on the hosts, or with --supervisor=docker or podman in the containers")
	cmd.Flags().StringSliceVar(&f.leave, "leave", nil, "Optional changes to leave out, by the names the README lists")
	cmd.Flags().BoolVar(&f.verify, "verify", false, "Watch until every server runs with the new list")
	cmd.Flags().IntSliceVar(&f.confirmed, "confirmed", nil, "Ids of servers that were restarted with the patched file, where that cannot be seen (3.4)")
	cmd.Flags().StringVar(&f.hook, "host-hook", "", "Program that applies the patches and restarts the servers")
	cmd.Flags().DurationVar(&f.timeout, "timeout", f.timeout, "How long to go on; the state is saved")
	cmd.Flags().BoolVar(&f.verbose, "verbose", false, "Print every step")
	return cmd
}

func (f *reconfigureFlags) run(ctx context.Context, args []string) error {
	if f.verify && f.hook != "" {
		return usagef("--verify watches, --host-hook does: use one of them")
	}
	if f.address != migration.AddressIP && f.address != migration.AddressDNS {
		return usagef("--address=%q: allowed are ip, dns", f.address)
	}
	if _, err := hostpatch.CommandsFor(hostpatch.Supervisor(f.supervisor), ""); err != nil {
		return usagef("--supervisor: %w", err)
	}
	if err := f.check(); err != nil {
		return err
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
	case f.hook == "" && len(f.confirmed) > 0 && len(f.input.files) == 0:
		return nil
	}
	if err := f.chosen(&rec); err != nil {
		return err
	}
	e, err := f.plan(ctx, s, rec, in)
	if err != nil {
		return err
	}
	if err := e.write(f.dir); err != nil {
		return err
	}
	f.printPlan(rec, e)
	return s.locked(ctx, func(ctx context.Context) error {
		if err := f.keep(ctx, s, e); err != nil || f.hook == "" {
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
	for flag, name := range map[string]string{"cluster-domain": f.domain, "dns-zone": f.dnsZone, "dns-server": f.dnsServer} {
		if err := checkDomain(flag, name); err != nil {
			return err
		}
	}
	if _, err := unitNames(f.units); err != nil {
		return err
	}
	if err := checkHook(f.hook); err != nil {
		return err
	}
	if err := hostpatch.CheckLeave(f.leave); err != nil {
		return usagef("--leave: %w", err)
	}
	if f.path == "" || strings.ContainsFunc(f.path, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return usagef("--path=%q is not a name for a file inside a patch: leave blanks and control characters out", quote.Typed(f.path))
	}
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
	in := &input{files: f.input.files, members: f.input.members, stdin: f.deps.streams.In}
	if file, ok := defaultFile(); ok && in.empty() && !f.verify && len(f.confirmed) == 0 {
		in.files = []string{file}
	}
	return in
}

// chosen puts the flags over what is recorded of the hosts; those that were not
// given keep what the journal has.
func (f *reconfigureFlags) chosen(rec *migration.Record) error {
	for name, to := range map[string]*string{
		"supervisor": &rec.Hosts.Supervisor, "address": &rec.Hosts.Address, "cluster-domain": &rec.Hosts.ClusterDomain,
	} {
		if flag := f.cmd.Flags().Lookup(name); *to == "" || flag.Changed {
			*to = flag.Value.String()
		}
	}
	if !f.cmd.Flags().Changed("unit") {
		return nil
	}
	given, err := unitNames(f.units)
	if err != nil {
		return err
	}
	return nameUnits(rec, given)
}

// again are the flags with which a restart goes on.
func (f *reconfigureFlags) again() string {
	var words []string
	for _, file := range f.source().files {
		words = append(words, "-f "+quote.Shell(file))
	}
	return strings.Join(append(words, "--host-hook="+quote.Shell(f.hook)), " ")
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
	s.engine.Hosts = f.deps.hosts(rec, f.hook, false, s.lockUntil(), files)
	s.engine.Paths = newPaths(s, s.engine.Hosts)
	p := &progress{out: f.deps.streams.ErrOut, start: time.Now(), verbose: f.verbose}
	mover := &MoveOptions{deps: f.deps, kind: migration.Reconfigure, restart: f.again()}
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
