package cli

import (
	"context"
	"sync"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
)

// collectFacts asks everybody; it writes nothing but a canary session.
func collectFacts(ctx context.Context, s *session, rec migration.Record, desc described, wrapped bool) preflight.Facts {
	f := preflight.Facts{
		Servers: rec.Servers, Wrapped: wrapped,
		Direct: map[ensemble.ID]migration.Sighting{}, Through: map[ensemble.ID]migration.Sighting{}, Election: map[ensemble.ID]migration.PortState{},
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, srv := range rec.Servers {
		if srv.Replaced == nil {
			wg.Go(func() {
				live := s.prober.Sight(ctx, hostPort(srv.HostIP, srv.ClientPort))
				port := s.prober.Port(ctx, hostPort(srv.HostIP, srv.ElectionPort))
				mu.Lock()
				defer mu.Unlock()
				f.Direct[srv.ID], f.Election[srv.ID] = live, port
			})
		}
		if srv.ClusterIP != "" {
			wg.Go(func() {
				live := s.prober.Sight(ctx, hostPort(srv.ClusterIP, srv.ClientPort))
				mu.Lock()
				defer mu.Unlock()
				f.Through[srv.ID] = live
			})
		}
	}
	wg.Wait()
	commitFact(ctx, s, rec, &f)
	for _, l := range desc.lint {
		if l.Severity == ensemble.SeverityError {
			f.Lint = append(f.Lint, l.String())
		} else {
			f.LintWarn = append(f.LintWarn, l.String())
		}
	}
	for _, d := range desc.differences {
		f.Differences = append(f.Differences, d.String())
	}
	for _, w := range rec.Waivers {
		f.Waivers = append(f.Waivers, w.Check)
	}
	clusterFacts(ctx, s, rec, &f)
	return f
}

// commitFact writes a canary through the first server that serves.
func commitFact(ctx context.Context, s *session, rec migration.Record, f *preflight.Facts) {
	for _, srv := range rec.Servers {
		address := ""
		switch {
		case f.Through[srv.ID].Serving():
			address = hostPort(srv.ClusterIP, srv.ClientPort)
		case f.Direct[srv.ID].Serving():
			address = hostPort(srv.HostIP, srv.ClientPort)
		default:
			continue
		}
		f.CommitAsked = true
		if _, err := s.prober.Canary(ctx, address); err != nil {
			f.CommitError = err.Error()
		}
		return
	}
}

func clusterFacts(ctx context.Context, s *session, rec migration.Record, f *preflight.Facts) {
	c := cluster.New(s.kube.client)
	minor, err := c.KubernetesMinor()
	if err != nil {
		f.PermissionsError = "the API server does not answer: " + err.Error()
		return
	}
	f.KubernetesMinor = minor
	denied, err := c.Denied(ctx, s.kube.namespace)
	if err != nil {
		f.PermissionsError = err.Error()
		return
	}
	f.Denied = denied
	if clashes, err := c.Clashes(ctx, rec); err == nil {
		f.Clashes = clashes
	}
}

// refuseFailed turns failed checks into a refusal that lists them.
func refuseFailed(f preflight.Facts) error {
	failed := preflight.Failed(preflight.Run(f))
	if len(failed) == 0 {
		return nil
	}
	e := &refusedError{reason: "checks failed"}
	for _, fd := range failed {
		for _, d := range fd.Detail {
			e.evidence = append(e.evidence, fd.ID+" "+fd.Title+": "+d)
		}
		if fd.Hint != "" {
			e.evidence = append(e.evidence, fd.ID+" hint: "+fd.Hint)
		}
	}
	return e
}
