package engine

import (
	"context"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// tryPaths tries what lies between the parked pod and the others.
func (e *Engine) tryPaths(ctx context.Context, o migration.Observation, rec migration.Record, id ensemble.ID) (*migration.Paths, error) {
	v, _ := o.View(id)
	pod := v.Cluster.Pod
	out := &migration.Paths{
		PodUID: pod.UID, Listened: pod.Listens == migration.Listens, Tried: migration.PathsOf(rec, id, o.Leader()),
	}
	if e.Paths != nil {
		if err := e.Paths.Try(ctx, rec, id, pod.IP, out.Tried); err != nil {
			return nil, err
		}
	}
	out.At = e.Clock.Now()
	return out, nil
}
