package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func patchFiles(texts ...string) []outFile {
	out := []outFile{{"README.txt", []byte("read\n"), 0o644}}
	for i, text := range texts {
		out = append(out, outFile{filepath.Join(string(rune('1'+i))+"-host", "zoo.cfg.patch"), []byte(text), secretMode})
	}
	return out
}

func written(_ map[string]time.Time, err error) error { return err }

func modeOf(t *testing.T, name string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// TestWriteDir: a later run writes over and clears away what an earlier one
// wrote, and nothing else; what may hold passwords is the owner's alone.
func TestWriteDir(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, texts := range [][]string{{"one", "two"}, {"one", "two"}, {"uno"}} {
		if _, err := writeDir("parent/out", patchFiles(texts...)); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := os.ReadFile("parent/out/1-host/zoo.cfg.patch"); err != nil || string(data) != "uno" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := os.Lstat("parent/out/2-host"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the earlier run's files stay: %v", err)
	}
	if m := modeOf(t, "parent/out/1-host/zoo.cfg.patch"); m != 0o600 {
		t.Errorf("mode %v", m)
	}
}

// TestWriteDirLeavesOthersAlone: foreign files, edited ones and links end the
// command before anything is written.
func TestWriteDirLeavesOthersAlone(t *testing.T) {
	const patch = "out/1-host/zoo.cfg.patch"
	for name, spoil := range map[string]func() error{
		"a foreign file": func() error { return os.WriteFile(patch, []byte("mine"), 0o600) },
		"an edited file": func() error {
			return errors.Join(written(writeDir("out", patchFiles("one"))), os.WriteFile(patch, []byte("mine"), 0o600))
		},
		"a link":              func() error { return os.Symlink("../../victim", patch) },
		"a linked folder":     func() error { return errors.Join(os.Remove("out/1-host"), os.Symlink("../elsewhere", "out/1-host")) },
		"a linked list":       func() error { return os.Symlink("../victim", "out/.zkmigrate-files") },
		"a linked temp":       func() error { return os.Symlink("../../victim", patch+tempSuffix) },
		"the directory":       func() error { return errors.Join(os.RemoveAll("out"), os.Symlink("elsewhere", "out")) },
		"a file for a folder": func() error { return errors.Join(os.Remove("out/1-host"), os.WriteFile("out/1-host", nil, 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := errors.Join(os.MkdirAll("out/1-host", 0o755), os.Mkdir("elsewhere", 0o755), os.WriteFile("victim", []byte("victim"), 0o600), spoil()); err != nil {
				t.Fatal(err)
			}
			before := walk(t)
			_, err := writeDir("out", patchFiles("new"))
			if code := report(new(strings.Builder), err); code != exitRefused && code != exitUsage {
				t.Errorf("exit code %d: %v", code, err)
			}
			if after := walk(t); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

// TestWriteDirAfterAKill: files of a run that ended between two renames are
// known again.
func TestWriteDirAfterAKill(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := writeDir("out", patchFiles("one", "two")); err != nil {
		t.Fatal(err)
	}
	d := &outDir{name: "out", own: map[string][]string{}}
	if err := errors.Join(d.open(), d.readManifest()); err != nil {
		t.Fatal(err)
	}
	f := patchFiles("uno")[1]
	d.own[f.name] = append(d.own[f.name], checksum(f.data))
	if err := errors.Join(d.writeManifest(d.own), d.stage(f), d.root.Rename(f.name+tempSuffix, f.name), d.stage(f), d.root.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := writeDir("out", patchFiles("eins")); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile("out/" + f.name); err != nil || string(data) != "eins" {
		t.Errorf("%q, %v", data, err)
	}
	if all := walk(t); strings.Contains(all, tempSuffix) || strings.Contains(all, "2-host") {
		t.Errorf("left behind:\n%s", all)
	}
}

func walk(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		b.WriteString(path + " " + d.Type().String())
		if d.Type().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			b.WriteString(" " + string(data))
		}
		b.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
