package preflight

import (
	"fmt"
	"sort"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// text is a finding in one line: where, what, the line itself.
func text(f ensemble.Finding) string { return strings.Join(strings.Fields(f.String()), " ") }

// reported are the codes that a check of their own reports.
func reported() map[string]bool {
	out := map[string]bool{}
	for _, c := range Checks() {
		for _, code := range c.Codes {
			out[code] = true
		}
	}
	return out
}

func others(f Facts, s ensemble.Severity) (wrong []string) {
	own := reported()
	for _, l := range f.Lint {
		if l.Severity == s && !own[l.Code] {
			wrong = append(wrong, text(l))
		}
	}
	return wrong
}

func otherErrors(f Facts) ([]string, string)   { return others(f, ensemble.SeverityError), "" }
func otherWarnings(f Facts) ([]string, string) { return others(f, ensemble.SeverityWarning), "" }

// configVersions compares the versions of the server list: a server with a
// lower one takes the list of its peers and rewrites its file
// (QuorumPeer.processReconfig), and a file older than what runs is no basis for
// a patch.
func configVersions(f Facts) (wrong []string, skip string) {
	if len(f.LiveConfig)+len(f.FileConfig) == 0 {
		return nil, "no server shows one (3.4, or conf is not whitelisted)"
	}
	by := map[string][]ensemble.ID{}
	for id, v := range f.LiveConfig {
		by[normal(v)] = append(by[normal(v)], id)
	}
	if len(by) > 1 {
		for v, ids := range by {
			sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
			wrong = append(wrong, fmt.Sprintf("version %s: servers %v", v, ids))
		}
	}
	for id, file := range f.FileConfig {
		if live, ok := f.LiveConfig[id]; ok && normal(live) != normal(file) {
			wrong = append(wrong, fmt.Sprintf("server %d runs with version %s, its file has %s", id, normal(live), normal(file)))
		}
	}
	return wrong, ""
}

// everyServer compares the files with the list that servers run with (3.5+), and
// with how many followers the leader has, which is all that 3.4 shows. One more
// than there can be is also what an id that runs twice looks like.
func everyServer(f Facts) (wrong []string, skip string) {
	e := ensemble.Ensemble{}
	for _, s := range f.Servers {
		e.Servers = append(e.Servers, s.Server)
	}
	known := false
	for _, s := range f.Servers {
		v := f.live(s.ID)
		if !v.Serving() {
			continue
		}
		if v.Mode == ensemble.Leader && v.SyncedFollowers >= 0 {
			known = true
			if n := followersOf(e); v.SyncedFollowers > n {
				wrong = append(wrong, fmt.Sprintf("server %d leads and forwards to %d followers, the files have %d besides it", s.ID, v.SyncedFollowers, n))
			}
		}
		if v.Members == nil {
			continue
		}
		known = true
		if s.ClusterIP == "" || s.Reconfigured == nil && s.Replaced == nil {
			wrong = append(wrong, listed(e, s.ID, v.Members)...)
			continue
		}
		for _, diff := range migration.ListDifferences(f.Record, s, v) {
			wrong = append(wrong, fmt.Sprintf("the live list of server %d: %s", s.ID, diff))
		}
	}
	if !known {
		return nil, "no server tells (conf and mntr are not whitelisted)"
	}
	return wrong, ""
}

func followersOf(e ensemble.Ensemble) int {
	n := -1
	for _, s := range e.Servers {
		if s.Role != ensemble.Observer {
			n++
		}
	}
	return n
}

// listed compares the list of one server.
func listed(e ensemble.Ensemble, by ensemble.ID, members []ensemble.Server) (wrong []string) {
	seen := map[ensemble.ID]bool{}
	for _, m := range members {
		seen[m.ID] = true
		s, ok := e.Server(m.ID)
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("server %d runs with a server.%d, which the files do not name", by, m.ID))
		case s.Vote() != m.Vote():
			wrong = append(wrong, fmt.Sprintf("server %d runs with server.%d as %s, the files have %s", by, m.ID, m.Vote(), s.Vote()))
		}
	}
	for _, s := range e.Servers {
		if !seen[s.ID] {
			wrong = append(wrong, fmt.Sprintf("server %d runs without a server.%d, which the files name", by, s.ID))
		}
	}
	return wrong
}

// normal is a hexadecimal version without leading zeros; none is 0.
func normal(v string) string {
	if v = strings.TrimLeft(strings.ToLower(v), "0"); v == "" {
		return "0"
	}
	return v
}

func initLimit(f Facts) (wrong []string, skip string) {
	if f.DataBytes <= 0 || f.InitLimit <= 0 {
		return nil, "the size of the data is not known (mntr is not answered)"
	}
	if need := hostpatch.InitLimitNeeded(f.DataBytes, f.TickTimeMillis); need > f.InitLimit {
		wrong = append(wrong, fmt.Sprintf("about %d MiB may need %d ticks of %d ms, initLimit is %d", f.DataBytes>>20, need, f.TickTimeMillis, f.InitLimit))
	}
	return wrong, ""
}
