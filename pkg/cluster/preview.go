package cluster

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Preview is one object as it is and as it would be.
type Preview struct {
	// Before is nil where there is none, After what the API server or, for hand-made
	// endpoints and the gate, this client would make of it. Both have no kind of their own:
	// Want has.
	Before, After render.Object
	// Want is the object as it is rendered.
	Want render.Object
	// Result is what writing it would do.
	Result Result
}

// PreviewWrap is what Wrap would write, without writing it.
func (c *Client) PreviewWrap(ctx context.Context, rec migration.Record) ([]Preview, error) {
	rendered := render.Wrap
	if rec.Finalized != nil {
		rendered = render.Final // finalize has written the Services last
	}
	objects, err := rendered(rec)
	if err != nil {
		return nil, &Error{Reason: Invalid, What: err.Error()}
	}
	objects = slices.DeleteFunc(objects, func(o render.Object) bool { return o.GetName() == render.HeadlessName(rec.Name) })
	var out []Preview
	services := map[string]*corev1.Service{}
	for _, o := range objects {
		if _, ok := o.(*corev1.Service); !ok {
			continue
		}
		p, err := c.preview(ctx, rec, o)
		if err != nil {
			return nil, err
		}
		if svc, ok := p.Before.(*corev1.Service); ok {
			services[o.GetName()] = svc
		}
		out = append(out, p)
	}
	for _, s := range sorted(rec) {
		svc := services[render.ServiceName(rec.Name, s.ID)]
		p, err := c.previewBridge(ctx, rec, s, svc)
		if err != nil {
			return nil, err
		}
		if p.Want != nil {
			out = append(out, p)
		}
	}
	return out, nil
}

// previewBridge says what wrapBridge would do; svc is nil where there is none yet.
func (c *Client) previewBridge(ctx context.Context, rec migration.Record, s migration.ServerRecord, svc *corev1.Service) (Preview, error) {
	target, err := render.ToHost(s)
	if err != nil {
		return Preview{}, &Error{Reason: Invalid, What: err.Error()}
	}
	want, err := render.Bridge(rec, s, target)
	if err != nil {
		return Preview{}, &Error{Reason: Invalid, What: err.Error()}
	}
	if svc == nil {
		return Preview{After: want, Want: want, Result: Created}, nil
	}
	b, err := c.behind(ctx, rec, s, svc)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Want: want}
	if slice := b.bridgeSlice(); slice != nil && !b.legacy() {
		p.Before = slice
		after := slice.DeepCopy()
		if !b.hasPorts(*slice) {
			after.Ports = render.SlicePorts(s)
		}
		p.After = after
	}
	if e := b.bridgeEndpoints(); e != nil {
		p.Before = e
		after := e.DeepCopy()
		for i := range after.Subsets {
			if want := render.EndpointsPorts(s); !lacksNone(after.Subsets[i].Ports, want) {
				after.Subsets[i].Ports = want
			}
		}
		p.After = after
	}
	switch {
	case p.Before == nil && (b.selector != "" || s.Replaced != nil || rec.Flight != nil && rec.Flight.ID == s.ID):
		// None is made: the Service selects its pod, or the server is on its way.
		return Preview{}, nil
	case p.Before == nil:
		p.After, p.Result = want, Created
	case sameContent(p.Before, p.After):
		p.Result = Unchanged
	default:
		p.Result = Configured
	}
	return p, nil
}

// PreviewPods is what Park would write, without writing it. The API server is asked
// what it would make of each object.
func (c *Client) PreviewPods(ctx context.Context, rec migration.Record) ([]Preview, error) {
	objects, err := render.Pods(rec)
	if err != nil {
		return nil, &Error{Reason: Invalid, What: err.Error()}
	}
	gate, err := c.previewGate(ctx, rec)
	if err != nil {
		return nil, err
	}
	out := []Preview{gate}
	for _, o := range objects {
		p, err := c.preview(ctx, rec, o)
		if err != nil {
			return nil, c.wayOut(err, o)
		}
		out = append(out, p)
	}
	return out, nil
}

// previewGate is what parkGate would do.
func (c *Client) previewGate(ctx context.Context, rec migration.Record) (Preview, error) {
	cm, have, err := c.gate(ctx, rec)
	if err != nil {
		return Preview{}, err
	}
	fresh := render.Gate(rec, render.GateData{Generation: int(c.now().Unix())})
	if cm == nil {
		return Preview{After: fresh, Want: fresh, Result: Created}, nil
	}
	next, changes, err := parkedGate(rec, have)
	if err != nil {
		return Preview{}, err
	}
	if !changes {
		return Preview{Before: cm, After: cm, Want: fresh, Result: Unchanged}, nil
	}
	after := cm.DeepCopy()
	after.Data = next.Data()
	return Preview{Before: cm, After: after, Want: fresh, Result: Configured}, nil
}

// preview asks the API server, which keeps nothing.
func (c *Client) preview(ctx context.Context, rec migration.Record, o render.Object) (Preview, error) {
	before, after, err := c.write(ctx, rec, o, true)
	p := Preview{Before: before, After: after, Want: o, Result: Configured}
	switch {
	case err != nil:
		return p, err
	case before == nil:
		p.Result = Created
	case sameContent(before, after):
		p.Result = Unchanged
	}
	return p, nil
}
