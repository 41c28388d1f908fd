package printer

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// ensembles prints one line each.
func (p Printer) ensembles(w io.Writer, items []migration.EnsembleStatus) error {
	contexts := slices.ContainsFunc(items, func(e migration.EnsembleStatus) bool { return e.Context != "" })
	head := "NAMESPACE\tNAME\tHEALTH\tVERSION\tSERVERS\tLEADER\tIN PODS\tELECTIONS\tCLIENTS ON HOSTS\tAGE\tNEXT"
	return p.rows(w, contexts, head, len(items), func(i int) (string, string) {
		e := items[i]
		leader, elections, clients, age := "-", "-", "-", "-"
		if !e.Leader.IsZero() {
			leader = e.Leader.String()
		}
		if e.Elections != nil {
			elections = fmt.Sprint(*e.Elections)
		}
		if e.Clients != nil {
			clients = fmt.Sprint(e.Clients.Sessions)
		}
		if !e.Wrapped.IsZero() {
			age = duration.HumanDuration(max(0, e.At.Sub(e.Wrapped)).Truncate(time.Second))
		}
		return e.Context, fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\t%s\t%s", e.Namespace, e.Name, e.Health, orDash(e.Version),
			signs(e.Servers), leader, e.Replaced, len(e.Servers), elections, clients, age, orDash(e.Next))
	})
}

// Plans prints one line per ensemble.
func (p Printer) Plans(w io.Writer, items []migration.EnsemblePlan) error {
	switch {
	case p.Format == Name:
		return names(w, items, func(e migration.EnsemblePlan) string { return e.Name })
	case !p.ForPeople():
		return p.Structured(w, PlanList{APIVersion: migration.RecordVersion, Kind: "EnsemblePlanList", Items: items})
	}
	contexts := slices.ContainsFunc(items, func(e migration.EnsemblePlan) bool { return e.Context != "" })
	return p.rows(w, contexts, "NAMESPACE\tNAME\tVERSION\tLEFT\tREADY\tELECTIONS\tIN THE WAY\tNEXT", len(items), func(i int) (string, string) {
		e := items[i]
		var left []string
		ready, all, why := 0, 0, ""
		if wrong := migration.Hindrances(e.Problems); len(wrong) > 0 {
			why = wrong[0].Text
		}
		for _, phase := range e.Phases {
			left = append(left, string(phase.Name))
			for _, s := range phase.Servers {
				all++
				if s.Readiness == migration.Ready {
					ready++
				} else if why == "" {
					why = fmt.Sprintf("server %d: %s", s.ID, s.Reason)
				}
			}
		}
		return e.Context, fmt.Sprintf("%s\t%s\t%s\t%s\t%d/%d\t%d\t%s\t%s", e.Namespace, e.Name, orDash(e.Version), orDash(strings.Join(left, ", ")),
			ready, all, e.Elections, orDash(why), orDash(e.Next))
	})
}

// PlanList is what plan prints of many ensembles.
type PlanList struct {
	APIVersion string                   `json:"apiVersion"`
	Kind       string                   `json:"kind"`
	Items      []migration.EnsemblePlan `json:"items"`
}

// names prints each as kubectl does.
func names[T any](w io.Writer, items []T, name func(T) string) error {
	for _, e := range items {
		if _, err := fmt.Fprintf(w, "ensemble.zkmigrate.io/%s\n", name(e)); err != nil {
			return err
		}
	}
	return nil
}

// rows prints a table of n ensembles; row says the context of one, and its cells. contexts has the
// first column.
func (p Printer) rows(w io.Writer, contexts bool, head string, n int, row func(i int) (string, string)) error {
	// A tabwriter writes cell by cell: there may be thousands.
	table := bufio.NewWriterSize(w, 64<<10)
	tw := tabwriter.NewWriter(table, 0, 4, 3, ' ', 0)
	if contexts {
		head = "CONTEXT\t" + head
	}
	p.head(tw, head)
	for i := range n {
		context, cells := row(i)
		if contexts {
			cells = orDash(context) + "\t" + cells
		}
		fmt.Fprintln(tw, cells)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	return table.Flush()
}

// sign is a state at one glance; the words beside it say the same.
type sign struct {
	state migration.State
	sign  string
}

// allSigns are in the order of the way.
func allSigns() []sign {
	return []sign{
		{migration.StateWrapped, "○"}, {migration.StateReconfigured, "◎"}, {migration.StateParked, "◐"}, {migration.StateAway, "◌"},
		{migration.StatePod, "●"}, {migration.StateDown, "✗"}, {migration.StateUnseen, "?"},
	}
}

// signs are one sign per server, by id, and how many are in which state.
func signs(servers []migration.ServerStatus) string {
	if len(servers) == 0 {
		return "-"
	}
	by, count := map[migration.State]string{}, map[migration.State]int{}
	for _, s := range allSigns() {
		by[s.state] = s.sign
	}
	var out strings.Builder
	for _, s := range servers {
		out.WriteString(by[s.State])
		count[s.State]++
	}
	var words []string
	for _, s := range allSigns() {
		if n := count[s.state]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, s.state))
		}
	}
	return out.String() + " " + strings.Join(words, ", ")
}
