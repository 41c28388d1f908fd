package access

import (
	"fmt"
	"strings"
)

// Lack is a permission that was refused, or one about which nobody answered.
type Lack struct {
	Need
	Namespace string
	// Names are the objects it is lacking for; empty for all.
	Names []string
	// Unknown is why nobody could say; empty where it was refused.
	Unknown string
}

// Unanswered says of the permissions about which nobody knows which they are, in one
// line where one reason holds for several.
func Unanswered(lacks []Lack) []string {
	by := map[string][]Lack{}
	var reasons []string
	for _, l := range lacks {
		if l.Unknown == "" {
			continue
		}
		if len(by[l.Unknown]) == 0 {
			reasons = append(reasons, l.Unknown)
		}
		by[l.Unknown] = append(by[l.Unknown], l)
	}
	var out []string
	for _, why := range reasons {
		list := by[why]
		if len(list) == 1 {
			out = append(out, list[0].String())
			continue
		}
		var names []string
		for _, l := range list {
			names = append(names, l.Verb+" "+l.Object())
		}
		out = append(out, fmt.Sprintf("whether you have %d permissions is not known (%s): %s", len(list), strings.Join(names, ", "), why))
	}
	return out
}

// String says what is lacking and what it is for.
func (l Lack) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", l.Verb, l.Object())
	if len(l.Names) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(l.Names, ", "))
	}
	fmt.Fprintf(&b, " in namespace %s: %s to %s", l.Namespace, neededBy(l.Commands), l.Why)
	if len(l.Steps) > 0 {
		var ids []string
		for _, s := range l.Steps {
			ids = append(ids, string(s))
		}
		fmt.Fprintf(&b, " (%s %s)", plural("step", len(ids)), strings.Join(ids, ", "))
	}
	if l.Unknown != "" {
		fmt.Fprintf(&b, "; whether you have it is not known: %s", l.Unknown)
	}
	return b.String()
}

func neededBy(commands []Command) string { return "needed by " + list(commands) }

func list(commands []Command) string {
	var words []string
	for _, c := range commands {
		words = append(words, string(c))
	}
	if len(words) < 3 {
		return strings.Join(words, " and ")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

func plural(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
