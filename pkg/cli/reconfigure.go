package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

type reconfigureFlags struct {
	deps      *deps
	input     inputFlags
	dir       string
	path      string
	leave     []string
	verify    bool
	hook      string
	confirmed []int
	timeout   time.Duration
	verbose   bool
}

func newReconfigureCommand(d *deps) *cobra.Command {
	f := &reconfigureFlags{deps: d, timeout: defaultTimeout}
	cmd := &cobra.Command{
		Use:                   "reconfigure [NAME] [-f zoo.cfg]... [--verify | --host-hook=PROGRAM]",
		DisableFlagsInUseLine: true,
		Short:                 "Emit the patches for the hosts' zoo.cfg; verify the rolling restart",
		Long: long(`
			Writes, for each host, a unified diff that turns its zoo.cfg into one with the
			Services' addresses and quorumListenOnAllIPs=true, an undo patch, and a README
			with the commands and the order, leader last. Nothing is changed on any host.

			--verify watches until every server runs with the new list and keeps that in the
			journal. ZooKeeper 3.4 does not show its list: there --verify must run during the
			restarts, or --confirmed=ID,... says that they were done.

			--host-hook has your own program apply the patch, stop and start each server, with
			a canary write before and after each.`),
		Example: examples(`
			# Write the patches into ./zkmigrate-zk1
			%[1]s reconfigure zk1 -f 1=host1/zoo.cfg -f 2=host2/zoo.cfg -f 3=host3/zoo.cfg

			# Watch while the hosts are restarted
			%[1]s reconfigure zk1 --verify`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), args) },
	}
	f.input.add(cmd)
	cmd.Flags().StringVar(&f.dir, "output-dir", "", "Where the patches go (default ./zkmigrate-NAME)")
	cmd.Flags().StringVar(&f.path, "path", "zoo.cfg", "Name of the file inside the patches; patch -p0 is run where that name is right")
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
	k, err := f.deps.kube()
	if err != nil {
		return err
	}
	name, err := k.pick(ctx, args)
	if err != nil {
		return err
	}
	s := f.deps.session(k, name)
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	if len(f.confirmed) > 0 {
		if err := s.locked(ctx, func(ctx context.Context) error { return f.confirm(ctx, s) }); err != nil {
			return err
		}
	}
	if f.dir == "" {
		f.dir = "zkmigrate-" + name
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	switch {
	case f.verify:
		return s.locked(ctx, func(ctx context.Context) error { return f.watch(ctx, s) })
	case f.hook == "" && len(f.confirmed) > 0 && len(f.input.files) == 0:
		return nil
	}
	plan, err := f.plan(ctx, s, rec)
	if err != nil {
		return err
	}
	if err := writePlan(f.dir, plan); err != nil {
		return err
	}
	f.printPlan(rec, plan)
	if f.hook == "" {
		return nil
	}
	return s.locked(ctx, func(ctx context.Context) error { return f.drive(ctx, s, rec) })
}

// plan computes the patches from the hosts' files and the live leader.
func (f *reconfigureFlags) plan(ctx context.Context, s *session, rec migration.Record) (hostpatch.Plan, error) {
	in := input{files: f.input.files, members: f.input.members, stdin: f.deps.streams.In}
	if in.empty() {
		file, ok := defaultFile()
		if !ok {
			return hostpatch.Plan{}, usagef("the patches are made from the hosts' files: name them with -f (one for all, or ID=FILE for each)")
		}
		in.files = []string{file}
	}
	desc, err := in.read(rec.Name)
	if err != nil {
		return hostpatch.Plan{}, err
	}
	if desc.config == nil {
		return hostpatch.Plan{}, usagef("--member says nothing about the hosts' files: name them with -f")
	}
	if err := refuseLint(desc); err != nil {
		return hostpatch.Plan{}, err
	}
	if fmt.Sprint(desc.ensemble.IDs()) != fmt.Sprint(rec.Ensemble().IDs()) {
		return hostpatch.Plan{}, usagef("the files have servers %v, the wrapped ensemble has %v", desc.ensemble.IDs(), rec.Ensemble().IDs())
	}
	v, err := ensemble.ParseVersion(rec.Settings.Version)
	if err != nil {
		return hostpatch.Plan{}, err
	}
	hp := hostpatch.Input{Ensemble: rec.Ensemble(), Version: v, ServiceHosts: map[ensemble.ID]string{}, Leave: f.leave}
	for _, srv := range rec.Servers {
		hp.ServiceHosts[srv.ID] = srv.ClusterIP
		if live := s.prober.Sight(ctx, hostPort(srv.ClusterIP, srv.ClientPort)); live.Mode == ensemble.Leader {
			hp.Leader = srv.ID
		}
		cfg := desc.config
		for _, h := range desc.hosts {
			if h.ID == srv.ID {
				cfg = h.Config
			}
		}
		hp.Hosts = append(hp.Hosts, hostpatch.Host{ID: srv.ID, Address: srv.HostIP, Path: f.path, Config: cfg})
	}
	return hostpatch.Reconfigure(hp)
}

