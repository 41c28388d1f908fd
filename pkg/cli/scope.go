package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// scopeFlags say which ensembles a command is about that may be about many.
type scopeFlags struct {
	all      bool
	contexts []string
	selector string
}

func (f *scopeFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&f.all, "all-namespaces", "A", false, "Show the ensembles of all namespaces; -n a,b,c shows those of several")
	cmd.Flags().StringSliceVar(&f.contexts, "contexts", nil, "Kubeconfig contexts of several clusters, as a,b: the ensembles of all of them")
	cmd.Flags().StringVarP(&f.selector, "selector", "l", "", "Only ensembles whose journals (the ConfigMaps NAME-zkmigrate) have labels that match")
}

// isMany reports whether a command is about many ensembles.
func isMany(d *deps, cmd *cobra.Command) bool {
	set := cmd.Flags().Changed
	all, _ := cmd.Flags().GetBool("all-namespaces")
	return cmd.Flag("contexts") != nil && (all || strings.Contains(*d.flags.Namespace, ",") || set("contexts") || set("selector"))
}

// scope is which ensembles that are.
type scope struct {
	reach *reach
	// quiet is for looks at each ensemble: notes that do not say which one they are about help
	// nobody.
	quiet    *reach
	contexts []string
	all      bool
	// namespaces are those of -n where it names several.
	namespaces []string
	selector   labels.Selector
}

// toScope is nil where the command is about one ensemble.
func (f *scopeFlags) toScope(d *deps, cmd *cobra.Command, args []string) (*scope, error) {
	out := &scope{all: f.all, contexts: f.contexts}
	if typed := *d.flags.Namespace; strings.Contains(typed, ",") {
		out.namespaces = strings.Split(typed, ",")
	}
	if !isMany(d, cmd) {
		return nil, nil
	}
	switch {
	case len(args) > 0:
		return nil, usagef("-A, -l, --contexts and several namespaces show many ensembles: leave NAME out")
	case f.all && len(out.namespaces) > 0:
		return nil, usagef("-A means all namespaces, and -n=%s names some: use one of them", quote.Typed(*d.flags.Namespace))
	case cmd.Flags().Changed("contexts") && *d.flags.Context != "":
		return nil, usagef("--context and --contexts both say which cluster: use one of them")
	}
	for _, ns := range out.namespaces {
		if len(validation.IsDNS1123Label(ns)) > 0 {
			return nil, usagef("-n=%s: %q is not the name of a namespace", quote.Typed(*d.flags.Namespace), quote.Typed(ns))
		}
	}
	if cmd.Flags().Changed("contexts") {
		if len(out.contexts) == 0 || slices.Contains(out.contexts, "") {
			return nil, usagef("--contexts=%q: a context has no name", quote.Typed(strings.Join(out.contexts, ",")))
		}
		if *d.flags.ClusterName != "" || *d.flags.APIServer != "" {
			return nil, usagef("--contexts says which clusters: leave --cluster and --server out")
		}
		slices.Sort(out.contexts)
		out.contexts = slices.Compact(out.contexts)
	}
	slices.Sort(out.namespaces)
	out.namespaces = slices.Compact(out.namespaces)
	var err error
	if out.selector, err = labels.Parse(f.selector); err != nil {
		return nil, usagef("--selector=%s: %w", quote.Typed(f.selector), err)
	}
	out.reach = newReach(d, cmd, d.streams)
	out.quiet = newReach(d, cmd, silent())
	return out, nil
}

// in is where journals are looked for in one cluster.
func (s *scope) in(k kube) journal.Scope {
	out := journal.Scope{Namespaces: s.namespaces, Selector: s.selector}
	if !s.all && len(s.namespaces) == 0 {
		out.Namespaces = []string{k.namespace}
	}
	return out
}

// list reads the journals of one cluster. Who may not list them everywhere is shown those of
// the namespaces where they may.
func (s *scope) list(ctx context.Context, k kube) (journal.Listing, error) {
	in := s.in(k)
	listing, err := journal.List(ctx, k.client, in, k.via)
	if len(in.Namespaces) > 0 || !apierrors.IsForbidden(err) {
		return listing, err
	}
	namespaces, nsErr := k.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if nsErr != nil {
		return listing, err
	}
	for i := range namespaces.Items {
		in.Namespaces = append(in.Namespaces, namespaces.Items[i].Name)
	}
	return journal.List(ctx, k.client, in, k.via)
}

// site is one cluster of a scope.
type site struct {
	context string
	deps    *deps
	kube    kube
	listing journal.Listing
	// own is what deps and kube are for the ensembles of a namespace, where these have credentials
	// of their own; nil where they have not.
	own func(ctx context.Context, namespace string) (*deps, kube, error)
}

// of is what commands about the ensembles of a namespace are built from.
func (c site) of(ctx context.Context, namespace string) (*deps, kube, error) {
	if c.own == nil {
		return c.deps, c.kube, nil
	}
	return c.own(ctx, namespace)
}

