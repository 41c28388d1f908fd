// Package fleet says which of many ensembles may be moved now: a plan that is frozen when a
// run begins, what is recorded of the run since, and Decide, which holds both against what is
// seen and the time. It asks nobody and moves nothing.
package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Goal is how far ensembles go.
type Goal string

// The goals; each includes those before it.
const (
	Wrapped      Goal = "wrapped"
	Reconfigured Goal = "reconfigured"
	Replaced     Goal = "replaced"
	Finalized    Goal = "finalized"
)

// Kind is the plan's kind.
const Kind = "FleetRun"

// Plan is what a run does. It does not change while the run lasts.
type Plan struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
	Until      Goal   `json:"until"`
	// Targets are sorted by stage, and within it in the order in which they go.
	Targets []Target `json:"targets"`
	Stages  []Stage  `json:"stages"`
	// MaxConcurrency bounds what is under way at once.
	MaxConcurrency int `json:"maxConcurrency"`
	// ElectionsPerHour is 0 where there is no limit.
	ElectionsPerHour int      `json:"electionsPerHour,omitempty"`
	Windows          []Window `json:"windows,omitempty"`
	// Timeout bounds one command of one ensemble.
	Timeout metav1.Duration `json:"timeout"`
}

// Target is one ensemble of the plan.
type Target struct {
	// ID is NAMESPACE/NAME, or NAMESPACE/NAME@CONTEXT.
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Context   string            `json:"context,omitempty"`
	Stage     string            `json:"stage"`
	Tier      int               `json:"tier"`
	Labels    map[string]string `json:"labels,omitempty"`
	Consumers []string          `json:"consumers,omitempty"`
	// The paths are as the fleet's file has them; a run takes them from its own file, never
	// from a recorded plan, for whoever may write that must not choose programs.
	Manifest    string `json:"manifest,omitempty"`
	HostFiles   string `json:"hostFiles,omitempty"`
	Hook        string `json:"hook,omitempty"`
	Credentials string `json:"credentials,omitempty"`
	Data        string `json:"data,omitempty"`
	AcceptLoss  string `json:"acceptClientLoss,omitempty"`
	// GiveUp is the ensemble's name where its way back is given up.
	GiveUp string `json:"giveUpWayBack,omitempty"`
	// Digests are those of the files that the fields of these names refer to.
	Digests map[string]string `json:"digests,omitempty"`
}

// Stage is one wave of the plan.
type Stage struct {
	Name string `json:"name"`
	// Concurrency is how many of its ensembles are under way at once.
	Concurrency int `json:"concurrency"`
	// Tolerate is how many may fail before nothing more begins.
	Tolerate      int             `json:"tolerate,omitempty"`
	SoakEach      metav1.Duration `json:"soakEach,omitzero"`
	Soak          metav1.Duration `json:"soak,omitzero"`
	ApproveBefore string          `json:"approveBefore,omitempty"`
	ApproveAfter  string          `json:"approveAfter,omitempty"`
}

// Target finds an ensemble by its id.
func (p Plan) Target(id string) (Target, bool) {
	i := slices.IndexFunc(p.Targets, func(t Target) bool { return t.ID == id })
	if i < 0 {
		return Target{}, false
	}
	return p.Targets[i], true
}

// Of are the ensembles of a stage, in order.
func (p Plan) Of(stage string) []Target {
	var out []Target
	for _, t := range p.Targets {
		if t.Stage == stage {
			out = append(out, t)
		}
	}
	return out
}

// Approvals are the names of all approvals, in the order in which they are needed.
func (p Plan) Approvals() []string {
	var out []string
	for _, s := range p.Stages {
		for _, name := range []string{s.ApproveBefore, s.ApproveAfter} {
			if name != "" && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// Digest is the SHA-256 of the plan.
func (p Plan) Digest() string {
	data, _ := json.Marshal(p) // it has nothing that JSON does not have
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// hour is what elections are counted over.
const hour = time.Hour
