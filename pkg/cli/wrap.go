package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

type wrapFlags struct {
	deps    *deps
	said    *said
	dryRun  string
	output  string
	timeout time.Duration
}

// WrapOptions is wrap with everything resolved.
type WrapOptions struct {
	deps *deps
	args []string
	// said is everything that was said, hosts what of it is about hosts.
	said         *said
	hosts        intake.HostFlags
	input        input
	dryRun       string
	format       printer.Format
	endpointsAPI migration.EndpointsAPI
	waive        []string
	timeout      time.Duration
	pods         intake.PodFlags
	expose       []ensemble.PortName
	// restore: the journal is gone or garbled, and its copy is put back.
	restore bool
}

func newWrapCommand(d *deps) *cobra.Command {
	f := &wrapFlags{deps: d, timeout: 2 * time.Minute}
	cmd := &cobra.Command{
		Use:                   "wrap [NAME] [-f zoo.cfg]... [--dry-run=client|server] [-o yaml]",
		DisableFlagsInUseLine: true,
		Short:                 "Give every server a Service with a fixed address",
		Long: long(`
			Creates, for each server, a ClusterIP Service and hand-made endpoints that point to
			its host, and waits until each answers there with the right id. Nothing changes
			for servers and clients. A Service has every port that servers and clients use:
			client, secure client, peer, election and observer master port; --expose adds those
			of administrators. Running it again says "unchanged", or adds ports that were not
			recorded; without -f and without a zkmigrate.yaml or zoo.cfg in this folder it
			repeats what is recorded.

			An Ensemble manifest (-f, docs/ensemble.md) says in one file what flags say here and
			in later commands; -o ensemble prints it from what is recorded.

			The input is checked first: duplicate ids, fewer than three voters, hosts that do
			not resolve, loopback addresses, missing ports or a file that is no zoo.cfg are
			refused before anything is written.`),
		Example: examples(`
			# From one host's file
			%[1]s wrap zk1 -f /etc/zookeeper/conf/zoo.cfg

			# From every host's file
			%[1]s wrap zk1 -f 1=host1/zoo.cfg -f 2=host2/zoo.cfg -f 3=host3/zoo.cfg

			# Without a file
			%[1]s wrap zk1 --member='1=10.0.0.1:2888:3888;2181' --member='2=10.0.0.2:2888:3888;2181' --member='3=10.0.0.3:2888:3888;2181'

			# See the objects, without a cluster
			%[1]s wrap zk1 -f zoo.cfg --dry-run=client -o yaml

			# Write everything down in one file, and go on with that
			%[1]s wrap zk1 -f conf/ --memory=4Gi --dry-run=client -o ensemble > zkmigrate.yaml
			%[1]s wrap -f zkmigrate.yaml`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.toOptions(args)
			if err != nil {
				return err
			}
			return within(cmd.Context(), o.timeout, o.Run)
		},
	}
	f.said = d.says(cmd, "spec.endpointsAPI", "spec.expose", "spec.waive", "spec.pods", "spec.credentials")
	f.said.addHosts()
	f.said.byDefault = "zkmigrate.yaml"
	cmd.Flags().StringVar(&f.dryRun, "dry-run", "none", "none, client (print, ask nobody) or server (let the API server check, keep nothing)")
	cmd.Flags().StringVarP(&f.output, "output", "o", "", "Output format: yaml, json or name for the objects, or ensemble for the manifest that wrap -f takes")
	cmd.Flags().DurationVar(&f.timeout, "timeout", f.timeout, "How long to go on, until every server answers through its Service")
	return cmd
}

func (f *wrapFlags) toOptions(args []string) (*WrapOptions, error) {
	format, err := formatOf(f.output, printer.Ensemble, printer.JSON, printer.Name, printer.YAML)
	if err != nil {
		return nil, err
	}
	if err := checkDryRun(f.dryRun); err != nil {
		return nil, err
	}
	return &WrapOptions{
		deps: f.deps, args: args, said: f.said, hosts: f.said.hostOptions(), input: f.said.input(), dryRun: f.dryRun, format: format, endpointsAPI: migration.EndpointsAPI(f.said.Spec.EndpointsAPI),
		waive: f.said.Spec.Waive, timeout: f.timeout, pods: f.said.pods(), expose: f.said.exposed(),
	}, nil
}

