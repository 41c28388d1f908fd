package host

import (
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
	if call.ID != 2 || call.Host != "10.0.0.2" || call.Files != "/tmp/files" {
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

// A host's folder is patched as a whole, as often as it is asked for.
func TestPatchesAreAppliedOnceAndUndone(t *testing.T) {
	const before, after = "a=1\nb=2\nc=3\n", "a=1\nb=4\nc=3\n"
	const dynBefore, dynAfter = "server.1=x\n", "server.1=y\n"
	type conf struct{ Cfg, Dynamic string }
	diff := func(name, from, to string) string {
		return "--- " + name + "\n+++ " + name + "\n" + from + to
	}
	patches := map[string]string{
		"zoo.cfg.patch":                diff("zoo.cfg", "@@ -1,3 +1,3 @@\n a=1\n-b=2\n", "+b=4\n c=3\n"),
		"zoo.cfg.undo.patch":           diff("zoo.cfg", "@@ -1,3 +1,3 @@\n a=1\n-b=4\n", "+b=2\n c=3\n"),
		"zoo.cfg.dynamic.1.patch":      diff("zoo.cfg.dynamic.1", "@@ -1 +1 @@\n-server.1=x\n", "+server.1=y\n"),
		"zoo.cfg.dynamic.1.undo.patch": diff("zoo.cfg.dynamic.1", "@@ -1 +1 @@\n-server.1=y\n", "+server.1=x\n"),
		"other.patch":                  "",
		"zoo.cfg.new":                  after,
	}
	for name, c := range map[string]struct {
		has     conf
		actions []string
		want    conf
		refused bool
	}{
		"applied":                   {conf{before, dynBefore}, []string{"apply-patch"}, conf{after, dynAfter}, false},
		"applied twice":             {conf{before, dynBefore}, []string{"apply-patch", "apply-patch"}, conf{after, dynAfter}, false},
		"the rest after a crash":    {conf{after, dynBefore}, []string{"apply-patch"}, conf{after, dynAfter}, false},
		"undone":                    {conf{after, dynAfter}, []string{"undo-patch"}, conf{before, dynBefore}, false},
		"undone twice":              {conf{after, dynAfter}, []string{"undo-patch", "undo-patch"}, conf{before, dynBefore}, false},
		"the first does not fit":    {conf{"else\n", dynBefore}, []string{"apply-patch"}, conf{"else\n", dynBefore}, true},
		"the second does not fit":   {conf{before, "else\n"}, []string{"apply-patch"}, conf{before, "else\n"}, true},
		"an undo that does not fit": {conf{after, "else\n"}, []string{"undo-patch"}, conf{after, "else\n"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir, files := t.TempDir(), t.TempDir()
			cfg, dynamic := filepath.Join(dir, "zoo.cfg"), filepath.Join(dir, "zoo.cfg.dynamic.1")
			write(t, cfg, c.has.Cfg)
			write(t, dynamic, c.has.Dynamic)
			for name, text := range patches {
				write(t, filepath.Join(files, name), text)
			}
			for _, action := range c.actions {
				err := HookCall{Action: action, Files: files}.Run(t.Context(), dir, cfg, io.Discard)
				if refused := err != nil; refused != c.refused {
					t.Fatalf("%s: %v", action, err)
				}
			}
			if got := (conf{read(t, cfg), read(t, dynamic)}); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			leftovers, err := filepath.Glob(filepath.Join(dir, "*"))
			if err != nil || len(leftovers) != 2 {
				t.Errorf("left behind: %v %v", leftovers, err)
			}
		})
	}
}

func TestNoPatchIsRefused(t *testing.T) {
	files := t.TempDir()
	write(t, filepath.Join(files, "zoo.cfg.patch"), "")
	err := HookCall{Action: "undo-patch", Files: files}.Run(t.Context(), t.TempDir(), "zoo.cfg", io.Discard)
	if err == nil || !strings.Contains(err.Error(), files) {
		t.Errorf("got %v, want an error that names the folder", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
