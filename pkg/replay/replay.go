// Package replay keeps one look at an ensemble as a file: for support, for tests
// of real incidents, and for learning. Whatever the rules say of the look they say of
// the file, without a cluster. It is pure.
package replay

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

// Kind is the kind of a saved look, Version that of its format: another one whenever
// something in it gets another name or meaning. The journal in it has its own.
const (
	Kind    = "Observation"
	Version = "zkmigrate.io/v1alpha2"
)

// Saved is the file.
type Saved struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// By is the version of the program that looked.
	By          string                `json:"by"`
	Observation migration.Observation `json:"observation"`
}

// Save is the file of one look: all that the rules have seen, with passwords, and
// digests of passwords, hidden.
func Save(o migration.Observation, by string) Saved {
	o.Record.Pods = hidden(o.Record.Pods)
	if before := o.Record.PodsBefore; before != nil {
		pods := hidden(*before)
		o.Record.PodsBefore = &pods
	}
	// What was compared or reported may hold what is hidden above.
	o.Record.Audit = slices.Clone(o.Record.Audit)
	for i := range o.Record.Audit {
		o.Record.Audit[i].Detail = ensemble.HideSecrets(o.Record.Audit[i].Detail)
	}
	o.Servers = slices.Clone(o.Servers)
	for i := range o.Servers {
		pod := &o.Servers[i].Cluster.Pod
		for _, texts := range []*[]string{&pod.Source.Pod.Drift, &pod.Source.Set.Drift, &pod.Log.Says} {
			*texts = each(*texts)
		}
		pod.Report.Detail, pod.Problem = ensemble.HideSecrets(pod.Report.Detail), ensemble.HideSecrets(pod.Problem)
	}
	return Saved{APIVersion: Version, Kind: Kind, By: by, Observation: o}
}

// hidden leaves out what nobody should see of the pods' settings.
func hidden(o migration.PodOptions) migration.PodOptions {
	o.ZooCfg, o.JVMFlags, o.Command = ensemble.HideSecretKeys(o.ZooCfg), ensemble.HideSecrets(o.JVMFlags), each(o.Command)
	o.Template = render.HideTemplate(o.Template)
	return o
}

func each(texts []string) []string {
	out := slices.Clone(texts)
	for i := range out {
		out[i] = ensemble.HideSecrets(out[i])
	}
	return out
}

// Read reads a file that Save has made, or that anybody has written: it is refused
// as a whole where one field of its journal does not fit, where this release does
// not know a field, and where it is not of every server once.
func Read(data []byte) (migration.Observation, error) {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		By         string `json:"by"`
	}
	switch err := json.Unmarshal(data, &head); {
	case err != nil:
		return migration.Observation{}, errors.New("it is not the JSON that status -o observation prints")
	case head.Kind != Kind:
		return migration.Observation{}, fmt.Errorf("its kind is %s (expected %s, as status -o observation prints it)", quote.Text(head.Kind), Kind)
	case head.APIVersion != Version:
		return migration.Observation{}, fmt.Errorf("its version is %s, and this release reads %q only: use the release that made it, %s", quote.Text(head.APIVersion), Version, quote.Text(head.By))
	}
	var s Saved
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return migration.Observation{}, fmt.Errorf("it cannot be read: %s", quote.Line(strings.TrimPrefix(err.Error(), "json: ")))
	}
	o := s.Observation
	if err := o.Record.Validate(); err != nil {
		return migration.Observation{}, fmt.Errorf("its journal cannot be true: %w", err)
	}
	o.Record.TidyNotes()
	if len(o.Servers) != len(o.Record.Servers) {
		return migration.Observation{}, fmt.Errorf("it has %d servers, but its journal has %d", len(o.Servers), len(o.Record.Servers))
	}
	for _, t := range o.Twins {
		if what := cmp.Or(strict.Name(t.Name), strict.Namespace(t.Namespace)); what != "" {
			return migration.Observation{}, fmt.Errorf("another ensemble's name or namespace is not one (expected %s)", what)
		}
	}
	for _, v := range []any{&o.Servers, &o.Twins, &o.Clients} {
		if err := tidy(reflect.ValueOf(v).Elem()); err != nil {
			return migration.Observation{}, err
		}
	}
	for i, s := range o.Record.Servers {
		if o.Servers[i].ID != s.ID {
			return migration.Observation{}, fmt.Errorf("server %d stands where its journal has server %d", o.Servers[i].ID, s.ID)
		}
	}
	return o, nil
}

const (
	// maxList bounds a list; no ensemble has as many servers.
	maxList = 1000
	// maxText bounds a text.
	maxText = 16 << 10
)

// tidy puts every text on one line, as looks do, and bounds texts and lists.
func tidy(v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		if v.Len() > maxText {
			return fmt.Errorf("a text has %d bytes (expected %d at most)", v.Len(), maxText)
		}
		v.SetString(quote.Line(v.String()))
	case reflect.Slice:
		if v.Len() > maxList {
			return fmt.Errorf("a list has %d entries (expected %d at most)", v.Len(), maxList)
		}
		for i := range v.Len() {
			if err := tidy(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return tidy(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			if err := tidy(v.Field(i)); err != nil {
				return err
			}
		}
	default: // numbers and truth values
	}
	return nil
}
