package render

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNothingIsStartedFromOtherFiles: somebody may have deleted the ConfigMap and
// made another one of its name. Its scripts would decide whether ZooKeeper starts.
func TestNothingIsStartedFromOtherFiles(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(data map[string]string)
		refused bool
	}{
		"as made":                    {func(map[string]string) {}, false},
		"a script was changed":       {func(data map[string]string) { data[gateKey] = "exit 0\n" }, true},
		"zoo.cfg has a newline more": {func(data map[string]string) { data[zooCfgKey] += "\n" }, true},
		"a file is missing":          {func(data map[string]string) { delete(data, probeKey) }, true},
		"a file more":                {func(data map[string]string) { data["java.env"] = "SERVER_JVMFLAGS=-Dx\n" }, true},
		"two have changed names":     {func(data map[string]string) { data[probeKey], data[relayKey] = data[relayKey], data[probeKey] }, true},
		"there are none":             {func(data map[string]string) { clear(data) }, true},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			dir, last := t.TempDir(), filepath.Join(t.TempDir(), "termination-log")
			data := Conf(record()).Data
			words := checked(record(), gateKey)
			c.change(data)
			mount(t, filepath.Join(dir, "conf"), data)
			// The script itself is not run: what stands in for its bash says what it was given.
			stub := filepath.Join(dir, "bin", "bash")
			if err := os.MkdirAll(filepath.Dir(stub), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(stub, []byte("#!/bin/sh\necho started \"$@\"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			bash, err := exec.LookPath(words[0])
			if err != nil {
				t.Fatal(err)
			}
			script := strings.ReplaceAll(words[2], "/dev/termination-log", last)
			cmd := exec.CommandContext(t.Context(), bash, words[1], script, strings.Replace(words[3], confPath, filepath.Join(dir, "conf"), 1), "zkServer.sh")
			cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(stub)+":"+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			if started := strings.HasPrefix(string(out), "started "+dir+"/conf/"+gateKey+" zkServer.sh"); started == c.refused || (err != nil) != c.refused {
				t.Fatalf("%v: %s", err, out)
			}
			if !c.refused {
				return
			}
			// Kubernetes shows that text, so that nobody has to find the right log.
			if told, err := os.ReadFile(last); err != nil || !strings.HasSuffix(string(out), string(told)) || !strings.Contains(string(told), "the files in "+dir+"/conf are not those that this pod was made for") {
				t.Errorf("%q, %v; printed %q", told, err, out)
			}
		})
	}
}

// mount lays files out as the kubelet does: links to a directory behind two dots.
func mount(t *testing.T, dir string, data map[string]string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "..data"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range data {
		if err := os.WriteFile(filepath.Join(dir, "..data", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}
