package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBugsFoundCanBeShown: every command of docs/bugs-found.md names a test that
// there is, and every row one of docs/faults.md.
func TestBugsFoundCanBeShown(t *testing.T) {
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	page, faults := read("docs/bugs-found.md"), read("docs/faults.md")
	commands := regexp.MustCompile("go test[^`]* -run '?([^ ']+)'? ((?:\\./[a-z/.]+ ?)+)`").FindAllStringSubmatch(page, -1)
	if len(commands) < 10 {
		t.Fatalf("%d commands were understood", len(commands))
	}
	for _, c := range commands {
		pattern := regexp.MustCompile(strings.ReplaceAll(c[1], `\|`, "|"))
		for _, name := range strings.Fields(c[2]) {
			if !hasTest(t, filepath.Join(root(t), strings.TrimSuffix(name, "...")), pattern) {
				t.Errorf("no test of %s matches %s", name, pattern)
			}
		}
	}
	for line := range strings.Lines(page) {
		_, after, found := strings.Cut(line, "row")
		for _, m := range regexp.MustCompile("`([a-z]+-[a-z-]*)\\*?`").FindAllStringSubmatch(after, -1) {
			if found && !strings.Contains(faults, "### "+m[1]) {
				t.Errorf("docs/faults.md has no row %s", m[1])
			}
		}
	}
}

func hasTest(t *testing.T, dir string, pattern *regexp.Regexp) bool {
	t.Helper()
	found := false
	names := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		for _, m := range names.FindAllStringSubmatch(string(data), -1) {
			found = found || pattern.MatchString(m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
