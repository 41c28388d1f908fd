package hosts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// The program in docs/host-hook.md patches a host's files all or not at all, as
// often as it is asked to. ssh is a program of ours that stays here.
func TestExampleHookPatches(t *testing.T) {
	type conf struct{ static, dynamic string }
	before, after := conf{"a=1\nb=2\nc=3\n", "server.1=x\n"}, conf{"a=1\nb=4\nc=3\n", "server.1=y\n"}
	for name, c := range map[string]struct {
		has, want conf
		action    engine.HostAction
		fails     bool
	}{
		"apply":                     {before, after, engine.HostApplyPatch, false},
		"apply again":               {after, after, engine.HostApplyPatch, false},
		"apply what a crash left":   {conf{after.static, before.dynamic}, after, engine.HostApplyPatch, false},
		"undo":                      {after, before, engine.HostUndoPatch, false},
		"undo again":                {before, before, engine.HostUndoPatch, false},
		"one that does not fit":     {conf{before.static, "else\n"}, conf{before.static, "else\n"}, engine.HostApplyPatch, true},
		"an undo that does not fit": {conf{"else\n", after.dynamic}, conf{"else\n", after.dynamic}, engine.HostUndoPatch, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir, files, bin := t.TempDir(), t.TempDir(), t.TempDir()
			write := func(path, text string) {
				t.Helper()
				if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			write(filepath.Join(dir, "zoo.cfg"), c.has.static)
			write(filepath.Join(dir, "zoo.cfg.dynamic.1"), c.has.dynamic)
			for file, change := range map[string][2]string{"zoo.cfg": {before.static, after.static}, "zoo.cfg.dynamic.1": {before.dynamic, after.dynamic}} {
				write(filepath.Join(files, file+".patch"), string(hostpatch.UnifiedDiff(file, []byte(change[0]), []byte(change[1]))))
				write(filepath.Join(files, file+".undo.patch"), string(hostpatch.UnifiedDiff(file, []byte(change[1]), []byte(change[0]))))
				write(filepath.Join(files, file+".new"), change[1])
			}
			// A host whose file needs no change has empty patches.
			write(filepath.Join(files, "none.patch"), "")
			write(filepath.Join(files, "none.undo.patch"), "")
			write(filepath.Join(bin, "ssh"), "#!/bin/sh\n[ \"$1\" = root@10.0.0.1 ] && exec sh -c \"$2\"\n")
			t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
			write(filepath.Join(bin, "hook"), strings.ReplaceAll(exampleHook(t), "/etc/zookeeper/conf", dir))

			h := Hook{Program: filepath.Join(bin, "hook"), FilesDir: func(migration.ServerRecord) string { return files }}
			done, _, err := h.Do(t.Context(), c.action, migration.ServerRecord{HostIP: "10.0.0.1"})
			if fails := err != nil || !done; fails != c.fails {
				t.Errorf("done %t: %v", done, err)
			}
			var got conf
			for name, to := range map[string]*string{"zoo.cfg": &got.static, "zoo.cfg.dynamic.1": &got.dynamic} {
				data, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				*to = string(data)
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// exampleHook is the shell program on the page.
func exampleHook(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/host-hook.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```sh\n")
	script, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("docs/host-hook.md has no program")
	}
	return script
}
