package cli

import (
	"context"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// reach makes what commands about ensembles elsewhere are built from: in other clusters, other
// namespaces, or with other credentials than the flags name. Connections are kept.
type reach struct {
	parent *deps
	// connection are the flags of the connection that hold for all of them.
	connection []string
	streams    genericiooptions.IOStreams

	mu     sync.Mutex
	opened map[string]*opened
}

// opened is a connection. deps are nil until opening, which keeps nobody from others, is done.
type opened struct {
	opening sync.Mutex

	deps *deps
	kube kube
}

func newReach(d *deps, cmd *cobra.Command, streams genericiooptions.IOStreams) *reach {
	return &reach{parent: d, connection: connection(cmd), streams: streams, opened: map[string]*opened{}}
}

// silent are streams of commands inside another one, which says itself what became of them.
func silent() genericiooptions.IOStreams {
	return genericiooptions.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard}
}

// location is where ensembles are: a namespace of the cluster of a kubeconfig context. Without a
// context it is that of the flags, or the kubeconfig's own; without a namespace the context's.
type location struct{ context, namespace string }

// at are the flags with which commands reach a place.
func (r *reach) at(p location) []string {
	args := append([]string{}, r.connection...)
	if p.context == "" {
		p.context = *r.parent.flags.Context
	}
	if p.context != "" {
		args = append(args, "--context="+p.context)
	}
	if p.namespace != "" {
		args = append(args, "--namespace="+p.namespace)
	}
	return args
}

// deps are what a command there would be built from. credentials are as for --credentials; errors
// say that they are those of whose.
func (r *reach) deps(ctx context.Context, p location, credentials, whose string) (*deps, kube, error) {
	key := strings.Join([]string{p.context, p.namespace, credentials}, "\x00")
	r.mu.Lock()
	o, ok := r.opened[key]
	if !ok {
		o = &opened{}
		r.opened[key] = o
	}
	r.mu.Unlock()
	o.opening.Lock()
	defer o.opening.Unlock()
	if o.deps != nil {
		return o.deps, o.kube, nil
	}
	d, k, err := r.open(ctx, p, credentials, whose)
	if err != nil {
		return nil, kube{}, err
	}
	r.mu.Lock() // end looks at them
	defer r.mu.Unlock()
	o.deps, o.kube = d, k
	return d, k, nil
}

func (r *reach) open(ctx context.Context, p location, credentials, whose string) (*deps, kube, error) {
	root, d := newRoot(r.streams) //nolint:contextcheck // commands get theirs when they run
	if err := root.ParseFlags(r.at(p)); err != nil {
		return nil, kube{}, usagef("%w", err)
	}
	d.probe.via, d.probe.image = r.parent.probe.via, r.parent.probe.image
	if err := d.loadCredentials(ctx, whose, credentials); err != nil {
		return nil, kube{}, err
	}
	k, err := d.kube()
	return d, k, err
}

// end clears away what looks have left.
func (r *reach) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.opened {
		if o.deps != nil {
			o.deps.asking.end()
		}
	}
}

// connection are the flags of the connection as they were given, for commands inside this
// one; context and namespace are each place's own.
func connection(cmd *cobra.Command) []string {
	var out []string
	// Visit knows only what was parsed by this very set.
	cmd.InheritedFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Changed || f.Name == "namespace" || f.Name == "context" {
			return
		}
		if many, ok := f.Value.(pflag.SliceValue); ok {
			for _, v := range many.GetSlice() {
				out = append(out, "--"+f.Name+"="+v)
			}
			return
		}
		out = append(out, "--"+f.Name+"="+f.Value.String())
	})
	return out
}
