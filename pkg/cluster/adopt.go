package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// SetSelector lets the Service select the server's pod. It refuses unless the
// hand-made endpoints already hold the pod's address: the controller's slice
// then repeats it, and kube-proxy counts one address once, however many slices
// hold it (endpointslicecache.go, addEndpoints).
//
// With v1 Endpoints this is weaker: three controllers react without an order.
// The mirrored slice may go before the endpointslice controller's is there, and
// the Service then has no endpoint for some milliseconds, or for as long as
// that controller is down. Nothing serves behind the address at this point, so
// a client sees "refused" from another machine, nothing more.
func (c *Client) SetSelector(ctx context.Context, rec migration.Record, id ensemble.ID) error {
	s, svc, b, err := c.find(ctx, rec, id)
	if err != nil {
		return err
	}
	switch b.selector {
	case render.PodName(rec.Name, s.Ordinal):
		return nil
	case migration.ForeignSelector:
		return c.foreignSelector(rec, svc)
	}
	pod, err := c.pod(ctx, rec, s)
	if err != nil {
		return err
	}
	ip := address(s, pod)
	if v := b.view(); len(v.Bridge) != 1 || v.Bridge[0] != ip {
		return &Error{Reason: Precondition, What: fmt.Sprintf(
			"the endpoints of Service %s/%s hold %v, pod %s has address %q: selecting it now would mix the two",
			rec.Namespace, svc.Name, v.Bridge, pod.Name, ip)}
	}
	if err := b.only(ip); err != nil {
		return err
	}
	return c.patchSelector(ctx, svc, render.ServiceSelector(rec.Name, s.Ordinal))
}

// ClearSelector takes the selector away. From then on nobody keeps the
// controllers' objects true, so it refuses (look again) until what will stay
// says the same as the controller's slice: our own slice, or, with v1
// Endpoints, the object that the endpoints controller leaves behind and that
// the mirroring controller then makes a slice of. The endpoints controller can
// be later than the endpointslice controller by any time.
func (c *Client) ClearSelector(ctx context.Context, rec migration.Record, id ensemble.ID) error {
	_, svc, b, err := c.find(ctx, rec, id)
	if err != nil {
		return err
	}
	switch b.selector {
	case "":
		return nil
	case migration.ForeignSelector:
		return c.foreignSelector(rec, svc)
	}
	v := b.view()
	stay := v.Bridge
	if b.legacy() {
		stay = nil
		if b.endpoints != nil {
			stay = endpointAddresses(b.endpoints)
		}
	}
	if len(v.Controller) > 0 && !same(stay, v.Controller) {
		return &Error{Reason: Precondition, What: fmt.Sprintf(
			"the endpoints of Service %s/%s that would stay hold %v, the controller's slice holds %v: taking the selector away now would leave both",
			rec.Namespace, svc.Name, stay, v.Controller)}
	}
	return c.patchSelector(ctx, svc, nil)
}

func same(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// patchSelector changes the selector of exactly this version of exactly this
// Service. It is a plain patch and no apply: what server-side apply does not
// name, it removes, and a wrap repeated later must not take a selector away.
func (c *Client) patchSelector(ctx context.Context, svc *corev1.Service, selector map[string]string) error {
	// A merge patch cannot add to a map what was not seen: the resourceVersion
	// goes with it, and null removes the whole.
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": svc.UID, "resourceVersion": svc.ResourceVersion},
		"spec":     map[string]any{"selector": selector},
	})
	if err != nil {
		return fmt.Errorf("patch of Service %s/%s: %w", svc.Namespace, svc.Name, err)
	}
	_, err = c.kube.CoreV1().Services(svc.Namespace).Patch(ctx, svc.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	return c.notWritten(err, "patch", "Service", svc.Namespace, svc.Name)
}

// DropBridge deletes our slice once the controller's holds the same address;
// it refuses before. With v1 Endpoints the endpoints controller owns the object
// by now; only our marks are taken off.
func (c *Client) DropBridge(ctx context.Context, rec migration.Record, id ensemble.ID) error {
	s, svc, b, err := c.find(ctx, rec, id)
	if err != nil {
		return err
	}
	if b.selector != render.PodName(rec.Name, s.Ordinal) {
		return &Error{Reason: Precondition, What: fmt.Sprintf("Service %s/%s does not select its pod: the hand-made endpoints are all it has", rec.Namespace, svc.Name)}
	}
	v := b.view()
	if v.BridgeFound && (len(v.Controller) == 0 || !same(v.Bridge, v.Controller)) {
		return &Error{Reason: Precondition, What: fmt.Sprintf("the controller's slice of Service %s/%s holds %v, ours %v: ours must stay",
			rec.Namespace, svc.Name, v.Controller, v.Bridge)}
	}
	if e := b.bridgeEndpoints(); e != nil {
		next := e.DeepCopy()
		delete(next.Labels, render.BridgeLabel)
		next.OwnerReferences = nil
		_, err := c.kube.CoreV1().Endpoints(e.Namespace).Update(ctx, next, metav1.UpdateOptions{FieldManager: FieldManager})
		return c.notWritten(err, "update", "Endpoints", e.Namespace, e.Name)
	}
	slice := b.bridgeSlice()
	if slice == nil {
		return nil
	}
	return c.deleteSlice(ctx, slice.ObjectMeta)
}

// DeleteLeftovers deletes what controllers leave behind when a selector is
// taken away: nobody updates or removes these objects any more, and an address
// in them outlives its pod (kubernetes#118376). Endpoints go first, for the
// mirroring controller would make their slice again. A controller with an old
// Service in its cache may write once more: look again, and call again.
func (c *Client) DeleteLeftovers(ctx context.Context, rec migration.Record, id ensemble.ID) error {
	_, svc, b, err := c.find(ctx, rec, id)
	if err != nil {
		return err
	}
	if b.selector != "" {
		return &Error{Reason: Precondition, What: fmt.Sprintf("Service %s/%s has a selector: what its controllers write is no leftover", rec.Namespace, svc.Name)}
	}
	if e := b.endpoints; e != nil && !b.legacy() {
		err := c.kube.CoreV1().Endpoints(e.Namespace).Delete(ctx, e.Name, exactly(e.ObjectMeta))
		if err != nil && !apierrors.IsNotFound(err) {
			return c.notWritten(err, "delete", "Endpoints", e.Namespace, e.Name)
		}
	}
	for _, slice := range b.slices {
		if b.ours(slice) || !byController(slice) {
			continue
		}
		if err := c.deleteSlice(ctx, slice.ObjectMeta); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) deleteSlice(ctx context.Context, m metav1.ObjectMeta) error {
	err := c.kube.DiscoveryV1().EndpointSlices(m.Namespace).Delete(ctx, m.Name, exactly(m))
	if apierrors.IsNotFound(err) {
		return nil
	}
	return c.notWritten(err, "delete", "EndpointSlice", m.Namespace, m.Name)
}

// exactly deletes that object in the version that was read.
func exactly(m metav1.ObjectMeta) metav1.DeleteOptions {
	return metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &m.UID, ResourceVersion: &m.ResourceVersion}}
}
