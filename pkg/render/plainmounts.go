package render

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// jvmFlagsVar has the JVM flags that nobody may read.
const jvmFlagsVar = "SECRET_JVMFLAGS"

// plainPath is where a pod has a file.
func plainPath(rec migration.Record, pod, name string) string {
	if rec.Pods.PlainFiles.PerServer(name) {
		return path.Join(migration.PodFilesDir, pod, name)
	}
	return path.Join(migration.PodFilesDir, name)
}

// plainRefs are the files that the configuration names, as a pod has them.
func plainRefs(rec migration.Record, pod string) []ensemble.FileRef {
	refs := slices.Clone(fileRefs(rec))
	for i, f := range refs {
		if rec.Pods.PlainFiles.PerServer(f.Name) {
			refs[i].Name = path.Join(pod, f.Name)
		}
	}
	return refs
}

// plainJVMFlags are the variables with the JVM's flags.
func plainJVMFlags(rec migration.Record) (env []corev1.EnvVar) {
	refs := plainRefs(rec, "$(POD_NAME)")
	for i := range refs {
		refs[i].Path = quote.Container(refs[i].Path)
	}
	flags := ensemble.MapFileFlags(quote.Container(rec.Pods.JVMFlags), refs, migration.PodFilesDir)
	if p := rec.Pods.PlainFiles; p != nil && p.JVMFlags {
		env = append(env, corev1.EnvVar{Name: jvmFlagsVar, ValueFrom: &corev1.EnvVarSource{
			SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: p.Secret}, Key: jvmFlagsKey},
		}})
		flags = strings.TrimSpace(flags + " $(" + jvmFlagsVar + ")")
	}
	if flags == "" {
		return nil
	}
	return append(env, corev1.EnvVar{Name: "SERVER_JVMFLAGS", Value: flags})
}

// plainVolume has the files, those of one server in a directory that is called like its pod;
// false where there are none.
func plainVolume(rec migration.Record) (v corev1.Volume, found bool) {
	p := rec.Pods.PlainFiles
	if p == nil || len(p.Files) == 0 {
		return v, false
	}
	mode := int32(0o440)
	projected := &corev1.ProjectedVolumeSource{DefaultMode: &mode}
	for _, from := range []migration.FileSource{migration.FromConfigMap, migration.FromSecret, migration.FromOurs} {
		if items := plainItems(rec, from); len(items) > 0 {
			projected.Sources = append(projected.Sources, projection(rec, from, items))
		}
	}
	return corev1.Volume{Name: filesVolume, VolumeSource: corev1.VolumeSource{Projected: projected}}, true
}

func plainItems(rec migration.Record, from migration.FileSource) (items []corev1.KeyToPath) {
	for _, f := range rec.Pods.PlainFiles.Files {
		if f.From != from {
			continue
		}
		at := f.Name
		if id, one := f.ID.Get(); one {
			s, ok := rec.Server(id)
			if !ok {
				continue
			}
			at = path.Join(PodName(rec.Name, s.Ordinal), f.Name)
		}
		items = append(items, corev1.KeyToPath{Key: f.Key, Path: at})
	}
	return items
}

func projection(rec migration.Record, from migration.FileSource, items []corev1.KeyToPath) corev1.VolumeProjection {
	secret := func(name string) corev1.VolumeProjection {
		return corev1.VolumeProjection{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Items: items}}
	}
	switch from {
	case migration.FromConfigMap:
		return corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: rec.Pods.FilesConfigMap}, Items: items}}
	case migration.FromSecret:
		return secret(rec.Pods.FilesSecret)
	default:
		return secret(rec.Pods.PlainFiles.Secret)
	}
}
