package render

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Plain pods have the files that their configuration names, and a zoo.cfg with passwords,
// without a script (ADR 29). What it rests on:
//   - A projected volume lays entries out in directories, one entry in several if need be. A
//     server's own files are in a directory that is called like its pod, and the paths in its
//     zoo.cfg lead there. It is mounted as a whole, so a certificate that is renewed in the
//     Secret is renewed in the pod; behind a subPath it would not be, and a directory there
//     loses its files (kubernetes/pkg/volume/util/atomic_writer.go removes the former one).
//   - An entry that is missing keeps a pod from starting: none is optional.
//   - The kubelet expands $(POD_NAME) in the value of a variable that comes after it, and
//     nothing in what a variable has from a Secret (kubelet_pods.go, makeEnvironmentVariables).
const (
	jvmFlagsKey = "jvm-flags"
	jaasFlag    = "-Djava.security.auth.login.config="
)

// PlainSources is what plain pods are made from that no record has: the contents of the
// Secrets and the ConfigMap that it names.
type PlainSources struct {
	Private, Secret, ConfigMap map[string][]byte
}

// NeedsPlainFiles reports whether plain pods mount more than what is recorded.
func NeedsPlainFiles(rec migration.Record) bool { return NeedsPrivate(rec) || rec.Pods.FilesNamed() }

// NeedsPrivate reports whether zoo.cfg of plain pods is put together with the lines that
// nobody may read.
func NeedsPrivate(rec migration.Record) bool {
	return rec.Pods.PrivateSecret != "" && !rewritesConf(rec)
}

// rewritesConf reports whether ZooKeeper writes to its own configuration, which plain pods
// have on the volume then, as the gate has left it there.
func rewritesConf(rec migration.Record) bool {
	file, err := ensemble.ReadPodFile(rec.Pods.ZooCfg)
	return rec.Pods.DynamicName != "" || err == nil && file.Reconfig
}

// MakePlainFiles finds out what plain pods mount, and makes the Secret with what is in no
// other object, nil where there is nothing. An ensemble that a mount cannot serve is an error,
// which says how it can be changed.
func MakePlainFiles(rec migration.Record, from PlainSources) (*migration.PlainFiles, *corev1.Secret, error) {
	if !NeedsPlainFiles(rec) {
		return nil, nil, nil
	}
	l := layout{rec: rec, from: from, ours: map[string][]byte{}}
	l.rec.Pods.PlainFiles = &migration.PlainFiles{}
	l.files()
	for _, step := range []func() error{l.present, l.jaas, l.jvmFlags, l.zooCfg} {
		if err := step(); err != nil {
			return nil, nil, fmt.Errorf("ensemble %s: %w", rec.Name, err)
		}
	}
	made := l.rec.Pods.PlainFiles
	if len(l.ours) == 0 {
		return made, nil, nil
	}
	secret, err := namedSecret(rec, PlainConfName(rec.Name)+"-", l.ours)
	if err == nil {
		made.Secret = secret.Name
	}
	return made, secret, err
}

// layout is what MakePlainFiles is at.
type layout struct {
	rec  migration.Record
	from PlainSources
	// ours are the entries of our Secret.
	ours map[string][]byte
}

// find is the entry that a server has a file from: its own goes before that of all.
func (l *layout) find(id ensemble.ID, name string) (from migration.FileSource, key string, data []byte) {
	return l.first(id.String()+"."+name, name)
}

// first is the first of those entries that there is; a Secret's goes before a ConfigMap's.
func (l *layout) first(keys ...string) (from migration.FileSource, key string, data []byte) {
	for _, key := range keys {
		if data, ok := l.from.Secret[key]; ok {
			return migration.FromSecret, key, data
		}
		if data, ok := l.from.ConfigMap[key]; ok {
			return migration.FromConfigMap, key, data
		}
	}
	return "", "", nil
}

