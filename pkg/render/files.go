package render

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

const (
	// filesEnv lists the files that must be there, one on a line: NAME, or ID/NAME for one
	// server alone, a tab, and its path on the host.
	filesEnv = "ZKMIGRATE_FILES"

	privateVolume     = "private"
	privatePath       = "/zkmigrate/private"
	filesVolume       = "files"
	filesSecretVolume = "files-secret"
	filesSecretPath   = "/zkmigrate/files-secret"
	filesConfigVolume = "files-configmap"
	filesConfigPath   = "/zkmigrate/files-configmap"

	// privateRounds makes a password that somebody guesses dear to compare with a name.
	privateRounds = 600_000
)

// PrivateLines are the lines of the pods' configuration that nobody may read, in the
// format of zoo.cfg.
type PrivateLines struct {
	// All have their place in every pod, Own in one server's.
	All string
	Own map[ensemble.ID]string
}

// Empty: nothing is private.
func (l PrivateLines) Empty() bool {
	return l.All == "" && !slices.ContainsFunc(slices.Collect(maps.Values(l.Own)), func(s string) bool { return s != "" })
}

// Private is the Secret with those lines. It cannot be changed and is named by its
// content, so that a record that names it says what is in it without telling it: the
// digest is a slow one (PBKDF2). Nobody needs to read the Secret to know that it is the
// right one.
func Private(rec migration.Record, lines PrivateLines) (*corev1.Secret, error) {
	data := map[string][]byte{zooCfgKey: []byte(lines.All)}
	for id, text := range lines.Own {
		if text == "" {
			continue
		}
		data[id.String()+"."+zooCfgKey] = []byte(text)
	}
	return namedSecret(rec, PrivatePrefix(rec.Name), data)
}

// namedSecret is a Secret that cannot be changed, and whose name is the prefix and the digest.
func namedSecret(rec migration.Record, prefix string, data map[string][]byte) (*corev1.Secret, error) {
	var all strings.Builder
	for _, key := range slices.Sorted(maps.Keys(data)) {
		fmt.Fprintf(&all, "%q %q\n", key, data[key])
	}
	sum, err := pbkdf2.Key(sha256.New, all.String(), []byte(rec.Namespace+"/"+rec.Name), privateRounds, 8)
	if err != nil {
		return nil, err
	}
	fixed := true
	return &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: prefix + hex.EncodeToString(sum), Namespace: rec.Namespace, Labels: Labels(rec.Name)},
		Immutable:  &fixed,
		Type:       corev1.SecretTypeOpaque,
		Data:       data,
	}, nil
}

// PrivatePrefix begins the names of an ensemble's Secrets.
func PrivatePrefix(name string) string { return JournalName(name) + "-private-" }

// fileRefs are the files that are put in place for the pods; none where the image has them.
func fileRefs(rec migration.Record) []ensemble.FileRef {
	if !rec.Pods.FilesNamed() {
		return nil
	}
	return rec.Pods.FileRefs()
}

// withFiles adds to a template what zoo.cfg and the JVM flags name. A server's own files
// are told from others' by the gate.
func withFiles(rec migration.Record, spec *corev1.PodSpec) {
	c := &spec.Containers[0]
	mount := func(v corev1.Volume, path string, readOnly bool) {
		spec.Volumes = append(spec.Volumes, v)
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: v.Name, MountPath: path, ReadOnly: readOnly})
	}
	if s := rec.Pods.PrivateSecret; s != "" {
		mount(secretVolume(privateVolume, s), privatePath, true)
	}
	if !rec.Pods.FilesNamed() {
		return
	}
	mount(memoryVolume(filesVolume), migration.PodFilesDir, false)
	if s := rec.Pods.FilesSecret; s != "" {
		mount(secretVolume(filesSecretVolume, s), filesSecretPath, true)
	}
	if cm := rec.Pods.FilesConfigMap; cm != "" {
		mount(configVolume(filesConfigVolume, cm), filesConfigPath, true)
	}
	var names []string
	for _, f := range fileRefs(rec) {
		if len(f.Servers) == 0 {
			names = append(names, f.Name+"\t"+f.Path)
		}
		for _, id := range f.Servers {
			names = append(names, id.String()+"/"+f.Name+"\t"+f.Path)
		}
	}
	c.Env = append(c.Env, corev1.EnvVar{Name: filesEnv, Value: strings.Join(names, "\n")})
}

// secretVolume is readable by the pod's group alone.
func secretVolume(name, secret string) corev1.Volume {
	mode := int32(0o440)
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		Secret: &corev1.SecretVolumeSource{SecretName: secret, DefaultMode: &mode},
	}}
}
