package preflight

import (
	"cmp"
	"fmt"
	"path"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Stored is what is in the Secret and the ConfigMap that hold the pods' files.
type Stored struct {
	// Keys are their entries.
	Keys map[string]bool
	// Missing are those that do not exist, Unlooked why nobody could look.
	Missing  []string
	Unlooked string
}

// namedFiles says which of the files no pod would find. Of what nobody could look at the
// pods' gate tells, before a host is stopped.
func namedFiles(f Facts) (out []string, _ string) {
	rec, in := f.Record, f.Stored
	for _, name := range in.Missing {
		out = append(out, name+" does not exist")
	}
	for _, f := range f.Named {
		switch {
		case !rec.Pods.FilesNamed():
			out = append(out, fmt.Sprintf("%s (%s) reaches no pod: neither --files-secret nor --files-configmap is given", f.Path, f.By))
		case in.Unlooked == "" && len(in.Missing) == 0:
			if lack := lacking(rec, f, in.Keys); len(lack) > 0 {
				out = append(out, fmt.Sprintf("%s (%s) is missing for %s: there is no entry %s, and none of a server's own such as %s.%s", f.Path, f.By, serverList(lack), f.Name, lack[0], f.Name))
			}
		}
	}
	return out, in.Unlooked
}

func lacking(rec migration.Record, f ensemble.FileRef, keys map[string]bool) []ensemble.ID {
	var out []ensemble.ID
	for _, s := range rec.Servers {
		if f.Of(s.ID) && !keys[f.Name] && !keys[s.ID.String()+"."+f.Name] {
			out = append(out, s.ID)
		}
	}
	return out
}

func serverList(ids []ensemble.ID) string {
	if len(ids) == 1 {
		return "server " + ids[0].String()
	}
	return "servers " + ensemble.JoinIDs(ids)
}

// filesHint makes the Secret from copies of the hosts' files in folders that are named
// after the hosts, or adds to the one that is there. Of a key store each server has one
// of its own.
func filesHint(f Facts) string {
	rec := f.Record
	if len(rec.Servers) == 0 {
		return "make a Secret of the files and name it with --files-secret; --waive=ZK033 if the image has all of them at the hosts' paths"
	}
	at := command.At{Namespace: rec.Namespace, Via: f.Via}
	name := cmp.Or(rec.Pods.FilesSecret, rec.Name+"-files")
	words := []any{name}
	format := "create secret generic %s"
	add := func(key, host, file string) {
		format += " --from-file=%s=%s"
		words = append(words, key, path.Join(host, file))
	}
	for _, f := range f.Named {
		if !f.Own && len(f.Servers) == 0 {
			add(f.Name, rec.Servers[0].Host, f.Path)
			continue
		}
		for _, s := range rec.Servers {
			if f.Of(s.ID) {
				add(s.ID.String()+"."+f.Name, s.Host, f.Path)
			}
		}
	}
	return at.Kubectl(format+" --dry-run=client -o yaml", words...) + " | " + at.Kubectl("apply --server-side -f -") +
		", with copies of the hosts' files in folders that are named after the hosts, then the command again with --files-secret=" + name
}
