package hostpatch_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
)

func TestCopyCommand(t *testing.T) {
	for name, tc := range map[string]struct {
		dir, logs, want string
		placeholder     bool
		supervisor      hostpatch.Supervisor
	}{
		"one directory":      {dir: "/var/lib/zookeeper", want: "cd /var/lib/zookeeper && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 && tar -cf - zkmigrate-seed"},
		"the same one twice": {dir: "/d", logs: "/d", want: "cd /d && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 && tar -cf - zkmigrate-seed"},
		"two":                {dir: "/data/zk", logs: "/logs/zk", want: "cd /data/zk && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 /logs/zk/version-2 && tar -cf - zkmigrate-seed"},
		"unknown":            {want: "cd DATADIR && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 DATALOGDIR/version-2 && tar -cf - zkmigrate-seed", placeholder: true},
		"relative":           {dir: "data", want: "cd DATADIR && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 DATALOGDIR/version-2 && tar -cf - zkmigrate-seed", placeholder: true},
		"relative logs":      {dir: "/d", logs: "logs", want: "cd DATADIR && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 DATALOGDIR/version-2 && tar -cf - zkmigrate-seed", placeholder: true},
		"in a container": {dir: "/data", logs: "/datalog", supervisor: hostpatch.Docker, want: `cd "$(docker inspect -f '\''{{range .Mounts}}{{if eq .Destination "/data"}}{{.Source}}{{""}}{{end}}{{end}}'\'' zookeeper)" && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 ` +
			`"$(docker inspect -f '\''{{range .Mounts}}{{if eq .Destination "/datalog/version-2"}}{{.Source}}{{""}}{{end}}{{if eq .Destination "/datalog"}}{{.Source}}{{"/version-2"}}{{end}}{{end}}'\'' zookeeper)" && tar -cf - zkmigrate-seed`},
		"with a blank": {dir: "/d d", want: `cd '\''/d d'\'' && echo 3xtok > zkmigrate-seed && tar -chSPf - myid version-2 && tar -cf - zkmigrate-seed`},
	} {
		line, notes := hostpatch.CopyCommand(hostpatch.CopyInput{
			Host: "10.0.0.3", Supervisor: tc.supervisor, DataDir: tc.dir, DataLogDir: tc.logs, TokenFile: "zkmigrate-seed", Token: "3xtok", To: "kubectl zkmigrate seed main --id=3 -n zk",
		})
		if diff := cmp.Diff("ssh 10.0.0.3 '"+tc.want+"' | kubectl zkmigrate seed main --id=3 -n zk", line); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got := strings.Contains(strings.Join(notes, "\n"), "DATALOGDIR"); got != tc.placeholder {
			t.Errorf("%s: notes %q", name, notes)
		}
	}
}

// TestCopyCommandRuns has real shells run the line on this machine, with an ssh
// that goes nowhere: directories of any name are read, and nothing in a name is
// run.
func TestCopyCommandRuns(t *testing.T) {
	for _, name := range []string{"plain", "it's", "two words", "$(touch pwned)", "`touch pwned`", "a\n touch pwned", `a"; touch pwned; "`, `'; touch pwned; '`, `back\slash`, "-n", "\x1b[2J", "&& touch pwned", "*"} {
		for _, shell := range []string{"dash", "bash"} {
			t.Run(shell+" "+name, func(t *testing.T) {
				top := t.TempDir()
				data, logs := filepath.Join(top, name), filepath.Join(top, "logs of "+name)
				write(t, filepath.Join(data, "myid"), "3\n", 0o600)
				write(t, filepath.Join(data, "version-2", "snapshot.0"), "s", 0o600)
				write(t, filepath.Join(logs, "version-2", "log.1"), "l", 0o600)
				write(t, filepath.Join(top, "bin", "ssh"), "#!/bin/sh\nshift\nexec "+shell+" -c \"$*\"\n", 0o700)
				line, notes := hostpatch.CopyCommand(hostpatch.CopyInput{
					Host: "10.0.0.3", DataDir: data, DataLogDir: logs, TokenFile: "zkmigrate-seed", Token: "3xtok", To: "tar -tiPf -",
				})
				cmd := exec.CommandContext(t.Context(), shell, "-c", line)
				cmd.Dir = top
				cmd.Env = []string{"PATH=" + filepath.Join(top, "bin") + ":/usr/bin:/bin", "LC_ALL=C.UTF-8"}
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s\n%s", err, out, line)
				}
				for _, want := range []string{"myid", "version-2/snapshot.0", "version-2/log.1", "zkmigrate-seed"} {
					if !strings.Contains(string(out), want) {
						t.Errorf("the copy lacks %s:\n%s", want, out)
					}
				}
				if token, err := os.ReadFile(filepath.Join(data, "zkmigrate-seed")); err != nil || string(token) != "3xtok\n" {
					t.Errorf("the token is %q: %v", token, err)
				}
				for _, dir := range []string{top, data} {
					if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
						t.Error("a name was run as a command")
					}
				}
				if strings.ContainsAny(strings.Join(notes, ""), "\n\x1b") {
					t.Errorf("notes %q", notes)
				}
			})
		}
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}
