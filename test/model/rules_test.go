package model

import (
	"slices"
	"strings"
	"testing"
)

// TestEveryRuleIsNeeded takes out one rule of Decide after the other; the model
// must find what each is for. The table is
// printed with -v; -tags model has all of it.
func TestEveryRuleIsNeeded(t *testing.T) {
	for _, r := range Rules(three()) {
		if r.long && !full {
			continue
		}
		t.Run(strings.ReplaceAll(r.name, " ", "_"), func(t *testing.T) {
			res := Explore(r.in, r.without, max(r.in.Limit, 2_000_000))
			t.Logf("| %s | %s | %d steps | %d states | %s |", r.name, res.Broken, len(res.Story)-1, res.States, res.Took.Round(1e6))
			if !slices.Contains(r.want, res.Broken) {
				t.Errorf("without this rule: %s, expected one of %v (whole=%v)\n  %s", res.Broken, r.want, res.Whole, strings.Join(res.Story, "\n  "))
			} else if testing.Verbose() {
				t.Logf("\n  %s", strings.Join(res.Story, "\n  "))
			}
		})
	}
}

// TestTheGuardStandsInForTheProof: with db.autocreate=false (3.6 and later) the
// loss that a rule's absence brings on 3.4 does not happen; the ensemble waits
// instead. It is the second line, for a proof that was wrong.
func TestTheGuardStandsInForTheProof(t *testing.T) {
	for _, r := range Rules(three()) {
		if r.name != "the same, followed to the loss" || !full {
			continue
		}
		cfg := r.in
		cfg.Version = "3.8.0"
		res := Explore(cfg, r.without, 2_000_000)
		t.Logf("%d states, %s", res.States, res.Took.Round(1e6))
		if res.Broken != fine || !res.Whole {
			t.Errorf("%s (whole %v)\n  %s", res.Broken, res.Whole, strings.Join(res.Story, "\n  "))
		}
	}
}
