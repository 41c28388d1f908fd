package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/kubeconn"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// deps is what commands are built from. Clients are made on first use, so that
// help and --dry-run=client need no cluster.
type deps struct {
	streams genericiooptions.IOStreams
	flags   *genericclioptions.ConfigFlags
	probe   probeFlags
	asking  asking
	// safePoint is asked where no server is away, before the next one goes: its error ends the
	// command there. Nil for a command that stands for itself.
	safePoint func(context.Context) error
	// onLook, when set, is told each look of a command that moves servers, and when it had ended.
	onLook func(o migration.Observation, ended time.Time)
	// root has all commands, cmd is the one that runs, nil before it does.
	root, cmd *cobra.Command
	// said is what the command was told of the ensemble; nil for those that are told nothing.
	said *said
}

// goOn asks whether the next server may go.
func (d *deps) goOn(ctx context.Context, rec migration.Record) error {
	if d.safePoint == nil || rec.Flight != nil {
		return nil
	}
	return d.safePoint(ctx)
}

// kube is a connection to one namespace.
type kube struct {
	client    kubernetes.Interface
	meta      metadata.Interface
	config    *rest.Config
	namespace string
	warn      io.Writer
	// via is put into the commands that are printed.
	via command.Via
}

// at is where printed commands work.
func (k kube) at() command.At { return command.At{Namespace: k.namespace, Via: k.via} }

// namespace is the one asked for, without a connection.
func (d *deps) namespace() string {
	ns, _, err := d.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil || ns == "" {
		return "default"
	}
	return ns
}

// in is where printed commands work: a namespace of the cluster that the flags name.
func (d *deps) in(namespace string) command.At {
	return command.At{Namespace: namespace, Via: d.via()}
}

// via is what the commands that are printed repeat of this one.
func (d *deps) via() command.Via {
	if d.flags == nil {
		return command.Via{}
	}
	return kubeconn.Via(d.flags).WithOwn(d.again()...)
}

func (d *deps) restConfig() (*rest.Config, error) {
	cfg, err := kubeconn.Config(d.flags)
	if err != nil {
		return nil, err
	}
	// One look takes a dozen requests and is repeated while a server is away;
	// client-go's default of 5 a second would make every replacement slower.
	cfg.QPS, cfg.Burst = 100, 200
	cfg.UserAgent = "kubectl-zkmigrate"
	cfg.WarningHandler = &warnings{out: d.streams.ErrOut}
	cfg.Wrap(cluster.HarmlessErrors)
	// As kubectl, but read what is smaller and sooner read where the API server has it.
	cfg.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	return cfg, nil
}

func (d *deps) kube() (kube, error) {
	cfg, err := d.restConfig()
	if err != nil {
		return kube{}, err
	}
	http, err := kubeconn.Client(cfg, d.via())
	if err != nil {
		return kube{}, err
	}
	client, err := kubernetes.NewForConfigAndClient(cfg, http)
	if err != nil {
		return kube{}, d.unusable(err)
	}
	meta, err := metadata.NewForConfigAndClient(metadata.ConfigFor(cfg), http)
	if err != nil {
		return kube{}, d.unusable(err)
	}
	return kube{client: client, meta: meta, config: cfg, namespace: d.namespace(), warn: d.streams.ErrOut, via: d.via()}, nil
}

// unusable: no client can be made of what the kubeconfig says.
func (d *deps) unusable(err error) error {
	return &kubeconn.Error{Usage: true, What: "the kubeconfig cannot be used: " + err.Error(), Next: "look at it with: " + d.in("").Kubectl("config view --minify"), Err: err}
}

// cluster works on the connection.
func (k kube) cluster() *cluster.Client {
	return cluster.New(k.client, cluster.WithExec(k.config), cluster.WithVia(k.via), cluster.WithWords(func(err error) string { return plain(err).text }))
}

// pick resolves the optional NAME: it may be left out where the namespace
// holds exactly one ensemble.
func (k kube) pick(ctx context.Context, args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	names, err := k.names(ctx)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		// What is known of one without a journal is told by name: its copy, or that it was finalized.
		names = k.traces(ctx)
	}
	switch len(names) {
	case 0:
		return "", usagef("namespace %s holds no wrapped ensemble\nnext: %s", k.namespace, k.at().Ours("wrap NAME -f FILE"))
	case 1:
		return names[0], nil
	}
	return "", usagef("namespace %s holds %d ensembles: name one of %s", k.namespace, len(names), strings.Join(names, ", "))
}

