package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Room looks at everything that decides whether the pods of a record that are
// not there yet can be created, and start. Nothing is written. Whatever the user
// is not allowed to list is reported as unknown, not as an error.
func (c *Client) Room(ctx context.Context, rec migration.Record) (*preflight.Room, error) {
	objects, err := render.Pods(rec)
	if err != nil {
		return nil, &Error{Reason: Invalid, What: err.Error()}
	}
	r := &preflight.Room{Unknown: map[preflight.Look]string{}}
	for _, o := range objects {
		if set, ok := o.(*appsv1.StatefulSet); ok {
			r.Set = set
		}
	}
	pods, err := c.kube.CoreV1().Pods(rec.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, failed(err, "list", "Pods", rec.Namespace, rec.Name)
	}
	r.Pods = pods.Items
	mark := r.Set.Spec.Template.Annotations[render.TemplateAnnotation]
	for _, s := range rec.Servers {
		if s.Replaced != nil || rec.Flight != nil && rec.Flight.ID == s.ID {
			continue
		}
		name := render.PodName(rec.Name, s.Ordinal)
		i := slices.IndexFunc(r.Pods, func(p corev1.Pod) bool { return p.Name == name })
		switch {
		case i < 0:
			r.Missing = append(r.Missing, name)
		case r.Pods[i].Spec.NodeName == "" || r.Pods[i].Annotations[render.TemplateAnnotation] != mark:
			r.Leaving = append(r.Leaving, r.Pods[i])
		default:
			continue
		}
		claim, err := c.kube.CoreV1().PersistentVolumeClaims(rec.Namespace).Get(ctx, render.ClaimName(rec.Name, s.Ordinal), metav1.GetOptions{})
		switch {
		case err == nil:
			r.Claims = append(r.Claims, *claim)
		case !apierrors.IsNotFound(err):
			return nil, failed(err, "get", "PersistentVolumeClaim", rec.Namespace, render.ClaimName(rec.Name, s.Ordinal))
		}
	}
	if len(r.Missing)+len(r.Leaving) > 0 {
		c.lookAround(ctx, rec.Namespace, r)
	}
	return r, ctx.Err()
}

// lookAround makes the looks that not everybody may make, side by side.
func (c *Client) lookAround(ctx context.Context, namespace string, r *preflight.Room) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	look := func(what preflight.Look, f func() error) {
		wg.Go(func() {
			err := f()
			mu.Lock()
			defer mu.Unlock()
			switch {
			case apierrors.IsForbidden(err):
				r.Unknown[what] = "you may not list them"
			case err != nil:
				r.Unknown[what] = "the API server did not tell"
			}
		})
	}
	look(preflight.LookClasses, into(ctx, &r.Classes, c.kube.StorageV1().StorageClasses(), func(l *storagev1.StorageClassList) []storagev1.StorageClass { return l.Items }))
	look(preflight.LookVolumes, into(ctx, &r.Volumes, c.kube.CoreV1().PersistentVolumes(), func(l *corev1.PersistentVolumeList) []corev1.PersistentVolume { return l.Items }))
	look(preflight.LookQuotas, into(ctx, &r.Quotas, c.kube.CoreV1().ResourceQuotas(namespace), func(l *corev1.ResourceQuotaList) []corev1.ResourceQuota { return l.Items }))
	look(preflight.LookLimits, into(ctx, &r.Limits, c.kube.CoreV1().LimitRanges(namespace), func(l *corev1.LimitRangeList) []corev1.LimitRange { return l.Items }))
	look(preflight.LookNodes, into(ctx, &r.Nodes, c.kube.CoreV1().Nodes(), func(l *corev1.NodeList) []corev1.Node { return l.Items }))
	look(preflight.LookNodePods, into(ctx, &r.NodePods, c.kube.CoreV1().Pods(""), func(l *corev1.PodList) []corev1.Pod { return l.Items }))
	wg.Wait()
	c.dryRun(ctx, namespace, r)
}

// lister is what client-go's typed clients have in common.
type lister[L any] interface {
	List(ctx context.Context, o metav1.ListOptions) (L, error)
}

// into lists everything of a kind.
func into[L, T any](ctx context.Context, to *[]T, client lister[L], items func(L) []T) func() error {
	return func() error {
		list, err := client.List(ctx, metav1.ListOptions{})
		if err == nil {
			*to = items(list)
		}
		return err
	}
}

// dryRun has the API server admit one of the pods without creating it: pod
// security, limits, quota, webhooks and policies all have their say, as they
// will when the StatefulSet's controller creates it. A webhook that knows no dry
// run makes it fail otherwise, which says nothing.
func (c *Client) dryRun(ctx context.Context, namespace string, r *preflight.Room) {
	asking, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	if allowed, _ := c.allowed(asking, namespace, access.Need{Verb: "create", Resource: "pods"}, "", &lastReason{}); !allowed {
		r.Unknown[preflight.LookDryRun] = "you may not create pods, and parking them tells"
		return
	}
	// Its name is free: the controller's names are another matter.
	pod := &corev1.Pod{ObjectMeta: *r.Set.Spec.Template.ObjectMeta.DeepCopy(), Spec: *r.Set.Spec.Template.Spec.DeepCopy()}
	pod.Name, pod.Namespace = r.Set.Name+"-dry-run", namespace
	claim := r.Set.Spec.VolumeClaimTemplates[0].Name
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: claim, VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim + "-" + pod.Name},
	}})
	_, err := c.kube.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: FieldManager})
	switch {
	case err == nil || apierrors.IsAlreadyExists(err):
	case apierrors.IsForbidden(err) && strings.Contains(message(err), "exceeded quota") && len(r.Leaving) > 0:
		// The pods that are to be recreated still count.
		r.Unknown[preflight.LookDryRun] = "the pods that go are still in the quota"
	case apierrors.IsForbidden(err) || apierrors.IsInvalid(err):
		r.Refused = fmt.Sprintf("a pod made as a dry run is refused: %s", message(err))
	default:
		r.Unknown[preflight.LookDryRun] = "the API server did not tell: " + message(err)
	}
}

// message is the API server's own text.
func message(err error) string {
	if status, ok := err.(apierrors.APIStatus); ok && status.Status().Message != "" {
		return status.Status().Message
	}
	return "no answer"
}
