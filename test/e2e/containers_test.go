//go:build containers

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestContainers moves servers that run in containers on their hosts, each with a name of its own,
// by the lines that are printed and nothing else: the patches, masks, stops and starts of the way
// there, of one server's way back, and of all. A fenced container starts no server.
func TestContainers(t *testing.T) {
	for _, engine := range []string{"podman", "docker"} {
		t.Run(engine, func(t *testing.T) {
			if why := unusable(t, engine); why != "" {
				t.Skip(why)
			}
			c := &contained{Scene: scene.New(t, "box"+engine, "3.8.0", []int{1, 2, 3}), engine: engine, rooms: map[int]room{}}
			c.settle()
			c.Wrap("--anti-affinity=preferred")
			c.StartLoad()
			c.restartAll()
			c.report()
			verdict := c.WatchSlices()

			c.operate("replace", c.Name, "--yes", "--id=1")
			c.on(1, "sh ~/zkmigrate/"+c.folder(1)+"/fence.sh")
			c.fenced(1)
			c.operate("revert", c.Name, "--yes", "--id=1")
			if st := c.Status(); !st.Healthy || st.Servers[0].Place != "host" {
				t.Errorf("after the revert: %+v", st)
			}
			c.operate("replace", c.Name, "--yes", "--all")
			if st := c.Status(); !st.Healthy || st.Replaced != 3 {
				t.Errorf("at the end: %+v", st)
			}
			verdict()
			c.NothingLost()
		})
	}
}

// unusable says why an engine cannot run here; empty if it can.
func unusable(t *testing.T, engine string) string {
	t.Helper()
	for _, program := range append([]string{engine, "runc"}, map[string][]string{"docker": {"dockerd"}}[engine]...) {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Sprintf("%s: %v: install it (on Debian: apt-get install --no-install-recommends podman docker.io)", engine, err)
		}
	}
	return ""
}

// contained is an ensemble whose servers run in containers, with an engine on each host.
type contained struct {
	*scene.Scene
	engine string
	rooms  map[int]room
	out    string
}

// room is what one host has of its own: root's home, its container, its engine's settings, and a
// process in whose network and mounts all else runs: what one podman has mounted is there for the next.
type room struct {
	home, container string
	env             []string
	pid             string
}

// settle takes the servers from the hosts' own supervisor and starts new ones in containers. Each
// has its zoo.cfg in another place: in the container, mounted as a file, and in a mounted directory.
func (c *contained) settle() {
	c.T.Helper()
	image := c.image()
	for i, h := range c.Hosts {
		c.OnHost(h.ID, "mask", "stop")
		// Short: sockets are in it.
		home, err := os.MkdirTemp("", "zk")
		if err != nil {
			c.T.Fatal(err)
		}
		c.rooms[h.ID] = room{home: home, container: "zk-" + string(rune('a'+i)), env: []string{"HOME=" + home}}
		c.startEngine(h.ID)
		c.on(h.ID, fmt.Sprintf(`%s import --change 'ENTRYPOINT ["/docker-entrypoint.sh"]' --change 'CMD ["zkServer.sh","start-foreground"]' --change 'VOLUME ["/data","/datalog","/logs"]' %s zookeeper:3.8.0`, c.engine, image))
		config := c.config(h.ID)
		files := map[int]string{
			1: `mkdir -p ~/srv && printf '%s' "$CONFIG" >~/srv/zk.cfg && echo "-v $HOME/srv/zk.cfg:/conf/zoo.cfg -v $HOME/srv/data:/data"; mkdir -p ~/srv/data`,
			2: `mkdir -p ~/srv/conf && printf '%s' "$CONFIG" >~/srv/conf/zoo.cfg && echo "-v $HOME/srv/conf:/conf -v zk-data:/data"`,
		}
		mounts := ""
		if script := files[i]; script != "" {
			mounts = strings.TrimSpace(c.on(h.ID, "CONFIG="+quote.Shell(config)+"; "+script))
		}
		c.on(h.ID, fmt.Sprintf("%s run -d --name %s --restart=unless-stopped --network=host -e ZOO_MY_ID=%d -e ZK_SERVER_HEAP=128 -e ZOO_CFG=%s %s zookeeper:3.8.0",
			c.engine, c.rooms[h.ID].container, h.ID, quote.Shell(config), mounts))
	}
	for i, h := range c.Hosts {
		c.serves(h.ID)
		c.on(h.ID, fmt.Sprintf("cd && %s cp %s:/conf/zoo.cfg zk%d.cfg", c.engine, c.rooms[h.ID].container, h.ID))
		c.Hosts[i].ZooCfg = filepath.Join(c.rooms[h.ID].home, fmt.Sprintf("zk%d.cfg", h.ID))
	}
}

