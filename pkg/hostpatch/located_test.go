package hostpatch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
)

// applied runs the commands of the first host in a shell, on a host of the test's.
func applied(t *testing.T, h *fenceHost, in Input) (HostPatch, string, error) {
	t.Helper()
	plan, err := Reconfigure(in)
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Hosts[0]
	for _, f := range p.Files() {
		h.write("zkmigrate/"+PatchDir(p)+"/"+PatchName(f, false), string(f.Patch))
	}
	out, err := h.run([]byte("set -e; HOME='" + h.dir + "'\n" + strings.Join(p.Commands, "\n") + "\n"))
	return p, out, err
}

func contents(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestALinkStaysAndItsTargetIsPatched: a link, or a link of links, read-only files, and those of
// another owner, keep what they are.
func TestALinkStaysAndItsTargetIsPatched(t *testing.T) {
	for name, link := range map[string]bool{"a file": false, "a link to a link to a file": true} {
		t.Run(name, func(t *testing.T) {
			h := newFenceHost(t)
			in := input(t, plainCfg, 1, 2, 3)
			real, named := filepath.Join(h.dir, "etc/conf.server/zoo.cfg"), filepath.Join(h.dir, "etc/conf.server/zoo.cfg")
			h.write("etc/conf.server/zoo.cfg", plainCfg)
			if link {
				named = filepath.Join(h.dir, "etc/zookeeper/conf/zoo.cfg")
				h.write("etc/zookeeper/x", "")
				for from, to := range map[string]string{"../conf.middle": "etc/zookeeper/conf", "conf.server": "etc/conf.middle"} {
					if err := os.Symlink(from, filepath.Join(h.dir, to)); err != nil {
						t.Fatal(err)
					}
				}
				h.write("etc/conf.server/zoo.cfg.real", plainCfg)
				real = filepath.Join(h.dir, "etc/conf.server/zoo.cfg.real")
				if err := os.Remove(named); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink("zoo.cfg.real", named); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(real, 0o440); err != nil {
				t.Fatal(err)
			}
			if os.Getuid() == 0 {
				if err := os.Chown(real, 4321, 4322); err != nil {
					t.Fatal(err)
				}
			}
			before, err := os.Stat(real)
			if err != nil {
				t.Fatal(err)
			}
			for i := range in.Hosts {
				in.Hosts[i].Path = named
			}
			p, out, err := applied(t, h, in)
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if contents(t, real) != string(p.New) || contents(t, named) != string(p.New) || contents(t, real+".before-zkmigrate") != plainCfg {
				t.Errorf("%s is not patched: %s", real, contents(t, real))
			}
			after, err := os.Stat(real)
			if err != nil {
				t.Fatal(err)
			}
			b, a := before.Sys().(*syscall.Stat_t), after.Sys().(*syscall.Stat_t)
			if before.Mode() != after.Mode() || a.Uid != b.Uid || a.Gid != b.Gid {
				t.Errorf("mode %s, owner %d:%d; it was %s, %d:%d", after.Mode(), a.Uid, a.Gid, before.Mode(), b.Uid, b.Gid)
			}
			if at, err := os.Lstat(named); err != nil || at.Mode()&os.ModeSymlink != 0 != link {
				t.Errorf("%s is a link: %v (%v)", named, !link, err)
			}
			if got := contents(t, filepath.Join(h.dir, "state/calls")); got != "systemctl restart zookeeper\n" {
				t.Errorf("calls: %q", got)
			}
		})
	}
}

// TestAReadOnlyFileSystemIsLeftAlone: nothing is restarted where nothing could be patched, and the
// README says what such a complaint means.
func TestAReadOnlyFileSystemIsLeftAlone(t *testing.T) {
	h := newFenceHost(t)
	in := input(t, plainCfg, 1, 2, 3)
	h.write("etc/zoo.cfg", plainCfg)
	h.program("cp", "echo \"cp: cannot create regular file '$3': Read-only file system\" >&2; exit 1")
	for i := range in.Hosts {
		in.Hosts[i].Path = filepath.Join(h.dir, "etc/zoo.cfg")
	}
	_, out, err := applied(t, h, in)
	if err == nil || !strings.Contains(out, "Read-only file system") || contents(t, filepath.Join(h.dir, "state/calls")) != "" || contents(t, in.Hosts[0].Path) != plainCfg {
		t.Errorf("%v: %s", err, out)
	}
	plan, err := Reconfigure(in)
	if err != nil || !strings.Contains(string(plan.Readme), "stop at the first that fails") || !strings.Contains(string(plan.Readme), "file system is read-only") {
		t.Errorf("%v\n%s", err, plan.Readme)
	}
}

// engine is a docker of the test's: one container zk, whose files are below root, and its mounts.
// inspect renders the format as docker does, with Go's templates.
func engine(h *fenceHost, mounts map[string]string) {
	h.t.Helper()
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	var list []string
	for to, from := range mounts {
		list = append(list, to+"="+from)
	}
	h.program("docker", `case $1 in
inspect) [ "$2 $4" = "-f zk" ] || exit 1; ZKMIGRATE_TEMPLATE=$3 ZKMIGRATE_MOUNTS='`+strings.Join(list, ",")+`' exec '`+self+`' ;;
cp) from=$3 to=$4
  case $from in zk:*) from=$STATE/root${from#zk:} ;; esac
  case $to in zk:*) to=$STATE/root${to#zk:} ;; esac
  cp -p "$from" "$to" ;;
*) echo "docker $*" >>"$STATE/calls" ;;
esac`)
}

// inspect is what docker inspect -f prints of those mounts.
func inspect(format, mounts string) error {
	type mount struct{ Source, Destination string }
	var data struct{ Mounts []mount }
	for _, m := range strings.Split(mounts, ",") {
		if to, from, ok := strings.Cut(m, "="); ok {
			data.Mounts = append(data.Mounts, mount{from, to})
		}
	}
	tmpl, err := template.New("").Parse(format)
	if err != nil {
		return err
	}
	if err := tmpl.Execute(os.Stdout, data); err != nil {
		return err
	}
	_, err = fmt.Println()
	return err
}

// TestAContainersFileIsPatched: where it is mounted from the host, by its file or its directory, and
// in the container itself.
func TestAContainersFileIsPatched(t *testing.T) {
	for name, c := range map[string]struct{ mount, from, file string }{
		"its own":             {"/data", "state", "state/root/conf/zoo.cfg"},
		"a mounted directory": {"/conf", "srv/it's zk", "srv/it's zk/zoo.cfg"},
		"a mounted file":      {"/conf/zoo.cfg", "srv/zk1.cfg", "srv/zk1.cfg"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newFenceHost(t)
			engine(h, map[string]string{c.mount: filepath.Join(h.dir, strings.ReplaceAll(c.from, "'", "")), "/datalog": "/x"})
			file := filepath.Join(h.dir, strings.ReplaceAll(c.file, "'", ""))
			h.write(strings.ReplaceAll(c.file, "'", ""), plainCfg)
			in := input(t, plainCfg, 1, 2, 3)
			in.Supervisor = Docker
			for i := range in.Hosts {
				in.Hosts[i].Path, in.Hosts[i].Unit = "/conf/zoo.cfg", "zk"
			}
			p, out, err := applied(t, h, in)
			if err != nil {
				t.Fatalf("%v: %s\n%s", err, out, strings.Join(p.Commands, "\n"))
			}
			if contents(t, file) != string(p.New) {
				t.Errorf("%s is\n%s", file, contents(t, file))
			}
			if got := contents(t, filepath.Join(h.dir, "state/calls")); got != "docker restart zk\n" {
				t.Errorf("calls: %q", got)
			}
		})
	}
	in := input(t, plainCfg, 1, 2, 3)
	in.Supervisor, in.Hosts[0].Path = Podman, ""
	if _, err := Reconfigure(in); err == nil || !strings.Contains(err.Error(), "--path=/conf/zoo.cfg") {
		t.Errorf("without a path: %v", err)
	}
}

// TestAContainersHostIsFenced: the data is renamed where it is mounted from, and is left alone in
// the container itself.
func TestAContainersHostIsFenced(t *testing.T) {
	for name, c := range map[string]struct {
		mounts []string
		fenced []string
		says   string
	}{
		"mounted":      {[]string{"data", "log"}, []string{"zk data/myid", "zk data/version-2", "zk log/version-2"}, "renamed"},
		"in a parent":  {[]string{""}, []string{"zk data/myid", "zk data/version-2", "zk log/version-2"}, "renamed"},
		"not mounted":  {nil, nil, "the data is in the container and not renamed"},
		"its log only": {[]string{"log"}, []string{"zk log/version-2"}, "the data is in the container and not renamed"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newFenceHost(t)
			mounts := map[string]string{}
			for _, m := range c.mounts {
				// In the container the directories have the host's paths below /in.
				mounts[strings.TrimSuffix("/in"+h.dir+"/zk "+m, "/zk ")] = strings.TrimSuffix(h.dir+"/zk "+m, "/zk ")
			}
			engine(h, mounts)
			in := FenceInput{Supervisor: Docker, Unit: "zk", Config: host(t, 1, plainCfg).Config}
			in.Server, _ = in.Config.Server(1)
			in.Config.DataDir, in.Config.DataLogDir = "/in"+h.dir+"/zk data", "/in"+h.dir+"/zk log"
			scripts, err := Fence(in)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(scripts.Do)+string(scripts.Undo), "systemctl") {
				t.Error("a unit is asked about")
			}
			before := h.tree()
			for range 2 {
				out, err := h.run(scripts.Do)
				if err != nil || !strings.Contains(out, c.says) && !strings.Contains(out, "cannot come back") {
					t.Fatalf("%v: %s\n%s", err, out, scripts.Do)
				}
				for _, place := range c.fenced {
					if _, err := os.Stat(filepath.Join(h.dir, place+FenceSuffix)); err != nil {
						t.Errorf("%s is not renamed: %s", place, out)
					}
				}
				// What entrypoints do where there is no myid.
				if out, err := h.run([]byte("set -e; cd 'zk data'; [ -f myid ] || echo 1 > myid")); len(c.fenced) == 3 && err == nil {
					t.Errorf("an entrypoint would start an empty server: %s", out)
				}
				if n := strings.Count(strings.Join(h.tree(), "\n"), FenceSuffix); n < len(c.fenced) || c.fenced == nil && n > 0 {
					t.Errorf("%d places are renamed", n)
				}
			}
			if out, err := h.run(scripts.Undo); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if at, err := os.Stat(filepath.Join(h.dir, "zk data/myid")); err != nil || at.IsDir() {
				t.Errorf("myid is not back: %v", err)
			}
			if got := strings.Join(h.tree(), "\n"); got != strings.Join(before, "\n") {
				t.Errorf("after the undo:\n%s", got)
			}
			if got := contents(t, filepath.Join(h.dir, "state/calls")); !strings.Contains(got, "docker update --restart=no zk\n") || !strings.Contains(got, "docker update --restart=unless-stopped zk\n") {
				t.Errorf("calls: %s", got)
			}
		})
	}
}

