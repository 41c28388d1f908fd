package host

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseHook(t *testing.T) {
	env := map[string]string{
		"ZKMIGRATE_ACTION": "apply-patch", "ZKMIGRATE_ID": "2", "ZKMIGRATE_ENSEMBLE": "demo",
		"ZKMIGRATE_HOST": "10.0.0.2", "ZKMIGRATE_FILES": "/tmp/files",
	}
	with := func(key, value string) func(string) string {
		return func(k string) string {
			if k == key {
				return value
			}
			return env[k]
		}
	}
	call, err := ParseHook(with("", ""))
	if err != nil {
		t.Fatal(err)
	}
	if call.ID != 2 || call.Host != "10.0.0.2" || call.PatchFile() != "/tmp/files/zoo.cfg.patch" {
		t.Errorf("got %+v", call)
	}
	for key, value := range map[string]string{
		"ZKMIGRATE_ACTION": "dance", "ZKMIGRATE_ID": "two", "ZKMIGRATE_HOST": "", "ZKMIGRATE_FILES": "",
	} {
		if _, err := ParseHook(with(key, value)); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s=%q: got %v, want an error that names the variable", key, value, err)
		}
	}
}

func TestPatchIsAppliedOnceAndUndone(t *testing.T) {
	dir, files := t.TempDir(), t.TempDir()
	cfg := filepath.Join(dir, "zoo.cfg")
	const before, after = "a=1\nb=2\nc=3\n", "a=1\nb=4\nc=3\n"
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(cfg, before)
	write(filepath.Join(files, "zoo.cfg.patch"), "--- zoo.cfg\n+++ zoo.cfg\n@@ -1,3 +1,3 @@\n a=1\n-b=2\n+b=4\n c=3\n")
	write(filepath.Join(files, "zoo.cfg.undo.patch"), "--- zoo.cfg\n+++ zoo.cfg\n@@ -1,3 +1,3 @@\n a=1\n-b=4\n+b=2\n c=3\n")
	for _, step := range []struct{ action, want string }{
		{"apply-patch", after}, {"apply-patch", after}, {"undo-patch", before}, {"undo-patch", before},
	} {
		call := HookCall{Action: step.action, Files: files}
		if err := call.Run(context.Background(), dir, cfg, io.Discard); err != nil {
			t.Fatalf("%s: %v", step.action, err)
		}
		got, err := os.ReadFile(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != step.want {
			t.Errorf("after %s: %q", step.action, got)
		}
	}
	write(cfg, "something else\n")
	if err := (HookCall{Action: "apply-patch", Files: files}).Run(context.Background(), dir, cfg, io.Discard); err == nil {
		t.Error("a patch that does not fit must be refused")
	}
	leftovers, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(leftovers) != 1 {
		t.Errorf("left behind: %v %v", leftovers, err)
	}
}
