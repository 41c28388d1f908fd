package intake

import (
	"errors"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Unpatched leaves out the differences that reconfigure itself may have made: a
// server's address, which is judged once the journal is known, and the settings
// that its patches change.
func (d Description) Unpatched() Description {
	own := []string{"quorumListenOnAllIPs", "clientPortAddress", "secureClientPortAddress", "4lw.commands.whitelist", "initLimit", "tcpKeepAlive", "cnxTimeout"}
	d.Differences = slices.DeleteFunc(slices.Clone(d.Differences), func(diff ensemble.Difference) bool {
		return diff.Names || slices.Contains(own, diff.Key)
	})
	return d
}

// refusePatched refuses files that disagree, but not for what reconfigure itself
// has put into some of them: a command that was killed between two hosts goes on
// with the files as they are now. What else the patches bring must be alike once
// all are patched, which hostpatch holds them to.
func refusePatched(diffs []ensemble.Difference, rec migration.Record) error {
	var errs []error
	for _, d := range diffs {
		if d.Names && !alikeBefore(d, rec) {
			errs = append(errs, errors.New(d.String()))
		}
	}
	if len(errs) > 0 {
		return usage(errors.Join(errs...))
	}
	return nil
}

// alikeBefore reports whether the files say the same of where a server is, apart
// from those that name its Service.
func alikeBefore(d ensemble.Difference, rec migration.Record) bool {
	i := slices.IndexFunc(rec.Servers, func(s migration.ServerRecord) bool { return d.Key == "server."+s.ID.String()+" address" })
	if i < 0 {
		return false
	}
	sr := rec.Servers[i]
	var left []string
	for _, v := range d.Values {
		if v.Value != strings.ToLower(sr.ClusterIP) && v.Value != strings.ToLower(rec.ServerHost(sr)) {
			left = append(left, v.Value)
		}
	}
	slices.Sort(left)
	return len(slices.Compact(left)) <= 1
}
