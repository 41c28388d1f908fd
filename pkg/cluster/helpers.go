package cluster

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// DeleteHelpers deletes the ConfigMaps that only the migration needed, but for the journal
// itself, and returns their names: of a finalized ensemble no pod mounts them. Whoever may
// not list ConfigMaps deletes those that have names known before.
func (c *Client) DeleteHelpers(ctx context.Context, rec migration.Record) (deleted []string, err error) {
	if rec.Finalized == nil {
		return nil, &Error{Reason: Precondition, What: "ensemble " + rec.Name + " is not finalized: its pods need their gate"}
	}
	maps := c.kube.CoreV1().ConfigMaps(rec.Namespace)
	gated := rec
	gated.Pods.Plain = false
	names := []string{render.GateName(rec.Name), render.ReportsName(rec.Name), render.ClientsName(rec.Name), render.JournalCopyName(rec.Name), render.Conf(gated).Name}
	conf := labels.Set{render.EnsembleLabel: rec.Name, render.RoleLabel: render.RoleConf}
	list, err := maps.List(ctx, metav1.ListOptions{LabelSelector: conf.String()})
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, failed(err, "list", "ConfigMaps", rec.Namespace, rec.Name)
	}
	if err == nil {
		names = names[:4]
		for _, cm := range list.Items {
			names = append(names, cm.Name)
		}
	}
	for _, name := range names {
		err := maps.Delete(ctx, name, metav1.DeleteOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return deleted, c.notWritten(err, "delete", "ConfigMap", rec.Namespace, name)
		}
		deleted = append(deleted, "configmap/"+name)
	}
	return deleted, nil
}
