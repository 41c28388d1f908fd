package intake

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// NamedFiles are the files that the hosts' configurations and the pods' JVM flags name;
// without the hosts' files, what is recorded of them.
func NamedFiles(rec migration.Record, hosts []ensemble.HostConfig) []ensemble.FileRef {
	if len(hosts) == 0 {
		return rec.Pods.FileRefs()
	}
	shared, own := "", map[ensemble.ID]string{}
	for _, h := range hosts {
		text := string(h.Config.Props.Bytes())
		if id, known := h.ID.Get(); known && len(hosts) > 1 {
			own[id] = text
		} else {
			shared = text
		}
	}
	return ensemble.FileRefs(shared, own, rec.Pods.JVMFlags)
}

// HasSecrets reports whether a host's zoo.cfg has a value that nobody may read.
func HasSecrets(hosts []ensemble.HostConfig) bool {
	return slices.ContainsFunc(hosts, func(h ensemble.HostConfig) bool {
		return len(ensemble.SecretKeys(string(h.Config.Props.Bytes()))) > 0
	})
}
