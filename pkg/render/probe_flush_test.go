package render

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// flushing is a volume whose server leads and was started in generation 2.
type flushing struct {
	t        *testing.T
	dir, bin string
	port     int
}

func newFlushing(t *testing.T) *flushing {
	t.Helper()
	f := &flushing{t: t, dir: t.TempDir(), bin: t.TempDir(), port: fourLetter(t, map[string]string{"srvr": "Mode: leader\n"})}
	f.write(filepath.Join(f.dir, "probe.sh"), probeScript)
	f.write(filepath.Join(f.dir, "process"), "java\x00")
	f.write(f.started(), "2 1700000000\n")
	return f
}

func (f *flushing) started() string { return filepath.Join(f.dir, "zkmigrate-started") }
func (f *flushing) joined() string  { return filepath.Join(f.dir, "zkmigrate-joined") }

func (f *flushing) write(path, text string) {
	f.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		f.t.Fatal(err)
	}
}

// shim stands before a program in PATH.
func (f *flushing) shim(program, body string) {
	f.t.Helper()
	f.write(filepath.Join(f.bin, program), "#!/bin/bash\n"+body+"\n")
}

func (f *flushing) ready() error {
	cmd := exec.Command("bash", filepath.Join(f.dir, "probe.sh"), "ready")
	cmd.Env = []string{"PATH=" + f.bin + ":" + os.Getenv("PATH"), "POD_NAME=main-pod-0", fmt.Sprintf("ZKMIGRATE_SERVERS=0 2 10.1.0.2 %d 3888", f.port),
		"ZKMIGRATE_VOLUME=" + f.dir, "ZKMIGRATE_PROCESS=" + filepath.Join(f.dir, "process")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func (f *flushing) holds(name, want string) {
	f.t.Helper()
	got, err := os.ReadFile(filepath.Join(f.dir, name))
	if string(got) != want {
		f.t.Errorf("%s holds %q (%v), want %q", name, got, err, want)
	}
}

// TestProbeNeverCutsWhatItHasWritten: an empty zkmigrate-joined after a crash would
// have the gate refuse a server that has long followed a leader.
func TestProbeNeverCutsWhatItHasWritten(t *testing.T) {
	f := newFlushing(t)
	f.write(f.joined(), "2\n")
	old := time.Unix(1700000000, 0)
	if err := os.Chtimes(f.joined(), old, old); err != nil {
		t.Fatal(err)
	}
	if err := f.ready(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(f.joined()); err != nil || !info.ModTime().Equal(old) {
		t.Errorf("what was there already was written again: %v, %v", info, err)
	}
	f.holds("zkmigrate-synced", "2 1700000000\n")

	t.Log("the next start, in a new generation; the writing ends before its time")
	f.write(f.started(), "3 1700000100\n")
	f.shim("mv", "exit 1")
	if err := f.ready(); err == nil {
		t.Error("it is ready all the same")
	}
	f.holds("zkmigrate-joined", "2\n")
	f.holds("zkmigrate-synced", "2 1700000000\n")
	f.shim("mv", `[[ $* == *zkmigrate-synced* ]] && exit 1; PATH=${PATH#*:} exec mv "$@"`)
	if err := f.ready(); err == nil {
		t.Error("it is ready all the same")
	}
	f.holds("zkmigrate-joined", "3\n")
	f.holds("zkmigrate-synced", "2 1700000000\n")
	if err := os.Remove(filepath.Join(f.bin, "mv")); err != nil {
		t.Fatal(err)
	}
	if err := f.ready(); err != nil {
		t.Error(err)
	}
	f.holds("zkmigrate-synced", "3 1700000100\n")
}

// TestProbeFlushesManyFiles: a server that was never purged has tens of thousands,
// more than one command line takes.
func TestProbeFlushesManyFiles(t *testing.T) {
	f := newFlushing(t)
	for i := range 1200 {
		dir := filepath.Join(f.dir, []string{"data", "datalog"}[i%2], "version-2")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		f.write(filepath.Join(dir, fmt.Sprintf("log.%d", i)), "")
	}
	f.shim("sync", `(($# <= 1000)) || { echo "Argument list too long"; exit 126; }; printf '%s\n' "$@" >>"${0%/*}/flushed"`)
	if err := f.ready(); err != nil {
		t.Fatal(err)
	}
	flushed, err := os.ReadFile(filepath.Join(f.bin, "flushed"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(flushed), "/version-2/log."); n != 1200 {
		t.Errorf("%d of 1200 files were flushed", n)
	}
}
