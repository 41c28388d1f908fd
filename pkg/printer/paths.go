package printer

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Paths prints a grid of what reaches what: a row for each place where paths begin and way on
// which servers are reached, a column for each server. What is lost is spelled out below.
// Without any path that somebody has tried there is nothing to print.
func (pr Printer) Paths(w io.Writer, paths []preflight.Path) error {
	if !slices.ContainsFunc(paths, func(p preflight.Path) bool { return p.Result != preflight.NotTried }) {
		return nil
	}
	type row struct {
		from preflight.From
		via  vantage.Via
	}
	var rows []row
	var servers []ensemble.ID
	cells := map[row]map[ensemble.ID][]preflight.Path{}
	for _, p := range paths {
		r := row{p.From, p.Via}
		if cells[r] == nil {
			cells[r] = map[ensemble.ID][]preflight.Path{}
			rows = append(rows, r)
		}
		cells[r][p.To] = append(cells[r][p.To], p)
		if !slices.Contains(servers, p.To) {
			servers = append(servers, p.To)
		}
	}
	slices.Sort(servers)
	begins := func(f preflight.From) int { return slices.IndexFunc(rows, func(r row) bool { return r.from == f }) }
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b row) int {
		return cmp.Or(cmp.Compare(begins(a.from), begins(b.from)), cmp.Compare(order(a.via), order(b.via)))
	})
	rows = sorted
	var out strings.Builder
	fmt.Fprintln(&out, "\nWho reaches which server, and on which way:")
	tw := tabwriter.NewWriter(&out, 0, 4, 3, ' ', 0)
	fmt.Fprint(tw, "FROM\tBY")
	for _, id := range servers {
		fmt.Fprintf(tw, "\tTO %s", id)
	}
	used := map[string]bool{}
	for i, r := range rows {
		name := ""
		if i == 0 || rows[i-1].from != r.from {
			name = label(r.from, cells[r])
		}
		fmt.Fprintf(tw, "\n%s\t%s", name, r.via)
		for _, id := range servers {
			fmt.Fprintf(tw, "\t%s", cell(cells[r][id], used))
		}
	}
	fmt.Fprintln(tw)
	_ = tw.Flush() // it writes to memory
	for _, l := range legend() {
		if used[l.word] {
			fmt.Fprintf(&out, "%-13s%s\n", l.word, l.text)
		}
	}
	for _, line := range preflight.Describe(paths, preflight.PathLost) {
		fmt.Fprintf(&out, "- %s\n", line)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// order is from the host to the pod, as servers move.
func order(v vantage.Via) int {
	return slices.Index([]vantage.Via{vantage.ViaHost, vantage.ViaService, vantage.ViaPod}, v)
}

// label names the beginning of a row's paths, and tells how old its answers are.
func label(f preflight.From, to map[ensemble.ID][]preflight.Path) string {
	name := f.String()
	if f.Place == preflight.OnHost {
		name += fmt.Sprintf(" (server %s)", f.Server)
	}
	for _, paths := range to {
		for _, p := range paths {
			if p.Age.Old() {
				return fmt.Sprintf("%s, %s ago", name, p.Age)
			}
		}
	}
	return name
}

// Words of a cell besides the results themselves.
const (
	cellOK   = "ok"
	cellIdle = "idle"
	cellNone = "-"
	unknown  = "?"
)

// cell is one word where all ports are alike; otherwise it names those that are not ok.
func cell(paths []preflight.Path, used map[string]bool) string {
	if len(paths) == 0 {
		used[cellNone] = true
		return cellNone
	}
	var words, parts []string
	for _, p := range paths {
		word := word(p)
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
		if word != cellOK && word != cellIdle {
			parts = append(parts, fmt.Sprintf("%s %s", p.Port, word))
		}
	}
	for _, word := range words {
		used[word] = word != cellIdle || len(words) == 1
	}
	switch {
	case len(words) == 1:
		return words[0]
	case len(parts) == 0:
		return cellOK
	}
	return strings.Join(parts, ", ")
}

func word(p preflight.Path) string {
	switch p.Verdict {
	case preflight.PathOK:
		return cellOK
	case preflight.PathIdle:
		return cellIdle
	case preflight.PathUnknown:
		return unknown
	case preflight.PathLost:
	}
	if p.Result == preflight.Outcome(vantage.PortClosed) {
		return "refused"
	}
	return string(p.Result)
}

type meaning struct{ word, text string }

func legend() []meaning {
	return []meaning{
		{cellOK, "every port that is needed accepts; the peer port is the leader's alone, and another server's refuses"},
		{cellIdle, "reached, and refused: nothing listens there yet"},
		{"silent", "no answer within 3 seconds"},
		{"unreachable", "the network says that there is no way"},
		{"refused", "refused, though something listens there"},
		{unknown, "not known: not tried, not lately, or nothing was learned"},
		{cellNone, "not needed"},
	}
}
