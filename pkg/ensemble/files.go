package ensemble

import (
	"path"
	"slices"
	"strings"
)

// FileRef is a file that a server's configuration or one of its JVM flags names, besides
// those of the ensemble itself: a key store, a JAAS file, a log configuration.
type FileRef struct {
	// Name is what the file is called in the pods: its base name, or folder-base where
	// files of two folders have one.
	Name string `json:"name"`
	// Path is where it lies on the host.
	Path string `json:"path"`
	// By is the key or flag that names it.
	By string `json:"by"`
	// Own: each server may have another file there (PerHost keys).
	Own bool `json:"own,omitempty"`
}

// FileRefs are the files that configurations in the format of zoo.cfg and JVM flags
// name by an absolute path, each path once, in order. A configuration that cannot be
// read names none.
func FileRefs(zooCfgs []string, jvmFlags string) []FileRef {
	var out []FileRef
	add := func(by, file string, own bool) {
		if i := slices.IndexFunc(out, func(f FileRef) bool { return f.Path == file }); i >= 0 {
			out[i].Own = out[i].Own || own
			return
		}
		out = append(out, FileRef{Name: path.Base(file), Path: file, By: by, Own: own})
	}
	for _, text := range zooCfgs {
		eachFileKey(text, func(p *Properties, key, file string) {
			add(key, file, strings.Contains(strings.ToLower(key), "keystore"))
		})
	}
	for _, flag := range strings.Fields(jvmFlags) {
		if name, before, file, ok := fileFlag(flag); ok {
			add(before, file, strings.Contains(strings.ToLower(name), "keystore"))
		}
	}
	base := map[string]int{}
	for _, f := range out {
		base[f.Name]++
	}
	for i := range out {
		if f := &out[i]; base[f.Name] > 1 {
			f.Name = path.Base(path.Dir(f.Path)) + "-" + f.Name
		}
	}
	return out
}

// MapFiles is a configuration in the format of zoo.cfg whose files are in dir.
func MapFiles(zooCfg string, refs []FileRef, dir string) string {
	out := zooCfg
	eachFileKey(zooCfg, func(p *Properties, key, file string) {
		if to, ok := mapped(refs, file, dir); ok {
			p.Set(key, to)
			out = string(p.Bytes())
		}
	})
	return out
}

// MapFileFlags are JVM flags whose files are in dir.
func MapFileFlags(flags string, refs []FileRef, dir string) string {
	words := strings.Fields(flags)
	for i, flag := range words {
		if _, before, file, ok := fileFlag(flag); ok {
			if to, known := mapped(refs, file, dir); known {
				words[i] = before + to
			}
		}
	}
	return strings.Join(words, " ")
}

func mapped(refs []FileRef, file, dir string) (string, bool) {
	for _, f := range refs {
		if f.Path == file {
			return path.Join(dir, f.Name), true
		}
	}
	return "", false
}

// eachFileKey calls found for each key of a zoo.cfg whose value is the absolute path of
// a file that the server reads.
func eachFileKey(zooCfg string, found func(p *Properties, key, file string)) {
	p, err := ParseProperties("zoo.cfg", []byte(zooCfg))
	if err != nil {
		return
	}
	for _, key := range p.Keys() {
		value, _ := p.Get(key)
		if file := javaTrim(value); isFileKey(javaTrim(key)) && path.IsAbs(file) {
			found(p, key, path.Clean(file))
		}
	}
}

func isFileKey(key string) bool {
	spec, known := FindKey(key)
	return known && spec.Kind == KindFile
}

// fileFlag takes a JVM flag apart that names a file by an absolute path: the property,
// what stands before the path, and the path. A relative one, or a URL of another kind, is
// looked for on the class path.
func fileFlag(flag string) (name, before, file string, ok bool) {
	name, value, found := strings.Cut(strings.TrimPrefix(flag, "-D"), "=")
	if !found || !strings.HasPrefix(flag, "-D") || !isFileProperty(name) {
		return "", "", "", false
	}
	scheme := ""
	for _, prefix := range []string{"file://", "file:"} {
		if rest, is := strings.CutPrefix(value, prefix); is {
			scheme, value = prefix, rest
			break
		}
	}
	if !path.IsAbs(value) {
		return "", "", "", false
	}
	return name, "-D" + name + "=" + scheme, path.Clean(value), true
}

func isFileProperty(name string) bool {
	switch name {
	case "java.security.auth.login.config", "java.security.krb5.conf", "java.security.properties",
		"javax.net.ssl.keyStore", "javax.net.ssl.trustStore",
		"log4j.configuration", "log4j.configurationFile", "log4j2.configurationFile", "logback.configurationFile",
		"java.util.logging.config.file":
		return true
	}
	key, ours := strings.CutPrefix(name, "zookeeper.")
	return ours && isFileKey(key)
}
