package hostreport

import (
	"os"
	"strings"
	"testing"
)

// TestEveryFieldIsExplained: docs/host-report.md has a row with every field.
func TestEveryFieldIsExplained(t *testing.T) {
	page, err := os.ReadFile("../../docs/host-report.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Field by field")
	for key, r := range rules() {
		if r.kind == isObject || r.kind == isList {
			continue
		}
		if !strings.Contains(table, "`"+key+"`") {
			t.Errorf("docs/host-report.md does not explain %s", key)
		}
	}
}
