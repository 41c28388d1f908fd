package cluster

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// FenceAnnotation names the command that last took over what another one had
// left in the middle.
const FenceAnnotation = "zkmigrate.io/taken-over-by"

// Fence makes the writes fail that an earlier command may have left under way
// for a server: it died, but what it had sent is in some buffer or queue and
// arrives when it likes. Each of those that move an address or open the gate
// carries the resourceVersion it rests on, so it is enough that every such
// object becomes another version, which an annotation does; by must be another
// one each time. What is missing is left out: Decide looks at it next.
//
// A write that creates has no version to fail by. Of those only the bridge
// matters, which its pod owns: it goes with the pod.
func (c *Client) Fence(ctx context.Context, rec migration.Record, id ensemble.ID, by string) error {
	s, err := server(rec, id)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{FenceAnnotation: by}}})
	if err != nil {
		return fmt.Errorf("patch of the fence: %w", err)
	}
	service, gate := render.ServiceName(rec.Name, id), render.GateName(rec.Name)
	_, err = c.kube.CoreV1().Services(rec.Namespace).Patch(ctx, service, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	if err != nil && !apierrors.IsNotFound(err) {
		return c.notWritten(err, "patch", "Service", rec.Namespace, service)
	}
	_, err = c.kube.CoreV1().ConfigMaps(rec.Namespace).Patch(ctx, gate, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	if err != nil && !apierrors.IsNotFound(err) {
		return c.notWritten(err, "patch", "ConfigMap", rec.Namespace, gate)
	}
	// The Role has no patch for endpoints. A conflict is a write that came in
	// between; the next one needs a version that we have seen.
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error { return c.fenceEndpoints(ctx, rec, s, by) })
	if err != nil && !apierrors.IsNotFound(err) {
		return c.notWritten(err, "update", "endpoints of Service", rec.Namespace, service)
	}
	return nil
}

// fenceEndpoints writes the annotation on what we made by hand behind the
// server's Service.
func (c *Client) fenceEndpoints(ctx context.Context, rec migration.Record, s migration.ServerRecord, by string) error {
	name := render.ServiceName(rec.Name, s.ID)
	if rec.EndpointsAPI == migration.LegacyEndpoints {
		e, err := c.read.endpoints(ctx, rec, name)
		if err != nil || e == nil {
			return err
		}
		metav1.SetMetaDataAnnotation(&e.ObjectMeta, FenceAnnotation, by)
		_, err = c.kube.CoreV1().Endpoints(rec.Namespace).Update(ctx, e, metav1.UpdateOptions{FieldManager: FieldManager})
		return err
	}
	slices, err := c.read.slices(ctx, rec, name)
	if err != nil {
		return err
	}
	bridge := behind{rec: rec, s: s, slices: slices[name]}.bridgeSlice()
	if bridge == nil {
		return nil
	}
	metav1.SetMetaDataAnnotation(&bridge.ObjectMeta, FenceAnnotation, by)
	_, err = c.kube.DiscoveryV1().EndpointSlices(rec.Namespace).Update(ctx, bridge, metav1.UpdateOptions{FieldManager: FieldManager})
	return err
}
