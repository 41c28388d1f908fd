package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// strictFlags has the flags of all commands refuse what is hardly meant: a text that is empty, as
// a variable that was never set leaves it, and two servers, ensembles or approvals where one is
// taken. Of other flags that are given twice the last one wins, as everywhere: scripts have
// defaults. Those of the connection are kubectl's, and behave as there.
func strictFlags(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		strictFlags(c)
	}
	if !cmd.HasParent() {
		return
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		v := &strictValue{Value: f.Value, flag: f, empty: slices.Contains(mayBeEmpty(), f.Name), once: slices.Contains(onlyOnce(), f.Name)}
		if list, many := f.Value.(pflag.SliceValue); many {
			f.Value, f.DefValue = strictList{v, list}, "" // help would print "(default [])" of a type that it does not know
			return
		}
		f.Value = v
	})
}

// mayBeEmpty are the flags that mean something without a value, as kubectl's and that which takes
// a consent back, or say better than that what they want.
func mayBeEmpty() []string {
	return []string{"output", "template", "accept-client-loss", "memory", "anti-affinity", "path"}
}

// onlyOnce are the flags that name whom something is done to.
func onlyOnce() []string {
	return []string{"id", "ensemble", "approval", "host-gone", "give-up-way-back"}
}

// strictValue is one flag's.
type strictValue struct {
	pflag.Value
	flag *pflag.Flag
	// empty may be meant; once: a second value is not.
	empty, once bool
	given       *string
}

// strictList is that of a flag that takes many: those who print it want them one by one.
type strictList struct {
	*strictValue
	pflag.SliceValue
}

// flagMistakeError is a value that is hardly meant.
type flagMistakeError struct{ text string }

func (e *flagMistakeError) Error() string { return e.text }

// Set implements pflag.Value.
func (v *strictValue) Set(text string) error {
	switch {
	case text == "" && !v.empty && strings.HasPrefix(v.Type(), "string"): // a list of texts, too
		return &flagMistakeError{fmt.Sprintf("--%s has no value: give one, or leave it out", v.flag.Name)}
	case v.once && v.given != nil && *v.given != text:
		return &flagMistakeError{fmt.Sprintf("--%s is given twice, as %s and as %s: give it once", v.flag.Name, quote.Typed(*v.given), quote.Typed(text))}
	}
	if err := v.Value.Set(text); err != nil {
		return err
	}
	v.given = &text
	return nil
}

// mistake is the mistake in an error of pflag's, nil where there is none.
func mistake(err error) error {
	if m := (*flagMistakeError)(nil); errors.As(err, &m) {
		return usagef("%w", m)
	}
	return nil
}
