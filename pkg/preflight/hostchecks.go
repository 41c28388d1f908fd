package preflight

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostreport"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// The checks of what hosts report of their servers.
const (
	rightServer = "HOST001"
	rightUnit   = "HOST002"
	diskSpace   = "HOST003"
	rightFile   = "HOST004"
	staysDown   = "HOST005"
)

// hostChecks rest on what the host script tells. What it does not tell keeps nobody up.
func hostChecks() []Check {
	return []Check{
		{ID: rightServer, Title: "each host runs the server that is recorded for it", Severity: Blocker, Bounded: true,
			Hint: "compare myid and dataDir on the host with what status prints; wrap again with the hosts' present files", Eval: each(serverOf)},
		{ID: rightUnit, Title: "each server runs in the unit or container that is recorded", Severity: Warning,
			Hint: "reconfigure --unit=NAME (or ID=NAME for one server), with --supervisor=docker or podman for a container, records it: the printed commands stop and mask that one", Eval: each(unitOf)},
		{ID: diskSpace, Title: "the servers' disks have room for a restart", Severity: Warning,
			Hint: "make room on the hosts' disks before any server restarts", Eval: each(roomOf)},
		{ID: rightFile, Title: "each server runs with the zoo.cfg that was given", Severity: Warning,
			Hint: "copy the hosts' files again; the printed commands patch what a link leads to", Eval: each(fileOf)},
		{ID: staysDown, Title: "a host whose server runs in its pod cannot start it again", Severity: Blocker, Bounded: true,
			Hint: "on that host: stop the server, disable its unit and mask it; or stop its container and docker update --restart=no NAME", Eval: down},
	}
}

// each asks of every server on a host what its host's report says of it. What a script in a
// container saw of processes is the container's.
func each(of func(Facts, migration.ServerRecord, hostreport.Report) []string) func(Facts) ([]string, string) {
	return func(f Facts) (wrong []string, skip string) {
		for _, l := range f.looks() {
			if l.from.Place == OnHost && l.tellsOfServers() {
				s := f.server(l.from.Server.ID)
				for _, text := range of(f, s, l.report.Report) {
					wrong = append(wrong, fmt.Sprintf("host %s: %s", s.HostIP, text))
				}
			}
		}
		return wrong, ""
	}
}

func (l look) tellsOfServers() bool {
	return l.report != nil && l.unusable == "" && (l.report.Container == nil || !*l.report.Container)
}

// lackHosts says which hosts have not told of their servers; staysDown asks the hosts that
// servers have left.
func (f Facts) lackHosts(id string) (missing string, hidden []string) {
	asked, told := 0, 0
	for _, s := range f.Servers {
		if (s.Replaced != nil) != (id == staysDown) {
			continue
		}
		asked++
		l := look{from: From{Place: OnHost, Name: s.HostIP}, missing: "the host has not reported"}
		if r := f.reportOf(s); r != nil {
			l = f.reported(l.from, r)
		}
		switch {
		case l.tellsOfServers():
			told++
		case l.report != nil && l.unusable == "":
			hidden = append(hidden, l.from.String()+": the script ran in a container, and does not see the host's processes and files")
		default:
			hidden = append(hidden, l.from.String()+": "+l.unusable+l.missing)
		}
	}
	switch {
	case asked == 0 && id == staysDown:
		return "every server runs on its host", nil
	case asked == 0:
		return "no server runs on a host any more", nil
	case told == 0:
		return hidden[0], nil
	}
	return "", hidden
}

// processes are the servers that run on a host, and whether their ids are all known.
func processes(s migration.ServerRecord, r hostreport.Report) (own *hostreport.Process, ids []string, all bool) {
	all = true
	for i, p := range r.ZooKeeper {
		switch {
		case p.MyID == nil:
			all = false
		case *p.MyID == int64(s.ID):
			own = &r.ZooKeeper[i]
		default:
			ids = append(ids, fmt.Sprint(*p.MyID))
		}
	}
	if own == nil && len(r.ZooKeeper) == 1 {
		own = &r.ZooKeeper[0]
	}
	return own, ids, all
}

