package printer

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// StatusList is what status prints for more than one ensemble.
type StatusList struct {
	APIVersion string                     `json:"apiVersion"`
	Kind       string                     `json:"kind"`
	Items      []migration.EnsembleStatus `json:"items"`
}

// Status prints ensembles. list says that a list was asked for (-A), so that
// programs get a list even of one.
func (p Printer) Status(w io.Writer, list bool, items []migration.EnsembleStatus) error {
	switch {
	case p.Format == Name:
		return names(w, items, func(e migration.EnsembleStatus) string { return e.Name })
	case !p.ForPeople():
		var v any = StatusList{APIVersion: migration.RecordVersion, Kind: "EnsembleStatusList", Items: items}
		if !list && len(items) == 1 {
			v = items[0]
		}
		return p.Structured(w, v)
	}
	if list {
		return p.ensembles(w, items)
	}
	for i, e := range items {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := p.servers(w, e); err != nil {
			return err
		}
	}
	return nil
}

func (p Printer) servers(w io.Writer, e migration.EnsembleStatus) error {
	if !p.NoHeaders {
		fmt.Fprintf(w, "Ensemble %s in namespace %s: %s, ZooKeeper %s, %d of %d servers in pods\n",
			e.Name, e.Namespace, health(e), orDash(e.Version), e.Replaced, len(e.Servers))
	}
	tw := tabwriter.NewWriter(w, 0, 4, 3, ' ', 0)
	head := "ID\tPLACE\tPHASE\tMODE\tZXID\tADDRESS\tHOST\tPOD\tNEXT"
	if p.Format == Wide {
		head = "ID\tROLE\tPLACE\tPHASE\tMODE\tZXID\tSERVICE\tADDRESS\tHOST\tPOD\tPOD-IP\tNODE\tVERSION\tCLIENTS\tNEXT"
	}
	p.head(tw, head)
	for _, s := range e.Servers {
		cols := []string{s.ID.String()}
		if p.Format == Wide {
			cols = append(cols, string(s.Role))
		}
		cols = append(cols, string(s.Place), s.Phase, orDash(string(s.Mode)), orDash(s.Zxid))
		if p.Format == Wide {
			cols = append(cols, s.Service)
		}
		cols = append(cols, s.ClusterIP, s.HostIP, orDash(s.Pod))
		if p.Format == Wide {
			cols = append(cols, orDash(s.PodIP), orDash(s.Node), orDash(s.Version), fmt.Sprint(s.Clients))
		}
		fmt.Fprintln(tw, strings.Join(append(cols, orDash(s.Next)), "\t"))
	}
	if err := tw.Flush(); err != nil || p.NoHeaders {
		return err
	}
	printProblems(w, e.Problems, e.Next)
	if words := e.Clients.Words(); words != "" {
		fmt.Fprintf(w, "clients: %s\n", words)
	}
	if e.Next != "" {
		if _, err := fmt.Fprintf(w, "next:    %s\n", e.Next); err != nil {
			return err
		}
	}
	return nil
}

// head is a table's first line.
func (p Printer) head(w io.Writer, line string) {
	if !p.NoHeaders {
		fmt.Fprintln(w, line)
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
