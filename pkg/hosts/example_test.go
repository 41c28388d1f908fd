package hosts

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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
			// zoo.cfg is a link, as packages have it.
			write(filepath.Join(dir, "real.cfg"), c.has.static)
			if err := os.Symlink("real.cfg", filepath.Join(dir, "zoo.cfg")); err != nil {
				t.Fatal(err)
			}
			write(filepath.Join(dir, "zoo.cfg.dynamic.1"), c.has.dynamic)
			for file, change := range map[string][2]string{"zoo.cfg": {before.static, after.static}, "zoo.cfg.dynamic.1": {before.dynamic, after.dynamic}} {
				write(filepath.Join(files, file+".patch"), string(hostpatch.UnifiedDiff(file, []byte(change[0]), []byte(change[1]))))
				write(filepath.Join(files, file+".undo.patch"), string(hostpatch.UnifiedDiff(file, []byte(change[1]), []byte(change[0]))))
				write(filepath.Join(files, file+".new"), change[1])
			}
			// A host whose file needs no change has empty patches.
			write(filepath.Join(files, "none.patch"), "")
			write(filepath.Join(files, "none.undo.patch"), "")
			write(filepath.Join(bin, "ssh"), "#!/bin/sh\n[ \"$1\" = -- ] && shift\n[ \"$1\" = root@10.0.0.1 ] && shift && exec sh -c \"$*\"\n")
			t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
			write(filepath.Join(bin, "hook"), strings.ReplaceAll(exampleHook(t), "/etc/zookeeper/conf", dir))

			h := Hook{Program: filepath.Join(bin, "hook"), FilesDir: func(migration.ServerRecord) string { return files }}
			done, _, err := h.Do(t.Context(), c.action, migration.ServerRecord{HostIP: "10.0.0.1"})
			if fails := err != nil || !done; fails != c.fails {
				t.Errorf("done %t: %v", done, err)
			}
			var got conf
			for name, to := range map[string]*string{"real.cfg": &got.static, "zoo.cfg.dynamic.1": &got.dynamic} {
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

// TestExampleHookQuotes gives the program on the page hostile values, under two
// shells at either end: every value arrives as it is, and nothing of it is run.
func TestExampleHookQuotes(t *testing.T) {
	if _, err := exec.LookPath("dash"); err != nil {
		t.Fatal("dash is needed: ", err)
	}
	for i, value := range []string{
		"plain",
		"it's $(touch pwned) `touch pwned`\n touch pwned\n\"; touch pwned; \" \\ * %s $HOME #",
		"'; touch pwned; ''\x1b[2J\xff && touch pwned",
	} {
		for _, shell := range []string{"dash", "bash"} {
			t.Run(shell+strconv.Itoa(i), func(t *testing.T) {
				top, bin := t.TempDir(), t.TempDir()
				write := func(path, text string) {
					t.Helper()
					if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
						t.Fatal(err)
					}
				}
				data, logs := filepath.Join(top, value), filepath.Join(top, "logs of "+value)
				write(filepath.Join(data, "myid"), "1\n")
				write(filepath.Join(data, "version-2", "snapshot.0"), "s")
				write(filepath.Join(logs, "version-2", "log.1"), "l")
				calls := filepath.Join(top, "calls")
				write(filepath.Join(bin, "ssh"), "#!/bin/sh\nshift\nprintf '%s\\0' \"$1\" >>"+calls+"\nshift\nexec "+shell+" -c \"$*\"\n")
				write(filepath.Join(bin, "systemctl"), "#!/bin/sh\nprintf '%s\\0' \"$@\" >>"+calls+"\n")
				script := strings.Replace(exampleHook(t), "#!/bin/sh", "#!"+shellPath(t, shell), 1)
				write(filepath.Join(bin, "hook"), strings.Replace(script, "unit=zookeeper\n", "unit=$TEST_UNIT\n", 1))
				t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
				t.Setenv("TEST_UNIT", value)
				t.Chdir(top)

				h := Hook{Program: filepath.Join(bin, "hook")}
				sr := migration.ServerRecord{HostIP: "10.0.0.1;" + value, DataDir: data, DataLogDir: logs}
				for _, action := range []engine.HostAction{engine.HostMask, engine.HostStop, engine.HostStart, engine.HostUnmask} {
					if _, _, err := h.Do(t.Context(), action, sr); err != nil {
						t.Errorf("%s: %v", action, err)
					}
				}
				said, err := os.ReadFile(calls)
				if err != nil {
					t.Fatal(err)
				}
				host := "root@" + sr.HostIP
				want := []string{host, "disable", value, "mask", value, host, "stop", value, host, "start", value, host, "unmask", value, "enable", value}
				if got := strings.Split(strings.TrimSuffix(string(said), "\x00"), "\x00"); !slices.Equal(got, want) {
					t.Errorf("called %q, want %q", got, want)
				}
				token := "3x " + value
				r, err := h.CopyData(t.Context(), sr, token)
				if err != nil {
					t.Fatal(err)
				}
				if tar, err := io.ReadAll(r); err != nil || !bytes.Contains(tar, []byte("snapshot.0")) || !bytes.Contains(tar, []byte("log.1")) {
					t.Errorf("the copy has %d bytes: %v", len(tar), err)
				}
				if got, err := os.ReadFile(filepath.Join(data, "zkmigrate-seed")); err != nil || string(got) != token+"\n" {
					t.Errorf("the token is %q: %v", got, err)
				}
				for _, dir := range []string{top, data, bin} {
					if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
						t.Error("a value was run as a command")
					}
				}
			})
		}
	}
}

func shellPath(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
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
