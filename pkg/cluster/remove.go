package cluster

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	applyappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// removable reads and deletes objects of one kind.
type removable struct {
	kind   string
	get    func(ctx context.Context, name string) (metav1.Object, error)
	delete func(ctx context.Context, name string, o metav1.DeleteOptions) error
}

func removing[T metav1.Object](kind string, api interface {
	Get(ctx context.Context, name string, o metav1.GetOptions) (T, error)
	Delete(ctx context.Context, name string, o metav1.DeleteOptions) error
}) removable {
	return removable{
		kind: kind,
		get: func(ctx context.Context, name string) (metav1.Object, error) {
			return api.Get(ctx, name, metav1.GetOptions{})
		},
		delete: api.Delete,
	}
}

// ours reads an object; nil where there is none, or it does not carry the ensemble's label.
func (c *Client) ours(ctx context.Context, rec migration.Record, r removable, name string) (metav1.Object, error) {
	o, err := r.get(ctx, name)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, failed(err, "get", r.kind, rec.Namespace, name)
	case o.GetLabels()[render.EnsembleLabel] != rec.Name:
		return nil, nil
	}
	return o, nil
}

// remove deletes an object of ours as it was read a moment ago, with what it owns.
func (c *Client) remove(ctx context.Context, rec migration.Record, r removable, name string) error {
	o, err := c.ours(ctx, rec, r, name)
	if err != nil || o == nil {
		return err
	}
	return c.removeAsRead(ctx, r, o)
}

// removeAsRead fails where the object was changed since it was read.
func (c *Client) removeAsRead(ctx context.Context, r removable, o metav1.Object) error {
	uid, version, background := o.GetUID(), o.GetResourceVersion(), metav1.DeletePropagationBackground
	err := r.delete(ctx, o.GetName(), metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version}, PropagationPolicy: &background,
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return c.notWritten(err, "delete", r.kind, o.GetNamespace(), o.GetName())
}

// sharedObject is one of those that all pods share.
type sharedObject struct {
	removable
	name string
}

// podObjects are those that there may be, in the order in which they go: the gate after what
// could make a pod, and the pods' files last.
func (c *Client) podObjects(ctx context.Context, rec migration.Record) ([]sharedObject, error) {
	maps := removing("ConfigMap", c.kube.CoreV1().ConfigMaps(rec.Namespace))
	out := []sharedObject{
		{removing("PodDisruptionBudget", c.kube.PolicyV1().PodDisruptionBudgets(rec.Namespace)), render.HeadlessName(rec.Name)},
		{removing("Service", c.kube.CoreV1().Services(rec.Namespace)), render.HeadlessName(rec.Name)},
		{maps, render.GateName(rec.Name)},
	}
	names, err := c.confNames(ctx, rec)
	for _, name := range names {
		out = append(out, sharedObject{maps, name})
	}
	return out, err
}