func serverOf(_ Facts, s migration.ServerRecord, r hostreport.Report) (wrong []string) {
	own, ids, all := processes(s, r)
	if all && len(ids) > 0 && (own == nil || *own.MyID != int64(s.ID)) {
		return []string{fmt.Sprintf("it runs server %s by myid, and server %d is recorded", and(ids), s.ID)}
	}
	if own == nil {
		return nil
	}
	for _, d := range []struct{ what, there, recorded string }{{"dataDir", own.DataDir, s.DataDir}, {"dataLogDir", own.DataLogDir, orDirectory(s.DataLogDir, s.DataDir)}} {
		if d.there != "" && d.recorded != "" && strings.TrimSuffix(d.there, "/") != strings.TrimSuffix(d.recorded, "/") {
			wrong = append(wrong, fmt.Sprintf("%s of server %d is %s there, and %s is recorded", d.what, s.ID, d.there, d.recorded))
		}
	}
	return wrong
}

func orDirectory(dir, otherwise string) string {
	if dir == "" {
		return otherwise
	}
	return dir
}

// HostUnit is the systemd unit of a server; empty where something else starts it.
func HostUnit(rec migration.Record, id ensemble.ID) string {
	if s := hostpatch.Supervisor(rec.Hosts.Supervisor); s != "" && s != hostpatch.Systemd {
		return ""
	}
	return cmp.Or(rec.Hosts.UnitOf(id), hostpatch.DefaultUnit)
}

// HostContainer is the container of a server and its engine; empty where it runs in none.
func HostContainer(rec migration.Record, id ensemble.ID) (engine, name string) {
	if s := hostpatch.Supervisor(rec.Hosts.Supervisor); s.IsEngine() {
		return string(s), cmp.Or(rec.Hosts.UnitOf(id), hostpatch.DefaultUnit)
	}
	return "", ""
}

func sameUnit(a, b string) bool {
	return strings.TrimSuffix(a, ".service") == strings.TrimSuffix(b, ".service")
}

func unitOf(f Facts, s migration.ServerRecord, r hostreport.Report) (wrong []string) {
	unit := HostUnit(f.Record, s.ID)
	own, _, _ := processes(s, r)
	if own != nil && own.Container != nil && *own.Container {
		return containerOf(f, s, *own)
	}
	if engine, name := HostContainer(f.Record, s.ID); engine != "" && own != nil && own.Container != nil {
		return []string{fmt.Sprintf("server %d runs in no container, and %s of %s is recorded", s.ID, name, engine)}
	}
	if unit == "" {
		return nil
	}
	for _, u := range r.Units {
		if sameUnit(u.Name, unit) && u.Load == "not-found" {
			wrong = append(wrong, fmt.Sprintf("there is no unit %s", unit))
		}
	}
	switch {
	case own == nil || own.Unit == "" || sameUnit(own.Unit, unit):
	case strings.HasSuffix(own.Unit, ".scope"):
		wrong = append(wrong, fmt.Sprintf("server %d was started by hand (%s), not by unit %s", s.ID, own.Unit, unit))
	default:
		wrong = append(wrong, fmt.Sprintf("server %d runs in unit %s, and %s is recorded", s.ID, own.Unit, unit))
	}
	return wrong
}

// containerOf holds a server's container against what is recorded. podman has units run
// containers, and then the unit is what is stopped and masked.
func containerOf(f Facts, s migration.ServerRecord, own hostreport.Process) []string {
	engine, name := HostContainer(f.Record, s.ID)
	in := own.In
	switch {
	case in == nil && engine != "":
		return nil
	case in == nil:
		return []string{fmt.Sprintf("server %d runs in a container (%s) that nobody tells of: run the script as root", s.ID, own.Unit)}
	case in.Unit != "" && sameUnit(in.Unit, HostUnit(f.Record, s.ID)), in.Unit == "" && in.Engine == engine && in.Name == name:
		return nil
	}
	text, flags := fmt.Sprintf("server %d runs in the container %s of %s", s.ID, in.Name, in.Engine), fmt.Sprintf("--supervisor=%s --unit=%s=%s", in.Engine, s.ID, quote.Shell(in.Name))
	if in.Restart != "" {
		text += ", restart policy " + in.Restart
	}
	if in.Compose != "" {
		text += ", made by compose in " + in.Compose
	}
	if in.Unit != "" {
		text += ", run by the unit " + in.Unit
		flags = fmt.Sprintf("--supervisor=systemd --unit=%s=%s", s.ID, quote.Shell(in.Unit))
	}
	return []string{text + ": reconfigure " + flags}
}

