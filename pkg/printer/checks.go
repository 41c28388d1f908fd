package printer

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
)

// CheckReport is what check prints for programs; its form is stable.
type CheckReport struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
	// Context is the kubeconfig context of its cluster, where several were asked for.
	Context string              `json:"context,omitempty"`
	Checks  []preflight.Finding `json:"checks"`
	// Paths are all network paths that the migration needs now, those that nobody has tried
	// among them, Names the names that somebody resolves.
	Paths []preflight.Path   `json:"paths"`
	Names []preflight.Lookup `json:"names"`
	// Error says why one of many ensembles could not be checked.
	Error string `json:"error,omitempty"`
}

// CheckReportList is what check prints of many ensembles.
type CheckReportList struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Items      []CheckReport `json:"items"`
}

// NewCheckReport is the report on one ensemble.
func NewCheckReport(context string, f preflight.Facts, findings []preflight.Finding) CheckReport {
	return CheckReport{
		APIVersion: migration.RecordVersion, Kind: "CheckReport", Name: f.Record.Name, Namespace: f.Record.Namespace, Context: context,
		Checks: findings, Paths: f.Paths(), Names: f.Lookups(),
	}
}

// Check prints one ensemble's checks.
func (p Printer) Check(w io.Writer, r CheckReport) error {
	if !p.ForPeople() {
		return p.Structured(w, r)
	}
	for _, f := range r.Checks {
		fmt.Fprintf(w, "%-7s %-7s %s\n", f.Result, f.ID, f.Title)
		for _, d := range inList(f) {
			fmt.Fprintf(w, "                  - %s\n", d)
		}
		if f.Hint != "" && f.Result != preflight.OK {
			fmt.Fprintf(w, "                  hint: %s\n", f.Hint)
		}
	}
	return p.Paths(w, r.Paths)
}

// inList is what the list of checks says of one. Lost paths are spelled out below their grid.
func inList(f preflight.Finding) []string {
	if f.Result == preflight.OK || f.Result == preflight.Skip || f.Result == preflight.Unknown || !preflight.OfPaths(f.ID) {
		return f.Detail
	}
	return []string{"paths are lost: see below"}
}

// Checks prints one line per ensemble.
func (p Printer) Checks(w io.Writer, items []CheckReport) error {
	if !p.ForPeople() {
		return p.Structured(w, CheckReportList{APIVersion: migration.RecordVersion, Kind: "CheckReportList", Items: items})
	}
	contexts := slices.ContainsFunc(items, func(r CheckReport) bool { return r.Context != "" })
	return p.rows(w, contexts, "NAMESPACE\tNAME\tOK\tFAILED\tUNKNOWN\tWHICH", len(items), func(i int) (string, string) {
		r := items[i]
		failed := preflight.Failed(r.Checks)
		ok, unknown := 0, 0
		for _, f := range r.Checks {
			if f.Result == preflight.OK {
				ok++
			}
		}
		var ids []string
		for _, f := range failed {
			if f.Result == preflight.Unknown {
				unknown++
			}
			ids = append(ids, f.ID)
		}
		which := orDash(strings.Join(ids, " "))
		if r.Error != "" {
			which = "not checked: " + r.Error
		}
		return r.Context, fmt.Sprintf("%s\t%s\t%d\t%d\t%d\t%s", r.Namespace, r.Name, ok, len(failed)-unknown, unknown, which)
	})
}
