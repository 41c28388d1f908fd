package preflight

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// minKubernetes is the oldest supported minor version of Kubernetes 1.
const minKubernetes = 27

// Checks lists all checks; help, docs and JSON come from it.
func Checks() []Check {
	checks := append([]Check{
		{ID: "ZK001", Title: "every server answers and takes part in the quorum", Severity: Blocker,
			Hint: "bring the ensemble to full strength first; srvr must be answered on every client port", Eval: allServing},
		{ID: migration.WaiverVersion, Title: "the ZooKeeper version can be migrated", Severity: Blocker, Waivable: true,
			Hint: "upgrade on the hosts first; with a patched build: --waive=" + migration.WaiverVersion, Eval: version},
		{ID: "ZK003", Title: "the ZooKeeper version has no known trap on the way", Severity: Warning, Eval: versionWarning},
		{ID: migration.WaiverOneVersion, Title: "all servers run the same version", Severity: Blocker, Waivable: true,
			Hint: "finish the upgrade first", Eval: sameVersion},
		{ID: "ZK005", Title: "each address is answered by the server the files name", Severity: Blocker,
			Hint: "compare the server.N lines with each host's myid", Eval: rightIDs},
		{ID: "ZK006", Title: "there is exactly one leader", Severity: Blocker,
			HintFor: statusHint("%s; look at the servers' logs"), Eval: oneLeader},
		{ID: "ZK007", Title: "the ensemble commits", Severity: Blocker,
			Hint: "look at the leader's log and disk, and run the check again: an election ends by itself; restart nothing before that", HintFor: commitHint, Eval: commits},
		{ID: "ZK008", Title: "election ports answer", Severity: Blocker,
			Hint: "open the election port between the hosts, the pods and the machine this runs on", Eval: elections},
		{ID: "ZK009", Title: "at least three voters, and the quorum can spare each", Severity: Blocker,
			Hint: "grow the ensemble to three voters first, or spread its weights and groups: the stop of one that cannot be spared is an outage", Codes: []string{"standalone", "few-voters"}, Eval: voters},
		{ID: "ZK010", Title: "the configuration files can be migrated", Severity: Blocker,
			Hint: "mend the lines named", Eval: otherErrors},
		{ID: "ZK011", Title: "the hosts' files agree", Severity: Blocker,
			Hint: "servers with different lists have different majorities; make them equal first", Eval: func(f Facts) ([]string, string) { return f.Differences, "" }},
		{ID: "ZK012", Title: "the configuration files have no settings to know about", Severity: Warning,
			Eval: otherWarnings},
		{ID: "ZK013", Title: "acknowledged writes are on disk", Severity: Blocker,
			Hint: "forceSync=yes on all servers first: without it no proof holds", Codes: []string{"force-sync"}},
		{ID: "ZK014", Title: "nothing but the operator changes files and restarts servers", Severity: Blocker,
			Hint: "stop Exhibitor on all hosts first; ZooKeeper goes on without it", Codes: []string{"exhibitor"}},
		{ID: "ZK015", Title: "no server starts after it lost its snapshots", Severity: Warning,
			Hint: "remove snapshot.trust.empty once every server has a snapshot; the pods run without it", Codes: []string{"trust-empty"}},
		{ID: "ZK016", Title: "nobody changes the membership meanwhile", Severity: Warning,
			Hint: "keep reconfig to yourself until the end; docs/configuration-keys.md says what becomes of dynamic files", Codes: []string{"reconfig"}},
		{ID: "ZK017", Title: "all servers run with one version of the server list", Severity: Blocker,
			Hint: "let the reconfiguration end, and copy the hosts' files anew", Eval: configVersions},
		{ID: "ZK018", Title: "old snapshots are removed", Severity: Warning,
			Hint: "autopurge.purgeInterval=1, or a job that purges the pods' volumes", Codes: []string{"purge-off"}},
		{ID: "ZK019", Title: "an empty server can load the data within initLimit", Severity: Warning,
			Hint: "nothing now: reconfigure raises initLimit in the patches", Eval: initLimit},
		{ID: "ZK021", Title: "certificates and principals fit the Services' addresses", Severity: Warning,
			Hint: "reconfigure --address=dns puts names into the server lines", Codes: []string{"tls-names", "kerberos-host"}},
		{ID: "ZK034", Title: "servers let each other in while their lists differ", Severity: Blocker, Waivable: true,
			Hint:  "let servers in that have not authenticated by Kerberos while the addresses change: quorum.auth.serverRequireSasl=false on one server after the other, then, once all have it, quorum.auth.learnerRequireSasl=false",
			Codes: []string{"kerberos-peers"}},
		{ID: "ZK022", Title: "Services can lead to the client ports", Severity: Warning,
			Hint:  "names: reconfigure changes them. Loopback: before the wrap, open the port on an address that others reach or forward to it there, on one host after the other; reconfigure leaves it alone",
			Codes: []string{"client-bind", "client-loopback"}},
		{ID: "ZK020", Title: "each Service reaches its server", Severity: Blocker,
			Hint: "is kube-proxy running where this runs, and have the endpoints been written?", Eval: through},
		{ID: "ZK023", Title: "the ensemble has the servers that the files name, and no other", Severity: Blocker,
			HintFor: statusHint("name all of its servers, with their groups and weights (the hosts' files do): who does not know a voter counts the wrong majority. After reconfigure it has the Services' addresses, too: %s prints how to set the list again"), Eval: everyServer},
		{ID: "ZK024", Title: "every server, pod and address is where the journal says", Severity: Blocker,
			HintFor: statusHint("%s says of each what helps"), Eval: inPlace},
		{ID: "ZK025", Title: "no operation is under way", Severity: Warning,
			HintFor: statusHint("let it end, or go on with it: %s prints the command"), Eval: idle},
		{ID: "ZK026", Title: "no other ensemble of ours has the same hosts", Severity: Blocker, Bounded: true,
			Hint: "go on with the ensemble that has them: two records of one ensemble have two journals and two locks",
			Eval: func(f Facts) ([]string, string) { return f.Twins, "" }},
		{ID: "ZK027", Title: "server ids are 1 to 255", Severity: Warning,
			Hint: "nothing, if the ensemble runs with them: no release refuses them (ZOOKEEPER-2503 was never merged). A session's id has the low byte of its server's id, so what reads servers' ids off sessions sees another one",
			Eval: largeIDs},
		{ID: "ZK028", Title: "no two servers hand out the same session ids", Severity: Warning,
			Hint: "a session's id is the low byte of its server's id, the uptime of that server's machine when it began to serve, and a counter (SessionTrackerImpl). Servers that share the byte can hand out the same ids, most likely from pods on one node, which share its uptime; the end of one client's session then ends another's. Give one of them another id before the migration",
			Eval: sharedBytes},
		{ID: "ZK029", Title: "Services have every port of their servers", Severity: Blocker, Waivable: true,
			Hint: "wrap NAME -f FILE adds the ports, and moves nothing", HintFor: portsHint, Eval: servicePorts},
		managerCheck(),
		listeningCheck(),
		{ID: "ZK033", Title: "every file that the configuration names reaches the pods", Severity: Blocker, Waivable: true, BeforeStop: true,
			HintFor: filesHint, Eval: namedFiles},
		clientAuthCheck(),
		{ID: "K8S001", Title: "you have the permissions that every later step needs", Severity: Blocker, BeforeStop: true,
			Hint: "have an administrator apply what `" + command.At{}.Ours("rbac NAME") + "` prints, and bind it to this user", HintFor: roleHint, Eval: func(f Facts) ([]string, string) { return f.Lacking, "" }},
		{ID: "K8S002", Title: "no object of somebody else has one of our names", Severity: Blocker,
			Hint: "choose another name for the ensemble, or another namespace", Eval: func(f Facts) ([]string, string) { return f.Clashes, "" }},
		{ID: "K8S003", Title: "the Kubernetes version is supported", Severity: Blocker, Waivable: true,
			Hint: "1.27 or later", Eval: kubernetes},
	}, slices.Concat(roomChecks(), pathChecks(), nameChecks(), sourceChecks(), hostChecks(), tlsChecks(), leftChecks())...)
	for i, c := range checks {
		if c.Hint == "" && c.HintFor != nil {
			checks[i].Hint = c.HintFor(Facts{})
		}
	}
	return checks
}