// Run wraps, or shows what wrapping would create.
func (o *WrapOptions) Run(ctx context.Context) error {
	if o.dryRun == "client" {
		return o.dryRunClient(ctx)
	}
	s, recorded, known, err := o.open(ctx, intake.RefuseLint)
	if err != nil {
		return err
	}
	if known {
		err = s.ours(recorded)
	} else {
		err = s.archived(ctx)
	}
	if err != nil {
		return err
	}
	rec, desc, err := o.desired(ctx, s.name, s.kube.namespace, recorded, known)
	if err != nil {
		return err
	}
	s.private = intake.HasSecrets(desc.Hosts)
	if err := s.askThrough(ctx, rec, ensemble.MaybeID{}); err != nil {
		return err
	}
	if err := o.preflight(ctx, s, rec, desc, known); err != nil {
		return err
	}
	if o.dryRun == "server" {
		return o.apply(ctx, s, rec, desc, known)
	}
	return s.locked(ctx, func(ctx context.Context) error {
		return o.applyTo(ctx, s, recorded, rec, desc, known)
	})
}

// applyTo writes, where the journal is still the one that was read.
func (o *WrapOptions) applyTo(ctx context.Context, s *session, recorded, rec migration.Record, desc intake.Description, known bool) error {
	if err := o.unchanged(ctx, s, recorded, known); err != nil {
		return err
	}
	if !known {
		if err := s.tryEndpoints(ctx, rec, "run it again without --endpoints-api=endpoints, or have both controllers switched on"); err != nil {
			return err
		}
	}
	return o.apply(ctx, s, rec, desc, known)
}

// unchanged refuses to write over a journal that is not the one everything was
// checked with: until the lock was free, somebody else's command may have gone on.
func (o *WrapOptions) unchanged(ctx context.Context, s *session, recorded migration.Record, known bool) error {
	now, err := s.journal.Load(ctx)
	gone := journal.IsNotFound(err) || journal.IsBroken(err)
	switch {
	case err != nil && !gone:
		return err
	case gone && (o.restore || !known):
		return nil
	case !gone && !o.restore && known && now.Equal(recorded):
		return nil
	}
	return &refusedError{
		reason: fmt.Sprintf("the journal of %s was changed by another command while this one was checking; nothing was changed", s.name),
		next:   "look at " + s.kube.at().Ours("status %s", s.name) + ", then run this command again",
	}
}

// open reads the input first, for what is wrong there is told without a
// cluster (refuse adds the command's own judgement of it); then it picks the
// ensemble and loads its record. known is false for one that was never wrapped.
func (o *WrapOptions) open(ctx context.Context, refuse func(intake.Description) error) (s *session, recorded migration.Record, known bool, err error) {
	named := !o.input.empty() && !o.input.unnamed
	if file, ok := defaultFile(); ok && !named && o.input.doc == nil && len(o.args) == 1 {
		o.input.files = []string{file}
	}
	if named && len(o.args) == 0 {
		return nil, recorded, false, usagef("give the new ensemble a NAME: %s", o.deps.in("").Ours("wrap NAME -f FILE"))
	}
	if !o.input.empty() {
		desc, err := o.input.read(ctx, o.args[0])
		if err != nil {
			return nil, recorded, false, err
		}
		if err := refuse(desc); err != nil {
			return nil, recorded, false, err
		}
	}
	k, err := o.deps.kube()
	if err != nil {
		return nil, recorded, false, err
	}
	name, err := o.name(ctx, k)
	if err != nil {
		return nil, recorded, false, err
	}
	s = o.deps.session(k, name)
	recorded, err = s.journal.Load(ctx)
	if (journal.IsNotFound(err) || journal.IsBroken(err)) && !named {
		// Somebody deleted or garbled it by hand: the copy comes before a file
		// that happens to be here.
		if kept, copyErr := s.journal.Copy(ctx); copyErr == nil {
			o.restore, o.input = true, input{}
			return s, kept, true, nil
		}
	}
	if err != nil && !journal.IsNotFound(err) {
		return nil, recorded, false, err
	}
	return s, recorded, err == nil, nil
}

func (o *WrapOptions) name(ctx context.Context, k kube) (string, error) {
	return k.pick(ctx, o.args)
}

