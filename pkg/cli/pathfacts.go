package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// asks is whom a command asks about paths; what was kept is known besides.
type asks struct {
	// hook runs the script on the hosts; given are reports that were read from files.
	hook  string
	given []hostreport.Report
	// pods has pods try.
	pods bool
}

// pathFacts asks, and keeps what hosts and clients have reported.
func (s *session) pathFacts(ctx context.Context, rec migration.Record, wrapped bool, a asks, f *preflight.Facts) error {
	rec.Namespace, rec.Name = s.kube.namespace, s.name
	f.Record.Namespace, f.Record.Name = rec.Namespace, rec.Name
	if wrapped {
		s.keptFacts(ctx, rec, f)
	}
	q := questions(rec, f.Pods)
	var told []hostreport.Report
	if a.hook != "" {
		var err error
		if told, err = s.askHosts(ctx, a.hook, rec, q); err != nil {
			return err
		}
	}
	fresh := slices.Concat(a.given, told)
	if a.pods {
		var err error
		if f.PodLooks, err = s.podLooks(ctx, rec, q); err != nil {
			return err
		}
	}
	if wrapped {
		s.keepReports(ctx, slices.DeleteFunc(slices.Clone(fresh), func(r hostreport.Report) bool { return r.Ensemble != s.name }))
	}
	now := dated(told, time.Now())
	for i := range now {
		now[i].Now = true
	}
	f.Reports = slices.Concat(dated(a.given, time.Now()), now, f.Reports)
	if len(fresh)+len(f.PodLooks) > 0 {
		f.Sources = s.sources(ctx, rec)
	}
	return nil
}

// keptFacts is what is known of paths without asking anybody but the API server.
func (s *session) keptFacts(ctx context.Context, rec migration.Record, f *preflight.Facts) {
	pods, err := s.podAddresses(ctx, rec, true)
	if err != nil {
		fmt.Fprintf(s.kube.warn, "Warning: the pods' addresses are not known, and no path to them: %s\n", plain(err).text)
	}
	f.Pods, f.Reports = pods, dated(s.keptReports(ctx), time.Now())
}

// sources asks each server from where its clients come, and how many of one address it takes.
func (s *session) sources(ctx context.Context, rec migration.Record) map[ensemble.ID]preflight.ClientCount {
	out := map[ensemble.ID]preflight.ClientCount{}
	for _, srv := range rec.Servers {
		at := srv.AtHost()
		if srv.ClusterIP != "" {
			at = srv.AtService()
		}
		a := s.prober.Ask(ctx, at, zkprobe.Cons)
		if a.Reach != vantage.Answered {
			continue
		}
		clients, _ := zkprobe.ParseCons(a.Text)
		out[srv.ID] = clientCount(clients, zkprobe.ParseConf(s.prober.Ask(ctx, at, zkprobe.Conf).Text))
	}
	return out
}

// clientCount counts the sessions of a server that answered cons; conf has the limit, if it told.
func clientCount(clients []zkprobe.Client, conf zkprobe.ConfReply) preflight.ClientCount {
	c := preflight.ClientCount{By: map[string]int{}, Limit: preflight.DefaultMaxClientCnxns, Assumed: true}
	for _, client := range clients {
		if client.SessionID != 0 {
			c.By[client.Addr.Addr().Unmap().String()]++
		}
	}
	if n := conf.MaxClientCnxns; n >= 0 {
		c.Limit, c.Assumed = n, false
	}
	return c
}
