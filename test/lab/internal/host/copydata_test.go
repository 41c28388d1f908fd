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

// TestCopyDataEndsWithTheToken: behind what lies in both directories.
func TestCopyDataEndsWithTheToken(t *testing.T) {
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
	// Two tars, each padded to 20 blocks.
	for out.Len() > 0 {
		r := tar.NewReader(&out)
		for h, err := r.Next(); err == nil; h, err = r.Next() {
			names = append(names, h.Name)
		}
		for out.Len() > 0 && out.Bytes()[0] == 0 {
			out.Next(512)
		}
	}
	want := []string{"myid", "version-2/", "version-2/snapshot.1", logs + "/version-2/", logs + "/version-2/log.1", "zkmigrate-seed"}
	if !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	delete(env, "ZKMIGRATE_TOKEN")
	if _, err := ParseHook(func(k string) string { return env[k] }); err == nil || !strings.Contains(err.Error(), "ZKMIGRATE_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
}
