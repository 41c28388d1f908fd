package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// input is where an ensemble's description comes from.
type input struct {
	files   []string
	members []string
	// doc is a manifest that names servers, or nil; it is the one of files then.
	doc *manifest.Document
	// unnamed: nobody has named doc, it just lies here.
	unnamed bool
	// stdin is read for "-"; content has what was read already.
	stdin   io.Reader
	content map[string][]byte
	// seen is what was read: once, for stdin can be read once.
	seen *intake.Description
}

func (in *input) empty() bool {
	if in.doc != nil {
		return in.doc.Spec.ZooCfg == "" && len(in.doc.Spec.Servers) == 0
	}
	return len(in.files) == 0 && len(in.members) == 0
}

// defaultFile is what wrap reads when nothing is named.
func defaultFile() (string, bool) {
	if _, err := os.Stat("zoo.cfg"); err == nil {
		return "zoo.cfg", true
	}
	return "", false
}

// read parses everything that was named. Nothing is written and nobody but the
// resolver is asked; errors are the operator's to mend.
func (in *input) read(ctx context.Context, name string) (intake.Description, error) {
	if in.seen == nil {
		d, err := in.parse(ctx, name)
		if err != nil {
			return d, err
		}
		in.seen = &d
	}
	d := *in.seen
	d.Ensemble.Name = name
	return d, nil
}

func (in *input) parse(ctx context.Context, name string) (intake.Description, error) {
	if len(in.files) > 0 && len(in.members) > 0 {
		return intake.Description{}, usagef("--filename and --member say the same thing in two ways: use one of them")
	}
	if len(in.members) > 0 {
		return intake.FromMembers(name, in.members)
	}
	if in.doc != nil && in.doc.ByAddress() {
		return intake.FromManifest(name, *in.doc), nil
	}
	files, err := in.expand()
	if err != nil {
		return intake.Description{}, err
	}
	var hosts []ensemble.HostConfig
	for _, f := range files {
		hc, err := in.readFile(ctx, f)
		if err != nil {
			return intake.Description{}, err
		}
		hosts = append(hosts, hc)
	}
	intake.Identify(hosts, myid)
	return intake.FromFiles(name, hosts, lookup(ctx))
}

// myid reads the file of that name beside a configuration.
func myid(source string) (string, bool) {
	path := filepath.Join(filepath.Dir(source), "myid")
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", false // a pipe would be waited for
	}
	data, err := readBounded(path, 64)
	return string(data), err == nil
}

// namedFile is a host's file; dynamic is its dynamic file's, where that is not beside it.
type namedFile struct {
	id            ensemble.MaybeID
	path, dynamic string
}

// declared are the hosts' files that a manifest names.
func declared(doc manifest.Document) []namedFile {
	if doc.Spec.ZooCfg != "" {
		return []namedFile{{path: doc.Spec.ZooCfg, dynamic: doc.Spec.DynamicFile}}
	}
	var out []namedFile
	for _, s := range doc.Spec.Servers {
		out = append(out, namedFile{id: ensemble.ID(s.ID).Known(), path: s.ZooCfg, dynamic: s.DynamicFile})
	}
	return out
}

// expand turns "-f 1=a/zoo.cfg", "-f zoo.cfg", "-f dir" and "-f -" into files.
func (in *input) expand() ([]namedFile, error) {
	if in.doc != nil {
		return declared(*in.doc), nil
	}
	var out []namedFile
	for _, arg := range in.files {
		f := namedFile{path: arg}
		if left, right, found := strings.Cut(arg, "="); found {
			if id, err := ensemble.ParseID(left); err == nil {
				f = namedFile{id: id.Known(), path: right}
			}
		}
		if f.path == "" {
			return nil, usagef("--filename=%q names no file: give the path of a zoo.cfg, or - for stdin", arg)
		}
		info, err := os.Stat(f.path)
		if f.path != "-" && err == nil && info.IsDir() {
			matches, err := configsIn(f.path)
			if err != nil {
				return nil, err
			}
			for _, m := range matches {
				out = append(out, namedFile{id: f.id, path: m})
			}
			continue
		}
		out = append(out, f)
	}
	return out, nil
}

// configsIn finds zoo.cfg files in a directory and one level below it.
func configsIn(dir string) ([]string, error) {
	var out []string
	for _, pattern := range []string{"*.cfg", "*.properties", "*/zoo.cfg", "*/zookeeper.properties"} {
		m, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, usagef("%s: %w", dir, err)
		}
		out = append(out, m...)
	}
	sort.Strings(out)
	if len(out) == 0 {
		return nil, usagef("%s: no *.cfg and no */zoo.cfg in this directory: give a zoo.cfg, or the directory that holds it", dir)
	}
	return out, nil
}

func (in *input) readFile(ctx context.Context, f namedFile) (ensemble.HostConfig, error) {
	source := f.path
	if f.path == "-" {
		source = "stdin"
	}
	data, known := in.content[f.path]
	if !known {
		var err error
		if data, err = readInput(ctx, f.path, in.stdin); err != nil {
			return ensemble.HostConfig{}, unreadable(err)
		}
	}
	dynName, err := ensemble.DynamicFileName(source, data)
	if err != nil {
		return ensemble.HostConfig{}, &usageError{err}
	}
	var dynamic []byte
	if dynName != "" {
		path := f.dynamic
		if path == "" {
			path = filepath.Join(filepath.Dir(f.path), filepath.Base(dynName))
		}
		if dynamic, err = readInput(ctx, path, nil); err != nil {
			return ensemble.HostConfig{}, usagef("%s names dynamicConfigFile=%s: put a copy beside it: %s", quote.Line(source), quote.Line(dynName), quote.Line(err.Error()))
		}
	}
	c, err := ensemble.ParseConfig(source, data, dynamic)
	if err != nil {
		return ensemble.HostConfig{}, &usageError{err}
	}
	return ensemble.HostConfig{ID: f.id, Source: source, Config: c, Next: hasNext(f.path, dynName)}, nil
}

// unreadable says that a file cannot be read.
func unreadable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return usagef("cannot read the configuration: %s", quote.Line(err.Error()))
}

// hasNext reports whether a reconfiguration that has not ended lies beside a
// file: ZooKeeper keeps it in zoo.cfg.dynamic.next
// (QuorumPeer.getNextDynamicConfigFilename). It counts as one only if it was
// copied along.
func hasNext(path, dynamicName string) bool {
	if path == "-" {
		return false
	}
	candidates := []string{path + ".dynamic.next"}
	if dynamicName != "" {
		base := filepath.Join(filepath.Dir(path), filepath.Base(dynamicName))
		candidates = append(candidates, base+".next", strings.TrimSuffix(base, filepath.Ext(base))+".next")
	}
	for _, c := range candidates {
		if _, err := os.Stat(c); err == nil {
			return true
		}
	}
	return false
}
