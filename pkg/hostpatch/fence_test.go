package hostpatch

import (
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// fenceHost is a directory that plays a host: the programs the scripts call
// are small scripts that write down how they were called.
type fenceHost struct {
	t   *testing.T
	dir string
}

func newFenceHost(t *testing.T) *fenceHost {
	h := &fenceHost{t: t, dir: t.TempDir()}
	h.program("systemctl", `case $1 in
is-enabled) cat "$STATE/enabled" ;;
disable) echo disabled >"$STATE/enabled"; echo "systemctl $*" >>"$STATE/calls" ;;
mask) echo masked >"$STATE/enabled"; echo "systemctl $*" >>"$STATE/calls" ;;
unmask) echo disabled >"$STATE/enabled"; echo "systemctl $*" >>"$STATE/calls" ;;
enable) echo enabled >"$STATE/enabled"; echo "systemctl $*" >>"$STATE/calls" ;;
*) echo "systemctl $*" >>"$STATE/calls" ;;
esac`)
	h.program("ss", `cat "$STATE/listening"`)
	h.program("nft", `case "$1 $2" in
"list table") test -e "$STATE/nft" ;;
"delete table") rm "$STATE/nft"; echo "nft $*" >>"$STATE/calls" ;;
"-f -") cat >"$STATE/nft"; echo "nft -f" >>"$STATE/calls" ;;
esac`)
	for name, text := range map[string]string{
		"state/enabled": "enabled\n", "state/listening": "", "state/calls": "",
		"zk data/myid": "1\n", "zk data/version-2/snapshot.1": "s", "zk log/version-2/log.1": "l", "zk data/other": "o",
	} {
		h.write(name, text)
	}
	return h
}

func (h *fenceHost) write(name, text string) {
	h.t.Helper()
	file := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		h.t.Fatal(err)
	}
}

func (h *fenceHost) program(name, body string) { h.write("bin/"+name, "#!/bin/sh\n"+body+"\n") }

