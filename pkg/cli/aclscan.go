package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// aclScan is --scan-acls with its bounds.
type aclScan struct {
	on     bool
	bounds zkprobe.ScanBounds
}

func (a *aclScan) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.BoolVar(&a.on, "scan-acls", false, "Read the ACLs of the znodes, and warn of those that go by addresses")
	fs.IntVar(&a.bounds.Znodes, "scan-znodes", 10_000, "How many znodes --scan-acls asks for at most; it takes three quarters of --timeout at most")
	fs.IntVar(&a.bounds.Depth, "scan-depth", 20, "How deep --scan-acls goes: 1 is the root's children")
}

func (a *aclScan) check(cmd *cobra.Command) error {
	for _, flag := range []string{"scan-znodes", "scan-depth"} {
		switch value, _ := cmd.Flags().GetInt(flag); {
		case !cmd.Flags().Changed(flag):
		case !a.on:
			return usagef("--%s is a bound of --scan-acls: give both", flag)
		case value <= 0:
			return usagef("--%s=%d: expected a positive number", flag, value)
		}
	}
	return nil
}

// run scans through one server, rather not the leader, which has the writes of all. The
// error is in words.
func (a *aclScan) run(ctx context.Context, s *session, rec migration.Record) (*vantage.ACLScan, string) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)*3/4)
		defer cancel()
	}
	var targets []vantage.Target
	for _, srv := range rec.Servers {
		switch sight := s.prober.Sight(ctx, srv.AtService()); {
		case !sight.Serving():
		case sight.Mode == ensemble.Leader:
			targets = append(targets, srv.AtService())
		default:
			targets = slices.Insert(targets, 0, srv.AtService())
		}
	}
	whys := []string{}
	for _, t := range targets {
		scan, err := s.prober.at(t).ScanACLs(ctx, t.Address(), a.bounds)
		if err == nil {
			return &scan, ""
		}
		whys = append(whys, plain(err).text)
	}
	if len(whys) == 0 {
		return nil, "no server serves"
	}
	return nil, strings.Join(whys, "; ")
}
