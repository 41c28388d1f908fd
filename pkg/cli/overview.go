package cli

import (
	"context"
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
)

const (
	// serversAtOnce bounds the servers that status -A asks side by side. One that does not
	// answer keeps its place until it times out, so up to this many cost one time-out together.
	// Each holds two files open at most, of a few thousand that a process may have.
	serversAtOnce = 1000
	// looksAtOnce bounds the ensembles that are looked at side by side if each look asks the API
	// server by itself.
	looksAtOnce = 8
)

// overview is the status of all ensembles of one cluster, from look to look.
type overview struct {
	site
	// alone: one set of lists for all ensembles cannot be had.
	alone bool
}

// look looks at every ensemble. One set of lists serves them all, and the servers are asked while
// the lists come. If a list fails (for a user who may not list all kinds, say) each ensemble is
// looked at by itself.
func (o *overview) look(ctx context.Context) ([]migration.EnsembleStatus, error) {
	items, err := o.together(ctx)
	if err != nil {
		return nil, err
	}
	for i, r := range o.listing.Records {
		items[i].Context, items[i].Wrapped = o.context, o.listing.Made(r)
	}
	return items, nil
}

func (o *overview) together(ctx context.Context) ([]migration.EnsembleStatus, error) {
	records, names := o.listing.Records, o.names()
	// Each ensemble is asked from a pod of its own.
	o.alone = o.alone || o.deps.probe.via == viaPod
	if o.alone || len(records) == 0 {
		return o.oneByOne(ctx, names)
	}
	looks, stop := context.WithCancel(ctx)
	defer stop()
	lists := o.list(looks, stop)
	places := make(chan struct{}, serversAtOnce)
	items, err := sideBySide(looks, len(names), names, o.kube.via, func(i int) (migration.EnsembleStatus, error) {
		d, _, err := o.of(ctx, names[i].namespace) // kept, if the looks are called off
		if err != nil {
			return migration.EnsembleStatus{}, err
		}
		looker := engine.Looker{Cluster: lists, Prober: crowd{d.prober(nil), places}, Clock: clock{}, Via: o.kube.via}
		obs, err := looker.Look(looks, records[i], nil)
		if err != nil {
			return migration.EnsembleStatus{}, err
		}
		obs.Twins = records[i].Twins(lists.claims)
		if cm := lists.seen.Clients(records[i]); cm != nil {
			data, err := journal.ClientsIn(cm)
			obs.Clients = remembered(records[i], data, err)
		}
		return migration.Summarize(obs), nil
	})
	<-lists.came
	if ctx.Err() != nil {
		return nil, err
	}
	if lists.err != nil {
		o.alone = true
		return o.oneByOne(ctx, names)
	}
	if err != nil {
		return nil, err
	}
	if o.deps.probe.via == viaAuto && sightless(items) {
		// As for one ensemble: from here nobody answers, and pods may.
		o.alone = true
		return o.oneByOne(ctx, names)
	}
	return o.again(ctx, names, items)
}

// remembered is what earlier looks have kept of clients; nil where nothing is kept, or it cannot
// be read, and where no server is left on a host.
func remembered(rec migration.Record, data []byte, err error) *sessions.View {
	if err != nil || len(migration.InPods(rec)) == len(rec.Servers) {
		return nil
	}
	m, err := sessions.Read(data)
	if err != nil {
		return nil
	}
	return m.Recall()
}

// recalled tells what earlier looks have kept, and asks nobody. It implements engine.Clients.
type recalled struct{ session *session }

// Look implements engine.Clients.
func (r recalled) Look(ctx context.Context, rec migration.Record) *sessions.View {
	data, err := r.session.journal.Clients(ctx)
	return remembered(rec, data, err)
}

// sightless reports whether no server of any ensemble was seen.
func sightless(items []migration.EnsembleStatus) bool {
	for _, item := range items {
		if slices.ContainsFunc(item.Servers, func(s migration.ServerStatus) bool { return s.Mode != "" }) {
			return false
		}
	}
	return true
}

// lists are the objects of all ensembles, which may still be on their way.
type lists struct {
	came chan struct{}
	// The rest is set once they came.
	seen   *cluster.Snapshot
	claims []migration.Claim
	err    error
}

// list starts to list the objects of these ensembles. If that fails it calls off the looks that
// wait for them.
func (o *overview) list(ctx context.Context, callOff func()) *lists {
	l, records := &lists{came: make(chan struct{})}, o.listing.Records
	go func() {
		defer close(l.came)
		if l.seen, l.err = o.kube.cluster().Snapshot(ctx, o.listing.Namespaces(), records); l.err != nil {
			callOff()
			return
		}
		l.claims = contested(allClaims(records, l.seen.Claims()))
	}()
	return l
}

// Observe implements engine.Observer; it waits for the lists.
func (l *lists) Observe(ctx context.Context, rec migration.Record) (map[ensemble.ID]migration.ClusterView, error) {
	<-l.came // they end with ctx
	if l.err != nil {
		return nil, l.err
	}
	return l.seen.Observe(ctx, rec)
}

// again repeats the look, ensemble by ensemble, where the journal was written in the
// meantime: judged by the old one, a command's work would look like somebody else's.
func (o *overview) again(ctx context.Context, names []ensembleName, items []migration.EnsembleStatus) ([]migration.EnsembleStatus, error) {
	written, err := o.listing.Written(ctx, o.kube.meta)
	if err != nil {
		return nil, err
	}
	var of []ensembleName
	for _, i := range written {
		of = append(of, names[i])
	}
	fresh, err := o.oneByOne(ctx, of)
	if err != nil {
		return nil, err
	}
	for n, i := range written {
		items[i] = fresh[n]
	}
	return items, nil
}

// oneByOne has each look ask the API server by itself.
func (o *overview) oneByOne(ctx context.Context, names []ensembleName) ([]migration.EnsembleStatus, error) {
	return sideBySide(ctx, looksAtOnce, names, o.kube.via, func(i int) (migration.EnsembleStatus, error) {
		d, k, err := o.of(ctx, names[i].namespace)
		if err != nil {
			return migration.EnsembleStatus{}, err
		}
		return d.glance(ctx, k, names[i])
	})
}

// sideBySide looks at every ensemble, so many at once. One that cannot be looked at does
// not hide the others.
func sideBySide(ctx context.Context, limit int, names []ensembleName, via command.Via, look func(i int) (migration.EnsembleStatus, error)) ([]migration.EnsembleStatus, error) {
	items := make([]migration.EnsembleStatus, len(names))
	errs := make([]error, len(names))
	atOnce(limit, len(names), func(i int) {
		if items[i], errs[i] = look(i); errs[i] != nil {
			items[i] = notLookedAt(names[i], errs[i], via)
		}
	})
	if ctx.Err() == nil {
		return items, nil
	}
	// The first error says what was waited for when the time was over.
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return nil, ctx.Err()
}

// notLookedAt is the status of an ensemble that could not be looked at.
func notLookedAt(n ensembleName, err error, via command.Via) migration.EnsembleStatus {
	return migration.EnsembleStatus{
		APIVersion: migration.RecordVersion, Kind: "EnsembleStatus", Name: n.name, Namespace: n.namespace,
		At: time.Now(), Health: migration.Unknown,
		Problems: []migration.Problem{{Class: migration.ClassUnseen, Text: plain(err).text}}, Servers: []migration.ServerStatus{},
		Next: command.At{Namespace: n.namespace, Via: via}.Ours("status %s", n.name),
	}
}
