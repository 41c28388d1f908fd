package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// TestExitCodesAreDocumented: the table in the README and the root's help are
// those of exitCodes, and nothing exits with another.
func TestExitCodesAreDocumented(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(readme), "## Exit codes\n\n")
	table, _, _ = strings.Cut(table, "\n\n")
	want := []string{"| code | meaning |", "|---|---|"}
	for _, c := range exitCodes() {
		want = append(want, fmt.Sprintf("| %d | %s |", c.code, c.sentence))
	}
	if got := strings.TrimSpace(table); got != strings.Join(want, "\n") {
		t.Errorf("the README has\n%s\nand the program\n%s", got, strings.Join(want, "\n"))
	}
	help := NewRootCommand(genericiooptions.NewTestIOStreamsDiscard()).Long
	if !strings.Contains(help, exitCodesHelp()) {
		t.Errorf("the root's help does not say %q:\n%s", exitCodesHelp(), help)
	}
	for _, code := range []int{exitOK, exitError, exitUsage, exitRefused, exitPaused, exitTimeout, exitInterrupted} {
		known := false
		for _, c := range exitCodes() {
			known = known || c.code == code
		}
		if !known {
			t.Errorf("exit code %d is not documented", code)
		}
	}
}
