package hosts

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// A hook that starts a server may leave it behind with the hook's own output: exit code 0 says
// that the action is complete, whoever still holds that.
func TestHookLeavesAChildBehind(t *testing.T) {
	dir := t.TempDir()
	program, pid := filepath.Join(dir, "hook"), filepath.Join(dir, "pid")
	for code, want := range map[string]bool{"0": true, "3": false} {
		if err := os.WriteFile(program, []byte("#!/bin/sh\nsleep 60 &\necho $! >"+pid+"\necho started\nexit "+code+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		done, _, err := Hook{Program: program}.Do(t.Context(), engine.HostStart, migration.ServerRecord{})
		if done != want || (err == nil) != want {
			t.Errorf("exit code %s: %t, %v", code, done, err)
		}
		text, err := os.ReadFile(pid)
		if err != nil {
			t.Fatal(err)
		}
		child, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
}
