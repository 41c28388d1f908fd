package cli

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hosts"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostscript"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// reportWait bounds what a host is asked before a server is stopped.
const reportWait = 30 * time.Second

// paths tries connects from where servers run: on hosts by the operator's program, which
// runs the host script there, and in pods by a program of ours.
type paths struct {
	session *session
	// hook is nil where there is none.
	hook *hosts.Hook
}

func newPaths(s *session, of engine.Hosts) paths {
	p := paths{session: s}
	if hook, ok := of.(hosts.Hook); ok {
		hook.Timeout = reportWait
		p.hook = &hook
	}
	return p
}

// Try implements engine.Paths.
func (p paths) Try(ctx context.Context, rec migration.Record, id ensemble.ID, podIP string, tried []migration.Path) error {
	from := map[ensemble.ID][]*migration.Path{}
	for i := range tried {
		from[tried[i].From] = append(from[tried[i].From], &tried[i])
	}
	pods, err := p.session.kube.cluster().Running(ctx, rec)
	var wg sync.WaitGroup
	for _, s := range rec.Servers {
		list := from[s.ID]
		targets := make([]vantage.Target, len(list))
		for i, path := range list {
			targets[i] = path.Of(rec, id, podIP)
		}
		wg.Go(func() {
			at, runs := pods[s.ID]
			var states []vantage.PortState
			var failed error
			switch inPod := s.ID == id && podIP != "" || s.Replaced != nil; {
			case len(list) == 0:
			case !inPod:
				states, failed = p.fromHost(ctx, rec, s, targets)
			case err != nil:
				failed = err
			case !runs:
				failed = fmt.Errorf("the pod of server %d does not run", s.ID)
			default:
				states, failed = p.fromPod(ctx, at, targets)
			}
			for i, path := range list {
				if failed != nil {
					path.Why = quote.Line(plain(failed).text)
				} else {
					path.State = states[i]
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

func (p paths) fromPod(ctx context.Context, at vantage.Point, targets []vantage.Target) ([]vantage.PortState, error) {
	t, err := p.session.tunnel(ctx, at)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	out := make([]vantage.PortState, len(targets))
	var wg sync.WaitGroup
	for i, target := range targets {
		wg.Go(func() { out[i] = newProber(t).Port(ctx, target) })
	}
	wg.Wait()
	return out, nil
}

// fromHost has the operator's program run the script on the server's host.
func (p paths) fromHost(ctx context.Context, rec migration.Record, s migration.ServerRecord, targets []vantage.Target) ([]vantage.PortState, error) {
	if p.hook == nil {
		return nil, fmt.Errorf("no --host-hook that could ask host %s", s.HostIP)
	}
	script, err := hostscript.Script(hostscript.Questions{Ensemble: rec.Name, Paths: targets})
	if err != nil {
		return nil, err
	}
	said, err := p.hook.Report(ctx, s, script)
	if err != nil {
		return nil, err
	}
	reports, err := hostreport.Parse(bytes.NewReader(said), "of host "+s.HostIP)
	if err != nil {
		return nil, err
	}
	r := reports[len(reports)-1]
	if own := r.Own(s.HostIP); own != nil && !*own {
		return nil, fmt.Errorf("the host hook ran the script on machine %s, which does not have address %s", quote.Text(r.Hostname), s.HostIP)
	}
	out := make([]vantage.PortState, len(targets))
	for i, t := range targets {
		if path, ok := r.Path(t); ok {
			out[i] = path.Result
		}
	}
	return out, nil
}
