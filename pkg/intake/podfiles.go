package intake

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// PodFiles derives the pods' files from config, a host's file; nil where the
// members were given by flags: then files that are there stay. Once servers have
// moved, a file that would have pods look for their logs elsewhere is not taken:
// kept says so.
func PodFiles(rec *migration.Record, config *ensemble.Config) (notes []ensemble.Note, kept bool, err error) {
	if config == nil {
		if rec.Pods.ZooCfg != "" {
			return nil, false, nil
		}
		if config, err = membersConfig(*rec); err != nil {
			return nil, false, err
		}
	}
	had := rec.Pods
	if notes, err = setPodConfig(rec, config); err != nil {
		return nil, false, err
	}
	if rec.Begun() && had.ZooCfg != "" && logsApart(had.ZooCfg) != logsApart(rec.Pods.ZooCfg) {
		rec.Pods.ZooCfg, rec.Pods.DynamicName, rec.Pods.Dynamic = had.ZooCfg, had.DynamicName, had.Dynamic
		return nil, true, nil
	}
	return notes, false, nil
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