// hostDir is where one host's files go.
func hostDir(dir string, id ensemble.ID, host string) string {
	return filepath.Join(dir, fmt.Sprintf("%d-%s", id, host))
}

// writePlan writes every host's patches; a directory of an earlier run is
// written over file by file.
func writePlan(dir string, plan hostpatch.Plan) error {
	for _, h := range plan.Hosts {
		d := hostDir(dir, h.ID, h.Address)
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("writing patches: %w", err)
		}
		for _, file := range h.Files() {
			base := filepath.Base(file.Path)
			for name, data := range map[string][]byte{base + ".patch": file.Patch, base + ".undo.patch": file.Undo, base + ".new": file.New} {
				if err := os.WriteFile(filepath.Join(d, name), data, 0o644); err != nil {
					return fmt.Errorf("writing patches: %w", err)
				}
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "README.txt"), plan.Readme, 0o644); err != nil {
		return fmt.Errorf("writing patches: %w", err)
	}
	return nil
}

func (f *reconfigureFlags) printPlan(rec migration.Record, plan hostpatch.Plan) {
	out := f.deps.streams.Out
	for _, h := range plan.Hosts {
		fmt.Fprintf(out, "# server %d on host %s: %s\n", h.ID, h.Address, filepath.Join(hostDir(f.dir, h.ID, h.Address), filepath.Base(h.Path)+".patch"))
		if h.Unchanged() {
			fmt.Fprintln(out, "# nothing to change")
		}
		for _, file := range h.Files() {
			fmt.Fprintf(out, "%s", file.Patch)
		}
	}
	fmt.Fprintf(f.deps.streams.ErrOut, "\nWritten to %s (README.txt has the commands). Restart one server at a time, in this order: %v (leader last).\n", f.dir, plan.Order)
	if f.hook == "" {
		fmt.Fprintf(f.deps.streams.ErrOut, "next: %s reconfigure %s --verify -n %s   (leave it running during the restarts)\n", cliName, rec.Name, rec.Namespace)
	}
}

// confirm keeps the operator's word for servers that do not show their list.
func (f *reconfigureFlags) confirm(ctx context.Context, s *session) error {
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	for _, n := range f.confirmed {
		sr, ok := rec.Server(ensemble.ID(n))
		if !ok {
			return usagef("--confirmed=%d: ensemble %s has no such server", n, rec.Name)
		}
		live := s.prober.Sight(ctx, hostPort(sr.ClusterIP, sr.ClientPort))
		if v := migration.CheckReconfigured(rec, *sr, migration.ServerView{ID: sr.ID, Live: live}); v.Known && !v.OK {
			return &refusedError{reason: fmt.Sprintf("server %d does not run with the new list: %s", n, v.Why), next: "look at zoo.cfg on host " + sr.HostIP}
		}
		sr.Reconfigured = &migration.Confirmation{At: time.Now(), By: me(), How: "confirmed by the operator"}
		rec.Note(migration.AuditEntry{At: time.Now(), By: me(), ID: sr.ID, Step: "reconfigure", Detail: "confirmed by the operator"})
	}
	return s.journal.Save(ctx, rec)
}

