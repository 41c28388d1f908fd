package cli

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

// formatOf reads -o, of which a command knows some.
func formatOf(output string, allowed ...printer.Format) (printer.Format, error) {
	f := printer.Format(output)
	if f == printer.Table || slices.Contains(allowed, f) {
		return f, nil
	}
	var names []string
	for _, a := range allowed {
		names = append(names, string(a))
	}
	return "", usagef("--output=%q: allowed are %s", quote.Typed(output), strings.Join(names, ", "))
}

// checkWaivers refuses names of no check, and of checks that nobody may waive. place is
// where they were given.
func checkWaivers(place string, waive []string) error {
	var ids, waivable []string
	for _, c := range preflight.Checks() {
		ids = append(ids, c.ID)
		if c.Waivable {
			waivable = append(waivable, c.ID)
		}
	}
	for _, w := range waive {
		switch {
		case slices.Contains(waivable, w):
		case slices.Contains(ids, w):
			return usagef("%s=%s: this check cannot be waived, for nothing is safe without it; those that can are %s", place, w, strings.Join(waivable, ", "))
		default:
			return usagef("%s=%q is not a check%s; those that can be waived are %s", place, quote.Typed(w), meant(w, ids), strings.Join(waivable, ", "))
		}
	}
	return nil
}

// meant suggests what somebody may have wanted to type.
func meant(typed string, known []string) string {
	if k := strict.Meant(typed, known); k != "" {
		return ": did you mean " + k + "?"
	}
	return ""
}

// checkHook makes sure that the program is there before anything is begun that
// needs it.
func checkHook(place, hook string) error {
	if hook == "" {
		return nil
	}
	words, err := quote.Split(hook)
	if err != nil {
		return usagef("%s=%s: %w", place, quote.Typed(hook), err)
	}
	if len(words) == 0 {
		return usagef("%s=%q names no program: give its path, as ./PROGRAM", place, hook)
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		return usagef("%s=%q: there is no program %s, or it is not executable (chmod +x); a program in this directory is named ./PROGRAM, and a path with blanks has quotes around it", place, quote.Typed(hook), quote.Typed(words[0]))
	}
	return nil
}

// checkDomain refuses what is not a DNS name; one dot at the end is common.
func checkDomain(place, name string) error {
	if name == "" || len(validation.IsDNS1123Subdomain(strings.TrimSuffix(strings.ToLower(name), "."))) == 0 {
		return nil
	}
	return usagef("%s=%q is not a DNS name such as example.com", place, quote.Typed(name))
}

// idFlag is the flag for a server's id.
type idFlag struct{ ensemble.MaybeID }

func (f *idFlag) add(cmd *cobra.Command) { cmd.Flags().Var(f, "id", "Id of the server") }

func (f *idFlag) given() bool { return !f.IsZero() }

// Type names the value in help and errors.
func (f *idFlag) Type() string { return "ID" }

// Set reads an id.
func (f *idFlag) Set(s string) error {
	id, err := ensemble.ParseID(s)
	if err == nil {
		f.MaybeID = id.Known()
	}
	return err
}

// flagError says in words what pflag says of a value.
func flagError(err error) error {
	if m := mistake(err); m != nil {
		return m
	}
	wrong := (*pflag.InvalidValueError)(nil)
	if !errors.As(err, &wrong) {
		return err
	}
	flag := wrong.GetFlag()
	want := map[string]string{
		"int": "a whole number", "int64": "a whole number", "intSlice": "whole numbers, separated by commas",
		"duration": "a duration, as 30s or 5m", "bool": "true or false",
		"ID": fmt.Sprintf("a server's id, a whole number from %d to %d", ensemble.MinID, ensemble.MaxID),
	}[flag.Value.Type()]
	if want == "" {
		return err
	}
	return usagef("--%s=%q: expected %s", flag.Name, quote.Typed(wrong.GetValue()), want)
}
