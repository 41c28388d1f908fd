package hosts

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func host3() migration.ServerRecord {
	return migration.ServerRecord{Server: ensemble.Server{ID: 3}, HostIP: "10.0.0.3", DataDir: "/data", DataLogDir: "/logs"}
}

func program(t *testing.T, script string) Hook {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return Hook{Program: path, Ensemble: "main", Namespace: "zk"}
}

func TestHookCopyDataStreamsItsOutput(t *testing.T) {
	h := program(t, `echo "$ZKMIGRATE_ACTION $ZKMIGRATE_ID $ZKMIGRATE_HOST $ZKMIGRATE_TOKEN $ZKMIGRATE_DATA_DIR $ZKMIGRATE_DATA_LOG_DIR"; echo no data >&2`)
	r, err := h.CopyData(t.Context(), host3(), "3xtok")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || string(got) != "copy-data 3 10.0.0.3 3xtok /data /logs\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// TestHookCopyDataFails: the program's failure is no end of the stream.
func TestHookCopyDataFails(t *testing.T) {
	r, err := program(t, `echo half; echo "tar: file changed as we read it" >&2; exit 2`).CopyData(t.Context(), host3(), "3xtok")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	var failed *HookError
	if string(got) != "half\n" || !errors.As(err, &failed) || !strings.Contains(err.Error(), "changed as we read it") || !strings.Contains(err.Error(), "copy-data on host 10.0.0.3") {
		t.Errorf("got %q, %v", got, err)
	}
	if err := r.Close(); !errors.As(err, &failed) {
		t.Errorf("close: %v, want the program's failure", err)
	}
	if _, err := (Hook{}).CopyData(t.Context(), host3(), "3xtok"); err == nil {
		t.Error("no program: no error")
	}
}

// TestHookCopyDataIsEndedEarly: who has read enough is not told of a failure
// that was its own doing.
func TestHookCopyDataIsEndedEarly(t *testing.T) {
	r, err := program(t, `echo begin; exec sleep 600`).CopyData(t.Context(), host3(), "3xtok")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestManualCopyDataIsPrintedOnceAToken(t *testing.T) {
	var out bytes.Buffer
	m := &Manual{Out: &out, Copy: func(s migration.ServerRecord, token string) ([]string, []string) {
		return []string{"send " + s.ID.String() + " " + token}, []string{"mind the gap"}
	}}
	for _, token := range []string{"a", "a", "b"} {
		if r, err := m.CopyData(t.Context(), host3(), token); r != nil || err != nil {
			t.Fatalf("%v, %v", r, err)
		}
	}
	text := out.String()
	if strings.Count(text, "send 3 a\n") != 1 || strings.Count(text, "send 3 b\n") != 1 || !strings.Contains(text, "# mind the gap") {
		t.Errorf("printed:\n%s", text)
	}
}

// TestHookKnowsUntilWhen: a call that comes late can refuse by itself.
func TestHookKnowsUntilWhen(t *testing.T) {
	h := program(t, `[ "$ZKMIGRATE_NOT_AFTER" = 1700000000 ]`)
	h.NotAfter = func() time.Time { return time.Unix(1700000000, 0) }
	if done, _, err := h.Do(t.Context(), engine.HostStop, host3()); err != nil || !done {
		t.Errorf("%t, %v", done, err)
	}
}
