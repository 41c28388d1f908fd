package migration

import "fmt"

// pointToPod has the Service's one address be the pod's, through its selector.
func (c *context) pointToPod(why string) Decision {
	pod, ep := c.pod, c.endpoints
	switch {
	case !c.selected && len(ep.Controller) > 0 && !same(ep.Controller, pod.IP):
		return do(StepDeleteLeftovers, nil, "left behind, with the address of an earlier pod: %s", orNone(ep.Leftovers))
	case !c.selected && (!same(ep.Bridge, pod.IP) || c.slices() && ep.BridgePodUID != pod.UID):
		return do(StepFlip, nil, "%s", why)
	case !c.selected:
		return do(StepAdopt, nil, "the endpoints hold the pod's address %s", pod.IP)
	case !same(ep.Controller, pod.IP):
		return wait(CodeAdoptPending, PhaseFlip, "the endpointslice controller shows %s, the pod has %s", orNone(ep.Controller), pod.IP).then(c.controllersHelp())
	case c.slices() && ep.BridgeFound:
		return do(StepDropBridge, nil, "the controller's slice holds %s", pod.IP)
	case !same(ep.Union, pod.IP):
		return wait(CodeAdoptPending, PhaseFlip, "the Service points to %s, the pod has %s", orNone(ep.Union), pod.IP).then(c.controllersHelp())
	}
	return Decision{}
}

// slices: the hand-made endpoints are slices, beside those of the controllers.
func (c *context) slices() bool { return c.rec.EndpointsAPI != LegacyEndpoints }

// controllersHelp says what to do when Kubernetes' controllers lag behind.
// Their informers come back after at most a minute. A slice that was made and
// deleted while they were away is waited for until they are started again
// (k8s.io/endpointslice EndpointSliceTracker.StaleSlices).
func (c *context) controllersHelp() string {
	help := fmt.Sprintf("kube-controller-manager does this, up to a minute after an outage of the API server; if it lasts, an administrator restarts it (its log then has %q: \"informer cache is out of date\")", c.rec.Namespace+"/"+c.Service)
	if f := c.flight; f != nil && f.Kind == Replace {
		help += "; or go back: " + c.cmd("revert --id=%d", f.ID)
	}
	return help
}
