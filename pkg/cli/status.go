package cli

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
)

type statusFlags struct {
	deps   *deps
	output string
	all    bool
	watch  bool
	// timeout bounds one look.
	timeout time.Duration
}

// StatusOptions is status with everything resolved.
type StatusOptions struct {
	deps   *deps
	args   []string
	format printer.Format
	all    bool
	watch  bool
	// timeout bounds one look.
	timeout time.Duration
}

func newStatusCommand(d *deps) *cobra.Command {
	f := &statusFlags{deps: d}
	cmd := &cobra.Command{
		Use:                   "status [NAME] [-A] [-o wide|json|yaml|name] [-w]",
		DisableFlagsInUseLine: true,
		Short:                 "Show where every server runs, its phase and what is next",
		Long: long(`
			One line a server: where it runs (host or pod), how far it is, its mode and last
			transaction, and what is next; then what is wrong, if anything. Nothing is
			written. Exit code 0 also when the ensemble is not healthy: read "healthy" in
			-o json.`),
		Example: examples(`
			# Where does the migration stand?
			%[1]s status

			# Every ensemble of the cluster, one line each
			%[1]s status -A

			# Watch one, as it changes
			%[1]s status zk1 -w`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.toOptions(args)
			if err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "Output format: wide, json, yaml or name")
	cmd.Flags().BoolVarP(&f.all, "all-namespaces", "A", false, "Show the ensembles of all namespaces")
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", false, "Go on, and print again whenever something changes")
	lookFlag(cmd, &f.timeout)
	return cmd
}

func (f *statusFlags) toOptions(args []string) (*StatusOptions, error) {
	format, err := formatOf(f.output, printer.JSON, printer.Name, printer.Wide, printer.YAML)
	if err != nil {
		return nil, err
	}
	if f.all && len(args) > 0 {
		return nil, usagef("-A shows all ensembles: leave NAME out")
	}
	return &StatusOptions{deps: f.deps, args: args, format: format, all: f.all, watch: f.watch, timeout: f.timeout}, nil
}

// watchInterval is the pause between two looks of status -w.
const watchInterval = time.Second

// Run prints the status once, or on every change.
func (o *StatusOptions) Run(ctx context.Context) error {
	var last []migration.EnsembleStatus
	for {
		var items []migration.EnsembleStatus
		if err := within(ctx, o.timeout, func(ctx context.Context) (err error) {
			items, err = o.collect(ctx)
			return err
		}); err != nil {
			return err
		}
		if last == nil || !sameStatus(last, items) {
			last = items
			if err := printer.Status(o.deps.streams.Out, o.format, o.all, items); err != nil {
				return err
			}
		}
		if !o.watch {
			return nil
		}
		if err := (clock{}).Sleep(ctx, watchInterval); err != nil {
			return err
		}
	}
}

func (o *StatusOptions) collect(ctx context.Context) ([]migration.EnsembleStatus, error) {
	k, err := o.deps.kube()
	if err != nil {
		return nil, err
	}
	var names []ensembleName
	if o.all {
		if names, err = k.names(ctx, true); err != nil {
			return nil, err
		}
	} else {
		name, err := k.pick(ctx, o.args)
		if err != nil {
			return nil, err
		}
		names = []ensembleName{{k.namespace, name}}
	}
	return o.each(ctx, k, names)
}

// looksAtOnce bounds how many ensembles are looked at side by side: a dead
// server costs a look its whole time-out, and there may be hundreds.
const looksAtOnce = 8

// each looks at every ensemble. With -A one that cannot be looked at does not
// hide the others.
func (o *StatusOptions) each(ctx context.Context, k kube, names []ensembleName) ([]migration.EnsembleStatus, error) {
	items := make([]migration.EnsembleStatus, len(names))
	errs := make([]error, len(names))
	slots := make(chan struct{}, looksAtOnce)
	var wg sync.WaitGroup
	for i, n := range names {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			items[i], errs[i] = o.look(ctx, k, n)
		})
	}
	wg.Wait()
	for i, err := range errs {
		switch {
		case err != nil && (!o.all || ctx.Err() != nil):
			return nil, err // says what was waited for when the time was over
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			items[i] = migration.EnsembleStatus{
				APIVersion: migration.RecordVersion, Kind: "EnsembleStatus", Name: names[i].name, Namespace: names[i].namespace,
				At: time.Now(), Health: migration.Unknown,
				Problems: []migration.Problem{{Class: migration.ClassUnseen, Text: plain(err).text}}, Servers: []migration.ServerStatus{},
				Next: fmt.Sprintf("%s status %s -n %s", cliName, names[i].name, names[i].namespace),
			}
		}
	}
	return items, nil
}

func (o *StatusOptions) look(ctx context.Context, k kube, n ensembleName) (migration.EnsembleStatus, error) {
	s := o.deps.session(kube{client: k.client, namespace: n.namespace, warn: k.warn}, n.name)
	rec, err := s.record(ctx)
	if err != nil {
		return migration.EnsembleStatus{}, err
	}
	// status begins nothing, and would say the same of every ensemble, every second.
	if err := s.lookForTwins(ctx, rec, io.Discard); err != nil {
		return migration.EnsembleStatus{}, err
	}
	obs, err := s.engine.Observe(ctx)
	if err != nil {
		return migration.EnsembleStatus{}, err
	}
	return migration.Summarize(obs), nil
}

// sameStatus leaves out what changes all the time: the time, and the
// transaction counters.
func sameStatus(a, b []migration.EnsembleStatus) bool {
	strip := func(in []migration.EnsembleStatus) []migration.EnsembleStatus {
		out := append([]migration.EnsembleStatus(nil), in...)
		for i := range out {
			out[i].At = time.Time{}
			out[i].Servers = append([]migration.ServerStatus(nil), out[i].Servers...)
			for j := range out[i].Servers {
				out[i].Servers[j].Zxid, out[i].Servers[j].Clients = "", 0
			}
		}
		return out
	}
	return reflect.DeepEqual(strip(a), strip(b))
}