// files lists all there are.
func (l *layout) files() {
	own := map[string]bool{}
	for key := range maps.Keys(l.keys()) {
		name := key
		for _, s := range l.rec.Servers {
			if rest, ok := strings.CutPrefix(key, s.ID.String()+"."); ok && rest != "" {
				name = rest
			}
		}
		own[name] = own[name] || name != key
	}
	delete(own, jvmFlagsKey)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if !own[name] {
			from, key, _ := l.first(name)
			l.add(migration.PlainFile{Name: name, From: from, Key: key})
			continue
		}
		for _, s := range byID(l.rec) {
			if from, key, _ := l.find(s.ID, name); key != "" {
				l.add(migration.PlainFile{Name: name, ID: s.ID.Known(), From: from, Key: key})
			}
		}
	}
}

func (l *layout) keys() map[string][]byte {
	all := maps.Clone(l.from.ConfigMap)
	if all == nil {
		all = map[string][]byte{}
	}
	maps.Copy(all, l.from.Secret)
	return all
}

func (l *layout) add(f migration.PlainFile) {
	l.rec.Pods.PlainFiles.Files = append(l.rec.Pods.PlainFiles.Files, f)
}

// present wants every file that zoo.cfg and the JVM flags name.
func (l *layout) present() error {
	for _, f := range fileRefs(l.rec) {
		for _, s := range byID(l.rec) {
			if _, _, data := l.find(s.ID, f.Name); len(data) == 0 && f.Of(s.ID) {
				return fmt.Errorf("the configuration names the file %s, and neither %s nor %s.%s is in what --files-secret and --files-configmap name: add it there", f.Name, f.Name, s.ID, f.Name)
			}
		}
	}
	return nil
}

// at is where a server's pod has the file that is at that path of the host; empty for one
// that nobody has given.
func (l *layout) at(s migration.ServerRecord, file string) string {
	name := path.Base(file)
	folder := path.Base(path.Dir(file)) + "-" + name
	if i := slices.IndexFunc(fileRefs(l.rec), func(f ensemble.FileRef) bool { return f.Path == path.Clean(file) }); i >= 0 {
		name = fileRefs(l.rec)[i].Name
	} else if _, key, _ := l.find(s.ID, folder); key != "" {
		name = folder
	}
	if _, key, _ := l.find(s.ID, name); key == "" {
		return ""
	}
	return plainPath(l.rec, PodName(l.rec.Name, s.Ordinal), name)
}

// jaas copies JAAS files that name others, with the paths of the pods.
func (l *layout) jaas() error {
	for _, name := range l.jaasNames() {
		texts, changed, common := map[string][]byte{}, false, true
		first := ""
		for _, s := range byID(l.rec) {
			_, _, data := l.find(s.ID, name)
			text := mapQuoted(string(data), func(word string) string {
				if !path.IsAbs(word) {
					return ""
				}
				return l.at(s, word)
			})
			changed = changed || text != string(data)
			if len(texts) == 0 {
				first = text
			}
			common = common && text == first
			texts[PodName(l.rec.Name, s.Ordinal)+"."+name] = []byte(text)
		}
		if !changed {
			continue
		}
		made := l.rec.Pods.PlainFiles
		made.Files = slices.DeleteFunc(made.Files, func(f migration.PlainFile) bool { return f.Name == name })
		if common {
			l.add(migration.PlainFile{Name: name, From: migration.FromOurs, Key: name})
			l.ours[name] = []byte(first)
			continue
		}
		for _, s := range byID(l.rec) {
			l.add(migration.PlainFile{Name: name, ID: s.ID.Known(), From: migration.FromOurs, Key: PodName(l.rec.Name, s.Ordinal) + "." + name})
		}
		maps.Copy(l.ours, texts)
	}
	return nil
}

