package quote

import (
	"slices"
	"strings"
	"testing"
)

// TestSplit: words are those that a shell would see, and what Words quotes comes back.
func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"":                    nil,
		" \t\n":               nil,
		"./h.sh a  b":         {"./h.sh", "a", "b"},
		"'my hooks/h.sh' a":   {"my hooks/h.sh", "a"},
		`my\ hooks/h.sh a`:    {"my hooks/h.sh", "a"},
		`"a b"c'd e' "" \"`:   {"a bcd e", "", `"`},
		`"\$ \a \\" '\'$HOME`: {`$ \a \`, `\$HOME`},
	} {
		if got, err := Split(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"'a", `a "b`, `a \`} {
		if got, err := Split(text); err == nil {
			t.Errorf("%s: %q", text, got)
		}
	}
	var words Words
	for _, v := range values(t) {
		words = append(words, strings.ToValidUTF8(v, "?"))
	}
	if got, err := Split(words.String()); err != nil || !slices.Equal(got, words) {
		t.Errorf("%v: %q came back as %q", err, words, got)
	}
}