// statusHint is a hint that names status.
func statusHint(format string) func(Facts) string {
	return func(f Facts) string { return fmt.Sprintf(format, command.At{Via: f.Via}.Ours("status")) }
}

func allServing(f Facts) (wrong []string, _ string) {
	for _, s := range f.Servers {
		if v := f.live(s.ID); !v.Serving() && sightless(v) == "" && !f.Unasked[s.ID] {
			wrong = append(wrong, fmt.Sprintf("server %d at %s:%d: %s %s", s.ID, s.HostIP, s.ClientPort, v.Reach, v.Detail))
		}
	}
	return wrong, ""
}

func version(f Facts) (wrong []string, skip string) {
	for _, s := range f.Servers {
		v := f.live(s.ID)
		if !v.Serving() {
			continue
		}
		if reason, way := migration.VersionRefusal(v.Version); reason != "" {
			wrong = append(wrong, fmt.Sprintf("server %d: %s; %s", s.ID, reason, way))
		}
	}
	return wrong, ""
}

func versionWarning(f Facts) (wrong []string, skip string) {
	seen := map[string]bool{}
	for _, s := range f.Servers {
		v := f.live(s.ID)
		w := migration.VersionWarning(v.Version)
		if !v.Serving() || w == "" || seen[w] {
			continue
		}
		seen[w] = true
		wrong = append(wrong, v.Version.String()+": "+w)
	}
	return wrong, ""
}

