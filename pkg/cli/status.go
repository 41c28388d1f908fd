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

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/replay"
)

type statusFlags struct {
	deps   *deps
	output *outputFlags
	scope  scopeFlags
	watch  bool
	from   string
	// sortBy is a JSONPath; problems leaves out the ensembles that are as they should be.
	sortBy   string
	problems bool
	// timeout bounds one look.
	timeout time.Duration
}

// StatusOptions is status with everything resolved.
type StatusOptions struct {
	deps    *deps
	args    []string
	printer printer.Printer
	// scope is nil where one ensemble is asked for.
	scope    *scope
	watch    bool
	from     string
	sortBy   string
	problems bool
	// timeout bounds one look.
	timeout time.Duration
	// alone are the contexts in which one set of lists for all ensembles cannot be had.
	alone map[string]bool
	// clients is kept from look to look; nil before the first one.
	clients *whereabouts
}

func newStatusCommand(d *deps) *cobra.Command {
	f := &statusFlags{deps: d, output: newOutputFlags(printer.Name, printer.Saved, printer.Wide)}
	cmd := &cobra.Command{
		Use:                   "status [NAME] [-A] [-l LABELS] [--problems-only] [-o FORMAT] [-w] [--from FILE]",
		DisableFlagsInUseLine: true,
		Short:                 "Show where every server runs, its phase and what is next",
		Long: long(`
			One line per server: where it runs (host or pod), how far it is, its mode and last
			transaction, and what is next; then what is wrong, if anything. Nothing is
			written. Exit code 0 also when the ensemble is not healthy: read "healthy" in
			-o json.

			With -A, -l, --contexts=a,b or -n a,b,c it shows many ensembles, one line each: a sign
			per server and words for them, the elections since the wrap, and how many clients
			were only ever seen at hosts when somebody last looked. Nobody asks pods that serve
			what they report: what only they tell, such as the release in the pod, status NAME
			shows. Servers are then asked from this machine, or, with --probe-via=pod, from a pod
			of each ensemble. Namespaces in which you may not list ConfigMaps are named, the rest
			is shown, and the exit code is 3.

			With -o observation, it prints everything that the look has seen, for support or to
			keep: with --from, status and plan say of that file what they said of the
			ensemble then, without a cluster. Passwords in the pods' settings are left out;
			names, addresses and what servers say of themselves are not.`),
		Example: examples(`
			# Where does the migration stand?
			%[1]s status

			# Every ensemble of the cluster, one line each
			%[1]s status -A

			# What is not as it should be in two clusters, the oldest first
			%[1]s status -A --contexts=eu,us --problems-only --sort-by=.wrapped

			# Watch one, as it changes
			%[1]s status zk1 -w

			# The leader's id, for a script
			%[1]s status zk1 -o jsonpath='{.leader}'

			# Keep what was seen, and look at it elsewhere
			%[1]s status zk1 -o observation > zk1.json
			%[1]s plan --from zk1.json`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.toOptions(cmd, args)
			if err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	f.output.add(cmd)
	f.scope.add(cmd)
	cmd.Flags().StringVar(&f.sortBy, "sort-by", "", "Sort many ensembles by this field of -o json, a JSONPath such as .epoch or .wrapped")
	cmd.Flags().BoolVar(&f.problems, "problems-only", false, "Of many ensembles, only those that are not healthy or have a problem")
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", false, "Keep watching, and print again on every change")
	fromFlag(cmd, &f.from)
	d.says(cmd, "spec.credentials")
	lookFlag(cmd, &f.timeout)
	return cmd
}

func (f *statusFlags) toOptions(cmd *cobra.Command, args []string) (*StatusOptions, error) {
	p, err := f.output.toPrinter(cmd.Context())
	if err != nil {
		return nil, err
	}
	scope, err := f.scope.toScope(f.deps, cmd, args)
	if err != nil {
		return nil, err
	}
	many := scope != nil
	if f.from != "" && (many || f.watch) {
		return nil, usagef("--from reads one saved look: leave -A and -w out")
	}
	if p.Format == printer.Saved && (many || f.watch || f.from != "") {
		return nil, usagef("-o observation is one look at one ensemble of a cluster: leave -A, -w and --from out")
	}
	if !many && (f.sortBy != "" || f.problems) {
		return nil, usagef("--sort-by and --problems-only are for many ensembles: add -A")
	}
	return &StatusOptions{
		deps: f.deps, args: args, printer: p, scope: scope, watch: f.watch, from: f.from, sortBy: f.sortBy, problems: f.problems,
		timeout: f.timeout, alone: map[string]bool{},
	}, nil
}

// watchInterval is the pause between two looks of status -w.
const watchInterval = time.Second

// Run prints the status once, or on every change.
func (o *StatusOptions) Run(ctx context.Context) error {
	if o.printer.Format == printer.Saved {
		return within(ctx, o.timeout, o.save)
	}
	if o.scope != nil {
		defer o.scope.reach.end()
	}
	var last []migration.EnsembleStatus
	first, told := true, ""
	return until(ctx, watchInterval, func(ctx context.Context) (bool, error) {
		var items []migration.EnsembleStatus
		var gone *missing
		if err := within(ctx, o.timeout, func(ctx context.Context) (err error) {
			items, gone, err = o.collect(ctx)
			return err
		}); err != nil {
			return false, err
		}
		if first || !sameStatus(last, items) {
			first, last = false, items
			if err := o.printer.Status(o.deps.streams.Out, o.scope != nil, items); err != nil {
				return false, err
			}
		}
		err := gone.err(len(items))
		if !o.watch {
			return true, err
		}
		// It may be there at the next look; what is missing is told once.
		if text := fmt.Sprint(err); err != nil && text != told {
			told = text
			fmt.Fprintf(o.deps.streams.ErrOut, "Warning: %s\n", strings.Join(append([]string{plain(err).text}, gone.told...), "\n  - "))
		}
		return false, nil
	})
}

func (o *StatusOptions) collect(ctx context.Context) ([]migration.EnsembleStatus, *missing, error) {
	if o.scope != nil {
		return o.collectMany(ctx)
	}
	if o.from != "" {
		obs, err := o.deps.replayed(ctx, o.from, o.args)
		if err != nil {
			return nil, nil, err
		}
		return []migration.EnsembleStatus{migration.Summarize(obs)}, nil, nil
	}
	k, err := o.deps.kube()
	if err != nil {
		return nil, nil, err
	}
	name, err := k.pick(ctx, o.args)
	if err != nil {
		return nil, nil, err
	}
	e, err := o.deps.look(ctx, k, ensembleName{k.namespace, name}, func(s *session) {
		if o.clients == nil {
			o.clients = newWhereabouts(s, false)
		}
		o.clients.session = s
		s.engine.Clients = o.clients
	})
	return []migration.EnsembleStatus{e}, nil, err
}

// collectMany looks at all clusters side by side.
func (o *StatusOptions) collectMany(ctx context.Context) ([]migration.EnsembleStatus, *missing, error) {
	sites, gone := o.scope.sites(ctx)
	looked, errs, alone := make([][]migration.EnsembleStatus, len(sites)), make([]error, len(sites)), make([]bool, len(sites))
	looks, done := share(ctx, 10)
	defer done()
	atOnce(looksAtOnce, len(sites), func(i int) {
		view := overview{site: sites[i], alone: o.alone[sites[i].context]}
		looked[i], errs[i] = view.look(looks)
		alone[i] = view.alone
	})
	if err := ctx.Err(); err != nil {
		return nil, nil, errors.Join(append(errs, err)...)
	}
	items := []migration.EnsembleStatus{}
	for i, site := range sites {
		o.alone[site.context] = alone[i]
		if errs[i] != nil {
			gone.add(site.context, errs[i])
		}
		items = append(items, looked[i]...)
	}
	if o.problems {
		items = slices.DeleteFunc(items, func(e migration.EnsembleStatus) bool {
			return e.Healthy && len(migration.Hindrances(e.Problems)) == 0
		})
	}
	if len(items) == 0 && len(gone.errs) > 0 && !o.watch {
		return nil, nil, gone.err(0)
	}
	err := sortBy(items, o.sortBy)
	return items, gone, err
}

// save prints one look, at all hosts, too, as plan takes it.
func (o *StatusOptions) save(ctx context.Context) error {
	_, obs, err := o.deps.whole(ctx, o.args)
	if err != nil {
		return err
	}
	return printer.Printer{Format: printer.JSON}.Structured(o.deps.streams.Out, replay.Save(obs, version()))
}

// look looks at one ensemble, with everything that its pods report. with says how its session
// differs from that of a command.
func (d *deps) look(ctx context.Context, k kube, n ensembleName, with func(*session)) (migration.EnsembleStatus, error) {
	k.namespace = n.namespace
	s := d.session(k, n.name)
	rec, err := s.record(ctx)
	if err != nil {
		return migration.EnsembleStatus{}, s.about(err)
	}
	with(s)
	if err := s.askThrough(ctx, rec, ensemble.MaybeID{}); err != nil {
		return migration.EnsembleStatus{}, err
	}
	// status begins nothing, and would say the same of every ensemble, every second.
	if err := s.lookForTwins(ctx, rec, io.Discard); err != nil {
		return migration.EnsembleStatus{}, s.about(err)
	}
	obs, err := s.engine.Observe(ctx)
	if err != nil {
		return migration.EnsembleStatus{}, s.about(err)
	}
	return migration.Summarize(obs), nil
}

// glance is look for one of many: no pod is made to ask from, and servers are not asked who is
// connected.
func (d *deps) glance(ctx context.Context, k kube, n ensembleName) (migration.EnsembleStatus, error) {
	return d.look(ctx, k, n, func(s *session) { s.onlyPods, s.engine.Clients = true, recalled{s} })
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
