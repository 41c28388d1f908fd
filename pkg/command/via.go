package command

import (
	"reflect"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Via is what a printed command repeats of the one that prints it: which cluster is meant, and by
// whom, and what was given of the ensemble that no journal has. A command that is printed for one
// cluster and run without that works on another, where an ensemble of that name may be as well.
// The zero value has nothing.
type Via struct {
	// both are flags of kubectl and of ours, own those of ours alone.
	both string
	own  []Given
}

// Given is a flag that only our commands have, with the values that were given.
type Given struct {
	// As is how it begins, as "--host-hook=" or "-f ".
	As     string
	Values []string
	// On are the commands that repeat it, from their verb on, as "replace" or "fleet run".
	On []string
	// Blank stands for it in commands whose text has it, as "-f FILE"; what was given takes its
	// place in those of Fills, also where that is nothing.
	Blank string
	Fills []string
	// Without is a flag, as "--verify", beside which it is not repeated.
	Without string
	// About is the ensemble that it was given for, the zero value for any.
	About Ensemble
}

// Ensemble is one that flags are about; without Name it is any in its Namespace.
type Ensemble struct{ Namespace, Name string }

// With adds a flag that kubectl has as well, unless its value is empty.
func (v Via) With(name, value string) Via {
	if value != "" {
		v.both = before(v.both) + "--" + name + "=" + quote.Shell(Again(value))
	}
	return v
}

// WithOwn adds flags that only our commands have.
func (v Via) WithOwn(given ...Given) Via {
	v.own = slices.Concat(v.own, given)
	return v
}

// Again is a value as another command can be given it. What only this one could read, as a shell's
// <(...), has no name for the next: FILE stands for it.
func Again(value string) string {
	if strings.HasPrefix(value, "/dev/fd/") || value == "/dev/stdin" || strings.HasPrefix(value, "/proc/") && strings.Contains(value, "/fd/") {
		return "FILE"
	}
	return value
}

// filled puts what was given into a command's blanks.
func (v Via) filled(line string) string {
	for _, g := range v.own {
		if g.Blank != "" && says(line, g.Blank) && among(g.Fills, line) {
			line = strings.TrimSuffix(strings.Replace(line+" ", " "+g.Blank+" ", " "+before(g.words()), 1), " ")
		}
	}
	return line
}

// repeated are the words that a command needs again, after a blank each.
func (v Via) repeated(line, namespace string) string {
	again := ""
	for _, g := range v.own {
		said := line + again
		switch {
		case len(g.Values) == 0, !among(g.On, line), says(said, strings.TrimSpace(g.As)):
		case g.Without != "" && says(said, g.Without):
		case !g.About.in(line, namespace):
		default:
			again += " " + g.words()
		}
	}
	return again
}

func (g Given) words() string {
	words := make([]string, len(g.Values))
	for i, value := range g.Values {
		words[i] = g.As + quote.Shell(value)
	}
	return strings.Join(words, " ")
}

// says reports whether a command has such a flag, or begins a word with it.
func says(line, flag string) bool { return strings.Contains(line, " "+flag) }

// among reports whether a command is one of some.
func among(commands []string, line string) bool {
	return slices.ContainsFunc(commands, func(c string) bool { return strings.HasPrefix(line+" ", c+" ") })
}

// in reports whether a command is about the ensemble.
func (e Ensemble) in(line, namespace string) bool {
	if e == (Ensemble{}) {
		return true
	}
	words := strings.Fields(line)
	return namespace == e.Namespace && len(words) > 1 && (e.Name == "" || words[1] == e.Name)
}

// String is what kubectl gets.
func (v Via) String() string { return v.both }

// before is words in front of other words.
func before(words string) string {
	if words == "" {
		return ""
	}
	return words + " "
}

// Equal lets tests compare what has one.
func (v Via) Equal(o Via) bool { return reflect.DeepEqual(v, o) }
