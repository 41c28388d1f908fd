package intake

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Derived is what PodFiles made.
type Derived struct {
	Notes []ensemble.Note
	// Private has the lines that are in no record; nil where there are none.
	Private *corev1.Secret
	// Kept: once servers have moved, a file that would have pods look for their logs
	// elsewhere is not taken.
	Kept bool
}

// PodFiles derives the pods' files from the hosts', of which the first counts but for
// what may differ; without any, the members were given by flags: then files that are
// there stay.
func PodFiles(rec *migration.Record, hosts []ensemble.HostConfig) (Derived, error) {
	if len(hosts) == 0 {
		if rec.Pods.ZooCfg != "" {
			return Derived{}, nil
		}
		config, err := membersConfig(*rec)
		if err != nil {
			return Derived{}, err
		}
		hosts = []ensemble.HostConfig{{Source: "members", Config: config}}
	}
	had := rec.Pods
	out, err := setPodConfig(rec, hosts)
	if err != nil {
		return Derived{}, err
	}
	if handedOut(*rec) && had.ZooCfg != "" {
		if rec.Pods.ZooCfg, err = keepPatched(had.ZooCfg, rec.Pods.ZooCfg); err != nil {
			return out, err
		}
	}
	if rec.Begun() && had.ZooCfg != "" && logsApart(had.ZooCfg) != logsApart(rec.Pods.ZooCfg) {
		rec.Pods = had
		return Derived{Kept: true}, nil
	}
	return out, nil
}

// logsApart reports whether a zoo.cfg of the pods has the logs in a directory of
// their own.
func logsApart(zooCfg string) bool {
	file, err := ensemble.ReadPodFile(zooCfg)
	return err == nil && file.DataLogDir != ""
}

// samePorts refuses a file with other client ports than are recorded: a pod would listen
// where its Service does not point.
func samePorts(servers []migration.ServerRecord, c *ensemble.Config) error {
	for _, s := range servers {
		in, ok := c.Server(s.ID)
		switch {
		case !ok:
		case in.ClientPort != s.ClientPort:
			return usagef("server %d listens on client port %d, the one zoo.cfg of all pods would have %d: let all hosts use one port, or (3.5 and later) write each into its server line, as server.%d=...;%d",
				s.ID, s.ClientPort, in.ClientPort, s.ID, s.ClientPort)
		case s.SecureClientPort != 0 && in.SecureClientPort != s.SecureClientPort:
			return usagef("server %d listens on secure client port %d, the one zoo.cfg of all pods would have %d: let all hosts use one port", s.ID, s.SecureClientPort, in.SecureClientPort)
		}
	}
	return nil
}

// setPodConfig derives the pods' zoo.cfg, and their dynamic file where the
// hosts have one, and puts them into the record, but for what nobody may read.
func setPodConfig(rec *migration.Record, hosts []ensemble.HostConfig) (out Derived, err error) {
	c := hosts[0].Config
	if err := samePorts(rec.Servers, c); err != nil {
		return out, err
	}
	v, err := ensemble.ParseVersion(rec.Settings.Version)
	if err != nil {
		return out, err
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
		return out, err
	}
	cfg, own, err := ensemble.OwnLines(cfg, hosts)
	if err != nil {
		return out, usage(err)
	}
	name, dynamic, err := ensemble.PodDynamic(c, in)
	if err != nil {
		return out, err
	}
	pods := &rec.Pods
	pods.DynamicName, pods.Dynamic, pods.Own, pods.PrivateSecret = name, string(dynamic), nil, ""
	private := render.PrivateLines{Own: map[ensemble.ID]string{}}
	if pods.ZooCfg, private.All, err = splitSecrets(cfg); err != nil {
		return out, err
	}
	var lines []migration.OwnLines
	for _, id := range slices.Sorted(maps.Keys(own)) {
		public, secret, err := splitSecrets([]byte(own[id]))
		if err != nil {
			return out, err
		}
		private.Own[id] = secret
		lines = append(lines, migration.OwnLines{ID: id, ZooCfg: public})
	}
	// A server without any says that what all others name is not its own.
	if slices.ContainsFunc(lines, func(l migration.OwnLines) bool { return l.ZooCfg != "" }) {
		pods.Own = lines
	}
	out.Notes = notes
	if private.Empty() {
		return out, nil
	}
	if out.Private, err = render.Private(*rec, private); err != nil {
		return out, err
	}
	pods.PrivateSecret = out.Private.Name
	return out, nil
}

func splitSecrets(zooCfg []byte) (public, private string, err error) {
	a, b, err := ensemble.SplitSecrets(zooCfg)
	return string(a), string(b), err
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