// drive has the hook restart every server, leader last.
func (f *reconfigureFlags) drive(ctx context.Context, s *session, rec migration.Record) error {
	files := func(sr migration.ServerRecord) string {
		dir, err := filepath.Abs(hostDir(f.dir, sr.ID, sr.HostIP))
		if err != nil {
			return hostDir(f.dir, sr.ID, sr.HostIP)
		}
		return dir
	}
	s.engine.Hosts = f.deps.hosts(rec, f.hook, false, files)
	p := &progress{out: f.deps.streams.ErrOut, start: time.Now(), verbose: f.verbose}
	s.engine.OnEvent = p.event
	mover := &MoveOptions{deps: f.deps, kind: migration.Reconfigure}
	for {
		obs, err := s.engine.Observe(ctx, 0)
		if err != nil {
			return err
		}
		order := migration.RestartOrder(obs)
		if len(order) == 0 {
			fmt.Fprintf(f.deps.streams.Out, "All servers of %s run with the Services' addresses.\n", s.name)
			fmt.Fprintf(f.deps.streams.ErrOut, "next: %s replace %s --id=N -n %s\n", cliName, s.name, s.kube.namespace)
			return nil
		}
		in := migration.Intent{Kind: migration.Reconfigure, ID: order[0], By: me()}
		fmt.Fprintf(f.deps.streams.ErrOut, "Restarting server %d with the new list.\n", in.ID)
		began := time.Now()
		d, err := s.engine.Run(ctx, in)
		if err := mover.outcome(ctx, s, in, d, err, began); err != nil {
			return err
		}
	}
}

// watch is --verify: it looks until every server is known to run with the new
// list.
func (f *reconfigureFlags) watch(ctx context.Context, s *session) error {
	out := f.deps.streams.ErrOut
	down := map[ensemble.ID]bool{}
	said := map[ensemble.ID]string{}
	for {
		obs, err := s.engine.Observe(ctx, 0)
		if err != nil {
			return err
		}
		left := 0
		for _, sr := range obs.Record.Servers {
			if sr.Reconfigured != nil || sr.Replaced != nil {
				continue
			}
			view, _ := obs.View(sr.ID)
			v := migration.WatchReconfigured(obs.Record, sr, view, down[sr.ID])
			if !view.Live.Serving() {
				down[sr.ID] = true
			}
			if said[sr.ID] != v.Why {
				said[sr.ID] = v.Why
				fmt.Fprintf(out, "server %d: %s\n", sr.ID, v.Why)
			}
			if !v.OK {
				left++
				continue
			}
			if err := f.verified(ctx, s, sr, v); err != nil {
				return err
			}
			fmt.Fprintf(out, "server %d: verified, and the ensemble commits\n", sr.ID)
		}
		if left == 0 {
			fmt.Fprintf(f.deps.streams.Out, "All servers of %s run with the Services' addresses.\n", s.name)
			return nil
		}
		if err := (clock{}).Sleep(ctx, pollInterval); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return &pausedError{reason: fmt.Sprintf("%d servers are not known to run with the new list", left), timeout: true,
					next: fmt.Sprintf("%s reconfigure %s --verify -n %s", cliName, s.name, s.kube.namespace)}
			}
			return err
		}
	}
}

// verified writes a canary through the restarted server and keeps the verdict:
// srvr alone does not show a leader that commits nothing (ZOOKEEPER-3829).
func (f *reconfigureFlags) verified(ctx context.Context, s *session, sr migration.ServerRecord, v migration.Verdict) error {
	if _, err := s.prober.Canary(ctx, hostPort(sr.ClusterIP, sr.ClientPort)); err != nil {
		return fmt.Errorf("server %d runs with the new list, but: %w", sr.ID, err)
	}
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	kept, _ := rec.Server(sr.ID)
	kept.Reconfigured = &migration.Confirmation{At: time.Now(), By: me(), How: v.Why}
	rec.Note(migration.AuditEntry{At: time.Now(), By: me(), ID: sr.ID, Step: "reconfigure", Detail: v.Why})
	return s.journal.Save(ctx, rec)
}