// leastSpace is what a restart writes at most before it serves, beside a snapshot: a
// transaction log of preAllocSize (64 MiB), and what the JVM logs.
const leastSpace = 128 << 20

func roomOf(f Facts, s migration.ServerRecord, r hostreport.Report) (wrong []string) {
	own, _, _ := processes(s, r)
	if own == nil {
		return nil
	}
	need := f.DataBytes + leastSpace
	for _, d := range []struct {
		what, dir string
		free      *int64
	}{{"dataDir", own.DataDir, own.DataDirFree}, {"dataLogDir", own.DataLogDir, own.DataLogDirFree}} {
		if d.free != nil && *d.free < need && (d.what == "dataDir" || own.DataLogDir != own.DataDir) {
			wrong = append(wrong, fmt.Sprintf("%d MiB are free in %s %s; a snapshot and a log need %d MiB", *d.free>>20, d.what, d.dir, need>>20))
		}
	}
	return wrong
}

func fileOf(f Facts, s migration.ServerRecord, r hostreport.Report) (wrong []string) {
	own, _, _ := processes(s, r)
	if own == nil || own.File == nil {
		return nil
	}
	file := own.File
	if given := f.FileSHA256[s.ID]; given != "" && file.SHA256 != "" && given != file.SHA256 {
		wrong = append(wrong, fmt.Sprintf("%s is another file than the one given for server %d", own.Config, s.ID))
	}
	if file.Modified != nil && own.Started != nil && *file.Modified > *own.Started {
		wrong = append(wrong, fmt.Sprintf("%s was changed after server %d started, and is not in use before its next start", own.Config, s.ID))
	}
	if file.Symlink != nil && *file.Symlink {
		wrong = append(wrong, fmt.Sprintf("%s is a link: the patch is for %s", own.Config, file.Target))
	}
	return wrong
}

// recordedOn is what a host tells of a server's recorded container; nil where it tells of none, or
// of that of another server on the same host.
func (f Facts) recordedOn(s migration.ServerRecord, r hostreport.Report) *hostreport.Container {
	_, name := HostContainer(f.Record, s.ID)
	for _, other := range f.Servers {
		if _, others := HostContainer(f.Record, other.ID); r.Recorded != nil && others == r.Recorded.Name && others != name {
			return nil
		}
	}
	return r.Recorded
}

// down looks at the former hosts of servers in pods.
func down(f Facts) (wrong []string, _ string) {
	for _, s := range f.Servers {
		r := f.reportOf(s)
		if s.Replaced == nil || r == nil || !f.reported(From{}, r).tellsOfServers() {
			continue
		}
		for _, p := range r.ZooKeeper {
			if p.MyID != nil && *p.MyID == int64(s.ID) {
				wrong = append(wrong, fmt.Sprintf("host %s: server %d runs there, beside its pod", s.HostIP, s.ID))
			}
		}
		c := f.recordedOn(s, r.Report)
		if c != nil && c.Running != nil && *c.Running {
			wrong = append(wrong, fmt.Sprintf("host %s: the container %s of server %d runs there, beside its pod", s.HostIP, c.Name, s.ID))
		}
		if c != nil && c.Restart != "" && c.Restart != "no" {
			wrong = append(wrong, fmt.Sprintf("host %s: the container %s has the restart policy %s: a reboot may start server %d beside its pod", s.HostIP, c.Name, c.Restart, s.ID))
		}
		for _, u := range r.Units {
			if sameUnit(u.Name, HostUnit(f.Record, s.ID)) && u.Load == "loaded" && strings.HasPrefix(u.Enabled, "enabled") {
				wrong = append(wrong, fmt.Sprintf("host %s: unit %s is enabled: a reboot would start server %d beside its pod", s.HostIP, u.Name, s.ID))
			}
		}
	}
	return wrong, ""
}
