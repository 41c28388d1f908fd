package hostreport

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// TestLoopOnThePage runs the page's loop over many hosts, with an ssh of ours.
func TestLoopOnThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/host-report.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "## Run it on 100 hosts")
	_, after, _ = strings.Cut(after, "```sh\n")
	loop, _, found := strings.Cut(after, "```")
	if !found || !strings.Contains(loop, "xargs") {
		t.Fatal("docs/host-report.md has no loop")
	}
	dir, bin := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(bin, "ssh"), "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift; HOST=${1#root@}; export HOST; [ $HOST != zk2 ] || exit 255\nshift; exec $*\n")
	write(filepath.Join(bin, "kubectl"), "#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
	write(filepath.Join(dir, "report.sh"), "echo \"answer of $HOST\"\n")
	write(filepath.Join(dir, "hosts.txt"), "zk1\nzk2\nzk3\n")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", loop)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	got := strings.Fields(string(out))
	want := []string{"--host-report=reports/zk1.json", "--host-report=reports/zk3.json", "check", "main", "zkmigrate"}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("kubectl is called with %q, want %q", got, want)
	}
	if answer, err := os.ReadFile(filepath.Join(dir, "reports", "zk3.json")); err != nil || string(answer) != "answer of zk3\n" {
		t.Errorf("%q, %v", answer, err)
	}
	if !strings.Contains(complaints.String(), "no report from zk2") {
		t.Errorf("it says %q", complaints.String())
	}
}
