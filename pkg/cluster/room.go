package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	all := metav1.ListOptions{}
	look(preflight.LookClasses, func() error {
		list, err := c.kube.StorageV1().StorageClasses().List(ctx, all)
		if err == nil {
			r.Classes = list.Items
		}
		return err
	})
	look(preflight.LookVolumes, func() error {
		list, err := c.kube.CoreV1().PersistentVolumes().List(ctx, all)
		if err == nil {
			r.Volumes = list.Items
		}
		return err
	})
	look(preflight.LookQuotas, func() error {
		list, err := c.kube.CoreV1().ResourceQuotas(namespace).List(ctx, all)
		if err == nil {
			r.Quotas = list.Items
		}
		return err
	})
	look(preflight.LookLimits, func() error {
		list, err := c.kube.CoreV1().LimitRanges(namespace).List(ctx, all)
		if err == nil {
			r.Limits = list.Items
		}
		return err
	})
	look(preflight.LookNodes, func() error {
		list, err := c.kube.CoreV1().Nodes().List(ctx, all)
		if err == nil {
			r.Nodes = list.Items
		}
		return err
	})
	look(preflight.LookNodePods, func() error {
		list, err := c.kube.CoreV1().Pods("").List(ctx, all)
		if err == nil {
			r.NodePods = list.Items
		}
		return err
	})
	wg.Wait()
	c.dryRun(ctx, namespace, r)
}

// dryRun has the API server admit one of the pods without creating it: pod
// security, limits, quota, webhooks and policies all have their say, as they
// will when the StatefulSet's controller creates it. A webhook that knows no dry
// run makes it fail otherwise, which says nothing.
func (c *Client) dryRun(ctx context.Context, namespace string, r *preflight.Room) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "create", Resource: "pods"},
	}}
	answer, err := c.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil || !answer.Status.Allowed {
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
	_, err = c.kube.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: FieldManager})
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