// config is a server's file, as the official image's entrypoint makes it.
func (c *contained) config(id int) string {
	lines := []string{"dataDir=/data", "dataLogDir=/datalog", "tickTime=2000", "initLimit=10", "syncLimit=5", "4lw.commands.whitelist=srvr,mntr,conf,cons,stat,ruok,isro"}
	for _, h := range c.Hosts {
		address := h.Address
		if h.ID == id {
			address = "0.0.0.0"
		}
		lines = append(lines, fmt.Sprintf("server.%d=%s:2888:3888;2181", h.ID, address))
	}
	return strings.Join(lines, "\n") + "\n"
}

// entrypoint does what the official image's does: it writes a zoo.cfg and a myid where there are
// none, takes the files, and becomes the server as a user of its own.
const entrypoint = `#!/bin/bash
set -e
[ -f /conf/zoo.cfg ] || printf %s "$ZOO_CFG" >/conf/zoo.cfg
[ -f /data/myid ] || echo "$ZOO_MY_ID" >/data/myid
chown -R 1000:1000 /data /datalog /logs /conf
exec setpriv --reuid=1000 --regid=1000 --clear-groups "$@"
`

// image is an archive of the lab's image with that entrypoint.
func (c *contained) image() string {
	c.T.Helper()
	data, err := os.ReadFile(filepath.Join(filepath.Dir(c.Hosts[0].DataDir), "machine.json"))
	if err != nil {
		c.T.Fatal(err)
	}
	var machine struct{ Layers []string }
	if err := json.Unmarshal(data, &machine); err != nil {
		c.T.Fatal(err)
	}
	top, root, tar := c.T.TempDir(), c.T.TempDir(), filepath.Join(c.T.TempDir(), "root.tar")
	if err := os.WriteFile(filepath.Join(top, "docker-entrypoint.sh"), []byte(entrypoint), 0o755); err != nil {
		c.T.Fatal(err)
	}
	if err := os.Chmod(top, 0o755); err != nil {
		c.T.Fatal(err)
	}
	if err := syscall.Mount("overlay", root, "overlay", 0, "lowerdir="+strings.Join(append([]string{top}, machine.Layers...), ":")); err != nil {
		c.T.Fatal(err)
	}
	out, err := exec.CommandContext(c.T.Context(), "tar", "-C", root, "-cf", tar, ".").CombinedOutput()
	if err := errors.Join(err, syscall.Unmount(root, 0)); err != nil {
		c.T.Fatalf("%v: %s", err, out)
	}
	return tar
}

// startEngine gives a host an engine of its own, in its network; it goes when the test ends.
func (c *contained) startEngine(id int) {
	c.T.Helper()
	r := c.rooms[id]
	at := func(name string) string { return filepath.Join(r.home, name) }
	init := c.start(id, "echo $$ >"+at("init")+"; exec sleep infinity")
	scene.Eventually(c.T, "the host is there", func() error {
		pid, err := os.ReadFile(at("init"))
		if r.pid = strings.TrimSpace(string(pid)); r.pid == "" {
			err = errors.Join(err, errors.New("no pid"))
		}
		return err
	})
	var daemon *labkit.Process
	if c.engine == "docker" {
		r.env = append(r.env, "DOCKER_HOST=unix://"+at("sock"))
		daemon = c.start(id, quote.Words{"exec", "dockerd", "-H", "unix://" + at("sock"), "-p", at("pid"), "--data-root", at("graph"), "--exec-root", at("run"),
			"--bridge=none", "--iptables=false", "--ip6tables=false", "--oom-score-adjust=0"}.String())
	} else {
		r.env = append(r.env, "CONTAINERS_STORAGE_CONF="+at("storage.conf"), "CONTAINERS_CONF="+at("containers.conf"))
		for name, text := range map[string]string{
			"storage.conf": fmt.Sprintf("[storage]\ndriver = \"overlay\"\ngraphroot = %q\nrunroot = %q\n", at("graph"), at("run")),
			// Limits that this process may set, whatever it has itself.
			"containers.conf": fmt.Sprintf("[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nlock_type = \"file\"\ntmp_dir = %q\n[containers]\ndefault_ulimits = [\"nofile=4096:4096\", \"nproc=4096:4096\"]\n", at("tmp")),
		} {
			if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
				c.T.Fatal(err)
			}
		}
	}
	c.rooms[id] = r
	c.T.Cleanup(func() {
		after := context.WithoutCancel(c.T.Context())
		if c.T.Failed() {
			res, err := c.try(after, id, fmt.Sprintf("%s ps -a; %[1]s logs --tail 20 %s", c.engine, r.container))
			c.T.Logf("host %d: %s%s%v", id, res.Stdout, res.Stderr, err)
		}
		_, err := labkit.Must(c.try(after, id, fmt.Sprintf("%s ps -qa | xargs -r %[1]s rm -f -v", c.engine)))
		if daemon != nil {
			err = errors.Join(err, daemon.Stop())
		}
		init.Kill()
		// The engine's own helpers clear up behind a container for a moment.
		gone := os.RemoveAll(r.home)
		for try := 0; gone != nil && try < 100; try++ {
			time.Sleep(100 * time.Millisecond)
			gone = os.RemoveAll(r.home)
		}
		if err := errors.Join(err, gone); err != nil {
			c.T.Errorf("host %d is not clean: %v", id, err)
		}
	})
	scene.Eventually(c.T, "the engine answers", func() error {
		_, err := labkit.Must(c.try(c.T.Context(), id, c.engine+" info"))
		return err
	})
}

