package journal

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// brokenKey keeps what Restore wrote over.
const brokenKey = Key + ".broken"

// keep writes the copy that Restore reads: the last record without an operation
// under way, in a ConfigMap of its own. Somebody who deletes or garbles the
// journal by hand has that to go on with; what it does not know can be seen in
// the cluster, and Decide stops where the two disagree. written is the journal's
// version that it is a copy of.
func (j *Journal) keep(ctx context.Context, rec migration.Record, data, written string) error {
	if rec.Flight != nil {
		return nil
	}
	for range copyTries {
		err := j.writeCopy(ctx, data)
		switch {
		case err == nil:
			return nil
		case !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err):
			return fmt.Errorf("cannot write the journal's copy in ConfigMap %s/%s: %w", j.namespace, render.JournalCopyName(j.name), err)
		}
		// Somebody else has just written it. Where that is a command that has
		// written the journal since, its copy is the newer one.
		live, err := j.kube.CoreV1().ConfigMaps(j.namespace).Get(ctx, render.JournalName(j.name), metav1.GetOptions{})
		if err == nil && live.ResourceVersion != written {
			return nil
		}
	}
	// The journal itself is saved, and the next settled one brings a copy again.
	return nil
}

// copyTries is how often a copy is written that somebody else writes, too.
const copyTries = 5

func (j *Journal) writeCopy(ctx context.Context, data string) error {
	name := render.JournalCopyName(j.name)
	maps := j.kube.CoreV1().ConfigMaps(j.namespace)
	cm, err := maps.Get(ctx, name, metav1.GetOptions{})
	switch {
	case err == nil:
		cm.Data = map[string]string{Key: data}
		_, err = maps.Update(ctx, cm, metav1.UpdateOptions{FieldManager: FieldManager})
	case apierrors.IsNotFound(err):
		cm = &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: j.namespace, Labels: render.Labels(j.name)},
			Data:       map[string]string{Key: data},
		}
		cm.Labels[render.RoleLabel] = render.RoleJournalCopy
		_, err = maps.Create(ctx, cm, metav1.CreateOptions{FieldManager: FieldManager})
	}
	return err
}

// Copy reads the copy; it fails with NotFoundError when there is none.
func (j *Journal) Copy(ctx context.Context) (migration.Record, error) {
	name := render.JournalCopyName(j.name)
	cm, err := j.kube.CoreV1().ConfigMaps(j.namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return migration.Record{}, &NotFoundError{Namespace: j.namespace, Name: j.name, Via: j.Via}
	}
	if err != nil {
		return migration.Record{}, fmt.Errorf("cannot read the journal's copy in ConfigMap %s/%s: %w", j.namespace, name, err)
	}
	return decode(cm, render.JournalCopyName, j.Via)
}

// Restore puts the copy in the place of a journal that is gone or cannot be
// read; what stood there stays under another key. A journal that can be read is
// not touched.
func (j *Journal) Restore(ctx context.Context) (migration.Record, error) {
	rec, err := j.Copy(ctx)
	if err != nil {
		return rec, err
	}
	there, err := j.Load(ctx)
	if err == nil {
		return there, nil
	}
	if IsNotFound(err) {
		return rec, j.Create(ctx, rec)
	}
	if !IsBroken(err) {
		return rec, err
	}
	name := render.JournalName(j.name)
	cm, err := j.kube.CoreV1().ConfigMaps(j.namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return rec, fmt.Errorf("cannot read the journal in ConfigMap %s/%s: %w", j.namespace, name, err)
	}
	data, err := j.encode(rec)
	if err != nil {
		return rec, err
	}
	next := cm.DeepCopy()
	next.Data = map[string]string{Key: data, brokenKey: cm.Data[Key]}
	if _, err := j.kube.CoreV1().ConfigMaps(j.namespace).Update(ctx, next, metav1.UpdateOptions{FieldManager: FieldManager}); err != nil {
		return rec, fmt.Errorf("cannot write the journal in ConfigMap %s/%s: %w", j.namespace, name, err)
	}
	return j.Load(ctx)
}
