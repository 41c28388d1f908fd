package cluster

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// LeftOver are the Secrets and ConfigMaps made for former settings of the pods that no pod, no
// StatefulSet and no record refers to any more, as kubectl names them. It asks for the metadata of
// those alone, and an error says that nobody could look: the published Role lists neither.
func (c *Client) LeftOver(ctx context.Context, meta metadata.Interface, rec migration.Record) ([]string, error) {
	var found []string
	for _, kind := range []struct {
		resource, name string
		prefixes       []string
	}{
		{"configmaps", "configmap", []string{render.ConfName(rec.Name)}},
		{"secrets", "secret", []string{render.PrivatePrefix(rec.Name), render.PlainConfName(rec.Name) + "-"}},
	} {
		list, err := meta.Resource(corev1.SchemeGroupVersion.WithResource(kind.resource)).Namespace(rec.Namespace).List(ctx, ofEnsemble(rec))
		if err != nil {
			return nil, failed(err, "list", kind.resource, rec.Namespace, rec.Name)
		}
		for _, o := range list.Items {
			if slices.ContainsFunc(kind.prefixes, func(prefix string) bool { return strings.HasPrefix(o.Name, prefix) }) {
				found = append(found, kind.name+"/"+o.Name)
			}
		}
	}
	// What refers to them is looked at later: what was made meanwhile is not among them.
	used, err := c.referred(ctx, rec)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(name string) bool { return used[name] }), nil
}

// referred are the Secrets and ConfigMaps that something refers to.
func (c *Client) referred(ctx context.Context, rec migration.Record) (map[string]bool, error) {
	used := map[string]bool{"secret/" + rec.Pods.PrivateSecret: true, "configmap/" + render.Conf(rec).Name: true}
	if before := rec.PodsBefore; before != nil {
		former := rec
		former.Pods = *before
		used["secret/"+before.PrivateSecret], used["configmap/"+render.Conf(former).Name] = true, true
	}
	if plain := rec.Pods.PlainFiles; plain != nil {
		used["secret/"+plain.Secret] = true
	}
	pods, err := c.kube.CoreV1().Pods(rec.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, failed(err, "list", "Pods", rec.Namespace, rec.Name)
	}
	var specs []corev1.PodSpec
	for _, pod := range pods.Items {
		specs = append(specs, pod.Spec)
	}
	set, err := c.kube.AppsV1().StatefulSets(rec.Namespace).Get(ctx, render.StatefulSetName(rec.Name), metav1.GetOptions{})
	switch {
	case err == nil:
		specs = append(specs, set.Spec.Template.Spec)
	case !apierrors.IsNotFound(err):
		return nil, failed(err, "get", "StatefulSet", rec.Namespace, render.StatefulSetName(rec.Name))
	}
	for _, spec := range specs {
		for _, v := range spec.Volumes {
			if v.Secret != nil {
				used["secret/"+v.Secret.SecretName] = true
			}
			if v.ConfigMap != nil {
				used["configmap/"+v.ConfigMap.Name] = true
			}
			if v.Projected != nil {
				for _, source := range v.Projected.Sources {
					if source.Secret != nil {
						used["secret/"+source.Secret.Name] = true
					}
				}
			}
		}
	}
	return used, nil
}
