package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// pod reads the server's pod; that there is none is an error.
func (c *Client) pod(ctx context.Context, rec migration.Record, s migration.ServerRecord) (*corev1.Pod, error) {
	name := render.PodName(rec.Name, s.Ordinal)
	pod, err := c.kube.CoreV1().Pods(rec.Namespace).Get(ctx, name, metav1.GetOptions{})
	return pod, failed(err, "get", "Pod", rec.Namespace, name)
}

// address is the pod's in the IP family of the server's host, which is its Service's; empty
// while it has none. status.podIP is of the cluster's first family, in podIPs are both.
func address(s migration.ServerRecord, pod *corev1.Pod) string {
	host, err := render.HostAddr(s)
	if err != nil {
		return ""
	}
	for _, p := range append([]corev1.PodIP{{IP: pod.Status.PodIP}}, pod.Status.PodIPs...) {
		if a, err := netip.ParseAddr(p.IP); err == nil && a.Unmap().Is4() == host.Is4() {
			return p.IP
		}
	}
	return ""
}

// Kick changes an annotation of the pod: the kubelet then looks at the pod at
// once and refreshes its ConfigMap volumes, which it otherwise does about once
// a minute. The kick may come before the kubelet's own watch has the new
// ConfigMap; repeat it until the gate reports.
func (c *Client) Kick(ctx context.Context, rec migration.Record, id ensemble.ID) error {
	s, err := server(rec, id)
	if err != nil {
		return err
	}
	pod, err := c.pod(ctx, rec, s)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": pod.UID,
		// The resourceVersion is new after every kick, so the value is, too.
		"annotations": map[string]string{render.KickAnnotation: pod.ResourceVersion},
	}})
	if err != nil {
		return fmt.Errorf("patch of Pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	_, err = c.kube.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	return c.notWritten(err, "patch", "Pod", pod.Namespace, pod.Name)
}

// DeletePod deletes exactly that pod, with its grace period: never by force,
// for a pod that was only forgotten goes on running. A pod of another uid, or
// none, means that the pod is gone already.
func (c *Client) DeletePod(ctx context.Context, rec migration.Record, id ensemble.ID, podUID string) error {
	s, err := server(rec, id)
	if err != nil {
		return err
	}
	if podUID == "" {
		return &Error{Reason: Invalid, What: fmt.Sprintf("the pod of server %s is to be deleted, but not which one", id)}
	}
	name, uid := render.PodName(rec.Name, s.Ordinal), types.UID(podUID)
	err = c.kube.CoreV1().Pods(rec.Namespace).Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return c.notWritten(err, "delete", "Pod", rec.Namespace, name)
}
