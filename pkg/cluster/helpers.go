package cluster

import (
	"context"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// DeleteHelpers deletes the ConfigMaps and the Secret that only the migration needed, but for the
// journal itself, and returns their names: of a finalized ensemble no pod mounts them. Whoever
// may not list ConfigMaps deletes those that have names known before.
func (c *Client) DeleteHelpers(ctx context.Context, rec migration.Record) (deleted []string, err error) {
	if rec.Finalized == nil {
		return nil, &Error{Reason: Precondition, What: "ensemble " + rec.Name + " is not finalized: its pods need their gate"}
	}
	maps := removing("ConfigMap", c.kube.CoreV1().ConfigMaps(rec.Namespace))
	gated := rec
	gated.Pods.Plain = false
	conf, err := c.confNames(ctx, gated)
	if err != nil {
		return nil, err
	}
	for _, name := range append([]string{render.GateName(rec.Name), render.ReportsName(rec.Name), render.ClientsName(rec.Name), render.JournalCopyName(rec.Name)}, conf...) {
		o, err := c.ours(ctx, rec, maps, name)
		if err == nil && o != nil {
			err = c.removeAsRead(ctx, maps, o)
		}
		if err != nil {
			return deleted, err
		}
		if o != nil {
			deleted = append(deleted, "configmap/"+name)
		}
	}
	private, err := c.deletePrivate(ctx, rec)
	return append(deleted, private...), err
}
