package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hosts"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostscript"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// readReports reads files with what machines said; nothing has been asked of anybody yet.
func (o *CheckOptions) readReports(ctx context.Context) ([]hostreport.Report, error) {
	var out []hostreport.Report
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
		out = append(out, reports...)
	}
	return out, nil
}

const (
	// hooksAtOnce is how many hosts are asked at a time.
	hooksAtOnce = 8
	// hookGrace is what a hook has to reach a host, besides the script's own time: one that
	// hangs must not take the time of the whole look.
	hookGrace = 15 * time.Second
)

// askHosts has the operator's program run the script on every host. A host that it cannot ask
// is told, and the others count.
func (s *session) askHosts(ctx context.Context, hook string, rec migration.Record, q hostscript.Questions) ([]hostreport.Report, error) {
	script, err := hostscript.Script(q)
	if err != nil {
		return nil, usagef("%w", err)
	}
	var mu sync.Mutex
	var out []hostreport.Report
	var asked []migration.ServerRecord
	for _, srv := range rec.Servers {
		if !slices.ContainsFunc(asked, func(o migration.ServerRecord) bool { return o.HostIP == srv.HostIP }) {
			asked = append(asked, srv)
		}
	}
	atOnce(hooksAtOnce, len(asked), func(i int) {
		srv := asked[i]
		program := hosts.Hook{Program: hook, Ensemble: rec.Name, Namespace: s.kube.namespace, Timeout: time.Duration(q.MaxSeconds())*time.Second + hookGrace}
		r, err := askHost(ctx, program, srv, script, q.Digest())
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			out = append(out, r)
		} else if srv.Replaced == nil {
			fmt.Fprintf(s.kube.warn, "Warning: host %s has not reported: %v\n", srv.HostIP, err)
		}
	})
	return out, ctx.Err()
}

// askHost runs the script on one host. What comes back must be that host's answer to these
// questions: a program that asks the wrong one would be believed otherwise.
func askHost(ctx context.Context, hook hosts.Hook, srv migration.ServerRecord, script []byte, digest string) (hostreport.Report, error) {
	data, err := hook.Report(ctx, srv, script)
	if err != nil {
		return hostreport.Report{}, err
	}
	reports, err := hostreport.Parse(bytes.NewReader(data), "of host "+srv.HostIP)
	if err != nil {
		return hostreport.Report{}, err
	}
	r := reports[0]
	switch own := r.Own(srv.HostIP); {
	case len(reports) != 1:
		return r, fmt.Errorf("the host hook printed %d reports (expected one)", len(reports))
	case r.Asked != digest:
		return r, errors.New("the host hook printed the answer to another script")
	case own != nil && !*own:
		return r, fmt.Errorf("the host hook ran the script on %s, which does not have the address %s", quote.Line(r.Hostname), srv.HostIP)
	case r.Addresses == nil:
		r.Addresses = []string{srv.HostIP} // there is no ip on the host, and the hook asked it there
	}
	return r, nil
}

// keptReports are those that the ensemble keeps. Without them a command goes on.
func (s *session) keptReports(ctx context.Context) []hostreport.Report {
	data, err := s.journal.Reports(ctx)
	var out []hostreport.Report
	if err == nil && len(data) > 0 {
		out, err = hostreport.Parse(bytes.NewReader(data), "kept")
	}
	if err != nil {
		fmt.Fprintf(s.kube.warn, "Warning: earlier host reports are not known: %s\n", plain(err).text)
		return nil
	}
	return slices.DeleteFunc(out, func(r hostreport.Report) bool { return r.Ensemble != s.name })
}

// keepReports keeps new reports beside those that are there, the latest of each machine, so that
// other commands and machines know them.
func (s *session) keepReports(ctx context.Context, fresh []hostreport.Report) {
	if len(fresh) == 0 {
		return
	}
	err := s.journal.KeepReports(ctx, func(old []byte) ([]byte, error) {
		// What others have garbled is written over.
		kept, _ := hostreport.Parse(bytes.NewReader(old), "kept")
		return hostreport.Lines(hostreport.Newest(slices.Concat(fresh, kept)))
	})
	switch {
	case errors.Is(err, journal.ErrTooLarge):
		fmt.Fprintf(s.kube.warn, "Warning: later commands will not know these host reports: %v\n", err)
	case err != nil:
		fmt.Fprintf(s.kube.warn, "Warning: later commands will not know these host reports: %s\n", plain(err).text)
	}
}

// dated tells how old reports are.
func dated(reports []hostreport.Report, now time.Time) []preflight.HostReport {
	var out []preflight.HostReport
	for _, r := range reports {
		out = append(out, preflight.HostReport{Report: r, Age: r.Age(now)})
	}
	return out
}
