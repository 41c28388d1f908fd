package ensemble

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// FileRef is a file that servers' configurations or JVM flags name, besides those of the
// ensemble itself: a key store, a JAAS file, a log configuration.
type FileRef struct {
	// Name is what the file is called in the pods: its base name, or folder-base where a
	// server has two of one name.
	Name string `json:"name"`
	// Path is where it lies on the host.
	Path string `json:"path"`
	// By is the key or flag that names it.
	By string `json:"by"`
	// Own: each server may have another file there, as key stores are.
	Own bool `json:"own,omitempty"`
	// Servers are those whose configuration names it; none means all.
	Servers []ID `json:"servers,omitempty"`
}

// Of reports whether a server's configuration names the file.
func (f FileRef) Of(id ID) bool { return len(f.Servers) == 0 || slices.Contains(f.Servers, id) }

// FileRefs are the files that a configuration in the format of zoo.cfg which all servers
// share, each server's own, and JVM flags name by an absolute path; each path once, in
// order. A configuration that cannot be read names none.
func FileRefs(shared string, own map[ID]string, jvmFlags string) []FileRef {
	var out []FileRef
	add := func(by, file string, of ...ID) {
		mine := strings.Contains(strings.ToLower(by), "keystore")
		i := slices.IndexFunc(out, func(f FileRef) bool { return f.Path == file })
		switch {
		case i < 0:
			out = append(out, FileRef{Path: file, By: by, Own: mine, Servers: of})
		case len(of) == 0:
			out[i].Servers = nil
		case len(out[i].Servers) > 0 && !out[i].Of(of[0]):
			out[i].Servers = append(out[i].Servers, of...)
		}
	}
	eachFileKey(shared, func(_ *Properties, key, file string) { add(key, file) })
	for _, id := range slices.Sorted(maps.Keys(own)) {
		eachFileKey(own[id], func(_ *Properties, key, file string) { add(key, file, id) })
	}
	for _, flag := range strings.Fields(jvmFlags) {
		if before, file, ok := fileFlag(flag); ok {
			add(before, file)
		}
	}
	for i := range out {
		f := &out[i]
		if len(f.Servers) == len(own) {
			f.Servers = nil
		}
		f.Name = path.Base(f.Path)
		if slices.ContainsFunc(out, f.clashes) {
			f.Name = path.Base(path.Dir(f.Path)) + "-" + f.Name
		}
	}
	return out
}

// clashes reports whether one server has both files, and they have one base name.
func (f FileRef) clashes(g FileRef) bool {
	return f.Path != g.Path && path.Base(f.Path) == path.Base(g.Path) &&
		(len(f.Servers) == 0 || len(g.Servers) == 0 || slices.ContainsFunc(f.Servers, g.Of))
}

// MapFiles is a configuration in the format of zoo.cfg whose files are in dir.
func MapFiles(zooCfg string, refs []FileRef, dir string) string {
	out := zooCfg
	if len(refs) == 0 {
		return out
	}
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
	if len(refs) == 0 {
		return flags
	}
	words := strings.Fields(flags)
	for i, flag := range words {
		if before, file, ok := fileFlag(flag); ok {
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

// fileFlag takes a JVM flag apart that names a file by an absolute path: what stands before
// the path, and the path. A relative one, or a URL of another kind, is
// looked for on the class path.
func fileFlag(flag string) (before, file string, ok bool) {
	name, value, found := strings.Cut(strings.TrimPrefix(flag, "-D"), "=")
	if !found || !strings.HasPrefix(flag, "-D") || !isFileProperty(name) {
		return "", "", false
	}
	scheme := ""
	for _, prefix := range []string{"file://", "file:"} {
		if rest, is := strings.CutPrefix(value, prefix); is {
			scheme, value = prefix, rest
			break
		}
	}
	if !path.IsAbs(value) {
		return "", "", false
	}
	return "-D" + name + "=" + scheme, path.Clean(value), true
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
