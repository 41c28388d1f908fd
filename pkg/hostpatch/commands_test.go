package hostpatch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHeldCommands runs the commands of a replacement and of the way back in
// their order against a shell in which the supervisors are stand-ins that keep
// to what the real ones do; the server must run exactly when it should.
func TestHeldCommands(t *testing.T) {
	const systemctl = `
case $1 in
mask) touch masked ;;
unmask) rm -f masked ;;
stop) rm -f running ;;
start) [ -e masked ] && exit 1; touch running ;;
esac
`
	// update stops programs whose section is gone and starts (autostart) those
	// that are new; start and stop know programs that are loaded.
	const supervisorctl = `
case $1 in
update)
  if [ -e "$CONF/zookeeper.conf" ]; then [ -e loaded ] || { touch loaded running; }
  else rm -f loaded running; fi ;;
stop) [ -e loaded ] && rm -f running ;;
start) [ -e loaded ] && touch running ;;
status) [ -e running ] && echo "$2 RUNNING" || echo "$2 STOPPED" ;;
esac
`
	const zkServer = "#!/bin/bash\ncase $1 in stop) rm -f running ;; start) touch running ;; esac\n"
	for _, s := range []Supervisor{Systemd, Supervisord, Script} {
		t.Run(string(s), func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string, mode os.FileMode) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
					t.Fatal(err)
				}
			}
			write("systemctl", "#!/bin/sh"+systemctl, 0o755)
			write("supervisorctl", "#!/bin/sh"+supervisorctl, 0o755)
			write("zkServer.sh", zkServer, 0o755)
			write("zookeeper.conf", "", 0o644)
			write("loaded", "", 0o644)
			write("running", "", 0o644)
			unit := ""
			if s == Script {
				unit = filepath.Join(dir, "zkServer.sh")
			}
			c, err := CommandsFor(s, unit)
			if err != nil {
				t.Fatal(err)
			}
			run := func(command string) error {
				cmd := exec.Command("sh", "-c", strings.ReplaceAll(command, "/etc/supervisor/conf.d", dir))
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "CONF="+dir)
				return cmd.Run()
			}
			runs := func(want bool, after string) {
				t.Helper()
				if _, err := os.Stat(filepath.Join(dir, "running")); (err == nil) != want {
					t.Fatalf("after %q the server runs: %v", after, err == nil)
				}
			}
			for _, step := range []struct {
				command string
				runs    bool
			}{{c.Hold, true}, {c.StopHeld, false}, {c.Unhold, false}, {c.StartHeld, true}} {
				if err := run(step.command); err != nil {
					t.Fatalf("%s: %v", step.command, err)
				}
				runs(step.runs, step.command)
			}
			t.Log("held and stopped, nothing but the way back starts it")
			for _, command := range []string{c.Hold, c.StopHeld} {
				if err := run(command); err != nil {
					t.Fatalf("%s: %v", command, err)
				}
			}
			// Refused by some, without effect on others.
			_ = run(c.Start)
			runs(false, c.Start)
		})
	}
}
