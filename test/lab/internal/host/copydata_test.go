package host

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCopyDataWritesTheTokenFirst: the tar holds it, and what lies in both
// directories.
func TestCopyDataWritesTheTokenFirst(t *testing.T) {
	data, logs := t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(data, "myid"), filepath.Join(data, "version-2/snapshot.1"), filepath.Join(logs, "version-2/log.1")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"ZKMIGRATE_ACTION": "copy-data", "ZKMIGRATE_ID": "2", "ZKMIGRATE_HOST": "h",
		"ZKMIGRATE_TOKEN": "2xtok", "ZKMIGRATE_DATA_DIR": data, "ZKMIGRATE_DATA_LOG_DIR": logs}
	call, err := ParseHook(func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := call.Run(context.Background(), "", "", &out); err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if err != nil {
			break
		}
		names = append(names, h.Name)
	}
	want := []string{"zkmigrate-seed", "myid", "version-2/", "version-2/snapshot.1", logs + "/version-2/", logs + "/version-2/log.1"}
	if !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	delete(env, "ZKMIGRATE_TOKEN")
	if _, err := ParseHook(func(k string) string { return env[k] }); err == nil || !strings.Contains(err.Error(), "ZKMIGRATE_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
}