// confNames are the ConfigMaps with the pods' files, also of earlier settings. A Role for one
// ensemble lists none; it knows the recorded one.
func (c *Client) confNames(ctx context.Context, rec migration.Record) ([]string, error) {
	selector := labels.Set{render.EnsembleLabel: rec.Name, render.RoleLabel: render.RoleConf}.String()
	list, err := c.kube.CoreV1().ConfigMaps(rec.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	switch {
	case apierrors.IsForbidden(err) && rec.Pods.Image == "":
		return nil, nil
	case apierrors.IsForbidden(err):
		return []string{render.Conf(rec).Name}, nil
	case err != nil:
		return nil, failed(err, "list", "ConfigMaps", rec.Namespace, rec.Name)
	}
	var out []string
	for _, cm := range list.Items {
		out = append(out, cm.Name)
	}
	return out, nil
}

// Belongings implements engine.Remover.
func (c *Client) Belongings(ctx context.Context, rec migration.Record) (migration.Belongings, error) {
	var b migration.Belongings
	set, err := c.kube.AppsV1().StatefulSets(rec.Namespace).Get(ctx, render.StatefulSetName(rec.Name), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return b, failed(err, "get", "StatefulSet", rec.Namespace, render.StatefulSetName(rec.Name))
	case set.Labels[render.EnsembleLabel] == rec.Name:
		b.Set, b.Replicas = true, 1
		if set.Spec.Replicas != nil {
			b.Replicas = int(*set.Spec.Replicas)
		}
	}
	objects, err := c.podObjects(ctx, rec)
	if err != nil {
		return b, err
	}
	for _, p := range objects {
		o, err := c.ours(ctx, rec, p.removable, p.name)
		if err != nil {
			return b, err
		}
		if o != nil {
			b.Objects = append(b.Objects, p.kind+"/"+p.name)
		}
	}
	for _, s := range rec.Servers {
		v, err := c.claimView(ctx, rec, s)
		if err != nil {
			return b, err
		}
		if v != nil {
			b.Claims = append(b.Claims, *v)
		}
	}
	return b, nil
}

// claimView is nil where a server has no claim of ours.
func (c *Client) claimView(ctx context.Context, rec migration.Record, s migration.ServerRecord) (*migration.ClaimView, error) {
	name := render.ClaimName(rec.Name, s.Ordinal)
	claim, err := c.kube.CoreV1().PersistentVolumeClaims(rec.Namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, failed(err, "get", "PersistentVolumeClaim", rec.Namespace, name)
	case claim.Labels[render.EnsembleLabel] != rec.Name:
		return nil, nil
	}
	v := &migration.ClaimView{ID: s.ID, Name: name, UID: string(claim.UID), Bound: claim.Status.Phase == corev1.ClaimBound, Going: claim.DeletionTimestamp != nil, Volume: claim.Spec.VolumeName}
	want, err := resource.ParseQuantity(rec.Pods.StorageSize)
	if has, told := claim.Status.Capacity[corev1.ResourceStorage]; err == nil && v.Bound && told && has.Cmp(want) < 0 {
		v.Short = fmt.Sprintf("it has %s, and %s is recorded", has.String(), want.String())
	}
	return v, nil
}

// ShrinkSet implements engine.Remover. Pods and files stay as they are.
func (c *Client) ShrinkSet(ctx context.Context, rec migration.Record, replicas int) error {
	sets, name := c.kube.AppsV1().StatefulSets(rec.Namespace), render.StatefulSetName(rec.Name)
	set, err := sets.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return failed(err, "get", "StatefulSet", rec.Namespace, name)
	}
	for _, s := range rec.Servers {
		if s.Replaced != nil && s.Ordinal >= replicas {
			return &Error{Reason: Invalid, What: fmt.Sprintf("StatefulSet %s/%s is not scaled to %d: server %s runs in pod %d", rec.Namespace, name, replicas, s.ID, s.Ordinal)}
		}
	}
	// What else is applied stays as it is: recorded settings that have not proven themselves
	// must not reach pods that serve.
	small, err := applyappsv1.ExtractStatefulSet(set, FieldManager)
	if err != nil {
		return &Error{Reason: Invalid, What: fmt.Sprintf("StatefulSet %s/%s: its managed fields cannot be read: %v", rec.Namespace, name, err)}
	}
	small.WithResourceVersion(set.ResourceVersion).Spec.WithReplicas(int32(replicas))
	_, err = sets.Apply(ctx, small, metav1.ApplyOptions{FieldManager: FieldManager})
	return c.notWritten(err, "apply", "StatefulSet", rec.Namespace, name)
}

// DeleteClaims implements engine.Remover.
func (c *Client) DeleteClaims(ctx context.Context, rec migration.Record, claims []migration.ClaimRef) error {
	api := removing("PersistentVolumeClaim", c.kube.CoreV1().PersistentVolumeClaims(rec.Namespace))
	for _, ref := range claims {
		s, err := server(rec, ref.ID)
		if err != nil {
			return err
		}
		o, err := c.ours(ctx, rec, api, render.ClaimName(rec.Name, s.Ordinal))
		if err != nil {
			return err
		}
		if o == nil || string(o.GetUID()) != ref.UID {
			continue
		}
		if err := c.removeAsRead(ctx, api, o); err != nil {
			return err
		}
	}
	return nil
}

