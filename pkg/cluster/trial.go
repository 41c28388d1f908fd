package cluster

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TrialPatience bounds how long a controller may take to follow a trial object: some
// milliseconds are usual.
const TrialPatience = 30 * time.Second

// TryEndpoints names the controller of kube-controller-manager that v1 Endpoints need and
// that does not follow them in this cluster; it is empty where both do. A cluster may run
// without either (KEP-4974), and tells nobody. It is tried on a Service that nobody uses:
// the mirroring controller must make a slice of its hand-made Endpoints, and the endpoints
// controller must take these over once the Service has a selector. Both objects are gone
// afterwards.
func (c *Client) TryEndpoints(ctx context.Context, rec migration.Record) (missing string, err error) {
	name := render.TrialName(rec.Name)
	endpoints := c.kube.CoreV1().Endpoints(rec.Namespace)
	if err := c.clearTrial(ctx, rec); err != nil {
		return "", err
	}
	made, err := endpoints.Create(ctx, render.TrialEndpoints(rec), metav1.CreateOptions{FieldManager: FieldManager})
	if err != nil {
		return "", c.notWritten(err, "create", "Endpoints", rec.Namespace, name)
	}
	defer func() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropWait)
		defer cancel()
		if dropped := c.dropTrial(after, rec); err == nil {
			err = dropped
		}
	}()
	_, after, err := c.apply(ctx, rec, render.TrialService(rec, made.UID), false)
	if err != nil {
		return "", err
	}
	mirrored, err := soon(ctx, func() (bool, error) {
		list, err := c.kube.DiscoveryV1().EndpointSlices(rec.Namespace).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + name})
		return err == nil && len(list.Items) > 0, failed(err, "list", "EndpointSlices", rec.Namespace, name)
	})
	if err != nil || !mirrored {
		return "endpointslice-mirroring-controller", err
	}
	svc, ok := after.(*corev1.Service)
	if !ok {
		return "", &Error{Reason: Invalid, What: fmt.Sprintf("Service %s: the API server answered with a %T", name, after)}
	}
	if err := c.patchSelector(ctx, svc, render.TrialSelector(rec.Name)); err != nil {
		return "", err
	}
	taken, err := soon(ctx, func() (bool, error) {
		e, err := endpoints.Get(ctx, name, metav1.GetOptions{})
		return err == nil && len(e.Subsets) == 0, failed(err, "get", "Endpoints", rec.Namespace, name)
	})
	if err != nil || !taken {
		return "endpoints-controller", err
	}
	return "", nil
}

// clearTrial removes what a trial that was killed has left behind.
func (c *Client) clearTrial(ctx context.Context, rec migration.Record) error {
	name := render.TrialName(rec.Name)
	var here *corev1.Service
	gone, err := soon(ctx, func() (_ bool, err error) {
		if err := c.dropTrial(ctx, rec); err != nil {
			return false, err
		}
		here, err = c.kube.CoreV1().Services(rec.Namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, failed(err, "get", "Service", rec.Namespace, name)
	})
	if err != nil || gone {
		return err
	}
	return &Error{Reason: Conflict, What: fmt.Sprintf("Service %s/%s is in the way of a trial", here.Namespace, here.Name),
		Next: "it leads nowhere: " + c.at(here.Namespace).Kubectl("delete service %s", here.Name) + ", then run the command again"}
}

func (c *Client) dropTrial(ctx context.Context, rec migration.Record) error {
	name := render.TrialName(rec.Name)
	err := c.kube.CoreV1().Endpoints(rec.Namespace).Delete(ctx, name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return failed(err, "delete", "Endpoints", rec.Namespace, name)
}

// soon asks until it is so, or TrialPatience is over. A question that has begun is not cut
// short by that: its error would be taken for an answer.
func soon(ctx context.Context, ask func() (bool, error)) (bool, error) {
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, TrialPatience, true, func(context.Context) (bool, error) { return ask() })
	if ctx.Err() == nil && wait.Interrupted(err) {
		return false, nil
	}
	return err == nil, err
}
