package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/faults"
)

// TestList: every row says all that a reader and the runner need.
func TestList(t *testing.T) {
	const atLeast = 25
	all := faults.All()
	if len(all) < atLeast {
		t.Errorf("%d faults, want %d at least", len(all), atLeast)
	}
	steps := map[migration.StepID]bool{"": true}
	for _, s := range migration.Steps() {
		steps[s.ID] = true
	}
	names := map[string]bool{}
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			if names[f.Name] {
				t.Error("the name is given twice")
			}
			names[f.Name] = true
			for what, text := range map[string]string{"what": f.What, "version": f.Version, "from": string(f.From), "after": string(f.After), "way": f.Way, "says": f.Verdict.Says} {
				if text == "" {
					t.Errorf("%s is empty", what)
				}
			}
			switch played := f.Trigger != nil && f.Recover != nil; {
			case f.Test == "" && !played:
				t.Error("no trigger, or no recovery")
			case f.Test != "" && !exists(t, f):
				t.Errorf("test/e2e has no %s that looks at this row", f.Test)
			}
			if !steps[f.When] {
				t.Errorf("no step %q", f.When)
			}
			if f.Verdict.Exit == 0 || f.Verdict.Exit > 0 && f.Verdict.Next == "" {
				t.Errorf("a command that ends needs an exit code and prints a way out: %+v", f.Verdict)
			}
			if strings.Contains(f.NoAddress, "\n") || strings.HasSuffix(f.NoAddress, ".") {
				t.Errorf("NoAddress is no part of a sentence: %q", f.NoAddress)
			}
		})
	}
}

// exists reports whether a file of test/e2e has the row's test, which wants the row's words.
func exists(t *testing.T, f faults.Fault) bool {
	t.Helper()
	files, err := filepath.Glob("../e2e/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+f.Test+"(") && strings.Contains(string(text), fmt.Sprintf("faults.Elsewhere(t, %q)", f.Name)) {
			return true
		}
	}
	return false
}