// run executes a script with nothing but the host's own programs before the
// system's.
func (h *fenceHost) run(script []byte) (string, error) {
	h.t.Helper()
	cmd := exec.Command("sh", "-s")
	cmd.Dir = h.dir
	cmd.Stdin = strings.NewReader(string(script))
	cmd.Env = []string{"PATH=" + filepath.Join(h.dir, "bin") + ":/usr/bin:/bin", "STATE=" + filepath.Join(h.dir, "state")}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// tree lists what is there, without the helpers.
func (h *fenceHost) tree() []string {
	h.t.Helper()
	var out []string
	err := filepath.WalkDir(h.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(path, h.dir+"/")
		if !d.IsDir() && !strings.HasPrefix(rel, "bin/") && rel != "state/calls" {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			out = append(out, rel+": "+strings.TrimSpace(string(text)))
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	sort.Strings(out)
	return out
}

func (h *fenceHost) fence(s Supervisor) Scripts {
	h.t.Helper()
	text := "dataDir=" + h.dir + "/zk data\ndataLogDir=" + h.dir + "/zk log\nclientPort=2181\ninitLimit=10\nsyncLimit=5\n" +
		"server.1=a:2888:3888\nserver.2=b:2889:3889\nserver.3=c:2890:3890\n"
	c, err := ensemble.ParseConfig("zoo.cfg", []byte(text), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	scripts, err := Fence(FenceInput{Server: ensemble.Server{ID: 1}, Config: c, Supervisor: s})
	if err != nil {
		h.t.Fatal(err)
	}
	return scripts
}

// TestFencePorts: every port of the server, by its file and as recorded, once; not the peer
// port that an observer never binds, which may be another program's.
func TestFencePorts(t *testing.T) {
	const text = "dataDir=/d\nclientPort=2181\nsecureClientPort=2281\nobserverMasterPort=2191\ninitLimit=10\nsyncLimit=5\n" +
		"server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888|d:2889:3889\nserver.4=e:2888:3888:observer\n"
	c, err := ensemble.ParseConfig("zoo.cfg", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[ensemble.ID]string{
		1: "2181 2888 3888 8080 2281 2191", 3: "2181 2888 3888 8080 2281 2191 2889 3889", 4: "2181 3888 8080 2281",
	} {
		own, _ := c.Server(id)
		recorded := own
		recorded.SecureClientPort, recorded.ObserverMasterPort, recorded.AdminPort = 0, 0, 8080 // as an earlier release has it, and --expose
		if got := strings.Join(fencePorts(recorded, own), " "); got != want {
			t.Errorf("server %d: %s, want %s", id, got, want)
		}
	}
}

func TestFenceAndUndo(t *testing.T) {
	h := newFenceHost(t)
	scripts, before := h.fence(Systemd), h.tree()
	for round := range 2 { // the second run changes nothing
		if out, err := h.run(scripts.Do); err != nil {
			t.Fatalf("round %d: %v\n%s\n%s", round, err, out, scripts.Do)
		}
		got := strings.Join(h.tree(), "\n")
		want := strings.Join([]string{
			"state/enabled: masked", "state/listening: ",
			"state/nft: table inet zkmigrate_fence_1 {\n  chain input {\n    type filter hook input priority -10; policy accept;\n    tcp dport { 2181, 2888, 3888 } reject with tcp reset\n  }\n}",
			"zk data/myid.zkmigrate-fenced: 1", "zk data/other: o", "zk data/version-2.zkmigrate-fenced/snapshot.1: s",
			"zk log/version-2.zkmigrate-fenced/log.1: l",
		}, "\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("round %d (-want +got):\n%s", round, diff)
		}
	}
	for range 2 {
		if out, err := h.run(scripts.Undo); err != nil {
			t.Fatalf("undo: %v\n%s", err, out)
		}
		if diff := cmp.Diff(before, h.tree()); diff != "" {
			t.Errorf("after the undo (-want +got):\n%s", diff)
		}
	}
	calls, err := os.ReadFile(filepath.Join(h.dir, "state/calls"))
	if err != nil {
		t.Fatal(err)
	}
	want := "systemctl disable zookeeper\nsystemctl mask zookeeper\nnft -f\nnft delete table inet zkmigrate_fence_1\n" +
		"systemctl unmask zookeeper\nsystemctl enable zookeeper\nsystemctl unmask zookeeper\nsystemctl enable zookeeper\n"
	if diff := cmp.Diff(want, string(calls)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestFenceRefuses(t *testing.T) {
	t.Run("a running server", func(t *testing.T) {
		h := newFenceHost(t)
		h.write("state/listening", "LISTEN 0 50 *:2181 *:*\n")
		before := h.tree()
		out, err := h.run(h.fence(Systemd).Do)
		if err == nil || !strings.Contains(out, "something still listens on port 2181: run  systemctl stop zookeeper  first") {
			t.Errorf("%v: %s", err, out)
		}
		if diff := cmp.Diff(before, h.tree()); diff != "" {
			t.Errorf("changed all the same:\n%s", diff)
		}
	})
	t.Run("new data beside fenced data", func(t *testing.T) {
		h := newFenceHost(t)
		h.write("zk data/myid.zkmigrate-fenced", "1\n")
		scripts := h.fence(Systemd)
		for _, script := range [][]byte{scripts.Do, scripts.Undo} {
			if out, err := h.run(script); err == nil || !strings.Contains(out, "both exist") {
				t.Errorf("%v: %s", err, out)
			}
		}
	})
	t.Run("a server of somewhere else", func(t *testing.T) {
		h := host(t, 1, plainCfg)
		if _, err := Fence(FenceInput{Server: ensemble.Server{ID: 7}, Config: h.Config}); err == nil {
			t.Error("accepted")
		}
	})
}

// TestScriptsAreShell lets sh read every variant, and shellcheck where it is
// installed.
func TestScriptsAreShell(t *testing.T) {
	for _, s := range []Supervisor{Systemd, Supervisord, Script, Docker, Podman} {
		h := newFenceHost(t)
		scripts := h.fence(s)
		for _, script := range [][]byte{scripts.Do, scripts.Undo} {
			for _, checker := range [][]string{{"sh", "-n"}, {"shellcheck", "-s", "sh", "-"}} {
				if _, err := exec.LookPath(checker[0]); err != nil {
					continue
				}
				cmd := exec.Command(checker[0], checker[1:]...)
				cmd.Stdin = strings.NewReader(string(script))
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s, %v: %v\n%s\n%s", s, checker, err, out, script)
				}
			}
		}
	}
}

func TestCommandsFor(t *testing.T) {
	got := map[Supervisor]ServiceCommands{}
	for _, s := range []Supervisor{Systemd, Supervisord, Script, Docker, Podman} {
		c, err := CommandsFor(s, "")
		if err != nil {
			t.Fatal(err)
		}
		got[s] = c
	}
	for s, want := range map[Supervisor][3]string{
		Systemd: {"systemctl stop zookeeper",
			"systemctl disable zookeeper; systemctl mask zookeeper || { mv /etc/systemd/system/zookeeper.service /etc/systemd/system/zookeeper.service.zkmigrate-off && systemctl daemon-reload && systemctl mask zookeeper; }",
			"systemctl unmask zookeeper; [ ! -e /etc/systemd/system/zookeeper.service.zkmigrate-off ] || { mv /etc/systemd/system/zookeeper.service.zkmigrate-off /etc/systemd/system/zookeeper.service && systemctl daemon-reload; }; systemctl enable zookeeper"},
		Docker: {"docker stop zookeeper", "docker update --restart=no zookeeper", "docker update --restart=unless-stopped zookeeper"},
		Podman: {"podman stop zookeeper", "podman update --restart=no zookeeper 2>/dev/null || podman inspect -f '{{.HostConfig.RestartPolicy.Name}}' zookeeper | grep -qvx always",
			"podman update --restart=unless-stopped zookeeper 2>/dev/null || podman container exists zookeeper"},
		Supervisord: {"supervisorctl stop zookeeper", "mv /etc/supervisor/conf.d/zookeeper.conf /etc/supervisor/conf.d/zookeeper.conf.off && supervisorctl update zookeeper", "mv /etc/supervisor/conf.d/zookeeper.conf.off /etc/supervisor/conf.d/zookeeper.conf && supervisorctl reread && supervisorctl add zookeeper"},
		Script:      {"/usr/share/zookeeper/bin/zkServer.sh stop", "chmod a-x /usr/share/zookeeper/bin/zkServer.sh", "chmod a+x /usr/share/zookeeper/bin/zkServer.sh"},
	} {
		if diff := cmp.Diff(want, [3]string{got[s].Stop, got[s].Mask, got[s].Unmask}); diff != "" {
			t.Errorf("%s: %s", s, diff)
		}
	}
	if c, err := CommandsFor("", "zk server;rm"); err != nil || c.Stop != "systemctl stop 'zk server;rm'" {
		t.Errorf("%q, %v", c.Stop, err)
	}
	if _, err := CommandsFor("runit", ""); err == nil || !strings.Contains(err.Error(), "systemd, supervisord, script, docker or podman") {
		t.Errorf("got %v", err)
	}
}

// TestFenceQuotes: a unit or a directory of any name is put away, and nothing in
// a name is run, wherever the script speaks of it.
func TestFenceQuotes(t *testing.T) {
	for _, name := range []string{"it's $(touch pwned) `touch pwned` a\"b; touch pwned", `"; touch pwned; "`} {
		for _, supervisor := range []Supervisor{Systemd, Supervisord, Script, Docker} {
			h := newFenceHost(t)
			h.write(name+"/myid", "1\n")
			h.program("supervisorctl", "true")
			h.program("docker", "[ $1 = update ] || echo \"$DATA\"")
			cfg := &ensemble.Config{Name: "zoo.cfg", DataDir: filepath.Join(h.dir, name), DataLogDir: filepath.Join(h.dir, name), ClientPort: 2181}
			cfg.Servers = []ensemble.Server{{ID: 1, ClientPort: 2181, PeerAddress: ensemble.PeerAddress{Host: "10.0.0.1", PeerPort: 2888, ElectionPort: 3888}}}
			scripts, err := Fence(FenceInput{Server: ensemble.Server{ID: 1}, Supervisor: supervisor, Unit: name, Config: cfg})
			if err != nil {
				t.Fatal(err)
			}
			h.write("state/listening", "LISTEN 0 50 *:2181\n")
			if out, err := h.run(scripts.Do); err == nil || !strings.Contains(out, "listens on port 2181: run ") {
				t.Errorf("%s %q: a server that listens: %v: %s", supervisor, name, err, out)
			}
			h.write("state/listening", "")
			// Only systemd is played here; the others end at a program that is not there.
			if out, err := h.run(scripts.Do); err != nil && supervisor == Systemd {
				t.Errorf("%q: %v: %s", name, err, out)
			} else if _, err := os.Stat(filepath.Join(h.dir, name, "myid"+FenceSuffix)); err != nil && supervisor == Systemd {
				t.Errorf("%q: %v", name, err)
			}
			if out, err := h.run(scripts.Undo); err != nil && supervisor == Systemd {
				t.Errorf("%q: %v: %s", name, err, out)
			}
			if _, err := os.Stat(filepath.Join(h.dir, "pwned")); err == nil {
				t.Fatalf("%s %q was run as a command", supervisor, name)
			}
		}
	}
}
