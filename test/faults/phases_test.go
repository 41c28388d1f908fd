package faults

import (
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestStepsOfOneTitle: two steps note a canary with the same words, and the first is
// not taken for the second.
func TestStepsOfOneTitle(t *testing.T) {
	steps := []migration.StepID{migration.StepNoteBefore, migration.StepStopHost, migration.StepNoteJoined}
	log := okay(migration.StepNoteBefore) + " (servers 1, 2, 3)\n"
	if _, done := afterStep(log, steps, 0); !done {
		t.Error("the first was done")
	}
	if _, done := afterStep(log, steps, 2); done {
		t.Error("the second was not")
	}
	log += okay(migration.StepStopHost) + " (so)\n" + okay(migration.StepNoteJoined) + " (servers 1, 2, 3)\nrest"
	if after, done := afterStep(log, steps, 2); !done || after != "servers 1, 2, 3)\nrest" {
		t.Errorf("%t, %q", done, after)
	}
}