func (o *WrapOptions) dryRunClient(ctx context.Context) error {
	if len(o.args) != 1 {
		return usagef("--dry-run=client asks no cluster: give the NAME")
	}
	if o.input.empty() {
		file, ok := defaultFile()
		if !ok {
			return usagef("--dry-run=client asks no cluster: name the files with -f")
		}
		o.input.files = []string{file}
	}
	rec, desc, err := o.desired(ctx, o.args[0], o.deps.namespace(), migration.Record{}, false)
	if err != nil {
		return err
	}
	objects, err := render.Wrap(rec)
	if err != nil {
		return usagef("%w", err)
	}
	if o.format == printer.Table {
		for _, obj := range objects {
			fmt.Fprintf(o.deps.streams.Out, "%s created (dry run)\n", objectName(obj))
		}
		return nil
	}
	return o.print(rec, desc, objects)
}

// print prints the objects, or the manifest, of a record.
func (o *WrapOptions) print(rec migration.Record, desc intake.Description, objects []render.Object) error {
	if o.format != printer.Ensemble {
		return printObjects(o.deps.streams.Out, o.format, objects)
	}
	text, err := o.manifest(rec, desc)
	if err != nil {
		return err
	}
	_, err = o.deps.streams.Out.Write(text)
	return err
}

// preflight runs the checks that block a wrap; nothing has been written yet.
func (o *WrapOptions) preflight(ctx context.Context, s *session, rec migration.Record, desc intake.Description, known bool) error {
	pods, err := o.pods.Over(rec.Pods, rec.Settings.Version)
	if err != nil {
		return err
	}
	rec.Pods.FilesSecret, rec.Pods.FilesConfigMap, rec.Pods.JVMFlags = pods.FilesSecret, pods.FilesConfigMap, pods.JVMFlags
	facts := collectFacts(ctx, s, rec, desc, known, o.deps.streams.ErrOut)
	if err := o.refuseExposed(facts); err != nil {
		return err
	}
	// Whether the Services reach their servers is asked after they are written:
	// one that was deleted is made again by wrap alone. A server in its pod
	// answers through its Service or not at all, and one on its way may be down.
	facts.Wrapped = false
	facts.Unasked = intake.Unasked(rec, o.restore)
	facts.Waivers = append(facts.Waivers, o.waive...)
	if facts.TwinsUnlooked != "" {
		fmt.Fprintln(o.deps.streams.ErrOut, "note: "+facts.TwinsUnlooked)
	}
	if facts.Stored.Unlooked != "" {
		fmt.Fprintln(o.deps.streams.ErrOut, "note: whether every file that the configuration names is there: "+facts.Stored.Unlooked)
	}
	return refuseFailed(facts)
}

// refuseExposed refuses ports on which no server that answered can listen.
func (o *WrapOptions) refuseExposed(f preflight.Facts) error {
	for _, name := range o.expose {
		for id, live := range f.Direct {
			if v := live.Version; !v.IsZero() && !v.Has(name) {
				return usagef("--expose=%s: server %d runs ZooKeeper %s, which has no such port", name, id, v)
			}
		}
	}
	return nil
}

func (o *WrapOptions) apply(ctx context.Context, s *session, rec migration.Record, desc intake.Description, known bool) error {
	if err := s.held(ctx); err != nil {
		return err
	}
	if o.restore && o.dryRun != "server" {
		if _, err := s.journal.Restore(ctx); err != nil {
			return err
		}
		fmt.Fprintf(o.deps.streams.ErrOut, "The journal was put back as of the last moment when nothing was under way; look at %s.\n", s.kube.at().Ours("status %s", s.name))
	}
	c := s.kube.cluster()
	results, err := c.Wrap(ctx, rec, o.dryRun == "server")
	if err != nil {
		return err
	}
	suffix := ""
	if o.dryRun == "server" {
		suffix = " (server dry run)"
	}
	if o.format == printer.Table {
		for _, r := range results {
			fmt.Fprintf(o.deps.streams.Out, "%s/%s %s%s\n", strings.ToLower(r.Kind), r.Name, r.Result, suffix)
		}
	}
	if o.dryRun == "server" {
		objects, err := render.Wrap(rec)
		if err != nil || o.format == printer.Table {
			return err
		}
		return o.print(rec, desc, objects)
	}
	for _, r := range results {
		if sr, ok := rec.Server(r.ID); ok && r.Kind == "Service" {
			sr.ServiceUID, sr.ClusterIP = r.UID, r.ClusterIP
		}
	}
	before := rec.Settings.Version
	if err := o.complete(ctx, s, &rec, desc, known); err != nil {
		return err
	}
	if rec.Settings.Version != before {
		// Their label names it, and it was not known before: what is compared with what is
		// recorded must not differ by that.
		if _, err := c.Wrap(ctx, rec, false); err != nil {
			return err
		}
	}
	if r := rec.Removal; r != nil && r.Kind == migration.Unwrap {
		fmt.Fprintf(o.deps.streams.ErrOut, "The unwrap that %s began is taken back: the Services have the addresses that they had.\n", quote.Line(r.By))
		rec.Removal = nil
	}
	if known {
		err = s.save(ctx, rec)
	} else {
		err = s.journal.Create(ctx, rec)
	}
	if err != nil {
		return err
	}
	if o.format != printer.Table {
		objects, err := render.Wrap(rec)
		if err != nil {
			return err
		}
		if err := o.print(rec, desc, objects); err != nil {
			return err
		}
	}
	return o.waitReachable(ctx, s, rec, leadNowhere(results))
}

