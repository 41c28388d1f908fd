package cli

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostscript"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

const (
	// probePodsAtOnce is how many pods are made to try paths from, each on a node of its own
	// where there are as many; another command finds names for its own.
	probePodsAtOnce = 3
	// triedAtOnce is how many connects one pod has under way.
	triedAtOnce = 16
)

// podLooks has pods on different nodes try every path: those of the ensemble that run, or, where
// none does, pods that are made for it and go with the command.
func (s *session) podLooks(ctx context.Context, rec migration.Record, q hostscript.Questions) ([]preflight.PodLook, error) {
	places, err := s.podPlaces(ctx, rec)
	if err != nil {
		return nil, err
	}
	addresses, err := s.kube.cluster().PodIPs(ctx, rec)
	if err != nil {
		fmt.Fprintf(s.kube.warn, "Warning: the pods' addresses are not known, nor whether Services change them: %s\n", plain(err).text)
	}
	out := make([]preflight.PodLook, len(places))
	var wg sync.WaitGroup
	for i, at := range places {
		out[i] = preflight.PodLook{Point: at.from, Address: addresses[at.from.Pod]}
		for _, srv := range rec.Servers {
			if render.PodName(rec.Name, srv.Ordinal) == at.from.Pod {
				out[i].Server = srv.ID.Known()
			}
		}
		wg.Go(func() { out[i].Tried = tryAll(ctx, at.prober, q) })
	}
	wg.Wait()
	// One after the other: a server tells two that ask at once from each other by nothing.
	for i, at := range places {
		seenAs(ctx, at.prober, q.Cons, out[i].Tried)
	}
	return out, ctx.Err()
}

// podPlaces are tunnels through one pod per node, the one that is asked from already among them.
// One that cannot be opened is told.
func (s *session) podPlaces(ctx context.Context, rec migration.Record) ([]place, error) {
	var out []place
	var nodes []string
	if at, ok := s.deps.asking.of(s.named()); ok && at.from.IsPod() {
		out, nodes = append(out, at), append(nodes, at.from.Node)
	}
	points, err := s.kube.cluster().Points(ctx, rec, ensemble.MaybeID{})
	if err == nil && len(points) == 0 {
		points, err = s.probePods(ctx, rec, min(probePodsAtOnce, len(rec.Servers))-len(out))
	}
	failed := err
	if err != nil && len(out) > 0 {
		fmt.Fprintf(s.kube.warn, "Warning: nothing is tried from other nodes: %s\n", plain(err).text)
	}
	for _, p := range points {
		if slices.Contains(nodes, p.Node) {
			continue
		}
		t, err := s.tunnel(ctx, p)
		if err != nil {
			failed = err
			fmt.Fprintf(s.kube.warn, "Warning: nothing is tried from pod %s: %s\n", p.Pod, plain(err).text)
			continue
		}
		s.deps.asking.atEnd(t.Close)
		out, nodes = append(out, place{prober: s.deps.prober(t), from: p}), append(nodes, p.Node)
	}
	if len(out) == 0 {
		return nil, failed
	}
	return out, ctx.Err()
}

// probePods makes that many side by side. Those that do not come are not waited for again.
func (s *session) probePods(ctx context.Context, rec migration.Record, n int) ([]vantage.Point, error) {
	var out []vantage.Point
	var failed error
	var mu sync.Mutex
	var wg sync.WaitGroup
	fmt.Fprintf(s.kube.warn, "Making %d %s in namespace %s to try paths from; they go with this command.\n", n, count("pod", n), s.kube.namespace)
	for range n {
		wg.Go(func() {
			p, err := s.probePod(ctx, rec)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
				return
			}
			out = append(out, p)
		})
	}
	wg.Wait()
	if len(out) == 0 {
		return nil, failed
	}
	return out, nil
}

// seenAs has ZooKeeper say as whom it sees the pod on each way that was found open.
func seenAs(ctx context.Context, p prober, asked []vantage.Target, tried map[vantage.Target]preflight.Tried) {
	for _, t := range asked {
		r := tried[t]
		if r.State != vantage.PortOpen {
			continue
		}
		if a := p.Ask(ctx, t, zkprobe.Cons); a.Reach == vantage.Answered {
			r.SeenAs = zkprobe.SeenAs(a.Text)
			tried[t] = r
		}
	}
}

// tryAll tries every path of the questions.
func tryAll(ctx context.Context, p prober, q hostscript.Questions) map[vantage.Target]preflight.Tried {
	out := map[vantage.Target]preflight.Tried{}
	var mu sync.Mutex
	atOnce(triedAtOnce, len(q.Paths), func(i int) {
		t, tried := q.Paths[i], preflight.Tried{}
		state, err := p.ProbePort(ctx, t.Address())
		if tried.State = state; state == vantage.PortUnknown && err != nil {
			tried.Detail = plain(err).text
		}
		mu.Lock()
		defer mu.Unlock()
		out[t] = tried
	})
	return out
}
