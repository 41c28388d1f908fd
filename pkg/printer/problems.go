package printer

import (
	"fmt"
	"io"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// health is the headline's word.
func health(e migration.EnsembleStatus) string {
	switch e.Health {
	case migration.Healthy:
		return "healthy"
	case migration.Changing:
		return "one server is away as planned"
	case migration.Unknown:
		return "UNKNOWN: not everything was seen"
	case migration.Degraded:
	}
	return "NOT HEALTHY"
}

// printProblems prints each problem with what it rests on, and what helps where
// that is not the command that is printed at the end anyway.
func printProblems(w io.Writer, problems []migration.Problem, next string) {
	label := map[migration.Class]string{
		migration.ClassWrong: "problem", migration.ClassUnseen: "not seen", migration.ClassRefusal: "refused",
		migration.ClassPlanned: "under way", migration.ClassNote: "note",
	}
	for _, p := range problems {
		fmt.Fprintf(w, "%s: %s\n", label[p.Class], p.Text)
		for _, e := range p.Evidence {
			fmt.Fprintf(w, "  - %s\n", e)
		}
		if p.Next != "" && p.Next != next {
			fmt.Fprintf(w, "  try: %s\n", p.Next)
		}
	}
}
