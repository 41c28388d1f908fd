package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// PointToPod points the server's hand-made endpoints to its pod, in one write;
// it creates them when they are missing. It refuses when the pod is not the one
// that was looked at (another uid or address, or about to go), when the Service
// has a foreign selector, and when another slice holds another address.
//
// With slices, the change is one event for kube-proxy. With v1 Endpoints it
// passes through the mirroring controller, which updates its slice in one
// write, too, but later; while the Service has a selector the write has no
// effect on traffic at all, for nobody mirrors it then.
func (c *Client) PointToPod(ctx context.Context, rec migration.Record, id ensemble.ID, podUID, podIP string) error {
	s, err := server(rec, id)
	if err != nil {
		return err
	}
	pod, err := c.pod(ctx, rec, s)
	if err != nil {
		return err
	}
	if string(pod.UID) != podUID || address(s, pod) != podIP || pod.DeletionTimestamp != nil {
		return &Error{Reason: Precondition, What: fmt.Sprintf(
			"pod %s/%s is no longer the one that was looked at: uid %s, address %q, being deleted: %t; expected uid %s, address %q",
			rec.Namespace, pod.Name, pod.UID, address(s, pod), pod.DeletionTimestamp != nil, podUID, podIP)}
	}
	target, err := render.ToPod(rec, s, podUID, podIP, pod.Spec.NodeName)
	if err != nil {
		return &Error{Reason: Invalid, What: err.Error()}
	}
	svc, err := c.service(ctx, rec, s)
	if err != nil {
		return err
	}
	b, err := c.behind(ctx, rec, s, svc)
	if err != nil {
		return err
	}
	if b.selector == migration.ForeignSelector {
		return c.foreignSelector(rec, svc)
	}
	return c.point(ctx, b, target)
}

// PointToHost points them to the server's host. It refuses while the Service
// has a selector or a slice of a controller is left behind: both would add the
// pod's address to the host's, and for good (kubernetes#118376).
func (c *Client) PointToHost(ctx context.Context, rec migration.Record, id ensemble.ID) error {
	s, svc, b, err := c.find(ctx, rec, id)
	if err != nil {
		return err
	}
	if b.selector != "" {
		return &Error{Reason: Precondition, What: fmt.Sprintf("Service %s/%s still selects %s: its endpoints cannot point to host %s",
			rec.Namespace, svc.Name, b.selector, s.HostIP)}
	}
	target, err := toHost(s, svc)
	if err != nil {
		return err
	}
	return c.point(ctx, b, target)
}

// toHost is the target of endpoints that the Service owns.
func toHost(s migration.ServerRecord, svc *corev1.Service) (render.Target, error) {
	target, err := render.ToHost(s)
	if err != nil {
		return target, &Error{Reason: Invalid, What: err.Error()}
	}
	target.Owner = nil
	if svc.UID != "" {
		target.Owner = render.OwnedByService(svc.Name, svc.UID)
	}
	return target, nil
}

// point makes the one write. The resourceVersion read together with the slices
// goes with it.
func (c *Client) point(ctx context.Context, b behind, target render.Target) error {
	if err := b.only(target.IP.String()); err != nil {
		return err
	}
	desired, err := render.Bridge(b.rec, b.s, target)
	if err != nil {
		return &Error{Reason: Invalid, What: err.Error()}
	}
	switch desired := desired.(type) {
	case *discoveryv1.EndpointSlice:
		return c.pointSlice(ctx, b, desired)
	case *corev1.Endpoints: //nolint:staticcheck // asked for by name
		return c.pointEndpoints(ctx, b, desired)
	}
	return &Error{Reason: Invalid, What: fmt.Sprintf("no way to write a %T", desired)}
}

func (c *Client) pointSlice(ctx context.Context, b behind, desired *discoveryv1.EndpointSlice) error {
	slices := c.kube.DiscoveryV1().EndpointSlices(desired.Namespace)
	live := b.bridgeSlice()
	if live == nil {
		_, err := slices.Create(ctx, desired, metav1.CreateOptions{FieldManager: FieldManager})
		if apierrors.IsAlreadyExists(err) {
			return c.strayed(ctx, desired, err)
		}
		return c.notWritten(err, "create", "EndpointSlice", desired.Namespace, desired.Name)
	}
	next := live.DeepCopy()
	next.Endpoints, next.Ports, next.OwnerReferences = desired.Endpoints, desired.Ports, desired.OwnerReferences
	for k, v := range desired.Labels {
		next.Labels[k] = v
	}
	if apiequality.Semantic.DeepEqual(live, next) {
		return nil
	}
	_, err := slices.Update(ctx, next, metav1.UpdateOptions{FieldManager: FieldManager})
	return c.notWritten(err, "update", "EndpointSlice", desired.Namespace, desired.Name)
}

// strayed tells a slice that was created since we looked, which looking again
// finds, from one that lost the labels by which it is found behind its Service.
func (c *Client) strayed(ctx context.Context, desired *discoveryv1.EndpointSlice, exists error) error {
	// The Role has no get for slices.
	list, err := c.kube.DiscoveryV1().EndpointSlices(desired.Namespace).List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + desired.Name})
	if err != nil {
		return failed(err, "list", "EndpointSlices", desired.Namespace, desired.Name)
	}
	for _, live := range list.Items {
		if live.Name != desired.Name ||
			live.Labels[discoveryv1.LabelServiceName] == desired.Labels[discoveryv1.LabelServiceName] && live.Labels[discoveryv1.LabelManagedBy] == render.Manager {
			continue
		}
		return &Error{Reason: Conflict,
			What: fmt.Sprintf("EndpointSlice %s/%s exists and does not carry our labels any more, so it is not behind its Service", desired.Namespace, desired.Name),
			Next: "delete it: " + c.at(desired.Namespace).Kubectl("delete endpointslice %s", desired.Name) + "; then run the command again"}
	}
	return c.notWritten(exists, "create", "EndpointSlice", desired.Namespace, desired.Name)
}

func (c *Client) pointEndpoints(ctx context.Context, b behind, desired *corev1.Endpoints) error { //nolint:staticcheck // asked for by name
	api := c.kube.CoreV1().Endpoints(desired.Namespace)
	live := b.endpoints
	if live == nil {
		_, err := api.Create(ctx, desired, metav1.CreateOptions{FieldManager: FieldManager})
		return c.notWritten(err, "create", "Endpoints", desired.Namespace, desired.Name)
	}
	next := live.DeepCopy()
	next.Subsets, next.OwnerReferences = desired.Subsets, desired.OwnerReferences
	if next.Labels == nil {
		next.Labels = map[string]string{}
	}
	for k, v := range desired.Labels {
		next.Labels[k] = v
	}
	// The controllers' mark would be wrong from here on.
	delete(next.Labels, "endpoints.kubernetes.io/managed-by")
	if apiequality.Semantic.DeepEqual(live, next) {
		return nil
	}
	_, err := api.Update(ctx, next, metav1.UpdateOptions{FieldManager: FieldManager})
	return c.notWritten(err, "update", "Endpoints", desired.Namespace, desired.Name)
}