func sameVersion(f Facts) (wrong []string, skip string) {
	by := map[string][]ensemble.ID{}
	for _, s := range f.Servers {
		if v := f.live(s.ID); v.Serving() {
			by[v.Version.String()] = append(by[v.Version.String()], s.ID)
		}
	}
	if len(by) > 1 {
		for v, ids := range by {
			wrong = append(wrong, fmt.Sprintf("%s: servers %v", v, ids))
		}
	}
	return append(wrong, otherImages(f)...), ""
}

// servicePorts holds what is recorded, which is what Services have, against the files.
func servicePorts(f Facts) (wrong []string, _ string) {
	for _, said := range f.Said {
		i := slices.IndexFunc(f.Servers, func(s migration.ServerRecord) bool { return s.ID == said.ID })
		if i < 0 || !f.Wrapped {
			continue
		}
		for _, p := range f.Servers[i].Lacks(said) {
			wrong = append(wrong, fmt.Sprintf("server %d listens on %s port %d, which its Service does not have", said.ID, p.Name, p.Number))
		}
	}
	return wrong, ""
}

func portsHint(f Facts) string {
	return command.At{Namespace: f.Record.Namespace, Via: f.Via}.Ours("wrap %s -f FILE", cmp.Or(f.Record.Name, "NAME")) + " adds the ports, and moves nothing"
}

func rightIDs(f Facts) (wrong []string, _ string) {
	for _, s := range f.Servers {
		if v := f.Direct[s.ID]; v.ServerID.IsNot(s.ID) {
			wrong = append(wrong, fmt.Sprintf("%s:%d should be server %d and says it is %s", s.HostIP, s.ClientPort, s.ID, v.ServerID))
		}
	}
	return wrong, ""
}

func oneLeader(f Facts) (wrong []string, _ string) {
	var leaders []ensemble.ID
	unseen := false
	for _, s := range f.Servers {
		v := f.live(s.ID)
		if v.Serving() && v.Mode == ensemble.Leader {
			leaders = append(leaders, s.ID)
		}
		// It may lead, in a pod whose Service is to be made again.
		unseen = unseen || f.Unasked[s.ID] && !v.Serving()
	}
	if len(leaders) != 1 && (len(leaders) > 0 || !unseen) {
		wrong = append(wrong, fmt.Sprintf("%d servers say that they lead: %v", len(leaders), leaders))
	}
	return wrong, ""
}

func commits(f Facts) (wrong []string, skip string) {
	switch {
	case !f.CommitAsked:
		return nil, "no server serves"
	case f.CommitError != "":
		return []string{f.CommitError}, ""
	}
	return nil, ""
}

