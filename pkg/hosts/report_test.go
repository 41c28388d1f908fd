package hosts

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// The program in docs/host-hook.md runs what it gets on the host and prints what that
// prints. ssh is a program of ours that stays here.
func TestExampleHookReports(t *testing.T) {
	bin := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(bin, name)
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("ssh", "#!/bin/sh\n[ \"$1\" = -- ] && shift\n[ \"$1\" = root@10.0.0.1 ] && shift && exec sh -c \"$*\"\n")
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	h := Hook{Program: write("hook", exampleHook(t)), Ensemble: "main", Namespace: "zk"}
	script := "main() {\n  printf '{\"host\":\"%s\"}\\n' \"$(printf 'it%ss' \"'\")\"\n  cat\n}\nmain </dev/null\n"
	got, err := h.Report(t.Context(), migration.ServerRecord{HostIP: "10.0.0.1"}, []byte(script))
	if want := "{\"host\":\"it's\"}\n"; err != nil || string(got) != want {
		t.Errorf("got %q, want %q (%v)", got, want, err)
	}
}

// TestReportCalls: what a program is told, and what becomes of what it does wrong.
func TestReportCalls(t *testing.T) {
	for name, c := range map[string]struct{ program, want, fails string }{
		"told":        {`echo "$ZKMIGRATE_ACTION $ZKMIGRATE_ENSEMBLE $ZKMIGRATE_NAMESPACE $ZKMIGRATE_ID $ZKMIGRATE_HOST ${ZKMIGRATE_NOT_AFTER-unset}"`, "report main zk 3 10.0.0.3 unset\n", ""},
		"stdin":       {`cat`, "the script", ""},
		"not read":    {`exec <&-; echo x`, "x\n", ""},
		"stderr":      {`echo banner >&2; echo x`, "x\n", ""},
		"fails":       {`echo x; echo "no way in" >&2; exit 3`, "", "report on host 10.0.0.3: exit status 3: no way in"},
		"old program": {`case $ZKMIGRATE_ACTION in stop) ;; esac`, "", "it printed nothing"},
		"endless":     {`exec cat /dev/zero`, "", "no end within 1s"},
		"large":       {`head -c 1048577 /dev/zero`, "", "it printed more than 1048576 bytes"},
		"hostile":     {`printf '\033[2J\n' >&2; exit 1`, "", `\u001b[2J`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hook")
			if err := os.WriteFile(path, []byte("#!/bin/sh\n"+c.program+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			h := Hook{Program: path, Ensemble: "main", Namespace: "zk", Timeout: time.Minute, NotAfter: func() time.Time { return time.Unix(1, 0) }}
			if name == "endless" {
				h.Timeout = time.Second
			}
			got, err := h.Report(t.Context(), migration.ServerRecord{HostIP: "10.0.0.3", Server: ensemble.Server{ID: 3}}, []byte("the script"))
			if c.fails == "" {
				if err != nil || string(got) != c.want {
					t.Errorf("got %q, want %q (%v)", got, c.want, err)
				}
				return
			}
			var failed *HookError
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), c.fails) || got != nil {
				t.Errorf("got %.40q and %v, want an error with %q", got, err, c.fails)
			}
		})
	}
}
