package hostscript

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// shell is a way to run sh, and the awk that it finds.
type shell struct {
	name string
	sh   []string
	awk  []string
}

// shells are those of this machine. dash and bash are needed; busybox and further
// awks are tried where they are.
func shells(t *testing.T) []shell {
	t.Helper()
	find := func(name string) string {
		path, err := exec.LookPath(name)
		if err != nil {
			return ""
		}
		return path
	}
	dash, bash, busybox := find("dash"), find("bash"), find("busybox")
	if dash == "" || bash == "" {
		t.Fatal("dash and bash are needed")
	}
	out := []shell{{name: "dash", sh: []string{dash}}, {name: "bash", sh: []string{bash}}, {name: "bash --posix", sh: []string{bash, "--posix"}}}
	if busybox != "" {
		out = append(out, shell{name: "busybox", sh: []string{busybox, "sh"}, awk: []string{busybox, "awk"}})
	}
	for _, name := range []string{"mawk", "gawk", "original-awk"} {
		if path := find(name); path != "" {
			out = append(out, shell{name: "dash with " + name, sh: []string{dash}, awk: []string{path}})
		}
	}
	return out
}

// command runs a script in an empty directory, with programs of the test's before
// those of the machine. The script gets the arguments.
func (s shell) command(t *testing.T, script string, programs map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	dir, bin := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range programs {
		write(filepath.Join(bin, name), "#!/bin/sh\n"+text)
	}
	if s.awk != nil {
		line := ""
		for _, w := range s.awk {
			line += " " + w
		}
		write(filepath.Join(bin, "awk"), "#!/bin/sh\nexec"+line+" \"$@\"\n")
	}
	path := filepath.Join(bin, "script")
	write(path, script)
	words := append(append(append([]string{}, s.sh...), path), args...)
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	cmd.Stderr = os.Stderr
	return cmd
}

// leftBehind fails when the script's directory is not as empty as it was.
func leftBehind(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	entries, err := os.ReadDir(cmd.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("the script left the file %q", e.Name())
	}
}
