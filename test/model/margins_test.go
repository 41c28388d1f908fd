//go:build model

package model

import (
	"strings"
	"testing"
)

// TestMargins takes out what the model can do without. Should it find something
// one day, the rule belongs into Rules.
func TestMargins(t *testing.T) {
	for _, r := range Margins(three()) {
		res := Explore(r.in, r.without, 3_000_000)
		t.Logf("| %s | %s | %d states | whole %v | %s |", r.name, res.Broken, res.States, res.Whole, res.Took.Round(1e6))
		if res.Broken != fine || !res.Whole {
			t.Errorf("%s is no margin:\n  %s", r.name, strings.Join(res.Story, "\n  "))
		}
	}
}
