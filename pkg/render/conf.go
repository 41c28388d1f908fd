package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Conf holds the pods' zoo.cfg and scripts. It cannot be changed and is named by
// its content, so a pod runs what its template names, as long as it lives. What
// another record or release needs is another ConfigMap; ZooKeeper writes to a copy.
// Plain pods have a zoo.cfg alone, unless that is elsewhere (plainConfIn).
func Conf(rec migration.Record) *corev1.ConfigMap {
	if rec.Pods.Plain {
		return plainConfMap(rec)
	}
	refs := fileRefs(rec)
	data := map[string]string{zooCfgKey: podCfg(rec.Pods.ZooCfg, refs), gateKey: gateScript, probeKey: probeScript, relayKey: relayScript}
	for _, own := range rec.Pods.Own {
		data[own.ID.String()+"."+zooCfgKey] = podCfg(own.ZooCfg, refs)
	}
	if rec.Pods.DynamicName != "" {
		data[rec.Pods.DynamicName] = rec.Pods.Dynamic
	}
	cm := configMap(rec, confName(rec.Name, data), RoleConf)
	fixed := true
	cm.Data, cm.Immutable = data, &fixed
	return cm
}

// podCfg is a part of zoo.cfg as the pods have it.
func podCfg(text string, refs []ensemble.FileRef) string {
	text = ensemble.MapFiles(text, refs, migration.PodFilesDir)
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

func confName(name string, data map[string]string) string {
	return ConfName(name) + "-" + contentHash(data)[:16]
}

// contentHash is what "sha256sum -- * | sha256sum" says where the files are mounted.
func contentHash(data map[string]string) string {
	var list strings.Builder
	for _, key := range slices.Sorted(maps.Keys(data)) {
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256([]byte(data[key])), key)
	}
	sum := sha256.Sum256([]byte(list.String()))
	return hex.EncodeToString(sum[:])
}

// ConfOf is the ConfigMap that a pod has its files from, empty without any.
func ConfOf(spec corev1.PodSpec) string {
	for _, v := range spec.Volumes {
		if v.Name == confVolume && v.ConfigMap != nil {
			return v.ConfigMap.Name
		}
	}
	return ""
}

// Intact reports whether a ConfigMap of files holds what its name says. One of an
// earlier release, whose name says nothing, always does.
func Intact(name string, cm *corev1.ConfigMap) bool {
	named := cm.Name == confName(name, cm.Data) || cm.Name == plainConfName(name, cm.Data)
	return cm.Name == ConfName(name) || named && len(cm.BinaryData) == 0
}

// checked runs one of the files, once all of them are seen to be those that the
// template was written for: somebody may have deleted the ConfigMap and made another
// one of that name before this pod was created.
func checked(rec migration.Record, script string) []string {
	return []string{"bash", "-c", fmt.Sprintf(checkScript, contentHash(Conf(rec).Data)), confPath + "/" + script}
}

const checkScript = `conf=${0%%/*}
sum=$(cd "$conf" && LC_ALL=C sha256sum -- * | sha256sum)
[[ ${sum%%%% *} == %s ]] && exec bash "$0" "$@"
echo "the files in $conf are not those that this pod was made for: somebody replaced their ConfigMap" | tee /dev/termination-log
exit 1
`
