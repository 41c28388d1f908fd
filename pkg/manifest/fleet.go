package manifest

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Fleet is many ensembles that one command moves, and in which order. FleetFields says of
// each field what it means; an empty one was not given.
type Fleet struct {
	APIVersion string    `yaml:"apiVersion"`
	Kind       string    `yaml:"kind"`
	Metadata   Metadata  `yaml:"metadata,omitempty"`
	Spec       FleetSpec `yaml:"spec,omitempty"`
}

// FleetSpec is who is moved, how far, and by which rules.
type FleetSpec struct {
	Until     string          `yaml:"until,omitempty"`
	Ensembles []FleetEnsemble `yaml:"ensembles,omitempty"`
	Strategy  Strategy        `yaml:"strategy,omitempty"`
}

// FleetEnsemble is one ensemble by its name, or those that a selector finds in one
// namespace.
type FleetEnsemble struct {
	Name        string            `yaml:"name,omitempty"`
	Selector    string            `yaml:"selector,omitempty"`
	Namespace   string            `yaml:"namespace,omitempty"`
	Context     string            `yaml:"context,omitempty"`
	Manifest    string            `yaml:"manifest,omitempty"`
	HostFiles   string            `yaml:"hostFiles,omitempty"`
	Hook        string            `yaml:"hook,omitempty"`
	Credentials string            `yaml:"credentials,omitempty"`
	Data        string            `yaml:"data,omitempty"`
	AcceptLoss  string            `yaml:"acceptClientLoss,omitempty"`
	GiveUp      string            `yaml:"giveUpWayBack,omitempty"`
	Tier        int               `yaml:"tier,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Consumers   []string          `yaml:"consumers,omitempty"`
}

// Strategy is when which ensemble may go.
type Strategy struct {
	Stages           []Stage  `yaml:"stages,omitempty"`
	MaxConcurrency   int      `yaml:"maxConcurrency,omitempty"`
	ElectionsPerHour int      `yaml:"electionsPerHour,omitempty"`
	Windows          []Window `yaml:"windows,omitempty"`
	Timeout          string   `yaml:"timeout,omitempty"`
}

// Stage is one wave.
type Stage struct {
	Name          string `yaml:"name"`
	Selector      string `yaml:"selector,omitempty"`
	Concurrency   string `yaml:"concurrency,omitempty"`
	OrderBy       string `yaml:"orderBy,omitempty"`
	Tolerate      int    `yaml:"tolerate,omitempty"`
	SoakEach      string `yaml:"soakEach,omitempty"`
	Soak          string `yaml:"soak,omitempty"`
	ApproveBefore string `yaml:"approveBefore,omitempty"`
	ApproveAfter  string `yaml:"approveAfter,omitempty"`
}

// Window is a time in which ensembles may begin, again and again.
type Window struct {
	Cron     string `yaml:"cron"`
	Duration string `yaml:"duration"`
	TimeZone string `yaml:"timeZone,omitempty"`
}

// FleetDocument is a Fleet that was read.
type FleetDocument struct {
	Fleet
	// File is how messages name it.
	File  string
	lines map[string]int
}

// At is where a field stands, for a message: FILE:LINE: PATH.
func (d FleetDocument) At(path string) string {
	return fmt.Sprintf("%s:%d: %s", d.File, d.lines[path], path)
}

// ParseFleet reads a Fleet as Parse reads an Ensemble.
func ParseFleet(file string, data []byte) (FleetDocument, error) {
	d := FleetDocument{File: file, lines: map[string]int{}}
	w, err := parse(file, data, FleetFields(), d.lines, &d.Fleet)
	if err != nil {
		return d, err
	}
	w.fleet(d.Spec)
	return d, errors.Join(w.errs...)
}

// fleet judges what several fields must agree on.
func (w *walker) fleet(spec FleetSpec) {
	at := func(path string, a ...any) *yaml.Node {
		return &yaml.Node{Line: w.lines[fmt.Sprintf(path, a...)]}
	}
	stages := map[string]bool{}
	for i, s := range spec.Strategy.Stages {
		if stages[s.Name] {
			w.refuse(at("spec.strategy.stages[%d].name", i), "each name once", "spec.strategy.stages[%d]: there is a stage %s already", i, s.Name)
		}
		stages[s.Name] = true
	}
	for i, e := range spec.Ensembles {
		if e.Selector != "" && (e.Manifest != "" || e.HostFiles != "") {
			w.refuse(at("spec.ensembles[%d].selector", i), "name, for an ensemble with files of its own", "spec.ensembles[%d]: files belong to one ensemble, a selector finds several", i)
		}
		w.givenUp(at("spec.ensembles[%d]", i), fmt.Sprintf("spec.ensembles[%d]", i), e, spec.Until == finalized)
	}
	if n := spec.Strategy.ElectionsPerHour; spec.Until == finalized && n > 0 && n < 3 {
		w.refuse(at("spec.strategy.electionsPerHour"), "3 at least", "spec.strategy.electionsPerHour is %d: until an ensemble is finalized it may need three", n)
	}
}

// givenUp wants that the way back of an ensemble is given up by its name, as finalize does.
func (w *walker) givenUp(n *yaml.Node, path string, e FleetEnsemble, needed bool) {
	switch {
	case e.GiveUp == "" && !needed:
	case e.Selector != "":
		w.refuse(n, "each by its name, with giveUpWayBack", "%s: the way back of ensembles that a selector finds is not given up", path)
	case e.GiveUp == "":
		w.refuse(n, "giveUpWayBack: "+e.Name, "%s: its way back is not given up by name", path)
	case e.GiveUp != e.Name:
		w.refuse(n, "giveUpWayBack: "+e.Name, "%s: giveUpWayBack is %q, and it is %s", path, e.GiveUp, e.Name)
	}
}
