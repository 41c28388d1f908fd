package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// power are faults of machines that lose what was not on their disks.
func power() []Fault {
	var disks []*disk
	return []Fault{{
		Name: "power-cut-after-release", What: "Both machines that are left lose their power right after the gate was opened: what was not on their disks is gone.",
		Version: Guarded, From: OnHost, Moment: fmt.Sprintf("during `replace`, after the step %q", migration.StepByID(migration.StepRelease).Title),
		Trigger: func(g *Stage) {
			disks = g.onDisks()
			g.Begin(g.command()...)
			g.hold(migration.StepRelease)
			cut(disks)
			g.resume()
		},
		Verdict: Verdict{Exit: Goes, Says: okay(migration.StepProveJoined)},
		Way:     "Nothing but power: with three voters the proof before the release was acknowledged by both, and so is on both disks.",
		Recover: func(*Stage) {},
		After:   InPod,
	}}
}

// disk is that of a host's data: a file system of its own in a file. What the server
// has written and not flushed is in the kernel's memory and not in that file.
type disk struct {
	g  *Stage
	id int
	// image is the file, at where it is mounted in the root that the host's server has, by
	// is its supervisor, whose mounts count.
	image, at string
	by        int
}

// onDisks moves the data of the hosts that stay onto disks of their own, one restart
// after the other, and sees to it that one of them leads.
func (g *Stage) onDisks() []*disk {
	g.T.Helper()
	var out []*disk
	for _, id := range []int{g.Other, g.Leader} {
		root, data := filepath.Join(filepath.Dir(filepath.Dir(g.Host(id).ZooCfg)), "root"), g.dataDir(id)
		d := &disk{g: g, id: id, image: g.File(fmt.Sprintf("disk-%s-%d", g.Name, id)), at: filepath.Join(root, data), by: g.parent(g.process(id))}
		g.OnHost(id, "stop")
		d.run(`truncate -s 512M "$1" && mkfs.ext4 -q -F "$1" && cp -a "$2" "$2.copy" && mount -o loop,commit=600 "$1" "$2" && cp -a "$2.copy/." "$2/" && rm -rf "$2.copy"`, d.image, d.at)
		g.OnHost(id, "start")
		g.allServe()
		if inside := fmt.Sprintf("/proc/%d/root", g.process(id)); device(g, inside+data) == device(g, inside) {
			g.T.Fatalf("the data of server %d is not on a disk of its own", id)
		}
		out = append(out, d)
	}
	if g.Status().Leader == g.ID {
		g.OnHost(g.ID, "restart")
		g.allServe()
	}
	return out
}

func (g *Stage) allServe() {
	g.T.Helper()
	scene.Eventually(g.T, "all serve", func() error {
		if st := g.Status(); !st.Healthy {
			return fmt.Errorf("%v", st.Problems)
		}
		return nil
	})
}

// dataDir is where the server of a host keeps its data.
func (g *Stage) dataDir(id int) string {
	g.T.Helper()
	text, err := os.ReadFile(g.Host(id).ZooCfg)
	if err != nil {
		g.T.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if dir, ok := strings.CutPrefix(strings.TrimSpace(line), "dataDir="); ok {
			return filepath.Clean(dir)
		}
	}
	g.T.Fatalf("no dataDir in %s", g.Host(id).ZooCfg)
	return ""
}

// process is the server's on its host.
func (g *Stage) process(id int) int {
	g.T.Helper()
	hosts, err := g.Lab.Hosts(g.T.Context(), g.Name)
	if err != nil {
		g.T.Fatal(err)
	}
	for _, h := range hosts {
		if h.ID == id && h.PID > 0 {
			return h.PID
		}
	}
	g.T.Fatalf("server %d does not run on its host", id)
	return 0
}

// parent is the process that has started another one.
func (g *Stage) parent(pid int) int {
	g.T.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		g.T.Fatal(err)
	}
	// pid (name) state ppid: a name may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	by, err := strconv.Atoi(fields[1])
	if err != nil {
		g.T.Fatal(err)
	}
	return by
}

// device is the file system that a path is on.
func device(g *Stage, path string) string {
	g.T.Helper()
	out, err := exec.CommandContext(g.T.Context(), "stat", "-L", "-c", "%d", path).CombinedOutput()
	if err != nil {
		g.T.Fatalf("%s: %v: %s", path, err, out)
	}
	return string(out)
}

// cut is the power cut of both at one moment, and the power again.
func cut(disks []*disk) {
	for _, d := range disks {
		d.g.OnHost(d.id, "mask", "pause") // it writes nothing while its disk is looked at
	}
	for _, d := range disks {
		d.run(`cp --sparse=always "$1" "$1.left"`, d.image)
	}
	for _, d := range disks {
		d.g.OnHost(d.id, "kill")
		d.run(`umount "$2" && mv "$1.left" "$1" && mount -o loop,commit=600 "$1" "$2"`, d.image, d.at)
	}
	for _, d := range disks {
		d.g.OnHost(d.id, "unmask", "start")
	}
}

// run runs a shell script where the host's server sees its files.
func (d *disk) run(script string, args ...string) {
	d.g.T.Helper()
	args = append([]string{"-m", "-t", strconv.Itoa(d.by), "--", "sh", "-c", script, "sh"}, args...)
	if out, err := exec.CommandContext(d.g.T.Context(), "nsenter", args...).CombinedOutput(); err != nil {
		d.g.T.Fatalf("%s: %v\n%s", script, err, out)
	}
}