// commitHint is what helps by why nothing was committed.
func commitHint(f Facts) string {
	switch {
	case f.CommitAuth:
		return "give the command a user that the servers let in, with --credentials (docs/credentials.md). Without one, for the time of the migration add ip to enforce.auth.schemes (3.7 and later), or set " +
			"enforce.auth.enabled=false and sessionRequireClientSASLAuth=false, on one server after the other, the leader last"
	case f.CommitStuck && f.stuckByAddresses():
		return "if it lasts longer than an election, it is ZOOKEEPER-3829: after a rolling change of addresses the leader answers srvr and commits nothing, " +
			"and only a restart of all servers at the same time ends that"
	case f.CommitStuck:
		return "an election may be under way: run the check again. If it lasts, look at the leader's log and disk; restart nothing before that"
	}
	return "run the check again; if it lasts, look at the log of the server it went through"
}

// stuckByAddresses: a release that stops committing after a rolling change of
// addresses runs.
func (f Facts) stuckByAddresses() bool {
	for _, s := range f.Servers {
		if v := f.live(s.ID).Version; v.AtLeast(3, 5, 0) && !v.AtLeast(3, 5, 9) || v.AtLeast(3, 6, 0) && !v.AtLeast(3, 6, 2) {
			return true
		}
	}
	return false
}

// inPlace reports what a look finds wrong that no other check asks for.
func inPlace(f Facts) (wrong []string, _ string) {
	for _, p := range f.Problems {
		if p.Class == migration.ClassWrong && p.Code != migration.CodeDegraded {
			wrong = append(wrong, p.Text)
		}
	}
	return wrong, ""
}

func idle(f Facts) (wrong []string, _ string) {
	for _, p := range f.Problems {
		if p.Class == migration.ClassPlanned {
			wrong = append(wrong, p.Text)
		}
	}
	return wrong, ""
}

func elections(f Facts) (wrong []string, _ string) {
	for _, s := range f.Servers {
		if p := f.Election[s.ID]; p == vantage.PortClosed && !f.Through[s.ID].Serving() && !f.Unasked[s.ID] {
			wrong = append(wrong, fmt.Sprintf("server %d at %s:%d: %s", s.ID, s.HostIP, s.ElectionPort, p))
		}
	}
	return wrong, ""
}

// voters wants a quorum without any one server. Where groups weigh, one can be
// indispensable among many: the stop of it is refused at its turn anyway, which
// is late.
func voters(f Facts) (wrong []string, _ string) {
	e := ensemble.Ensemble{}
	for _, s := range f.Servers {
		e.Servers = append(e.Servers, s.Server)
	}
	all := e.Voters()
	if len(all) < 3 {
		return []string{fmt.Sprintf("%d voters", len(all))}, ""
	}
	quorum := ensemble.NewQuorum(e.Servers)
	for _, id := range all {
		if !quorum.Has(ensemble.Without(all, id)) {
			wrong = append(wrong, fmt.Sprintf("without server %d the other %d voters are no quorum: its weight and group count for too much", id, len(all)-1))
		}
	}
	return wrong, ""
}

func through(f Facts) (wrong []string, skip string) {
	if !f.Wrapped {
		return nil, ""
	}
	for _, s := range f.Servers {
		v := f.Through[s.ID]
		switch {
		case f.Unasked[s.ID], sightless(v) != "":
		case !v.Serving():
			wrong = append(wrong, fmt.Sprintf("server %d through %s:%d: %s %s", s.ID, s.ClusterIP, s.ClientPort, v.Reach, v.Detail))
		case v.ServerID.IsNot(s.ID):
			wrong = append(wrong, fmt.Sprintf("the Service of server %d is answered by server %s", s.ID, v.ServerID))
		}
	}
	return wrong, ""
}

func roleHint(f Facts) string {
	if f.RoleCommand == "" {
		return "have an administrator print the Role with `" + command.At{}.Ours("rbac") + "`, apply it and bind it to this user"
	}
	return "have an administrator run: " + f.RoleCommand + " | " + command.ApplyRole
}

func kubernetes(f Facts) (wrong []string, skip string) {
	if f.KubernetesMinor == 0 {
		return nil, "the cluster's version is not known"
	}
	if f.KubernetesMinor < minKubernetes {
		wrong = append(wrong, fmt.Sprintf("1.%d", f.KubernetesMinor))
	}
	return wrong, ""
}
