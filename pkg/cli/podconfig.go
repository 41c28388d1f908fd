package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// complete fills in what is known only now: version, limits, the pods' file,
// waivers and the epoch from which elections are counted.
func (o *WrapOptions) complete(ctx context.Context, s *session, rec *migration.Record, desc described, known bool) error {
	var versions []string
	for _, srv := range rec.Servers {
		live := s.prober.zk.Sight(ctx, hostPort(srv.HostIP, srv.ClientPort))
		if !live.Version.IsZero() && !slices.Contains(versions, live.Version.String()) {
			versions = append(versions, live.Version.String())
		}
		if rec.Settings.TickTimeMillis == 0 && live.TickTime > 0 {
			rec.Settings.TickTimeMillis, rec.Settings.InitLimit, rec.Settings.SyncLimit = int(live.TickTime.Milliseconds()), live.InitLimit, live.SyncLimit
		}
		if live.Mode == ensemble.Leader && rec.Elections.AtWrap == 0 {
			rec.Elections.AtWrap = live.Zxid.Epoch()
		}
	}
	if note := upgraded(rec, versions, desc.config != nil, o.deps.in(rec.Namespace)); note != "" {
		fmt.Fprintf(o.deps.streams.ErrOut, "Warning: %s\n", note)
	}
	if rec.Settings.TickTimeMillis == 0 || rec.Settings.SyncLimit == 0 || rec.Settings.InitLimit == 0 {
		return usagef("tickTime, initLimit and syncLimit are not known: conf is not answered; give the hosts' files with -f")
	}
	var err error
	if rec.Pods, err = o.pods.apply(rec.Pods, rec.Settings.Version); err != nil {
		return err
	}
	if desc.config != nil || rec.Pods.ZooCfg == "" {
		config := desc.config
		if config == nil {
			if config, err = membersConfig(*rec); err != nil {
				return err
			}
		}
		had := rec.Pods
		notes, err := setPodConfig(rec, config)
		if err != nil {
			return err
		}
		if moved(*rec) && had.ZooCfg != "" && logsApart(had.ZooCfg) != logsApart(rec.Pods.ZooCfg) {
			rec.Pods.ZooCfg, rec.Pods.DynamicName, rec.Pods.Dynamic = had.ZooCfg, had.DynamicName, had.Dynamic
			notes = nil
			fmt.Fprintln(o.deps.streams.ErrOut, "Warning: the pods keep the zoo.cfg they have: the one given differs in whether it has a dataLogDir, and servers in their pods would not find their logs; name a host's file first that is like it")
		}
		printNotes(o.deps.streams.ErrOut, notes)
	}
	for _, w := range o.waive {
		if !rec.Waived(w) {
			rec.Waivers = append(rec.Waivers, migration.Waiver{Check: w, By: me(), At: time.Now()})
		}
	}
	if !known {
		rec.Note(migration.AuditEntry{At: time.Now(), By: me(), Step: "wrap", Detail: fmt.Sprintf("%d servers, ZooKeeper %s", len(rec.Servers), rec.Settings.Version)})
	}
	return nil
}

// upgraded records the version that runs. One that changed since an earlier wrap
// changes the pods' image and file as well, as long as there is no pod that has
// served. It never stands in the way of a wrap that mends a Service: what it
// cannot do it says.
func upgraded(rec *migration.Record, live []string, files bool, at command.At) (note string) {
	old := rec.Settings.Version
	switch {
	case len(live) == 0 || slices.Contains(live, old):
		return ""
	case old == "":
	case moved(*rec):
		return fmt.Sprintf("the hosts run ZooKeeper %s, and the migration was begun with %s: bring them back to it before another server is replaced", live[0], old)
	case !files:
		return fmt.Sprintf("the hosts run ZooKeeper %s, the pods would be made for %s; so that they follow: %s", live[0], old, at.Ours("wrap %s -f FILE", rec.Name))
	}
	rec.Settings.Version = live[0]
	if rec.Pods.Image == "zookeeper:"+old {
		rec.Pods.Image = ""
	}
	return ""
}

// logsApart reports whether a zoo.cfg of the pods has the logs in a directory of
// their own.
func logsApart(zooCfg string) bool {
	return slices.ContainsFunc(strings.Split(zooCfg, "\n"), func(line string) bool { return strings.HasPrefix(line, "dataLogDir=") })
}

// samePorts refuses hosts whose client ports one file for all pods cannot have:
// such a pod would listen where its Service does not point.
func samePorts(servers []migration.ServerRecord, c *ensemble.Config) error {
	for _, s := range servers {
		if in, ok := c.Server(s.ID); ok && in.ClientPort != s.ClientPort {
			return usagef("server %d listens on client port %d, the one zoo.cfg of all pods would have %d: let all hosts use one port, or (3.5 and later) write each into its server line, as server.%d=...;%d",
				s.ID, s.ClientPort, in.ClientPort, s.ID, s.ClientPort)
		}
	}
	return nil
}

// setPodConfig derives the pods' zoo.cfg, and their dynamic file where the
// hosts have one, and puts them into the record.
func setPodConfig(rec *migration.Record, c *ensemble.Config) ([]ensemble.Note, error) {
	if err := samePorts(rec.Servers, c); err != nil {
		return nil, err
	}
	v, err := ensemble.ParseVersion(rec.Settings.Version)
	if err != nil {
		return nil, err
	}
	in := ensemble.PodConfigInput{
		ServiceHosts: map[ensemble.ID]string{}, Version: v,
		DataDir: migration.PodDataDir, DataLogDir: migration.PodDataLogDir, ConfigDir: migration.PodConfDir,
	}
	for _, s := range rec.Servers {
		in.ServiceHosts[s.ID] = rec.ServerHost(s)
	}
	cfg, notes, err := ensemble.PodConfig(c, in)
	if err != nil {
		return nil, err
	}
	name, dynamic, err := ensemble.PodDynamic(c, in)
	if err != nil {
		return nil, err
	}
	rec.Pods.ZooCfg, rec.Pods.DynamicName, rec.Pods.Dynamic = string(cfg), name, string(dynamic)
	return notes, nil
}

// membersConfig is a plain zoo.cfg from the members and the live limits, for
// those who gave no file.
func membersConfig(rec migration.Record) (*ensemble.Config, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "tickTime=%d\ninitLimit=%d\nsyncLimit=%d\ndataDir=%s\nclientPort=%d\n",
		rec.Settings.TickTimeMillis, rec.Settings.InitLimit, rec.Settings.SyncLimit, migration.PodDataDir, rec.Servers[0].ClientPort)
	for _, s := range rec.Servers {
		role := ""
		if s.Role == ensemble.Observer {
			role = ":observer"
		}
		fmt.Fprintf(&b, "server.%d=%s:%d:%d%s\n", s.ID, s.Host, s.PeerPort, s.ElectionPort, role)
	}
	return ensemble.ParseConfig("members", []byte(b.String()), nil)
}

// printNotes tells what in the pods' configuration somebody has to look at:
// warnings, and what was carried over without being understood.
func printNotes(w io.Writer, notes []ensemble.Note) {
	for _, n := range notes {
		if n.Action == ensemble.Warn || n.Action == ensemble.Carry {
			fmt.Fprintf(w, "pods' zoo.cfg: %s: %s\n", n.Key, n.Text)
		}
	}
}
