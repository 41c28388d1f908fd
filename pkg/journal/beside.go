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
	// maxBeside bounds in bytes what is kept beside the journal, as it is written;
	// maxBesideRead once it is read.
	maxBeside     = 900 << 10
	maxBesideRead = 8 << 20
)

// ErrTooLarge: what is to be kept does not fit into a ConfigMap.
var ErrTooLarge = errors.New("they do not fit into a ConfigMap")

// beside is a ConfigMap beside the journal that holds one compressed text. Whoever may write
// ConfigMaps can have written it: who reads it parses it strictly.
type beside struct {
	name, role, key string
	// what it holds, in words.
	what string
}

// reports are lines of JSON, clients what is remembered of sessions.
func (j *Journal) reports() beside {
	return beside{render.ReportsName(j.name), render.RoleReports, "reports.jsonl.gz", "the host reports"}
}

func (j *Journal) clients() beside {
	return beside{render.ClientsName(j.name), render.RoleClients, "sessions.json.gz", "the clients' sessions"}
}

// Reports reads the host reports that are kept beside the journal, one per line; nothing where
// none are.
func (j *Journal) Reports(ctx context.Context) ([]byte, error) { return j.read(ctx, j.reports()) }

// KeepReports replaces the reports by what merge makes of those that are there. Somebody who
// writes at the same time loses nothing.
func (j *Journal) KeepReports(ctx context.Context, merge func(old []byte) ([]byte, error)) error {
	return j.replace(ctx, j.reports(), merge)
}

// Clients reads what is remembered of clients' sessions; nothing where nothing is.
func (j *Journal) Clients(ctx context.Context) ([]byte, error) { return j.read(ctx, j.clients()) }

// ClientsIn is Clients of an object that was read before.
func ClientsIn(cm *corev1.ConfigMap) ([]byte, error) { return (&Journal{}).clients().unpack(cm) }

// KeepClients replaces it as KeepReports does.
func (j *Journal) KeepClients(ctx context.Context, merge func(old []byte) ([]byte, error)) error {
	return j.replace(ctx, j.clients(), merge)
}

func (j *Journal) read(ctx context.Context, b beside) ([]byte, error) {
	cm, err := j.kube.CoreV1().ConfigMaps(j.namespace).Get(ctx, b.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s in ConfigMap %s/%s: %w", b.what, j.namespace, b.name, err)
	}
	return b.unpack(cm)
}

func (j *Journal) replace(ctx context.Context, b beside, merge func(old []byte) ([]byte, error)) error {
	maps := j.kube.CoreV1().ConfigMaps(j.namespace)
	var err error
	for range copyTries {
		cm, getErr := maps.Get(ctx, b.name, metav1.GetOptions{})
		found := getErr == nil
		switch {
		case apierrors.IsNotFound(getErr):
			cm = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: b.name, Namespace: j.namespace, Labels: render.Labels(j.name)}}
			cm.Labels[render.RoleLabel] = b.role
		case !found:
			return fmt.Errorf("cannot read %s in ConfigMap %s/%s: %w", b.what, j.namespace, b.name, getErr)
		}
		old, oldErr := b.unpack(cm)
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
		cm.Data, cm.BinaryData = nil, map[string][]byte{b.key: packed}
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
		return fmt.Errorf("cannot keep %s in ConfigMap %s/%s: %w", b.what, j.namespace, b.name, err)
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
	if out.Len() > maxBeside {
		return nil, ErrTooLarge
	}
	return out.Bytes(), nil
}

// unpack reads what pack has written, and no more than it may have written.
func (b beside) unpack(cm *corev1.ConfigMap) ([]byte, error) {
	packed := cm.BinaryData[b.key]
	if len(packed) == 0 {
		return nil, nil
	}
	bad := func(err error) error {
		return fmt.Errorf("%s in ConfigMap %s/%s cannot be read: %w", b.what, cm.Namespace, cm.Name, err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, bad(err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxBesideRead+1))
	switch {
	case err != nil:
		return nil, bad(err)
	case len(data) > maxBesideRead:
		return nil, bad(fmt.Errorf("more than %d bytes", maxBesideRead))
	}
	return data, nil
}
