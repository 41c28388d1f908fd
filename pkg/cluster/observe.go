package cluster

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Observe looks at the objects of every server of the record. It returns either
// the whole view or an error; a pod whose log cannot be read is no error, its
// report is just unknown. Seven calls for the ensemble and up to five for each
// server, the latter side by side.
//
// Leftovers name every object that a controller made, also while the Service
// has a selector and they are what it should have.
func (c *Client) Observe(ctx context.Context, rec migration.Record) (map[ensemble.ID]migration.ClusterView, error) {
	services, err := c.read.services(ctx, rec)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(rec.Servers))
	for _, s := range rec.Servers {
		names = append(names, render.ServiceName(rec.Name, s.ID))
	}
	slices, err := c.read.slices(ctx, rec, names...)
	if err != nil {
		return nil, err
	}
	pods, err := c.read.pods(ctx, rec)
	if err != nil {
		return nil, err
	}
	cm, gate, err := c.gate(ctx, rec)
	if err != nil {
		return nil, err
	}
	files, err := c.files(ctx, rec, pods)
	if err != nil {
		return nil, err
	}
	all := c.shared(ctx, rec, files)
	views := make([]migration.ClusterView, len(rec.Servers))
	errs := make([]error, len(rec.Servers))
	var wg sync.WaitGroup
	for i, s := range rec.Servers {
		wg.Go(func() {
			name := render.ServiceName(rec.Name, s.ID)
			views[i], errs[i] = c.look(ctx, rec, s, services[name], slices[name], pods[render.PodName(rec.Name, s.Ordinal)], all)
			views[i].Gate = gateView(cm, gate, s)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	lost, unknown, err := c.lost(ctx, rec, services, all)
	if err != nil {
		return nil, err
	}
	out := map[ensemble.ID]migration.ClusterView{}
	for i, s := range rec.Servers {
		views[i].Pod.Source.Lost, views[i].Pod.Source.Unknown = lost, unknown
		out[s.ID] = views[i]
	}
	return out, nil
}

// look completes the view of one server; svc and pod are nil when missing.
func (c *Client) look(ctx context.Context, rec migration.Record, s migration.ServerRecord, svc *corev1.Service, slices []discoveryv1.EndpointSlice, pod *corev1.Pod, all shared) (migration.ClusterView, error) {
	var v migration.ClusterView
	var err error
	name := render.ServiceName(rec.Name, s.ID)
	if svc == nil {
		// A Service that lost our label is still the Service.
		if svc, err = c.read.service(ctx, rec, s); err != nil {
			return v, err
		}
	}
	if pod == nil {
		// One that lost our label may serve all the same.
		if pod, err = c.read.pod(ctx, rec, s); err != nil {
			return v, err
		}
	}
	b := behind{rec: rec, s: s, slices: slices}
	if svc != nil {
		b.selector = render.SelectedPod(rec, s, svc)
		v.Service = migration.ServiceView{Found: true, UID: string(svc.UID), ClusterIP: svc.Spec.ClusterIP, Selector: b.selector}
		v.Service.Changed, v.Service.Patch = render.Drift(rec, s, svc)
		for i, change := range v.Service.Changed {
			v.Service.Changed[i] = quote.Line(change)
		}
	}
	if b.endpoints, err = c.read.endpoints(ctx, rec, name); err != nil {
		return v, err
	}
	v.Endpoints = b.view()
	v.Pod, err = c.podView(ctx, rec, s, pod, all)
	return v, err
}

// lost names what stands beside the StatefulSet and is gone, and what is not known of. The
// StatefulSet is made last, so what it needs was there before it.
func (c *Client) lost(ctx context.Context, rec migration.Record, services map[string]*corev1.Service, all shared) (lost, unknown []string, err error) {
	// Whether the StatefulSet should be there is for podView to say.
	if !isSet(all) || rec.Finalized != nil || rec.Removal != nil || rec.Pods.Image == "" {
		return nil, nil, nil
	}
	name := render.HeadlessName(rec.Name)
	if services[name] == nil {
		lost = append(lost, "Service "+name)
	}
	switch _, err := c.read.budget(ctx, rec); {
	case apierrors.IsNotFound(err):
		lost = append(lost, "PodDisruptionBudget "+name)
	case apierrors.IsForbidden(err):
		unknown = append(unknown, "PodDisruptionBudget "+name)
	case err != nil:
		return nil, nil, failed(err, "get", "PodDisruptionBudget", rec.Namespace, name)
	}
	return lost, unknown, nil
}

func isSet(all shared) bool {
	_, err := all.set()
	return err == nil
}

func gateView(cm *corev1.ConfigMap, g render.GateData, s migration.ServerRecord) migration.GateView {
	if cm == nil {
		return migration.GateView{}
	}
	v := migration.GateView{Found: true, Generation: g.Generation}
	if r, ok := g.Release(s.ID); ok {
		v.Released, v.ReleasedGeneration, v.Start = true, r.Generation, r.Start
	}
	return v
}
