package cli

import (
	"bytes"
	"context"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
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
	pods := map[string]string{}
	if known {
		if pods, err = s.kube.cluster().PodIPs(ctx, rec); err != nil {
			return err
		}
	}
	q := hostscript.Between(s.name, portsOf(rec, pods))
	q.Unit = rec.Hosts.Unit
	script, err := hostscript.Script(q)
	if err != nil {
		return usagef("%w", err)
	}
	_, err = o.deps.streams.Out.Write(script)
	return err
}

// portsOf are the servers' ports and addresses; pods are those of pods by their names.
func portsOf(rec migration.Record, pods map[string]string) []hostscript.Server {
	var out []hostscript.Server
	for _, s := range rec.Servers {
		host := s.HostIP
		if s.Replaced != nil {
			host = "" // nobody needs it any more
		}
		out = append(out, hostscript.Server{
			ID: s.ID, HostIP: host, ClusterIP: s.ClusterIP, PodIP: pods[render.PodName(rec.Name, s.Ordinal)],
			Ports: s.Ports(),
		})
	}
	return out
}

// readReports reads what machines said; nothing has been asked of anybody yet.
func (o *CheckOptions) readReports(ctx context.Context, now time.Time) ([]preflight.HostReport, error) {
	var out []preflight.HostReport
	for _, name := range o.reports {
		data, err := readInput(ctx, name, o.deps.streams.In)
		if err != nil {
			return nil, usagef("--host-report: %w", err)
		}
		if name == "-" {
			name = "standard input"
		}
		reports, err := hostreport.Parse(bytes.NewReader(data), name)
		if err != nil {
			return nil, usagef("--host-report: %w", err)
		}
		for _, r := range reports {
			out = append(out, preflight.HostReport{Report: r, Age: r.Age(now)})
		}
	}
	return out, nil
}