// TestMaskOfEachKindOfUnit has the real systemctl mask a unit of a package, one in
// /etc/systemd/system, which it refuses as long as the file is there, and a generated one, in a
// root of its own; the way back gives each back.
func TestMaskOfEachKindOfUnit(t *testing.T) {
	systemctl, err := exec.LookPath("systemctl")
	if err != nil {
		t.Skip("no systemctl")
	}
	for name, at := range map[string]string{"a package's": "usr/lib/systemd/system", "an administrator's": "etc/systemd/system", "a generated one": "run/systemd/generator"} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			h := newFenceHost(t)
			// Without a root of its own, systemd does not disable a generated unit.
			h.program("systemctl", `case $1 in
daemon-reload) exit 0 ;;
disable|enable) [ "`+at+`" != run/systemd/generator ] || { echo 'Unit is transient or generated.' >&2; exit 1; } ;;
esac
exec `+systemctl+` --root='`+root+`' "$@"`)
			file := filepath.Join(root, at, "zk.service")
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			const unit = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
			if err := os.WriteFile(file, []byte(unit), 0o644); err != nil {
				t.Fatal(err)
			}
			c, err := CommandsFor(Systemd, "zk")
			if err != nil {
				t.Fatal(err)
			}
			run := func(command string) {
				t.Helper()
				out, err := h.run([]byte(strings.ReplaceAll(command, "/etc/systemd/system", filepath.Join(root, "etc/systemd/system"))))
				if err != nil && at != "run/systemd/generator" {
					t.Fatalf("%s: %v: %s", command, err, out)
				}
			}
			masked := filepath.Join(root, "etc/systemd/system/zk.service")
			for range 2 {
				run(c.Hold)
				if to, err := os.Readlink(masked); err != nil || to != "/dev/null" {
					t.Fatalf("it is not masked: %s, %v", to, err)
				}
			}
			run(c.Unhold)
			if to, err := os.Readlink(masked); err == nil {
				t.Errorf("it is still masked: %s", to)
			}
			if contents(t, file) != unit {
				t.Error("its file is not back")
			}
		})
	}
}
