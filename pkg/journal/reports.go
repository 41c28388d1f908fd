package journal

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

const (
	// reportsKey holds the host reports: lines of JSON, compressed.
	reportsKey = "reports.jsonl.gz"
	// maxReports bounds them in bytes as they are written, maxReportLines once they are read.
	maxReports     = 900 << 10
	maxReportLines = 8 << 20
)

// ErrTooLarge: the reports do not fit into a ConfigMap.
var ErrTooLarge = errors.New("the host reports do not fit into a ConfigMap")

// Reports reads the host reports that are kept beside the journal, one per line; nothing where
// none are. Whoever may write ConfigMaps can have written them: the caller parses them strictly.
func (j *Journal) Reports(ctx context.Context) ([]byte, error) {
	cm, err := j.kube.CoreV1().ConfigMaps(j.namespace).Get(ctx, render.ReportsName(j.name), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the host reports in ConfigMap %s/%s: %w", j.namespace, render.ReportsName(j.name), err)
	}
	return linesOf(cm)
}

// KeepReports replaces the reports by what merge makes of those that are there. Somebody who
// writes at the same time loses nothing.
func (j *Journal) KeepReports(ctx context.Context, merge func(old []byte) ([]byte, error)) error {
	maps, name := j.kube.CoreV1().ConfigMaps(j.namespace), render.ReportsName(j.name)
	var err error
	for range copyTries {
		cm, getErr := maps.Get(ctx, name, metav1.GetOptions{})
		found := getErr == nil
		switch {
		case apierrors.IsNotFound(getErr):
			cm = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: j.namespace, Labels: render.Labels(j.name)}}
			cm.Labels[render.RoleLabel] = render.RoleReports
		case !found:
			return fmt.Errorf("cannot read the host reports in ConfigMap %s/%s: %w", j.namespace, name, getErr)
		}
		old, oldErr := linesOf(cm)
		if oldErr != nil {
			old = nil // nobody can read it: it is written over
		}
		data, mergeErr := merge(old)
		if mergeErr != nil {
			return mergeErr
		}
		packed, packErr := pack(data)
		if packErr != nil {
			return packErr
		}
		cm.Data, cm.BinaryData = nil, map[string][]byte{reportsKey: packed}
		if found {
			_, err = maps.Update(ctx, cm, metav1.UpdateOptions{FieldManager: FieldManager})
		} else {
			_, err = maps.Create(ctx, cm, metav1.CreateOptions{FieldManager: FieldManager})
		}
		if err == nil || !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("cannot keep the host reports in ConfigMap %s/%s: %w", j.namespace, name, err)
	}
	return nil
}

func pack(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	if out.Len() > maxReports {
		return nil, ErrTooLarge
	}
	return out.Bytes(), nil
}

// linesOf reads what pack has written, and no more than it may have written.
func linesOf(cm *corev1.ConfigMap) ([]byte, error) {
	packed := cm.BinaryData[reportsKey]
	if len(packed) == 0 {
		return nil, nil
	}
	bad := func(err error) error {
		return fmt.Errorf("the host reports in ConfigMap %s/%s cannot be read: %w", cm.Namespace, cm.Name, err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, bad(err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxReportLines+1))
	switch {
	case err != nil:
		return nil, bad(err)
	case len(data) > maxReportLines:
		return nil, bad(fmt.Errorf("more than %d bytes", maxReportLines))
	}
	return data, nil
}
