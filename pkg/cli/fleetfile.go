package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
)

// fleetTarget is an ensemble of the plan with what its commands are given, from this
// machine's files.
type fleetTarget struct {
	fleet.Target
	// The paths are as seen from here; hooked says that something stops and starts its
	// servers: a hook of the fleet's file, or of the ensemble's manifest.
	manifest, hostFiles, hook, credentials string
	hooked                                 bool
}

// files is what -f is given; empty where the ensemble has none.
func (t fleetTarget) files() string {
	if t.manifest != "" {
		return t.manifest
	}
	return t.hostFiles
}

// fleetInput is a Fleet manifest with everything that it refers to.
type fleetInput struct {
	doc manifest.FleetDocument
	// plan is what a run of it would freeze now.
	plan    fleet.Plan
	targets map[string]fleetTarget
}

// readFleet reads the manifest; nothing is asked of any cluster.
func (d *deps) readFleet(ctx context.Context, file string) (manifest.FleetDocument, error) {
	var doc manifest.FleetDocument
	if file == "" {
		return doc, usagef("name the Fleet manifest with -f (docs/fleet.md)")
	}
	data, err := readInput(ctx, file, d.streams.In)
	if err != nil {
		return doc, unreadable(err)
	}
	if file == "-" {
		file = "stdin"
	}
	if doc, err = manifest.ParseFleet(file, data); err != nil {
		return doc, &usageError{err}
	}
	ns := doc.Metadata.Namespace
	if set := *d.flags.Namespace; set != "" && ns != "" && set != ns {
		return doc, usagef("%s is %s, -n says %s: leave one of them out, or make them the same", doc.At("metadata.namespace"), ns, set)
	}
	if ns != "" {
		*d.flags.Namespace = ns
	}
	return doc, nil
}

// fleetInput resolves the manifest: selectors, and the files that it names.
func (d *deps) fleetInput(ctx context.Context, doc manifest.FleetDocument, look *fleetLooker) (fleetInput, error) {
	in := fleetInput{doc: doc, targets: map[string]fleetTarget{}}
	r := &resolver{dir: filepath.Dir(doc.File), doc: doc, namespace: d.namespace(), look: look}
	for i, e := range doc.Spec.Ensembles {
		if err := r.add(ctx, fmt.Sprintf("spec.ensembles[%d]", i), e); err != nil {
			return in, err
		}
	}
	var members []fleet.Member
	for _, m := range r.found {
		members = append(members, m.member)
	}
	var err error
	if in.plan, err = fleet.Freeze(doc, d.namespace(), members, time.Now()); err != nil {
		return in, &usageError{err}
	}
	for i, m := range r.found {
		id := fleet.ID(members[i])
		t, _ := in.plan.Target(id)
		m.target.Target = t
		in.targets[id] = m.target
	}
	return in, nil
}

type found struct {
	member fleet.Member
	target fleetTarget
}

// resolver turns what the file says of ensembles into ensembles.
type resolver struct {
	dir, namespace string
	doc            manifest.FleetDocument
	look           *fleetLooker
	found          []found
}

func (r *resolver) add(ctx context.Context, path string, e manifest.FleetEnsemble) error {
	f := found{member: fleet.Member{FleetEnsemble: e, Path: path, Digests: map[string]string{}}}
	m, t := &f.member, &f.target
	t.manifest, t.hostFiles = from(r.dir, e.Manifest), from(r.dir, e.HostFiles)
	t.credentials = credentialsFrom(r.dir, e.Credentials)
	if _, err := sessions.ParseConsent(e.AcceptLoss); err != nil {
		return usagef("%s: %w", r.doc.At(path+".acceptClientLoss"), err)
	}
	t.hook, t.hooked = hookFrom(r.dir, e.Hook), e.Hook != ""
	if t.manifest != "" {
		doc, err := r.manifest(ctx, path, t.manifest)
		if err != nil {
			return err
		}
		if name := doc.Metadata.Name; name != "" && name != e.Name {
			return usagef("%s is %s, %s says %s: make them the same", r.doc.At(path+".name"), e.Name, doc.At("metadata.name"), name)
		}
		if ns := doc.Metadata.Namespace; m.Namespace == "" {
			m.Namespace = ns
		} else if ns != "" && ns != m.Namespace {
			return usagef("%s is %s, %s says %s: make them the same", r.doc.At(path+".namespace"), m.Namespace, doc.At("metadata.namespace"), ns)
		}
		t.hooked = t.hooked || doc.Spec.Hosts.Hook != ""
		if t.credentials == "" {
			t.credentials = credentialsFrom(filepath.Dir(t.manifest), doc.Spec.Credentials)
		}
		if err := r.sealManifest(ctx, path, doc, m.Digests); err != nil {
			return err
		}
	}
	if m.Namespace == "" {
		m.Namespace = r.namespace
	}
	if err := r.seal(ctx, path, t.hostFiles, t.hook, m.Digests); err != nil {
		return err
	}
	if e.Selector == "" {
		r.found = append(r.found, f)
		return nil
	}
	return r.selected(ctx, path, f)
}

func (r *resolver) manifest(ctx context.Context, path, file string) (manifest.Document, error) {
	data, err := readInput(ctx, file, nil)
	if err != nil {
		return manifest.Document{}, usagef("%s: %w", r.doc.At(path+".manifest"), err)
	}
	doc, err := manifest.Parse(file, data)
	if err != nil {
		return doc, &usageError{err}
	}
	return doc, nil
}

// selected adds every ensemble whose journal has labels that match.
func (r *resolver) selected(ctx context.Context, path string, f found) error {
	selector, err := labels.Parse(f.member.Selector)
	if err != nil {
		return usagef("%s: it is not a label selector: %w", r.doc.At(path+".selector"), err)
	}
	_, k, err := r.look.deps(ctx, fleetTarget{Target: fleet.Target{Context: f.member.Context, Namespace: f.member.Namespace}})
	if err != nil {
		return err
	}
	kept, err := journal.Journals(ctx, k.meta, f.member.Namespace)
	if err != nil {
		return err
	}
	for name, of := range kept {
		if !selector.Matches(labels.Set(of.Labels)) {
			continue
		}
		one := f
		one.member.Name, one.member.Found = name, map[string]string{}
		for key, value := range of.Labels {
			if !strings.HasPrefix(key, "app.kubernetes.io/") && !strings.HasPrefix(key, "zkmigrate.io/") {
				one.member.Found[key] = value
			}
		}
		r.found = append(r.found, one)
	}
	return nil
}

// hookFrom is a program as it is named from here: one without a slash is one of the PATH's. What
// cannot be read is left as it is, for checkHook.
func hookFrom(dir, hook string) string {
	words, err := quote.Split(hook)
	if err != nil || len(words) == 0 || !strings.Contains(words[0], "/") {
		return hook
	}
	if words[0] = from(dir, words[0]); !strings.Contains(words[0], "/") {
		words[0] = "./" + words[0]
	}
	return words.String()
}