// DeletePodObjects implements engine.Remover.
func (c *Client) DeletePodObjects(ctx context.Context, rec migration.Record) error {
	_, gate, err := c.gate(ctx, rec)
	if err != nil {
		return err
	}
	if len(gate.Released) > 0 {
		return &Error{Reason: Precondition, What: fmt.Sprintf("the gate in ConfigMap %s/%s is open, so the pods' objects stay", rec.Namespace, render.GateName(rec.Name))}
	}
	sets, name := c.kube.AppsV1().StatefulSets(rec.Namespace), render.StatefulSetName(rec.Name)
	set, err := sets.Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return failed(err, "get", "StatefulSet", rec.Namespace, name)
	case set.Labels[render.EnsembleLabel] != rec.Name:
	case set.Spec.Replicas == nil || *set.Spec.Replicas > 0:
		return &Error{Reason: Precondition, What: fmt.Sprintf("StatefulSet %s/%s makes pods again, so it stays", rec.Namespace, name)}
	default:
		if err := c.removeAsRead(ctx, removing("StatefulSet", sets), set); err != nil {
			return err
		}
	}
	objects, err := c.podObjects(ctx, rec)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := c.remove(ctx, rec, o.removable, o.name); err != nil {
			return err
		}
	}
	return nil
}

// DeleteService implements engine.Remover: the Service by its recorded uid and as it is now,
// without a selector; what is behind it goes with it, or right after.
func (c *Client) DeleteService(ctx context.Context, rec migration.Record, id ensemble.ID) error {
	s, err := server(rec, id)
	if err != nil {
		return err
	}
	services := removing("Service", c.kube.CoreV1().Services(rec.Namespace))
	svc, err := c.read.service(ctx, rec, s)
	if err != nil {
		return err
	}
	if svc != nil {
		if svc, err = c.service(ctx, rec, s); err != nil {
			return err
		}
		if len(svc.Spec.Selector) > 0 {
			return &Error{Reason: Precondition, What: fmt.Sprintf("Service %s/%s selects pods, so it stays", rec.Namespace, svc.Name)}
		}
		if err := c.removeAsRead(ctx, services, svc); err != nil {
			return err
		}
	}
	return c.removeBridge(ctx, rec, s)
}

func (c *Client) removeBridge(ctx context.Context, rec migration.Record, s migration.ServerRecord) error {
	b, err := c.behind(ctx, rec, s, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: render.ServiceName(rec.Name, s.ID), Namespace: rec.Namespace}})
	if err != nil {
		return err
	}
	if slice := b.bridgeSlice(); slice != nil && slice.Labels[render.EnsembleLabel] == rec.Name {
		if err := c.removeAsRead(ctx, removing[*discoveryv1.EndpointSlice]("EndpointSlice", c.kube.DiscoveryV1().EndpointSlices(rec.Namespace)), slice); err != nil {
			return err
		}
	}
	if e := b.bridgeEndpoints(); e != nil && e.Labels[render.BridgeLabel] != "" && e.Labels[render.EnsembleLabel] == rec.Name {
		return c.removeAsRead(ctx, removing("Endpoints", c.kube.CoreV1().Endpoints(rec.Namespace)), e)
	}
	return nil
}

// DeleteNotes deletes what is kept beside an ensemble's journal: the host reports, the clients'
// sessions, and our Secrets. Each of those is named by its content, and nobody needs to read it to
// know that it is ours.
func (c *Client) DeleteNotes(ctx context.Context, rec migration.Record) error {
	maps := removing("ConfigMap", c.kube.CoreV1().ConfigMaps(rec.Namespace))
	for _, name := range []string{render.ReportsName(rec.Name), render.ClientsName(rec.Name)} {
		if err := c.remove(ctx, rec, maps, name); err != nil {
			return err
		}
	}
	_, err := c.deletePrivate(ctx, rec)
	return err
}

// deletePrivate deletes the Secrets with the lines of zoo.cfg that nobody may read, and returns
// their names.
func (c *Client) deletePrivate(ctx context.Context, rec migration.Record) (deleted []string, err error) {
	names := []string{rec.Pods.PrivateSecret}
	if rec.PodsBefore != nil {
		names = append(names, rec.PodsBefore.PrivateSecret)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, render.PrivatePrefix(rec.Name)) {
			continue // none, or none of ours
		}
		switch err := c.kube.CoreV1().Secrets(rec.Namespace).Delete(ctx, name, metav1.DeleteOptions{}); {
		case err == nil:
			deleted = append(deleted, "secret/"+name)
		case !apierrors.IsNotFound(err):
			return deleted, c.notWritten(err, "delete", "Secret", rec.Namespace, name)
		}
	}
	return deleted, nil
}
