package preflight

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Need is something a check looks at. A check that lacks one is skipped and says
// why; one that lacks sight of a server is unknown. Neither is ever ok.
type Need string

// What the checks look at.
const (
	// NeedList is the list of servers, which is there always.
	NeedList Need = "list"
	// NeedFiles are the hosts' files, NeedAllFiles one of every host.
	NeedFiles    Need = "files"
	NeedAllFiles Need = "all-files"
	// NeedServers is every server's own answer, by whichever way; NeedThrough the
	// one through its Service, NeedElection its election port.
	NeedServers  Need = "servers"
	NeedThrough  Need = "through"
	NeedElection Need = "election"
	// NeedNames is the id that each server that serves has said.
	NeedNames Need = "names"
	// NeedClashes is what exists under our names.
	NeedClashes Need = "clashes"
	// NeedLook is a look at the wrapped ensemble as status takes it.
	NeedLook Need = "look"
	// NeedPaths are the paths of the check's kind, NeedLookups what names lead to.
	NeedPaths   Need = "paths"
	NeedLookups Need = "lookups"
	// NeedSources is from where ZooKeeper sees connections, NeedHosts what hosts tell of their servers.
	NeedSources Need = "sources"
	NeedHosts   Need = "hosts"
	// NeedSessions is what came of sessions where clients must authenticate.
	NeedSessions Need = "sessions"
	// NeedTwins is what else of ours has these hosts.
	NeedTwins Need = "twins"
	// NeedPermissions is what the API server says of each permission.
	NeedPermissions Need = "permissions"
	// NeedCluster is what the API server says; its checks tell by themselves.
	NeedCluster Need = "cluster"
)

// needs is what each check looks at.
func needs(id string) []Need {
	return map[string][]Need{
		"ZK001": {NeedServers}, "ZK002": {NeedServers}, "ZK003": {NeedServers}, "ZK004": {NeedServers}, "ZK005": {NeedServers, NeedNames},
		"ZK006": {NeedServers}, "ZK007": {NeedList}, "ZK008": {NeedElection}, "ZK009": {NeedList}, "ZK010": {NeedFiles}, "ZK011": {NeedAllFiles},
		"ZK012": {NeedFiles}, "ZK013": {NeedFiles}, "ZK014": {NeedFiles}, "ZK015": {NeedFiles}, "ZK016": {NeedFiles},
		"ZK017": {NeedServers}, "ZK018": {NeedFiles}, "ZK019": {NeedList}, "ZK020": {NeedThrough}, "ZK021": {NeedFiles}, "ZK022": {NeedFiles}, "ZK034": {NeedFiles},
		"ZK023": {NeedServers}, "ZK024": {NeedLook}, "ZK025": {NeedLook}, "ZK026": {NeedTwins}, "ZK027": {NeedList}, "ZK028": {NeedList}, "ZK029": {NeedFiles}, programs: {NeedFiles}, wideListening: {NeedFiles}, "ZK033": {NeedCluster}, clientSessions: {NeedSessions}, journalSecrets: {NeedList}, formerObjects: {NeedCluster},
		hostToHost: {NeedPaths}, podToHost: {NeedPaths}, podToService: {NeedPaths}, hostToPod: {NeedPaths}, hostToMoved: {NeedPaths}, clientToAny: {NeedPaths},
		serviceNames: {NeedLookups}, hostNames: {NeedLookups}, sourceAddress: {NeedSources},
		rightServer: {NeedHosts}, rightUnit: {NeedHosts}, diskSpace: {NeedHosts}, rightFile: {NeedHosts}, staysDown: {NeedHosts},
		clientNames: {NeedCluster}, peerNames: {NeedCluster}, certificates: {NeedCluster},
		"K8S001": {NeedPermissions}, "K8S002": {NeedClashes}, "K8S003": {NeedCluster},
		"K8S004": {NeedCluster}, "K8S005": {NeedCluster}, "K8S006": {NeedCluster}, "K8S007": {NeedCluster}, "K8S008": {NeedCluster}, "K8S009": {NeedCluster},
		migration.WaiverImage: {NeedCluster},
	}[id]
}

// lacks says which needs of a check are not met: missing is why it was not made,
// hidden what was not seen of what it looks at.
func (c Check) lacks(f Facts) (missing string, hidden []string) {
	for _, n := range needs(c.ID) {
		m, h := f.lack(n, c.ID)
		if m != "" && missing == "" {
			missing = m
		}
		hidden = append(hidden, h...)
	}
	return missing, hidden
}

