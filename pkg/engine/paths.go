package engine

import (
	"context"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// tryPaths tries what lies between where the server will run and the others.
func (e *Engine) tryPaths(ctx context.Context, o migration.Observation, rec migration.Record, id ensemble.ID) (*migration.Paths, error) {
	return e.TryPaths(ctx, o, rec, rec.Flight.Kind, id)
}

// TryPaths is the same outside of an operation. Nothing is kept.
func (e *Engine) TryPaths(ctx context.Context, o migration.Observation, rec migration.Record, kind migration.FlightKind, id ensemble.ID) (*migration.Paths, error) {
	v, _ := o.View(id)
	pod := v.Cluster.Pod
	out := &migration.Paths{Listened: v.Live.Serving(), Tried: migration.PathsOf(rec, kind, id, o.Leader())}
	podIP := ""
	if kind == migration.Replace {
		podIP, out.PodUID, out.Listened = pod.IP, pod.UID, pod.Report.Listens == migration.Listens
	}
	if e.Paths != nil {
		if err := e.Paths.Try(ctx, rec, id, podIP, out.Tried); err != nil {
			return nil, err
		}
	}
	out.At = e.Clock.Now()
	return out, nil
}
