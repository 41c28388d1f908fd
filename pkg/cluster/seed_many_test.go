package cluster

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReceiveManyFiles: a server that was never purged has tens of thousands, more
// than one command line takes.
func TestReceiveManyFiles(t *testing.T) {
	const files = 1200
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := range files + 1 {
		name, text := fmt.Sprintf("datalog/version-2/log.%d", i), ""
		if i == files {
			name, text = "complete", "tok1\n"
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Mode: 0o644, Name: name, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	volume, bin := t.TempDir(), t.TempDir()
	shim := "#!/bin/bash\n(($# <= 1000)) || { echo 'Argument list too long'; exit 126; }; printf '%s\\n' \"$@\" >>\"${0%/*}/flushed\"\n"
	if err := os.WriteFile(filepath.Join(bin, "sync"), []byte(shim), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", receiveScript, "receive", volume, "tok1")
	cmd.Env, cmd.Stdin = []string{"PATH=" + bin + ":" + os.Getenv("PATH")}, &b
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := tree(t, filepath.Join(volume, "seed-tok1")); len(got) != files {
		t.Errorf("%d of %d files are there", len(got), files)
	}
	flushed, err := os.ReadFile(filepath.Join(bin, "flushed"))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"/log.": files, ".\n": 1, "datalog/version-2\n": 1} {
		if n := strings.Count("\n"+string(flushed), text); n < want {
			t.Errorf("%q was flushed %d times, want %d", text, n, want)
		}
	}
}