// names are the ensembles of it.
func (c site) names() []ensembleName {
	out := make([]ensembleName, len(c.listing.Records))
	for i, r := range c.listing.Records {
		out[i] = nameOf(r)
	}
	return out
}

// sites reads the journals of all clusters. What cannot be read does not hide the rest: it
// is told as missing.
func (s *scope) sites(ctx context.Context) ([]site, *missing) {
	contexts := s.contexts
	if len(contexts) == 0 {
		contexts = []string{""}
	}
	all, errs := make([]site, len(contexts)), make([]error, len(contexts))
	ctx, done := share(ctx, 2)
	defer done()
	atOnce(looksAtOnce, len(contexts), func(i int) {
		if all[i], errs[i] = s.connect(ctx, contexts[i]); errs[i] == nil {
			all[i].listing, errs[i] = s.list(ctx, all[i].kube)
		}
	})
	var out []site
	gone := &missing{}
	for i, c := range all {
		if errs[i] != nil {
			gone.add(contexts[i], errs[i])
			continue
		}
		for _, err := range c.listing.Denied {
			gone.add(c.context, err)
		}
		for _, err := range c.listing.Broken {
			gone.add(c.context, err)
		}
		out = append(out, c)
	}
	return out, gone
}

// connect reaches a cluster. Of a Secret's credentials each namespace has its own.
func (s *scope) connect(ctx context.Context, cluster string) (c site, err error) {
	c.context = cluster
	credentials := s.reach.parent.probe.credentials
	with := func(ctx context.Context, namespace, credentials string) (*deps, kube, error) {
		return s.reach.deps(ctx, location{cluster, namespace}, credentials, "--credentials")
	}
	if !inSecret(credentials) {
		c.deps, c.kube, err = with(ctx, s.only(), credentials)
		return c, err
	}
	c.own = func(ctx context.Context, namespace string) (*deps, kube, error) {
		return with(ctx, namespace, credentials)
	}
	c.deps, c.kube, err = with(ctx, s.only(), "")
	c.kube.via = c.kube.via.WithOwn(c.deps.everywhere("credentials", credentials))
	return c, err
}

// oneOf is one ensemble of a scope.
type oneOf struct {
	context string
	ensembleName
	// deps are what a command about it would be built from.
	deps *deps
	kube kube
}

// each does something about every ensemble, several side by side; failed is what is made of those
// for which that cannot be done.
func each[T any](ctx context.Context, s *scope, do func(context.Context, oneOf) (T, error), failed func(oneOf, error) T) ([]T, *missing, error) {
	sites, gone := s.sites(ctx)
	var all []oneOf
	for _, site := range sites {
		for _, n := range site.names() {
			all = append(all, oneOf{context: site.context, ensembleName: n})
		}
	}
	out := make([]T, len(all))
	looks, done := share(ctx, 10)
	defer done()
	atOnce(looksAtOnce, len(all), func(i int) {
		f, err := all[i], error(nil)
		if f.deps, f.kube, err = s.quiet.deps(looks, location{f.context, f.namespace}, s.reach.parent.probe.credentials, "--credentials"); err == nil {
			out[i], err = do(looks, f)
		}
		if err != nil {
			out[i] = failed(f, err)
		}
	})
	s.reach.end()
	s.quiet.end()
	if len(out) == 0 && len(gone.errs) > 0 {
		return nil, nil, gone.err(0)
	}
	return out, gone, ctx.Err()
}

// share leaves one part in so many of the time that is left to whoever comes after, so that what
// does not answer hides nothing else.
func share(ctx context.Context, parts int) (context.Context, context.CancelFunc) {
	end, limited := ctx.Deadline()
	if !limited {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-time.Until(end)/time.Duration(parts)))
}

// only is the one namespace of -n, empty where it names none, or several.
func (s *scope) only() string {
	if len(s.namespaces) > 0 {
		return ""
	}
	return *s.reach.parent.flags.Namespace
}

// missing is what could not be listed.
type missing struct {
	errs []error
	told []string
}

func (m *missing) add(context string, err error) {
	m.errs = append(m.errs, err)
	text := plain(err).text
	if context != "" {
		text = "context " + context + ": " + text
	}
	m.told = append(m.told, text)
}

// maxMissing bounds what is spelled out.
const maxMissing = 10

// err is nil where everything was listed. shown is how many ensembles were.
func (m *missing) err(shown int) error {
	switch {
	case m == nil, len(m.errs) == 0:
		return nil
	case len(m.errs) == 1 && shown == 0:
		return m.errs[0]
	}
	evidence := m.told
	if over := len(evidence) - maxMissing; over > 0 {
		evidence = append(slices.Clone(evidence[:maxMissing]), fmt.Sprintf("and %d more", over))
	}
	reason := "not all ensembles are shown: some could not be listed"
	if slices.ContainsFunc(m.errs, func(err error) bool { return !apierrors.IsForbidden(err) }) {
		return errors.New(reason + "\n" + strings.Join(evidence, "\n"))
	}
	return &refusedError{reason: reason, evidence: evidence, next: "name the namespaces that you may look into, as -n a,b,c, or have an administrator give you list on ConfigMaps there"}
}
