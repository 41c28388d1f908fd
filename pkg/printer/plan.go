package printer

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
)

// Plan prints what would happen, and the network paths that the next step needs.
func (pr Printer) Plan(w io.Writer, p migration.EnsemblePlan, paths []preflight.Path) error {
	switch {
	case pr.Format == Name:
		_, err := fmt.Fprintf(w, "ensemble.zkmigrate.io/%s\n", p.Name)
		return err
	case !pr.ForPeople():
		return pr.Structured(w, struct {
			migration.EnsemblePlan
			Paths []preflight.Path `json:"paths,omitempty"`
		}{p, paths})
	}
	out := &strings.Builder{}
	fmt.Fprintf(out, "Plan for ensemble %s in namespace %s, ZooKeeper %s: %s\n", p.Name, p.Namespace, orDash(p.Version), elections(p))
	printProblems(out, p.Problems, p.Next)
	switch {
	case p.Done():
		fmt.Fprintln(out, "Every server runs in its pod: nothing is left to do.")
	case len(p.Phases) == 0:
		fmt.Fprintln(out, "Every server was replaced, but not everything is as it should be.")
	}
	for i, phase := range p.Phases {
		fmt.Fprintf(out, "\n%d. %s: %s\n", i+1, phase.Name, phase.Title)
		if phase.Note != "" {
			fmt.Fprintf(out, "   note:    %s\n", phase.Note)
		}
		if phase.Command != "" {
			fmt.Fprintf(out, "   command: %s\n", phase.Command)
		}
		if phase.Pods != "" {
			fmt.Fprintf(out, "   pods:    %s\n", phase.Pods)
		}
		plannedServers(out, phase)
		if pr.Format == Wide {
			plannedSteps(out, phase)
		}
	}
	for _, a := range p.Advice {
		fmt.Fprintf(out, "\nrecommended: %s\n   why:     %s\n   command: %s\n", a.What, a.Why, a.Command)
	}
	if err := pr.Paths(out, paths); err != nil {
		return err
	}
	if p.Next != "" {
		fmt.Fprintf(out, "\nnext: %s\n", p.Next)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func elections(p migration.EnsemblePlan) string {
	switch p.Elections {
	case 0:
		return "no election is forced from here on"
	case 1:
		return "1 election is forced from here on"
	}
	return fmt.Sprintf("%d elections are forced from here on", p.Elections)
}

// plannedServers prints the servers in their order, and what stands in the way.
func plannedServers(w io.Writer, phase migration.PlannedPhase) {
	if len(phase.Servers) == 0 {
		return
	}
	tw := tabwriter.NewWriter(w, 0, 4, 3, ' ', 0)
	fmt.Fprintln(tw, "   ORDER\tID\tMODE\tREADY\tELECTION\tWHY")
	for i, s := range phase.Servers {
		election := "-"
		if s.Election {
			election = "1"
		}
		fmt.Fprintf(tw, "   %d\t%s\t%s\t%s\t%s\t%s\n", i+1, s.ID, orDash(string(s.Mode)), s.Readiness, election, s.Reason)
	}
	_ = tw.Flush() // it writes to memory
	for _, s := range phase.Servers {
		if s.Readiness == migration.Ready {
			continue
		}
		for _, e := range s.Evidence {
			fmt.Fprintf(w, "   server %d:  %s\n", s.ID, e)
		}
		if s.Next != "" {
			fmt.Fprintf(w, "   server %d:  next: %s\n", s.ID, s.Next)
		}
	}
}

func plannedSteps(w io.Writer, phase migration.PlannedPhase) {
	if len(phase.Steps) == 0 {
		return
	}
	fmt.Fprintln(w, "   each server:")
	for _, s := range phase.Steps {
		fmt.Fprintf(w, "     - %s: %s\n", s.Title, s.Why)
	}
}
