package preflight

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// LastThing is something to see to before a host that its server has left is given away.
type LastThing struct {
	// Result is Fail where something stands against it, Unknown where nobody has told.
	Result Result
	Text   string
}

// LastThings are those of one server's host, whose ports answered as host says.
func LastThings(f Facts, s migration.ServerRecord, host migration.HostView) []LastThing {
	at := "host " + s.HostIP
	ports := LastThing{OK, at + " refuses connections at the server's ports"}
	switch host.State() {
	case migration.HostUp:
		ports = LastThing{Fail, fmt.Sprintf("server %d answers at %s, beside its pod", s.ID, at)}
	case migration.HostUnclear:
		ports = LastThing{Unknown, "something accepts connections at " + at + ", and does not answer as server " + s.ID.String() + ": another machine by now, or a server that hangs"}
	case migration.HostSilent:
		ports = LastThing{Unknown, at + " is silent: switched off, or out of reach from here"}
	case migration.HostRefuses:
	}
	out := []LastThing{ports}
	left, untold := f.Left(s)
	switch {
	case untold != "":
		out = append(out, LastThing{Unknown, "whether a unit could start the server again (--host-hook): " + untold})
	case len(left) == 0:
		out = append(out, LastThing{OK, "the host tells of no process, unit or container of server " + s.ID.String() + " that could come back"})
	}
	for _, text := range left {
		out = append(out, LastThing{Fail, text})
	}
	return out
}

// ByHand are the last things that nobody sees from here, in words and commands for the host.
func ByHand(rec migration.Record, s migration.ServerRecord) []string {
	out := []string{"keep the data as long as somebody may ask for it; it is not written any more, and the fence has renamed it: " + archive(s)}
	if c, err := hostpatch.CommandsFor(hostpatch.Supervisor(rec.Hosts.Supervisor), rec.Hosts.UnitOf(s.ID)); err == nil {
		out = append(out, "see that nothing starts the server: "+c.Status)
	}
	return append(out,
		"take the server out of configuration management and of what starts machines again (docs/managers.md), or its next run brings it back",
		fmt.Sprintf("take %s out of firewalls, DNS, monitoring and backups, and out of what clients are told", s.Host))
}

// archive is a command that packs the directories of the server.
func archive(s migration.ServerRecord) string {
	dirs := []string{s.DataDir}
	if s.DataLogDir != "" {
		dirs = append(dirs, s.DataLogDir)
	}
	if s.DataDir == "" {
		return fmt.Sprintf("tar -czf zookeeper-server-%d.tar.gz DATADIR", s.ID)
	}
	for i := range dirs {
		dirs[i] = quote.Shell(dirs[i])
	}
	return fmt.Sprintf("tar -czf zookeeper-server-%d.tar.gz %s", s.ID, strings.Join(dirs, " "))
}