// traces are the names of ensembles that have objects in the namespace, by their labels; those
// that may not be listed tell nothing.
func (k kube) traces(ctx context.Context) []string {
	var out []string
	ours := metav1.ListOptions{LabelSelector: render.EnsembleLabel}
	if list, err := k.client.CoreV1().ConfigMaps(k.namespace).List(ctx, ours); err == nil {
		for _, cm := range list.Items {
			out = append(out, cm.Labels[render.EnsembleLabel])
		}
	}
	if list, err := k.client.CoreV1().Services(k.namespace).List(ctx, ours); err == nil {
		for _, svc := range list.Items {
			out = append(out, svc.Labels[render.EnsembleLabel])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

type ensembleName struct{ namespace, name string }

func nameOf(r migration.Record) ensembleName { return ensembleName{r.Namespace, r.Name} }

// names are those of the ensembles of the namespace.
func (k kube) names(ctx context.Context) ([]string, error) {
	listing, err := journal.List(ctx, k.client, journal.In(k.namespace), k.via)
	if err != nil {
		return nil, err
	}
	k.warnOf(listing.Broken)
	var out []string
	for _, r := range listing.Records {
		out = append(out, r.Name)
	}
	return out, nil
}

// warnOf tells of journals that cannot be read.
func (k kube) warnOf(broken []error) {
	for _, b := range broken {
		fmt.Fprintf(k.warn, "Warning: %v\n", b)
	}
}

// session is everything that works on one ensemble.
type session struct {
	kube    kube
	name    string
	journal *journal.Journal
	engine  *engine.Engine
	prober  prober
	deps    *deps
	// onlyPods: no pod is made to ask from.
	onlyPods bool
	// private: the hosts' zoo.cfg has lines that nobody else may read.
	private bool
	// ending: the command is finalize, which goes on where the ensemble was finalized.
	ending bool
	// lock is nil outside of locked.
	lock *journal.Lock
}

func (d *deps) session(k kube, name string) *session {
	s := &session{kube: k, name: name, prober: d.prober(nil), deps: d}
	s.journal = journal.New(k.client, k.namespace, name)
	s.journal.Via = k.via
	s.engine = &engine.Engine{
		Cluster: k.cluster(), Prober: s.prober, Journal: s.journal, Clock: clock{},
		Poll: pollInterval, ErrorBudget: errorBudget, Final: finalDenial, Via: k.via, OnLook: d.onLook,
	}
	s.engine.Elsewhere = func(ctx context.Context, rec migration.Record, id ensemble.ID) {
		_ = s.askThrough(ctx, rec, id.Known()) // it is asked again as long as it matters
	}
	return s
}

const (
	// pollInterval is the pause between two looks while a command waits.
	pollInterval = 200 * time.Millisecond
	// errorBudget is how long API errors are taken for passing ones.
	errorBudget = 2 * time.Minute
	// defaultTimeout bounds one command that waits; the state is saved and the
	// same command goes on.
	defaultTimeout = 30 * time.Minute
)

// open is load, and chooses where the servers are asked from; moved is the one that is to
// be moved, or 0.
func (d *deps) open(ctx context.Context, args []string, moved ensemble.MaybeID) (*session, migration.Record, error) {
	s, rec, err := d.load(ctx, args)
	if err != nil {
		return s, rec, err
	}
	return s, rec, s.askThrough(ctx, rec, moved)
}

// load connects, picks the ensemble and loads its record.
func (d *deps) load(ctx context.Context, args []string) (*session, migration.Record, error) {
	k, err := d.kube()
	if err != nil {
		return nil, migration.Record{}, err
	}
	name, err := k.pick(ctx, args)
	if err != nil {
		return nil, migration.Record{}, err
	}
	s := d.session(k, name)
	rec, err := s.record(ctx)
	if err == nil && d.said != nil {
		d.said.warnUndone(s, rec)
	}
	return s, rec, s.about(err)
}

// record loads the journal; an ensemble that was never wrapped is a usage
// error.
func (s *session) record(ctx context.Context) (migration.Record, error) {
	rec, err := s.journal.Load(ctx)
	if journal.IsNotFound(err) {
		return rec, s.gone(ctx)
	}
	return rec, err
}

// gone says what helps where there is no journal.
func (s *session) gone(ctx context.Context) error {
	if err := s.archived(ctx); err != nil {
		return err
	}
	if reason, next, ok := s.copyKept(ctx); ok {
		return &refusedError{reason: reason, next: next}
	}
	return &usageError{&notWrappedError{fmt.Sprintf("namespace %s holds no wrapped ensemble %q\nnext: %s", s.kube.namespace, s.name, s.kube.at().Ours("wrap %s -f FILE", s.name))}}
}

// archived refuses what would begin again with an ensemble that was finalized, of whose journal
// only the report is left.
func (s *session) archived(ctx context.Context) error {
	rec, err := s.journal.Report(ctx)
	switch {
	case journal.IsNotFound(err):
		return nil
	case err != nil && !journal.IsBroken(err):
		return err
	}
	refused := s.finalized(rec)
	refused.evidence = append(refused.evidence, "its journal is in ConfigMap "+render.ReportName(s.name)+"; for a new ensemble of this name, its objects and that ConfigMap go first")
	return refused
}

// ours refuses an ensemble that was finalized, to every command but finalize.
func (s *session) ours(rec migration.Record) error {
	if rec.Finalized != nil && !s.ending {
		return s.finalized(rec)
	}
	return nil
}

// finalized is the refusal to work on an ensemble that was finalized.
func (s *session) finalized(rec migration.Record) *refusedError {
	refused := &refusedError{
		code: migration.CodeFinalized, reason: fmt.Sprintf("ensemble %s in namespace %s was finalized: its StatefulSet is changed like any other", s.name, s.kube.namespace),
		next: s.kube.at().Kubectl("rollout status statefulset %s", render.StatefulSetName(s.name)),
	}
	if f := rec.Finalized; f != nil {
		refused.evidence = []string{fmt.Sprintf("at %s, by %s", f.At.UTC().Format(time.RFC3339), quote.Line(f.By))}
	}
	return refused
}

// notWrappedError: there is no journal, and no copy of one.
type notWrappedError struct{ text string }

func (e *notWrappedError) Error() string { return e.text }

// copyKept says how the copy of a journal that is gone is put back, if there is one.
func (s *session) copyKept(ctx context.Context) (reason, next string, ok bool) {
	if _, err := s.journal.Copy(ctx); err != nil {
		return "", "", false
	}
	return fmt.Sprintf("the journal of ensemble %s in namespace %s is gone; its copy, made when nothing was under way last, can be put back", s.name, s.kube.namespace),
		s.kube.at().Ours("wrap %s", s.name), true
}