// start starts a script on a host, in the background.
func (c *contained) start(id int, script string) *labkit.Process {
	c.T.Helper()
	name := fmt.Sprintf("%s/%d", c.Name, id)
	p, err := c.local().Start(context.WithoutCancel(c.T.Context()), filepath.Base(c.T.TempDir())+".log", filepath.Join(c.Lab.Bin, "zklab"), "exec", name, "--", "sh", "-c", script)
	if err != nil {
		c.T.Fatal(err)
	}
	return p
}

// local runs programs on this machine.
func (c *contained) local() *labkit.Lab {
	local := *c.Lab
	local.Machine = labkit.Laptop
	return &local
}

// try runs a script as root on a host, in one shell that stops at the first line that fails.
func (c *contained) try(ctx context.Context, id int, script string) (labkit.Result, error) {
	r := c.rooms[id]
	return c.local().OnClient(ctx, slices.Concat([]string{"nsenter", "-n", "-m", "-t", r.pid, "env"}, r.env, []string{"bash", "-e", "-c", script})...)
}

func (c *contained) on(id int, script string) string {
	c.T.Helper()
	return c.Must(c.try(c.T.Context(), id, script)).Stdout
}

// serves waits until a server answers on its host as a member.
func (c *contained) serves(id int) {
	c.T.Helper()
	scene.Eventually(c.T, fmt.Sprintf("server %d serves", id), func() error {
		r, err := c.try(c.T.Context(), id, "exec 3<>/dev/tcp/127.0.0.1/2181; echo srvr >&3; cat <&3")
		if err != nil {
			return err
		}
		return scene.Contains(r.Stdout+r.Stderr, "Mode: ")
	})
}

// folder is a host's, in what reconfigure has written.
func (c *contained) folder(id int) string { return fmt.Sprintf("%d-%s", id, c.Host(id).Address) }

// restartAll writes the patches and runs each host's commands.txt in the order of README.txt.
func (c *contained) restartAll() {
	c.T.Helper()
	c.out = c.File("out")
	args := append([]string{"reconfigure", c.Name, "--supervisor=" + c.engine, "--path=/conf/zoo.cfg", "--output-dir", c.out}, c.Files()...)
	for _, id := range c.IDs {
		args = append(args, fmt.Sprintf("--unit=%d=%s", id, c.rooms[id].container))
	}
	c.Zkmigrate(0, args...)
	readme, err := os.ReadFile(filepath.Join(c.out, "README.txt"))
	if err != nil {
		c.T.Fatal(err)
	}
	order := regexp.MustCompile(`in this order: ([0-9, ]+)\.`).FindSubmatch(readme)
	if order == nil || !strings.Contains(string(readme), "the official image's entrypoint") {
		c.T.Fatalf("no order, or the entrypoint is not named:\n%s", readme)
	}
	verify, err := c.Lab.Start(c.T.Context(), "verify.log", c.Lab.Plugin("reconfigure", c.Name, "--verify", "-n", c.Name)...)
	if err != nil {
		c.T.Fatal(err)
	}
	for word := range strings.SplitSeq(string(order[1]), ", ") {
		id, err := strconv.Atoi(word)
		if err != nil {
			c.T.Fatal(err)
		}
		home := c.rooms[id].home
		if err := os.CopyFS(filepath.Join(home, "zkmigrate", c.folder(id)), os.DirFS(filepath.Join(c.out, c.folder(id)))); err != nil {
			c.T.Fatal(err)
		}
		c.on(id, c.commands(id))
		c.serves(id)
		if got := c.on(id, fmt.Sprintf("%s exec %s cat /conf/zoo.cfg", c.engine, c.rooms[id].container)); !strings.Contains(got, "quorumListenOnAllIPs=true") {
			c.T.Fatalf("server %d runs without the patch:\n%s", id, got)
		}
	}
	scene.Eventually(c.T, "the restarts are verified", func() error {
		if verify.Ended() {
			return nil
		}
		return errors.New(verify.Log())
	})
	if err := verify.Stop(); err != nil {
		c.T.Fatal(err)
	}
}

