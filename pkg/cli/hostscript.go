package cli

import (
	"context"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostscript"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// emitScript prints what is to be run on hosts and client machines. Where pods run, their
// addresses are asked for as well.
func (o *CheckOptions) emitScript(ctx context.Context) error {
	s, rec, _, known, err := o.open(ctx)
	if err != nil {
		return err
	}
	pods, err := s.podAddresses(ctx, rec, known)
	if err != nil {
		return err
	}
	script, err := hostscript.Script(questions(rec, pods))
	if err != nil {
		return usagef("%w", err)
	}
	_, err = o.deps.streams.Out.Write(script)
	return err
}

// podAddresses are those of the servers' pods that have one; before the wrap there are none.
func (s *session) podAddresses(ctx context.Context, rec migration.Record, wrapped bool) (map[ensemble.ID]string, error) {
	out := map[ensemble.ID]string{}
	if !wrapped {
		return out, nil
	}
	byName, err := s.kube.cluster().PodIPs(ctx, rec)
	for _, srv := range rec.Servers {
		if a := byName[render.PodName(rec.Name, srv.Ordinal)]; a != "" {
			out[srv.ID] = a
		}
	}
	return out, err
}

// questions are what machines and pods are asked about the ensemble.
func questions(rec migration.Record, pods map[ensemble.ID]string) hostscript.Questions {
	var servers []hostscript.Server
	for _, s := range rec.Servers {
		srv := hostscript.Server{ID: s.ID, HostIP: s.HostIP, ClusterIP: s.ClusterIP, PodIP: pods[s.ID], ClientPort: s.ClientPort}
		if s.Replaced != nil {
			srv.HostIP = "" // nobody needs it any more
		}
		for _, p := range s.Ports() {
			srv.Ports = append(srv.Ports, p.Number)
		}
		servers = append(servers, srv)
	}
	q := hostscript.Between(rec.Name, servers)
	for _, s := range rec.Servers {
		if unit := preflight.HostUnit(rec, s.ID); unit != "" && !slices.Contains(q.Units, unit) {
			q.Units = append(q.Units, unit)
		}
		engine, name := preflight.HostContainer(rec, s.ID)
		if q.Engine = engine; name != "" && !slices.Contains(q.Recorded, name) {
			q.Recorded = append(q.Recorded, name)
		}
	}
	for _, n := range preflight.Names(rec) {
		q.Names = append(q.Names, n.Name)
	}
	return q
}
