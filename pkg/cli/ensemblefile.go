package cli

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// fill puts what the manifest says beside what flags say, and returns the arguments with
// the ensemble's name. Who says different things in two places is asked which one is
// meant ([ADR 25]).
//
// [ADR 25]: docs/adr/0025-one-declarative-input.md
func (s *said) fill(ctx context.Context, args []string) ([]string, error) {
	var limit = readTimeout
	if set, err := s.cmd.Flags().GetDuration("timeout"); err == nil {
		limit = set
	}
	err := within(ctx, limit, s.findManifest)
	if err != nil || s.doc == nil {
		return args, err
	}
	s.raw = s.doc.Ensemble
	s.raw.Spec.Servers = slices.Clone(s.doc.Spec.Servers)
	s.anchor(filepath.Dir(s.doc.File))
	for _, leaf := range manifest.Leaves("") {
		if !s.doc.Has(leaf.Path) {
			continue
		}
		if err := s.take(leaf); err != nil {
			return args, err
		}
	}
	name := s.doc.Metadata.Name
	switch {
	case name == "":
		return args, nil
	case len(args) == 1 && args[0] != name:
		return args, usagef("%s is %s, the command line says %s: leave one of them out, or make them the same", s.doc.At("metadata.name"), name, args[0])
	}
	return []string{name}, nil
}

// findManifest reads what -f names and looks for a manifest among it.
func (s *said) findManifest(ctx context.Context) error {
	if _, err := os.Stat(s.byDefault); err == nil && s.byDefault != "" && len(s.files)+len(s.members) == 0 {
		s.files, s.unnamed = []string{s.byDefault}, true
	}
	for _, arg := range s.files {
		path := arg
		if left, _, found := strings.Cut(arg, "="); found && s.hosts {
			if _, err := ensemble.ParseID(left); err == nil {
				continue // a host's file
			}
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() && s.hosts {
			continue
		}
		stdin := s.deps.streams.In
		if !s.hosts {
			stdin = nil
		}
		data, err := readInput(ctx, path, stdin)
		if err != nil {
			return unreadable(err)
		}
		s.read[path] = data
		if s.hosts && !s.unnamed && !manifest.Is(data) {
			continue
		}
		if path == "-" {
			path = "stdin"
		}
		if len(s.files)+len(s.members) > 1 {
			return usagef("%s is an Ensemble manifest, which names the servers: give nothing else with -f or --member", quote.Line(path))
		}
		doc, err := manifest.Parse(path, data)
		if err != nil {
			return &usageError{err}
		}
		s.doc = &doc
	}
	return nil
}

// anchor has the paths in the manifest begin in its own directory.
func (s *said) anchor(dir string) {
	spec := &s.doc.Spec
	paths := []*string{&spec.ZooCfg, &spec.DynamicFile, &spec.Pods.Template}
	for i := range spec.Servers {
		paths = append(paths, &spec.Servers[i].ZooCfg, &spec.Servers[i].DynamicFile)
	}
	for _, p := range paths {
		*p = from(dir, *p)
	}
	spec.Credentials = credentialsFrom(dir, spec.Credentials)
	spec.Hosts.Hook = hookFrom(dir, spec.Hosts.Hook)
}

// credentialsFrom are credentials as they are named from here: a file, or a Secret.
func credentialsFrom(dir, credentials string) string {
	if strings.HasPrefix(credentials, secretPrefix) {
		return credentials
	}
	return from(dir, credentials)
}

// from is a path as it is named from here that is named from a directory.
func from(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// take takes one field, unless a flag says something else.
func (s *said) take(leaf manifest.Leaf) error {
	from, to := reflect.ValueOf(s.doc.Pointer(leaf.Path)).Elem(), reflect.ValueOf(s.Pointer(leaf.Path)).Elem()
	if leaf.Flag == "namespace" {
		to = reflect.ValueOf(s.deps.flags.Namespace).Elem()
	}
	same := reflect.DeepEqual(from.Interface(), to.Interface())
	if leaf.File && from.Kind() == reflect.String {
		same = filepath.Clean(from.String()) == filepath.Clean(to.String())
	}
	if leaf.Flag != "" && s.cmd.Flags().Changed(leaf.Flag) && !same {
		return usagef("%s is %v, --%s says %v: leave one of them out, or make them the same", s.doc.At(leaf.Path), from, leaf.Flag, to)
	}
	to.Set(from)
	return nil
}
