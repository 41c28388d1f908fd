package cluster

import (
	"context"
	"fmt"
	"slices"
	"sort"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// What the controllers write into endpointslice.kubernetes.io/managed-by
// (endpointslice_controller.go, endpointslicemirroring_controller.go).
const (
	sliceController  = "endpointslice-controller.k8s.io"
	mirrorController = "endpointslicemirroring-controller.k8s.io"
)

// behind is everything that stands behind one Service.
type behind struct {
	rec      migration.Record
	s        migration.ServerRecord
	selector string
	slices   []discoveryv1.EndpointSlice
	// endpoints is the v1 object, nil when there is none.
	endpoints *corev1.Endpoints //nolint:staticcheck // read to find leftovers
}

// behind reads what stands behind the server's Service.
func (c *Client) behind(ctx context.Context, rec migration.Record, s migration.ServerRecord, svc *corev1.Service) (behind, error) {
	b := behind{rec: rec, s: s, selector: render.SelectedPod(rec, s, svc)}
	slices, err := c.read.slices(ctx, rec, svc.Name)
	if err != nil {
		return b, err
	}
	b.slices = slices[svc.Name]
	b.endpoints, err = c.read.endpoints(ctx, rec, svc.Name)
	return b, err
}

// legacy reports whether v1 Endpoints are what we write.
func (b behind) legacy() bool { return b.rec.EndpointsAPI == migration.LegacyEndpoints }

// bridgeSlice is our slice, nil when there is none.
func (b behind) bridgeSlice() *discoveryv1.EndpointSlice {
	name := render.BridgeName(b.rec.Name, b.s.ID)
	for i := range b.slices {
		if b.slices[i].Name == name && b.slices[i].Labels[discoveryv1.LabelManagedBy] == render.Manager {
			return &b.slices[i]
		}
	}
	return nil
}

// bridgeEndpoints is the Endpoints object while it is ours to write: without a
// selector it always is, for no controller touches it then; with one, it is
// until the endpoints controller takes it over and our mark with it.
func (b behind) bridgeEndpoints() *corev1.Endpoints { //nolint:staticcheck // see behind
	if !b.legacy() || b.endpoints == nil {
		return nil
	}
	if b.selector == "" || b.endpoints.Labels[render.BridgeLabel] != "" {
		return b.endpoints
	}
	return nil
}

// ours reports whether a slice is the bridge, or the mirrored image of it.
func (b behind) ours(slice discoveryv1.EndpointSlice) bool {
	if b.legacy() {
		return b.selector == "" && b.endpoints != nil && slice.Labels[discoveryv1.LabelManagedBy] == mirrorController
	}
	bridge := b.bridgeSlice()
	return bridge != nil && bridge.UID == slice.UID && bridge.Name == slice.Name
}

// view is what the rules look at.
func (b behind) view() migration.EndpointsView {
	var v migration.EndpointsView
	if slice := b.bridgeSlice(); slice != nil && !b.legacy() {
		v.BridgeFound, v.Bridge, v.BridgePodUID = true, b.serves(*slice), podOwner(slice.OwnerReferences)
	}
	if e := b.bridgeEndpoints(); e != nil {
		v.BridgeFound, v.Bridge, v.BridgePodUID = true, endpointAddresses(e), podOwner(e.OwnerReferences)
	}
	var union, controller []string
	for _, slice := range b.slices {
		addresses := b.serves(slice)
		union = append(union, addresses...)
		if slice.Labels[discoveryv1.LabelManagedBy] == sliceController {
			controller = append(controller, addresses...)
		}
		switch {
		case b.ours(slice):
		case byController(slice):
			v.Leftovers = append(v.Leftovers, "EndpointSlice/"+slice.Name)
		default:
			v.Foreign = append(v.Foreign, "EndpointSlice/"+slice.Name)
		}
	}
	if b.endpoints != nil && b.bridgeEndpoints() == nil {
		v.Leftovers = append(v.Leftovers, "Endpoints/"+b.endpoints.Name)
	}
	v.Union, v.Controller = distinct(union), distinct(controller)
	sort.Strings(v.Leftovers)
	sort.Strings(v.Foreign)
	return v
}

// byController reports whether one of the two controllers made the slice.
func byController(slice discoveryv1.EndpointSlice) bool {
	by := slice.Labels[discoveryv1.LabelManagedBy]
	return by == sliceController || by == mirrorController
}

// only refuses when something but our own endpoints contributes another
// address: the write at hand would then leave the Service with two (I2).
func (b behind) only(address string) error {
	for _, slice := range b.slices {
		if b.ours(slice) {
			continue
		}
		for _, a := range ready(slice) {
			if a != address {
				return &Error{Reason: Precondition,
					What: fmt.Sprintf("EndpointSlice %s/%s adds address %s to Service %s, which may have %s only",
						b.rec.Namespace, slice.Name, a, render.ServiceName(b.rec.Name, b.s.ID), address),
					Next: "if no controller removes it within some seconds, find out who made it and delete it"}
			}
		}
	}
	return nil
}

// serves is ready, but for our own slice with ports that somebody changed: it
// leads nowhere, and is to be written anew.
func (b behind) serves(slice discoveryv1.EndpointSlice) []string {
	if !b.legacy() && b.ours(slice) && !b.hasPorts(slice) {
		return nil
	}
	return ready(slice)
}

// hasPorts reports whether a slice has all ports that are recorded; more do no harm.
func (b behind) hasPorts(slice discoveryv1.EndpointSlice) bool {
	return lacksNone(slice.Ports, render.SlicePorts(b.s))
}

// lacksNone reports whether all ports that are wanted are there.
func lacksNone[P any](have, want []P) bool {
	for _, w := range want {
		if !slices.ContainsFunc(have, func(p P) bool { return apiequality.Semantic.DeepEqual(p, w) }) {
			return false
		}
	}
	return true
}

// ready lists the addresses of a slice that kube-proxy uses: an endpoint
// without the condition counts as ready (discovery/v1, EndpointConditions).
func ready(slice discoveryv1.EndpointSlice) []string {
	var out []string
	if slice.AddressType == discoveryv1.AddressTypeFQDN {
		return nil
	}
	for _, e := range slice.Endpoints {
		if e.Conditions.Ready == nil || *e.Conditions.Ready {
			out = append(out, e.Addresses...)
		}
	}
	return distinct(out)
}

func endpointAddresses(e *corev1.Endpoints) []string { //nolint:staticcheck // see behind
	var out []string
	for _, subset := range e.Subsets {
		for _, a := range subset.Addresses {
			out = append(out, a.IP)
		}
	}
	return distinct(out)
}

func podOwner(owners []metav1.OwnerReference) string {
	for _, o := range owners {
		if o.Kind == "Pod" {
			return string(o.UID)
		}
	}
	return ""
}

// distinct sorts and drops what stands twice.
func distinct(in []string) []string {
	sort.Strings(in)
	var out []string
	for i, s := range in {
		if i == 0 || s != in[i-1] {
			out = append(out, s)
		}
	}
	return out
}
