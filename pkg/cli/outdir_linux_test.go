package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestWriteDirOnAFullDisk: what an earlier run wrote stays as it was, wherever the
// room ends, and nothing half written is left beside it.
func TestWriteDirOnAFullDisk(t *testing.T) {
	t.Chdir(t.TempDir())
	disk, err := filepath.Abs("disk")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("disk", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=64k,nr_inodes=12"); err != nil {
		t.Skipf("a small disk needs root and the right to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	if _, err := writeDir("disk/out", patchFiles("one", "two")); err != nil {
		t.Fatal(err)
	}
	before := walk(t)
	for what, texts := range map[string][]string{
		"the first file":       {strings.Repeat("a", 100<<10)},
		"a later file":         {"uno", strings.Repeat("b", 100<<10)},
		"the list":             {strings.Repeat("c", 60<<10), "duo"},
		"the names of folders": {"1", "2", "3", "4", "5", "6", "7"},
	} {
		_, err := writeDir("disk/out", patchFiles(texts...))
		var said strings.Builder
		if code := report(&said, err); code != exitError || !strings.Contains(said.String(), "no space left on device") || !strings.Contains(said.String(), "make room there") {
			t.Errorf("%s: exit code %d: %s", what, code, said.String())
		}
		if after := walk(t); after != before {
			t.Errorf("%s: before:\n%s\nafter:\n%s", what, before, after)
		}
	}
	if _, err := writeDir("disk/out", patchFiles("uno")); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
