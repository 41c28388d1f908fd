package model

import (
	"slices"
	"strings"
	"testing"
)

// TestEveryRuleIsNeeded takes out one rule of Decide after the other; the model
// must find what each is for. The table is printed with -v.
func TestEveryRuleIsNeeded(t *testing.T) {
	for _, r := range Rules(three()) {
		t.Run(strings.ReplaceAll(r.name, " ", "_"), func(t *testing.T) {
			res := Explore(r.in, r.without, 2_000_000)
			t.Logf("| %s | %s | %d steps | %d states | %s |", r.name, res.Broken, len(res.Story)-1, res.States, res.Took.Round(1e6))
			if !slices.Contains(r.want, res.Broken) {
				t.Errorf("without this rule: %s, expected one of %v (whole=%v)\n  %s", res.Broken, r.want, res.Whole, strings.Join(res.Story, "\n  "))
			} else if testing.Verbose() {
				t.Logf("\n  %s", strings.Join(res.Story, "\n  "))
			}
		})
	}
}