func (c *contained) commands(id int) string {
	c.T.Helper()
	text, err := os.ReadFile(filepath.Join(c.out, c.folder(id), "commands.txt"))
	if err != nil {
		c.T.Fatal(err)
	}
	return string(text)
}

// report has each host tell of its container.
func (c *contained) report() {
	c.T.Helper()
	script := c.Zkmigrate(0, "check", c.Name, "--emit-host-script").Stdout
	var args []string
	for _, id := range c.IDs {
		said := c.on(id, "sh -s <<'SCRIPT'\n"+script+"SCRIPT\n")
		want := fmt.Sprintf(`"recorded":{"engine":%q,"name":%q,"running":true`, c.engine, c.rooms[id].container)
		if err := scene.Contains(said, want); err != nil {
			c.T.Error(err)
		}
		file := c.File(fmt.Sprintf("report-%d.json", id))
		if err := os.WriteFile(file, []byte(said), 0o600); err != nil {
			c.T.Fatal(err)
		}
		args = append(args, "--host-report", file)
	}
	r := c.Zkmigrate(0, append([]string{"check", c.Name}, args...)...)
	c.T.Log(r.Stdout)
}

// blocks are the lines that are printed for a host, and the question behind a mask.
var blocks = regexp.MustCompile(`(?m)^  On host \S+ \(server (\d+)\), ([^\n]+):\n((?:    [^\n]+\n)+)\n|Done on host \S+ \[y/N\] `)

// operate runs a command at a terminal, does on the hosts what it prints, and says yes when that is
// done.
func (c *contained) operate(args ...string) {
	c.T.Helper()
	keys := filepath.Join(c.T.TempDir(), "keys")
	if err := syscall.Mkfifo(keys, 0o600); err != nil {
		c.T.Fatal(err)
	}
	typed, err := os.OpenFile(keys, os.O_RDWR, 0)
	if err != nil {
		c.T.Fatal(err)
	}
	defer typed.Close()
	line := quote.Words(append(c.Lab.Plugin(args...), "-n", c.Name, "--timeout", "4m")).String()
	p, err := c.Lab.Start(c.T.Context(), args[0]+".log", "sh", "-c", "exec script -qefc "+quote.Shell(line)+" /dev/null <"+quote.Shell(keys))
	if err != nil {
		c.T.Fatal(err)
	}
	done := 0
	scene.Within(c.T, 5*time.Minute, strings.Join(args, " "), func() error {
		log := strings.ReplaceAll(p.Log(), "\r", "")
		for _, m := range blocks.FindAllStringSubmatch(log, -1)[done:] {
			done++
			if m[1] == "" {
				fmt.Fprintln(typed, "y")
				continue
			}
			id, err := strconv.Atoi(m[1])
			if err != nil {
				c.T.Fatal(err)
			}
			if m[2] == "let the server be started again" {
				c.on(id, "sh ~/zkmigrate/"+c.folder(id)+"/unfence.sh")
			}
			c.T.Logf("host %d, %s:\n%s", id, m[2], m[3])
			c.on(id, m[3])
		}
		if !p.Ended() {
			return errors.New(log)
		}
		return nil
	})
	if code, err := p.Exit(time.Minute); code != 0 || err != nil {
		c.T.Fatalf("exit code %d, %v: %s", code, err, p.Log())
	}
}

// fenced: a container that somebody starts all the same starts no server.
func (c *contained) fenced(id int) {
	c.T.Helper()
	r, err := c.try(c.T.Context(), id, fmt.Sprintf("%s start %s; %[1]s wait %[2]s; ! ss -Hltn '( sport = :2181 or sport = :3888 )' | grep .", c.engine, c.rooms[id].container))
	if _, err := labkit.Must(r, err); err != nil {
		c.T.Errorf("a fenced container: %v", err)
	}
}
