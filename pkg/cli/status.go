package cli

import (
	"context"
	"io"
	"reflect"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/replay"
)

type statusFlags struct {
	deps   *deps
	output *outputFlags
	all    bool
	watch  bool
	from   string
	// timeout bounds one look.
	timeout time.Duration
}

// StatusOptions is status with everything resolved.
type StatusOptions struct {
	deps    *deps
	args    []string
	printer printer.Printer
	all     bool
	watch   bool
	from    string
	// timeout bounds one look.
	timeout time.Duration
	// alone: one set of lists for all ensembles cannot be had.
	alone bool
	// clients is kept from look to look; nil before the first one.
	clients *whereabouts
}

func newStatusCommand(d *deps) *cobra.Command {
	f := &statusFlags{deps: d, output: newOutputFlags(printer.Name, printer.Saved, printer.Wide)}
	cmd := &cobra.Command{
		Use:                   "status [NAME] [-A] [-o FORMAT] [-w] [--from FILE]",
		DisableFlagsInUseLine: true,
		Short:                 "Show where every server runs, its phase and what is next",
		Long: long(`
			One line per server: where it runs (host or pod), how far it is, its mode and last
			transaction, and what is next; then what is wrong, if anything. Nothing is
			written. Exit code 0 also when the ensemble is not healthy: read "healthy" in
			-o json.

			With -A nobody asks pods that serve what they report: what only they tell, such as
			the release in the pod, status NAME shows. Servers are then asked from this machine,
			or, with --probe-via=pod, from a pod of each ensemble.

			With -o observation, it prints everything that the look has seen, for support or to
			keep: with --from, status and plan say of that file what they said of the
			ensemble then, without a cluster. Passwords in the pods' settings are left out;
			names, addresses and what servers say of themselves are not.`),
		Example: examples(`
			# Where does the migration stand?
			%[1]s status

			# Every ensemble of the cluster, one line each
			%[1]s status -A

			# Watch one, as it changes
			%[1]s status zk1 -w

			# The leader's id, for a script
			%[1]s status zk1 -o jsonpath='{.leader}'

			# Keep what was seen, and look at it elsewhere
			%[1]s status zk1 -o observation > zk1.json
			%[1]s plan --from zk1.json`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.toOptions(cmd.Context(), args)
			if err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	f.output.add(cmd)
	cmd.Flags().BoolVarP(&f.all, "all-namespaces", "A", false, "Show the ensembles of all namespaces")
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", false, "Keep watching, and print again on every change")
	fromFlag(cmd, &f.from)
	d.says(cmd, "spec.credentials")
	lookFlag(cmd, &f.timeout)
	return cmd
}

func (f *statusFlags) toOptions(ctx context.Context, args []string) (*StatusOptions, error) {
	p, err := f.output.toPrinter(ctx)
	if err != nil {
		return nil, err
	}
	if f.all && len(args) > 0 {
		return nil, usagef("-A shows all ensembles: leave NAME out")
	}
	if f.from != "" && (f.all || f.watch) {
		return nil, usagef("--from reads one saved look: leave -A and -w out")
	}
	if p.Format == printer.Saved && (f.all || f.watch || f.from != "") {
		return nil, usagef("-o observation is one look at one ensemble of a cluster: leave -A, -w and --from out")
	}
	return &StatusOptions{deps: f.deps, args: args, printer: p, all: f.all, watch: f.watch, from: f.from, timeout: f.timeout}, nil
}

// watchInterval is the pause between two looks of status -w.
const watchInterval = time.Second

// Run prints the status once, or on every change.
func (o *StatusOptions) Run(ctx context.Context) error {
	if o.printer.Format == printer.Saved {
		return within(ctx, o.timeout, o.save)
	}
	var last []migration.EnsembleStatus
	return until(ctx, watchInterval, func(ctx context.Context) (bool, error) {
		var items []migration.EnsembleStatus
		if err := within(ctx, o.timeout, func(ctx context.Context) (err error) {
			items, err = o.collect(ctx)
			return err
		}); err != nil {
			return false, err
		}
		if last == nil || !sameStatus(last, items) {
			last = items
			if err := o.printer.Status(o.deps.streams.Out, o.all, items); err != nil {
				return false, err
			}
		}
		return !o.watch, nil
	})
}

func (o *StatusOptions) collect(ctx context.Context) ([]migration.EnsembleStatus, error) {
	if o.from != "" {
		obs, err := o.deps.replayed(ctx, o.from, o.args)
		if err != nil {
			return nil, err
		}
		return []migration.EnsembleStatus{migration.Summarize(obs)}, nil
	}
	k, err := o.deps.kube()
	if err != nil {
		return nil, err
	}
	if o.all {
		return o.overview(ctx, k)
	}
	name, err := k.pick(ctx, o.args)
	if err != nil {
		return nil, err
	}
	e, err := o.look(ctx, k, ensembleName{k.namespace, name})
	return []migration.EnsembleStatus{e}, err
}

// save prints one look, at all hosts, too, as plan takes it.
func (o *StatusOptions) save(ctx context.Context) error {
	_, obs, err := o.deps.whole(ctx, o.args)
	if err != nil {
		return err
	}
	return printer.Printer{Format: printer.JSON}.Structured(o.deps.streams.Out, replay.Save(obs, version()))
}

// look looks at one ensemble, with everything that its pods report.
func (o *StatusOptions) look(ctx context.Context, k kube, n ensembleName) (migration.EnsembleStatus, error) {
	k.namespace = n.namespace
	s := o.deps.session(k, n.name)
	rec, err := s.record(ctx)
	if err != nil {
		return migration.EnsembleStatus{}, err
	}
	s.onlyPods = o.all
	if err := s.askThrough(ctx, rec, ensemble.MaybeID{}); err != nil {
		return migration.EnsembleStatus{}, err
	}
	// status begins nothing, and would say the same of every ensemble, every second.
	if err := s.lookForTwins(ctx, rec, io.Discard); err != nil {
		return migration.EnsembleStatus{}, err
	}
	if !o.all {
		if o.clients == nil {
			o.clients = newWhereabouts(s, false)
		}
		o.clients.session = s
		s.engine.Clients = o.clients
	}
	obs, err := s.engine.Observe(ctx)
	if err != nil {
		return migration.EnsembleStatus{}, err
	}
	return migration.Summarize(obs), nil
}

// sameStatus leaves out what changes all the time: the time, who is connected, and the
// transaction counters.
func sameStatus(a, b []migration.EnsembleStatus) bool {
	strip := func(in []migration.EnsembleStatus) []migration.EnsembleStatus {
		out := append([]migration.EnsembleStatus(nil), in...)
		for i := range out {
			out[i].At, out[i].Clients = time.Time{}, nil
			out[i].Servers = append([]migration.ServerStatus(nil), out[i].Servers...)
			for j := range out[i].Servers {
				out[i].Servers[j].Zxid, out[i].Servers[j].Clients = "", 0
			}
		}
		return out
	}
	return reflect.DeepEqual(strip(a), strip(b))
}
