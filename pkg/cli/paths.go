package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
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
			var results []result
			var failed error
			switch inPod := s.ID == id && podIP != "" || s.Replaced != nil; {
			case len(list) == 0:
			case !inPod:
				results, failed = p.fromHost(ctx, rec, s, targets)
			case err != nil:
				failed = err
			case !runs:
				failed = fmt.Errorf("the pod of server %d does not run", s.ID)
			default:
				results, failed = p.fromPod(ctx, at, targets)
			}
			for i, path := range list {
				if failed != nil {
					path.Why = quote.Line(plain(failed).text)
				} else {
					path.State, path.Why = results[i].state, results[i].why
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// result is what came of one path; why says more where the port alone does not tell.
type result struct {
	state vantage.PortState
	why   string
}

func (p paths) fromPod(ctx context.Context, at vantage.Point, targets []vantage.Target) ([]result, error) {
	t, err := p.session.tunnel(ctx, at)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	out := make([]result, len(targets))
	var wg sync.WaitGroup
	for i, target := range targets {
		wg.Go(func() { out[i].state = newProber(t).Port(ctx, target) })
	}
	wg.Wait()
	return out, nil
}

// fromHost has the operator's program run the script on the server's host. With
// --address=dns the host must find the Services by their names, too.
func (p paths) fromHost(ctx context.Context, rec migration.Record, s migration.ServerRecord, targets []vantage.Target) ([]result, error) {
	if p.hook == nil {
		return nil, fmt.Errorf("no --host-hook that could ask host %s", s.HostIP)
	}
	script, err := hostscript.Script(hostscript.Questions{Ensemble: rec.Name, Paths: targets, Names: namesOf(rec, targets)})
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
	return toldOf(rec, r, targets), nil
}

// toldOf is what a host's report tells of the paths. One whose end the host does not find by
// its name is not there, whatever its address does.
func toldOf(rec migration.Record, r hostreport.Report, targets []vantage.Target) []result {
	out := make([]result, len(targets))
	for i, t := range targets {
		if path, ok := r.Path(t); ok {
			out[i].state = path.Result
		}
		name := listedName(rec, t)
		got, asked := r.Name(name)
		if name == "" || !asked || got.Result == "" || slices.ContainsFunc(got.Addresses, func(a string) bool { return ensemble.SameAddress(a, t.Host) }) {
			continue
		}
		out[i] = result{vantage.PortUnreachable, fmt.Sprintf("its name %s is not known there", name)}
		if len(got.Addresses) > 0 {
			out[i].why = quote.Line(fmt.Sprintf("its name %s leads to %s there, instead of %s", name, strings.Join(got.Addresses, ", "), t.Host))
		}
	}
	return out
}

// listedName is the name by which a server's Service stands in the servers' lists; empty where its
// address does.
func listedName(rec migration.Record, t vantage.Target) string {
	s, ok := rec.Server(t.Server)
	if !ok || t.Via != vantage.ViaService || rec.Hosts.Address != migration.AddressDNS {
		return ""
	}
	return rec.ServiceName(*s)
}

func namesOf(rec migration.Record, targets []vantage.Target) []string {
	var out []string
	for _, t := range targets {
		if name := listedName(rec, t); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