// jaasNames are the JAAS files that JVM flags name.
func (l *layout) jaasNames() (names []string) {
	for _, s := range byID(l.rec) {
		for _, flag := range append(strings.Fields(l.rec.Pods.JVMFlags), l.moreFlags(s)...) {
			file, ok := strings.CutPrefix(flag, jaasFlag)
			if ok && l.at(s, file) != "" {
				names = append(names, path.Base(l.at(s, file)))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// moreFlags are the words of a server's jvm-flags.
func (l *layout) moreFlags(s migration.ServerRecord) (words []string) {
	_, _, data := l.find(s.ID, jvmFlagsKey)
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") {
			words = append(words, strings.Fields(line)...)
		}
	}
	return words
}

// jvmFlags keeps the flags of jvm-flags for a variable, which all pods have from one entry.
func (l *layout) jvmFlags() error {
	var all string
	for i, s := range byID(l.rec) {
		words := l.moreFlags(s)
		for i, flag := range words {
			if m := pathFlag().FindStringSubmatch(flag); m != nil && l.at(s, m[2]) != "" {
				words[i] = m[1] + l.at(s, m[2])
			}
		}
		text := strings.Join(words, " ")
		if i > 0 && text != all {
			return fmt.Errorf("jvm-flags differs from server to server, or names a file that does, and the pods of one StatefulSet have their JVM flags in common: " +
				"give such flags as keys of zoo.cfg, without -Dzookeeper. (wrap -f), and flags with such paths by --jvm-flags (apply)")
		}
		all = text
	}
	if all != "" {
		l.rec.Pods.PlainFiles.JVMFlags = true
		l.ours[jvmFlagsKey] = []byte(all)
	}
	return nil
}

// zooCfg puts together each server's zoo.cfg that has passwords, or names files of its own.
func (l *layout) zooCfg() error {
	made := l.rec.Pods.PlainFiles
	own := slices.ContainsFunc(fileRefs(l.rec), func(f ensemble.FileRef) bool { return made.PerServer(f.Name) })
	if rewritesConf(l.rec) {
		if own {
			return fmt.Errorf("ZooKeeper rewrites its configuration (reconfigEnabled or a dynamic file), which is on the volume then and names files in %s, and some differ from server to server: "+
				"use one file for all servers, such as a key store whose certificate names all of them", migration.PodFilesDir)
		}
		return nil
	}
	if NeedsPrivate(l.rec) {
		was, err := namedSecret(l.rec, PrivatePrefix(l.rec.Name), l.from.Private)
		if err != nil {
			return err
		}
		if was.Name != l.rec.Pods.PrivateSecret {
			return fmt.Errorf("somebody replaced Secret %s, which does not hold what its name says: delete it, and wrap the ensemble again with the hosts' files", l.rec.Pods.PrivateSecret)
		}
	} else if !own {
		return nil
	}
	made.ZooCfg = true
	for _, s := range byID(l.rec) {
		l.ours[plainCfgKey(l.rec, s)] = []byte(plainCfg(l.rec, s) + lines(l.from.Private[zooCfgKey]) + lines(l.from.Private[s.ID.String()+"."+zooCfgKey]))
	}
	return nil
}

// lines are a file's, the last one complete.
func lines(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	return strings.TrimSuffix(string(data), "\n") + "\n"
}

// pathFlag takes a flag apart that has an absolute path: what stands before, and the path.
func pathFlag() *regexp.Regexp { return regexp.MustCompile(`^(-D[^=]+=(?:file:(?://)?)?)(/.*[^/])$`) }

// mapQuoted maps what is between quotes in a JAAS file, but in comments; to what is empty
// stays.
func mapQuoted(text string, to func(word string) string) string {
	quoted := regexp.MustCompile(`^([^"]*")((?:[^"\\]|\\.)*)"(.*)$`)
	var out strings.Builder
	for line := range strings.Lines(text) {
		rest, ended := strings.CutSuffix(line, "\n")
		for {
			m := quoted.FindStringSubmatch(rest)
			if m == nil || strings.Contains(m[1], "//") {
				break
			}
			word := m[2]
			if mapped := to(word); mapped != "" {
				word = mapped
			}
			out.WriteString(m[1] + word + `"`)
			rest = m[3]
		}
		out.WriteString(rest)
		if ended {
			out.WriteString("\n")
		}
	}
	return out.String()
}
