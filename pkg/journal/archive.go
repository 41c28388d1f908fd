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

// Archive keeps the journal's last state as a report, which no command reads, and deletes the
// journal: the ensemble is none of ours from then on. What was archived already is left as it
// is; the journal goes last, so that a command that was killed can be run again.
func (j *Journal) Archive(ctx context.Context) error {
	maps := j.kube.CoreV1().ConfigMaps(j.namespace)
	name := render.JournalName(j.name)
	cm, err := maps.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("cannot read the journal in ConfigMap %s/%s: %w", j.namespace, name, err)
	}
	report := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: render.ReportName(j.name), Namespace: j.namespace, Labels: render.Labels(j.name)},
		Data:       cm.Data,
	}
	if _, err := maps.Create(ctx, report, metav1.CreateOptions{FieldManager: FieldManager}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("cannot write the report in ConfigMap %s/%s: %w", j.namespace, report.Name, err)
	}
	return j.remove(ctx, cm)
}

// Report reads what Archive has kept; it fails with NotFoundError where nothing was archived.
func (j *Journal) Report(ctx context.Context) (migration.Record, error) {
	name := render.ReportName(j.name)
	cm, err := j.kube.CoreV1().ConfigMaps(j.namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return migration.Record{}, &NotFoundError{Namespace: j.namespace, Name: j.name, Via: j.Via}
	}
	if err != nil {
		return migration.Record{}, fmt.Errorf("cannot read the report in ConfigMap %s/%s: %w", j.namespace, name, err)
	}
	return decode(cm, render.ReportName, j.Via)
}
