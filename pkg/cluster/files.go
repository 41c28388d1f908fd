package cluster

import (
	"context"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// MakeSecret creates a Secret that is named by its content. One that exists is the same:
// nobody needs to read it for that.
func (c *Client) MakeSecret(ctx context.Context, s *corev1.Secret) (Result, error) {
	_, err := c.kube.CoreV1().Secrets(s.Namespace).Create(ctx, s, metav1.CreateOptions{FieldManager: FieldManager})
	switch {
	case apierrors.IsAlreadyExists(err):
		return Unchanged, nil
	case err != nil:
		return "", c.notWritten(err, "create", "Secret", s.Namespace, s.Name)
	}
	return Created, nil
}

// Entries are those of a Secret and a ConfigMap that an operator has named, each empty
// where there is none: missing are those that do not exist. An error says that nobody
// could look.
func (c *Client) Entries(ctx context.Context, namespace, secret, configMap string) (keys map[string]bool, missing []string, err error) {
	keys = map[string]bool{}
	if secret != "" {
		s, err := c.kube.CoreV1().Secrets(namespace).Get(ctx, secret, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			missing = append(missing, "Secret "+secret)
		case err != nil:
			return nil, nil, failed(err, "get", "Secret", namespace, secret)
		}
		for key := range s.Data {
			keys[key] = true
		}
	}
	if configMap != "" {
		cm, err := c.kube.CoreV1().ConfigMaps(namespace).Get(ctx, configMap, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			missing = append(missing, "ConfigMap "+configMap)
		case err != nil:
			return nil, nil, failed(err, "get", "ConfigMap", namespace, configMap)
		}
		for key := range cm.Data {
			keys[key] = true
		}
		for key := range cm.BinaryData {
			keys[key] = true
		}
	}
	return keys, missing, nil
}

// PlainSources reads what pods without a gate mount that no record has.
func (c *Client) PlainSources(ctx context.Context, rec migration.Record) (from render.PlainSources, err error) {
	secret := func(name string) map[string][]byte {
		if err != nil || name == "" {
			return nil
		}
		var s *corev1.Secret
		if s, err = c.kube.CoreV1().Secrets(rec.Namespace).Get(ctx, name, metav1.GetOptions{}); err != nil {
			err = failed(err, "get", "Secret", rec.Namespace, name)
			return nil
		}
		return s.Data
	}
	if render.NeedsPrivate(rec) {
		from.Private = secret(rec.Pods.PrivateSecret)
	}
	from.Secret = secret(rec.Pods.FilesSecret)
	if name := rec.Pods.FilesConfigMap; err == nil && name != "" {
		cm, failure := c.kube.CoreV1().ConfigMaps(rec.Namespace).Get(ctx, name, metav1.GetOptions{})
		if failure != nil {
			return from, failed(failure, "get", "ConfigMap", rec.Namespace, name)
		}
		from.ConfigMap = map[string][]byte{}
		for key, text := range cm.Data {
			from.ConfigMap[key] = []byte(text)
		}
		maps.Copy(from.ConfigMap, cm.BinaryData)
	}
	return from, err
}

// Ungate makes the Secret that pods without a gate mount, where they need one, and returns what
// they mount; nil for nothing.
func (c *Client) Ungate(ctx context.Context, rec migration.Record) (*migration.PlainFiles, error) {
	from, err := c.PlainSources(ctx, rec)
	if err != nil {
		return nil, err
	}
	files, secret, err := render.MakePlainFiles(rec, from)
	if err != nil || secret == nil {
		return files, err
	}
	_, err = c.MakeSecret(ctx, secret)
	return files, err
}
