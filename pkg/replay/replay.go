// Package replay keeps one look at an ensemble as a file: for support, for tests
// of real incidents, and for learning. Whatever the rules say of the look they say of
// the file, without a cluster. It is pure.
package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Kind is the kind of a saved look; its version is the journal's.
const Kind = "Observation"

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
	return Saved{APIVersion: migration.RecordVersion, Kind: Kind, By: by, Observation: o}
}

// Read reads a file that Save has made, or that anybody has written: it is refused
// as a whole where one field of its journal does not fit, where this release does
// not know a field, and where it is not of every server once.
func Read(data []byte) (migration.Observation, error) {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	switch err := json.Unmarshal(data, &head); {
	case err != nil:
		return migration.Observation{}, errors.New("it is not the JSON that status -o observation prints")
	case head.Kind != Kind:
		return migration.Observation{}, fmt.Errorf("its kind is %s (expected %s, as status -o observation prints it)", quote.Text(head.Kind), Kind)
	case head.APIVersion != migration.RecordVersion:
		return migration.Observation{}, fmt.Errorf("its version is %s, and this release reads %q only: use the release that made it", quote.Text(head.APIVersion), migration.RecordVersion)
	}
	var s Saved
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return migration.Observation{}, fmt.Errorf("it cannot be read: %s", quote.Line(strings.TrimPrefix(err.Error(), "json: ")))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return migration.Observation{}, errors.New("something follows after its end")
	}
	o := s.Observation
	if err := o.Record.Validate(); err != nil {
		return migration.Observation{}, fmt.Errorf("its journal cannot be true: %w", err)
	}
	if err := o.Record.TidyNotes(); err != nil {
		return migration.Observation{}, err
	}
	if len(o.Servers) != len(o.Record.Servers) {
		return migration.Observation{}, fmt.Errorf("it has %d servers, and its journal %d", len(o.Servers), len(o.Record.Servers))
	}
	for i, s := range o.Record.Servers {
		if o.Servers[i].ID != s.ID {
			return migration.Observation{}, fmt.Errorf("server %d stands where its journal has server %d", o.Servers[i].ID, s.ID)
		}
	}
	return o, nil
}
