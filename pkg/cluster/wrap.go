package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Applied is what Wrap did with one object.
type Applied struct {
	ID     ensemble.ID
	Kind   string
	Name   string
	Result Result
	// UID and ClusterIP are those of a Service, for the journal. In a dry run
	// of a Service that does not exist yet they mean nothing.
	UID       string
	ClusterIP string
}

// Wrap makes the Services and the hand-made endpoints that point to the hosts.
// Everything is asked of the API server as a dry run first, so that a missing
// permission, a quota, a policy or a clash of names is found before anything is
// written; with dryRun that is all. Called again it changes nothing.
//
// Hand-made endpoints that exist are never moved by it: they may point to a pod
// by now; they gain the ports that are recorded since they were made. Nor are they made
// anew for a server that is replaced or on its way.
func (c *Client) Wrap(ctx context.Context, rec migration.Record, dryRun bool) ([]Applied, error) {
	applied, err := c.wrap(ctx, rec, true)
	if err != nil || dryRun {
		return applied, err
	}
	return c.wrap(ctx, rec, false)
}

func (c *Client) wrap(ctx context.Context, rec migration.Record, dryRun bool) ([]Applied, error) {
	objects, err := render.Wrap(rec)
	if err != nil {
		return nil, &Error{Reason: Invalid, What: err.Error()}
	}
	services := map[string]render.Object{}
	for _, o := range objects {
		if _, ok := o.(*corev1.Service); ok {
			services[o.GetName()] = o
		}
	}
	var out, bridges []Applied
	for _, s := range sorted(rec) {
		name := render.ServiceName(rec.Name, s.ID)
		result, after, err := c.apply(ctx, rec, services[name], dryRun)
		if err != nil {
			return out, err
		}
		svc, ok := after.(*corev1.Service)
		if !ok {
			return out, &Error{Reason: Invalid, What: fmt.Sprintf("Service %s: the API server answered with a %T", name, after)}
		}
		out = append(out, Applied{ID: s.ID, Kind: "Service", Name: name, Result: result, UID: string(svc.UID), ClusterIP: svc.Spec.ClusterIP})
		bridge, err := c.wrapBridge(ctx, rec, s, svc, result == Created, dryRun)
		if err != nil {
			return append(out, bridges...), err
		}
		bridges = append(bridges, bridge)
	}
	return append(out, bridges...), nil
}

// wrapBridge makes the server's endpoints if it has none and should have some.
func (c *Client) wrapBridge(ctx context.Context, rec migration.Record, s migration.ServerRecord, svc *corev1.Service, fresh, dryRun bool) (Applied, error) {
	a := Applied{ID: s.ID, Kind: "EndpointSlice", Name: render.BridgeName(rec.Name, s.ID), Result: Unchanged}
	if rec.EndpointsAPI == migration.LegacyEndpoints {
		a.Kind, a.Name = "Endpoints", svc.Name
	}
	b, err := c.behind(ctx, rec, s, svc)
	if err != nil {
		return a, err
	}
	if b.selector == migration.ForeignSelector {
		return a, c.foreignSelector(rec, svc)
	}
	gained, err := c.addPorts(ctx, b, dryRun)
	if err != nil {
		return a, err
	}
	if gained {
		a.Result = Configured
	}
	moved := s.Replaced != nil || rec.Flight != nil && rec.Flight.ID == s.ID
	switch {
	case b.selector != "" && !b.view().BridgeFound:
		a.Result = NotNeeded
		return a, nil
	case moved && !b.view().BridgeFound:
		a.Result = NotTouched
		return a, nil
	case b.selector != "" || moved:
		return a, nil
	}
	target, err := toHost(s, svc)
	if err != nil {
		return a, err
	}
	v := b.view()
	if len(v.Bridge) > 0 {
		if v.BridgePodUID == "" && !same(v.Bridge, []string{target.IP.String()}) {
			return a, &Error{Reason: Conflict,
				What: fmt.Sprintf("%s %s/%s points to %v, the host of server %s is %s", a.Kind, rec.Namespace, a.Name, v.Bridge, s.ID, target.IP),
				Next: "if the host has moved, change the object by hand while the server is down; otherwise correct the input"}
		}
		return a, nil
	}
	if err := b.only(target.IP.String()); err != nil {
		return a, err
	}
	if fresh && dryRun {
		// The Service exists in the dry run only; it cannot own anything.
		target.Owner = nil
	}
	a.Result = Created
	if v.BridgeFound {
		a.Result = Configured
	}
	if dryRun {
		return a, c.dryBridge(ctx, b, target)
	}
	return a, c.point(ctx, b, target)
}

// addPorts gives our endpoints the ports that the record has and they lack, in one write
// that changes no address.
func (c *Client) addPorts(ctx context.Context, b behind, dryRun bool) (gained bool, err error) {
	options := metav1.UpdateOptions{FieldManager: FieldManager}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	if slice := b.bridgeSlice(); slice != nil && !b.legacy() && !b.hasPorts(*slice) {
		slice.Ports = render.SlicePorts(b.s)
		after, err := c.kube.DiscoveryV1().EndpointSlices(slice.Namespace).Update(ctx, slice, options)
		if err != nil {
			return false, c.notWritten(err, "update", "EndpointSlice", slice.Namespace, slice.Name)
		}
		*slice = *after
		return true, nil
	}
	e := b.bridgeEndpoints()
	if e == nil {
		return false, nil
	}
	for i := range e.Subsets {
		if want := render.EndpointsPorts(b.s); !lacksNone(e.Subsets[i].Ports, want) {
			e.Subsets[i].Ports, gained = want, true
		}
	}
	if !gained {
		return false, nil
	}
	after, err := c.kube.CoreV1().Endpoints(e.Namespace).Update(ctx, e, options)
	if err != nil {
		return false, c.notWritten(err, "update", "Endpoints", e.Namespace, e.Name)
	}
	*e = *after
	return true, nil
}

// dryBridge asks whether the endpoints could be created.
func (c *Client) dryBridge(ctx context.Context, b behind, target render.Target) error {
	if b.view().BridgeFound {
		return nil
	}
	desired, err := render.Bridge(b.rec, b.s, target)
	if err != nil {
		return &Error{Reason: Invalid, What: err.Error()}
	}
	options := metav1.CreateOptions{FieldManager: FieldManager, DryRun: []string{metav1.DryRunAll}}
	if e, ok := desired.(*corev1.Endpoints); ok { //nolint:staticcheck // asked for by name
		_, err = c.kube.CoreV1().Endpoints(e.Namespace).Create(ctx, e, options)
		return c.notWritten(err, "create", "Endpoints", e.Namespace, e.Name)
	}
	if slice, ok := desired.(*discoveryv1.EndpointSlice); ok {
		_, err = c.kube.DiscoveryV1().EndpointSlices(slice.Namespace).Create(ctx, slice, options)
		return c.notWritten(err, "create", "EndpointSlice", slice.Namespace, slice.Name)
	}
	return &Error{Reason: Invalid, What: fmt.Sprintf("no way to write a %T", desired)}
}

func sorted(rec migration.Record) []migration.ServerRecord {
	var out []migration.ServerRecord
	e := rec.Ensemble()
	for _, id := range e.IDs() {
		if s, ok := rec.Server(id); ok {
			out = append(out, *s)
		}
	}
	return out
}
