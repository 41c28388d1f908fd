package journal

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Delete deletes the journal as it was last read, its copy first: whoever finds a copy alone
// puts it back. It fails with StaleError when somebody wrote the journal since.
func (j *Journal) Delete(ctx context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.seen == nil {
		return fmt.Errorf("the journal of ensemble %q must be read before it is deleted", j.name)
	}
	maps := j.kube.CoreV1().ConfigMaps(j.namespace)
	kept, err := maps.Get(ctx, render.JournalCopyName(j.name), metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return fmt.Errorf("cannot read the journal's copy in ConfigMap %s/%s: %w", j.namespace, render.JournalCopyName(j.name), err)
	default:
		if err := j.remove(ctx, kept); err != nil {
			return err
		}
	}
	return j.remove(ctx, j.seen)
}

// remove deletes a ConfigMap as it was read; one that is gone is no error.
func (j *Journal) remove(ctx context.Context, cm *corev1.ConfigMap) error {
	err := j.kube.CoreV1().ConfigMaps(j.namespace).Delete(ctx, cm.Name, metav1.DeleteOptions{Preconditions: asRead(cm)})
	switch {
	case err == nil, apierrors.IsNotFound(err):
		return nil
	case apierrors.IsConflict(err):
		return &StaleError{Namespace: j.namespace, Name: j.name, Err: err}
	}
	return fmt.Errorf("cannot delete ConfigMap %s/%s: %w", j.namespace, cm.Name, err)
}

// asRead has an object deleted only if it is still the one that was read.
func asRead(o metav1.Object) *metav1.Preconditions {
	uid, version := o.GetUID(), o.GetResourceVersion()
	return &metav1.Preconditions{UID: &uid, ResourceVersion: &version}
}

// Remove gives the lock up for good: nobody will need it again. One that was lost is not touched.
func (k *Lock) Remove(ctx context.Context) error {
	k.stop()
	<-k.done
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.reason != nil {
		return k.reason
	}
	err := k.lease.Kube.CoordinationV1().Leases(k.lease.Namespace).Delete(ctx, k.object.Name, metav1.DeleteOptions{Preconditions: asRead(k.object)})
	if err != nil && !apierrors.IsNotFound(err) {
		return k.lease.failed("delete", err)
	}
	return nil
}
