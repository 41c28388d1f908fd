// Package printer writes results for people and for programs. It decides
// nothing and asks nobody.
package printer

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Format is an output format.
type Format string

// The formats of commands that show something.
const (
	Table Format = ""
	Wide  Format = "wide"
	JSON  Format = "json"
	YAML  Format = "yaml"
	Name  Format = "name"
	// Saved is everything that one look has seen, as a file.
	Saved Format = "observation"
)

// ParseFormat reads the value of -o.
func ParseFormat(s string) (Format, error) {
	switch f := Format(s); f {
	case Table, Wide, JSON, YAML, Name:
		return f, nil
	}
	return "", fmt.Errorf("output format %q: allowed are json, name, wide, yaml", s)
}

// StatusList is what status prints for more than one ensemble.
type StatusList struct {
	APIVersion string                     `json:"apiVersion"`
	Kind       string                     `json:"kind"`
	Items      []migration.EnsembleStatus `json:"items"`
}

// Status prints ensembles. list says that a list was asked for (-A), so that
// programs get a list even of one.
func Status(w io.Writer, f Format, list bool, items []migration.EnsembleStatus) error {
	switch f {
	case JSON, YAML:
		var v any = StatusList{APIVersion: migration.RecordVersion, Kind: "EnsembleStatusList", Items: items}
		if !list && len(items) == 1 {
			v = items[0]
		}
		return structured(w, f, v)
	case Name:
		for _, e := range items {
			if _, err := fmt.Fprintf(w, "ensemble.zkmigrate.io/%s\n", e.Name); err != nil {
				return err
			}
		}
		return nil
	}
	if list {
		return ensembles(w, items)
	}
	for i, e := range items {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := servers(w, f, e); err != nil {
			return err
		}
	}
	return nil
}

// Structured prints any value as JSON or YAML.
func Structured(w io.Writer, f Format, v any) error { return structured(w, f, v) }

func structured(w io.Writer, f Format, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if f == YAML {
		if data, err = quote.YAML(data); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", data)
	return err
}

func servers(w io.Writer, f Format, e migration.EnsembleStatus) error {
	if _, err := fmt.Fprintf(w, "Ensemble %s in namespace %s: %s, ZooKeeper %s, %d of %d servers in pods\n",
		e.Name, e.Namespace, health(e), orDash(e.Version), e.Replaced, len(e.Servers)); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 4, 3, ' ', 0)
	head := "ID\tPLACE\tPHASE\tMODE\tZXID\tADDRESS\tHOST\tPOD\tNEXT"
	if f == Wide {
		head = "ID\tROLE\tPLACE\tPHASE\tMODE\tZXID\tSERVICE\tADDRESS\tHOST\tPOD\tPOD-IP\tNODE\tVERSION\tCLIENTS\tNEXT"
	}
	fmt.Fprintln(tw, head)
	for _, s := range e.Servers {
		cols := []string{s.ID.String()}
		if f == Wide {
			cols = append(cols, string(s.Role))
		}
		cols = append(cols, string(s.Place), s.Phase, orDash(string(s.Mode)), orDash(s.Zxid))
		if f == Wide {
			cols = append(cols, s.Service)
		}
		cols = append(cols, s.ClusterIP, s.HostIP, orDash(s.Pod))
		if f == Wide {
			cols = append(cols, orDash(s.PodIP), orDash(s.Node), orDash(s.Version), fmt.Sprint(s.Clients))
		}
		fmt.Fprintln(tw, strings.Join(append(cols, orDash(s.Next)), "\t"))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	printProblems(w, e.Problems, e.Next)
	if e.Next != "" {
		if _, err := fmt.Fprintf(w, "next:    %s\n", e.Next); err != nil {
			return err
		}
	}
	return nil
}

func ensembles(w io.Writer, items []migration.EnsembleStatus) error {
	tw := tabwriter.NewWriter(w, 0, 4, 3, ' ', 0)
	fmt.Fprintln(tw, "NAMESPACE\tNAME\tHEALTH\tVERSION\tPLACES\tLEADER\tIN PODS\tNEXT")
	for _, e := range items {
		var places []string
		for _, s := range e.Servers {
			places = append(places, s.ID.String()+":"+string(s.Place))
		}
		leader := "-"
		if e.Leader != 0 {
			leader = e.Leader.String()
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\n", e.Namespace, e.Name, e.Health, orDash(e.Version),
			strings.Join(places, " "), leader, e.Replaced, len(e.Servers), orDash(e.Next))
	}
	return tw.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