// leadNowhere are the servers that are not on their hosts and whose Services have nothing
// behind them: where they are to lead is for the command to say that moves the server.
func leadNowhere(results []cluster.Applied) []ensemble.ID {
	var out []ensemble.ID
	for _, r := range results {
		if r.Result == cluster.NotTouched {
			out = append(out, r.ID)
		}
	}
	return out
}

// unled says so; nil where there is none.
func unled(at command.At, rec migration.Record, ids []ensemble.ID) error {
	if len(ids) == 0 {
		return nil
	}
	next := at.Ours("replace %s --id=%d", rec.Name, ids[0])
	if rec.Flight != nil {
		next = at.Ours("status %s", rec.Name)
	}
	return &pausedError{code: migration.CodeServiceGone, next: next,
		reason: fmt.Sprintf("the Services of servers %s were made and lead nowhere yet: the servers are not on their hosts", ensemble.JoinIDs(ids))}
}

// waitReachable waits until each Service is answered by the right server; those of nowhere have
// nothing behind them.
func (o *WrapOptions) waitReachable(ctx context.Context, s *session, rec migration.Record, nowhere []ensemble.ID) error {
	unasked := intake.Unasked(rec, o.restore)
	for _, srv := range rec.Servers {
		if unasked[srv.ID] {
			continue
		}
		address := srv.AtService().Address()
		var live vantage.Sighting
		err := until(ctx, pollInterval, func(ctx context.Context) (bool, error) {
			live = s.prober.named(ctx, rec.Ensemble().IDs(), srv.AtService(), s.prober.Sight(ctx, srv.AtService()))
			if live.Another(srv.ID) {
				return false, fmt.Errorf("service %s is answered by server %s instead of %d: compare the hosts' addresses", srv.Service, live.ServerID, srv.ID)
			}
			if live.Serving() && !live.Unread() {
				fmt.Fprintf(o.deps.streams.ErrOut, "server %d answers at %s (%s, %s)\n", srv.ID, address, live.Mode, live.Zxid)
				return true, nil
			}
			return false, nil
		})
		switch {
		case err == nil:
		case !errors.Is(err, context.DeadlineExceeded):
			return err
		case live.Unread():
			return &pausedError{
				reason: fmt.Sprintf("server %d answers at its Service's address %s, and did not tell its server list: %s", srv.ID, address, live.Detail),
				next:   o.deps.in(rec.Namespace).Ours("wrap %s", rec.Name), timeout: true,
			}
		default:
			return &pausedError{
				reason:   fmt.Sprintf("server %d does not answer at its Service's address %s from here yet: %s %s", srv.ID, address, live.Reach, live.Detail),
				evidence: []string{"is kube-proxy running on this machine, or are ClusterIPs routed to it?", "the Services are created and harm nobody"},
				next:     o.deps.in(rec.Namespace).Ours("wrap %s", rec.Name), timeout: true,
			}
		}
	}
	if err := unled(o.deps.in(rec.Namespace), rec, nowhere); err != nil {
		return err
	}
	if o.restore {
		fmt.Fprintf(o.deps.streams.ErrOut, "next: %s\n", o.deps.in(rec.Namespace).Ours("status %s", rec.Name))
		return nil
	}
	newWhereabouts(s, true).Look(ctx, rec) // who is connected is remembered from now on
	fmt.Fprintf(o.deps.streams.ErrOut, "next: %s\n", o.deps.in(rec.Namespace).Ours("clients %s", rec.Name))
	return nil
}
