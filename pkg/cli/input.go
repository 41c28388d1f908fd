package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// input is where an ensemble's description comes from.
type input struct {
	files   []string
	members []string
	// stdin is read for "-".
	stdin io.Reader
	// seen is what was read: once, for stdin can be read once.
	seen *described
}

// described is what the input says.
type described struct {
	ensemble ensemble.Ensemble
	// hosts holds one configuration per file, Source as the operator named it.
	hosts []ensemble.HostConfig
	// config is the file the pods' zoo.cfg is derived from; nil for members.
	config *ensemble.Config
	// lint are findings about the files, for any version.
	lint        []ensemble.Finding
	differences []ensemble.Difference
}

func (in *input) empty() bool { return len(in.files) == 0 && len(in.members) == 0 }

// defaultFile is what wrap reads when nothing is named.
func defaultFile() (string, bool) {
	if _, err := os.Stat("zoo.cfg"); err == nil {
		return "zoo.cfg", true
	}
	return "", false
}

// read parses everything that was named. Nothing is written and nobody but the
// resolver is asked; errors are the operator's to mend.
func (in *input) read(ctx context.Context, name string) (described, error) {
	if in.seen == nil {
		d, err := in.parse(ctx, name)
		if err != nil {
			return d, err
		}
		in.seen = &d
	}
	d := *in.seen
	d.ensemble.Name = name
	return d, nil
}

func (in *input) parse(ctx context.Context, name string) (described, error) {
	if len(in.files) > 0 && len(in.members) > 0 {
		return described{}, usagef("--filename and --member say the same thing in two ways: use one of them")
	}
	if len(in.members) > 0 {
		return in.readMembers(name)
	}
	var d described
	files, err := in.expand()
	if err != nil {
		return d, err
	}
	for _, f := range files {
		hc, err := in.readFile(ctx, f)
		if err != nil {
			return d, err
		}
		d.hosts = append(d.hosts, hc)
	}
	identify(d.hosts)
	e, diffs, err := ensemble.FromHosts(name, d.hosts)
	if err != nil {
		return d, &usageError{err}
	}
	d.ensemble, d.differences, d.config = e, settleNames(ctx, lookupHost, diffs), d.hosts[0].Config
	d.lint = lint(d, func(ensemble.HostConfig) ensemble.Version { return ensemble.Version{} })
	return d, nil
}

// lint judges every file against the version its server runs; what several
// files say alike comes once a file.
func lint(d described, version func(ensemble.HostConfig) ensemble.Version) []ensemble.Finding {
	var out []ensemble.Finding
	for _, h := range d.hosts {
		out = append(out, ensemble.Lint(h.Config, version(h))...)
	}
	return out
}

func (in *input) readMembers(name string) (described, error) {
	d := described{ensemble: ensemble.Ensemble{Name: name}}
	seen := map[ensemble.ID]bool{}
	for _, m := range in.members {
		s, err := ensemble.MemberFlag(m)
		if err != nil {
			return d, usagef("--member: %w", err)
		}
		if seen[s.ID] {
			return d, usagef("--member: server id %d is given twice", s.ID)
		}
		seen[s.ID] = true
		d.ensemble.Servers = append(d.ensemble.Servers, s)
	}
	ensemble.SortServers(d.ensemble.Servers)
	return d, nil
}

type namedFile struct {
	id   ensemble.ID
	path string
}

// expand turns "-f 1=a/zoo.cfg", "-f zoo.cfg", "-f dir" and "-f -" into files.
func (in *input) expand() ([]namedFile, error) {
	var out []namedFile
	for _, arg := range in.files {
		f := namedFile{path: arg}
		if left, right, found := strings.Cut(arg, "="); found {
			if id, err := ensemble.ParseID(left); err == nil {
				f = namedFile{id: id, path: right}
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
	data, err := readInput(ctx, f.path, in.stdin)
	if err != nil {
		return ensemble.HostConfig{}, usagef("cannot read the configuration: %s", quote.Line(err.Error()))
	}
	dynName, err := ensemble.DynamicFileName(source, data)
	if err != nil {
		return ensemble.HostConfig{}, &usageError{err}
	}
	var dynamic []byte
	if dynName != "" {
		path := filepath.Join(filepath.Dir(f.path), filepath.Base(dynName))
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