func (f Facts) lack(n Need, id string) (missing string, hidden []string) {
	switch n {
	case NeedFiles, NeedAllFiles:
		return f.lackFiles(n == NeedAllFiles), nil
	case NeedServers:
		return "", f.hidden(func(s migration.ServerRecord) string { return sightless(f.live(s.ID)) })
	case NeedThrough:
		if !f.Wrapped {
			return "not wrapped yet", nil
		}
		return "", f.hidden(func(s migration.ServerRecord) string { return sightless(f.Through[s.ID]) })
	case NeedElection:
		return "", f.hidden(func(s migration.ServerRecord) string {
			p := f.Election[s.ID]
			if p == vantage.PortOpen || p == vantage.PortClosed || f.Through[s.ID].Serving() {
				return ""
			}
			return fmt.Sprintf("election port %s:%d: %s", s.HostIP, s.ElectionPort, orNotAsked(string(p)))
		})
	case NeedNames:
		return "", f.hidden(func(s migration.ServerRecord) string {
			if v := f.live(s.ID); v.Serving() && v.ServerID.IsZero() {
				return "it does not say which server it is: conf is not allowed, and no session tells"
			}
			return ""
		})
	case NeedClashes:
		return "", nonEmpty(f.ClashesError)
	case NeedPermissions:
		if f.PermissionsError != "" {
			return "", []string{f.PermissionsError}
		}
		return "", f.Unanswered
	case NeedLook:
		switch {
		case f.LookError != "":
			return "", []string{"nobody could look: " + f.LookError}
		case !f.Looked:
			return "not wrapped yet", nil
		}
		for _, p := range f.Problems {
			if p.Class == migration.ClassUnseen {
				hidden = append(hidden, p.Text)
			}
		}
		return "", hidden
	case NeedPaths:
		return f.lackPaths(id)
	case NeedLookups:
		return f.lackNames(id)
	case NeedSources:
		return f.lackSources()
	case NeedHosts:
		return f.lackHosts(id)
	case NeedSessions:
		return "", f.hidden(func(s migration.ServerRecord) string { return f.Sessions[s.ID].Unseen })
	case NeedTwins:
		return "", nonEmpty(f.TwinsUnlooked, f.TwinsError)
	case NeedList, NeedCluster:
	}
	return "", nil
}

func nonEmpty(texts ...string) (out []string) {
	for _, s := range texts {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// lackFiles is why a check of the files was not made.
func (f Facts) lackFiles(all bool) string {
	switch {
	case f.Files == 0:
		return "the hosts' files were not read: name them with -f"
	case all && f.Files == 1 && len(f.Servers) > 1:
		return "one file was read: name every host's (-f ID=FILE) to have them compared"
	case all && f.Files < len(f.Servers):
		return fmt.Sprintf("%d files were read, and there are %d servers: name every host's (-f ID=FILE)", f.Files, len(f.Servers))
	}
	return ""
}

// hidden asks look of every server that is anybody's concern.
func (f Facts) hidden(look func(migration.ServerRecord) string) []string {
	var out []string
	for _, s := range f.Servers {
		if f.Unasked[s.ID] {
			continue
		}
		if why := look(s); why != "" {
			out = append(out, fmt.Sprintf("server %d was not seen from here: %s", s.ID, why))
		}
	}
	return out
}

// sightless is why a look at a server told nothing; empty when it told something.
func sightless(s vantage.Sighting) string {
	if s.Unread() {
		return "it answers srvr, and its conf, which tells its id and its list, did not come whole"
	}
	switch s.Reach {
	case vantage.Answered, vantage.NotServing, vantage.Refused:
		return ""
	default:
		if s.Detail != "" {
			return s.Detail
		}
		return orNotAsked(string(s.Reach))
	}
}

func orNotAsked(s string) string {
	if s == "" {
		return "not asked"
	}
	return s
}

// live returns what was seen of a server, by whichever way more was.
func (f Facts) live(id ensemble.ID) vantage.Sighting {
	t, d := f.Through[id], f.Direct[id]
	if t.Unread() && d.Serving() {
		return d
	}
	if t.Serving() || !d.Serving() && sightless(d) != "" && t.Reach != vantage.NotAsked {
		return t
	}
	return d
}
