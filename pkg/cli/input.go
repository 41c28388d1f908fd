package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// input is where an ensemble's description comes from.
type input struct {
	files   []string
	members []string
	// stdin is read for "-".
	stdin io.Reader
}

// described is what the input says.
type described struct {
	ensemble ensemble.Ensemble
	// hosts holds one configuration per file, Source as the operator named it.
	hosts []ensemble.HostConfig
	// config is the file the pods' zoo.cfg is derived from; nil for members.
	config *ensemble.Config
	// lint are findings about the files.
	lint        []ensemble.Finding
	differences []ensemble.Difference
}

func (in input) empty() bool { return len(in.files) == 0 && len(in.members) == 0 }

// defaultFile is what wrap reads when nothing is named.
func defaultFile() (string, bool) {
	if _, err := os.Stat("zoo.cfg"); err == nil {
		return "zoo.cfg", true
	}
	return "", false
}

// read parses everything that was named. Nothing is written and nobody is
// asked; errors are the operator's to mend.
func (in input) read(name string) (described, error) {
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
		hc, err := in.readFile(f)
		if err != nil {
			return d, err
		}
		d.hosts = append(d.hosts, hc)
	}
	e, diffs, err := ensemble.FromHosts(name, d.hosts)
	if err != nil {
		return d, &usageError{err}
	}
	d.ensemble, d.differences, d.config = e, diffs, d.hosts[0].Config
	for _, h := range d.hosts {
		d.lint = append(d.lint, ensemble.Lint(h.Config, ensemble.Version{})...)
	}
	return d, nil
}

func (in input) readMembers(name string) (described, error) {
	d := described{ensemble: ensemble.Ensemble{Name: name}}
	seen := map[ensemble.ID]bool{}
	for _, m := range in.members {
		s, err := ensemble.MemberFlag(m)
		if err != nil {
			return d, &usageError{err}
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
func (in input) expand() ([]namedFile, error) {
	var out []namedFile
	for _, arg := range in.files {
		f := namedFile{path: arg}
		if left, right, found := strings.Cut(arg, "="); found {
			if id, err := ensemble.ParseID(left); err == nil {
				f = namedFile{id: id, path: right}
			}
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
		return nil, usagef("%s: no *.cfg and no */zoo.cfg in this directory", dir)
	}
	return out, nil
}

func (in input) readFile(f namedFile) (ensemble.HostConfig, error) {
	var data []byte
	var err error
	source := f.path
	if f.path == "-" {
		source = "stdin"
		data, err = io.ReadAll(in.stdin)
	} else {
		data, err = os.ReadFile(f.path)
	}
	if err != nil {
		return ensemble.HostConfig{}, usagef("reading the configuration: %w", err)
	}
	dynName, err := ensemble.DynamicFileName(source, data)
	if err != nil {
		return ensemble.HostConfig{}, &usageError{err}
	}
	var dynamic []byte
	if dynName != "" {
		path := filepath.Join(filepath.Dir(f.path), filepath.Base(dynName))
		if dynamic, err = os.ReadFile(path); err != nil {
			return ensemble.HostConfig{}, usagef("%s names dynamicConfigFile=%s: put a copy beside it: %w", source, dynName, err)
		}
	}
	c, err := ensemble.ParseConfig(source, data, dynamic)
	if err != nil {
		return ensemble.HostConfig{}, &usageError{err}
	}
	return ensemble.HostConfig{ID: f.id, Source: source, Config: c}, nil
}

// resolve finds the IP address of a host as the Service's endpoints need it.
func resolve(ctx context.Context, s ensemble.Server) (string, error) {
	ip, err := netip.ParseAddr(s.Host)
	if err != nil {
		addrs, lookupErr := net.DefaultResolver.LookupNetIP(ctx, "ip4", s.Host)
		if lookupErr != nil || len(addrs) == 0 {
			return "", usagef("server %d: host %q does not resolve here: %v; name its address with --member or in the file", s.ID, s.Host, lookupErr)
		}
		ip = addrs[0].Unmap()
	}
	switch {
	case ip.IsLoopback():
		return "", usagef("server %d: %s is a loopback address: pods would reach themselves", s.ID, addressText(s.Host, ip))
	case ip.IsUnspecified():
		return "", usagef("server %d: %s is no address of a host; give one file per host so that the others' view is known", s.ID, addressText(s.Host, ip))
	case ip.IsLinkLocalUnicast(), ip.IsMulticast():
		return "", usagef("server %d: %s cannot be the endpoint of a Service (link-local or multicast)", s.ID, addressText(s.Host, ip))
	}
	return ip.String(), nil
}

func addressText(host string, ip netip.Addr) string {
	if host == ip.String() {
		return host
	}
	return fmt.Sprintf("%s (%s)", host, ip)
}
