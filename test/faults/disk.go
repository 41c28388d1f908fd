package faults

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// disk is the disk of a host's data: a file system of its own in a file. What was
// written and not flushed is in the kernel's memory and not in that file.
type disk struct {
	g  *Stage
	id int
	// image is the file. data is the server's directory on the lab's own disk, at is where
	// the server sees it and where the image is mounted: the lab's hosts have mounts and a
	// root of their own, made by the supervisor with this process id.
	image, data, at string
	supervisor      int
}

// Two files beside the server's data: one is flushed long before the power cut, one is
// written right before it and not flushed.
const (
	keptProbe = "probe-flushed"
	lostProbe = "probe-not-flushed"
)

// putOnDisk moves the data of a host onto a disk of its own, until the test ends; the
// server restarts. All that it had is flushed: it was on a disk before.
func (g *Stage) putOnDisk(id int) *disk {
	g.T.Helper()
	h := g.process(id)
	d := &disk{
		g: g, id: id, image: g.File(fmt.Sprintf("disk-%d", id)), data: h.DataDir,
		at:         filepath.Join(filepath.Dir(h.DataDir), "root", h.DataDir),
		supervisor: g.parent(h.PID),
	}
	g.OnHost(id, "stop")
	g.T.Cleanup(d.takeAway)
	// The kernel writes by itself as late as it can.
	d.run(`truncate -s 512M "$image" && mkfs.ext4 -q -F "$image" && mount -o loop,commit=600 "$image" "$at" &&
		rmdir "$at/lost+found" && cp -a "$data/." "$at/" && echo kept >"$at/` + keptProbe + `" && sync -f "$at"`)
	g.OnHost(id, "start")
	g.takePart(g.IDs...)
	d.holds()
	return d
}

// flush writes what the kernel has not written yet.
func (d *disk) flush() { d.g.T.Helper(); d.run(`sync -f "$at"`) }

// powerCut takes the power from all these machines at one moment.
func powerCut(disks ...*disk) {
	for _, d := range disks {
		// They write nothing more while their disks are looked at.
		d.g.OnHost(d.id, "mask", "pause")
	}
	for _, d := range disks {
		d.run(`echo lost >"$at/` + lostProbe + `" && cp --sparse=always "$image" "$image.left"`)
	}
	for _, d := range disks {
		d.g.OnHost(d.id, "kill")
		d.run(`umount "$at" && mv "$image.left" "$image" && mount -o loop,commit=600 "$image" "$at"`)
		d.cut()
	}
}

// boot gives the machine its power again, with what is on its disk.
func (d *disk) boot() {
	d.g.T.Helper()
	d.g.OnHost(d.id, "unmask", "start")
}

// cut fails unless what was flushed is there, and what was not is gone.
func (d *disk) cut() {
	d.g.T.Helper()
	if kept, err := os.ReadFile(d.path(keptProbe)); err != nil || len(kept) == 0 {
		d.g.T.Fatalf("what was flushed on the disk of server %d is gone: %q, %v", d.id, kept, err)
	}
	// The name may be there: it is the content that counts.
	if lost, err := os.ReadFile(d.path(lostProbe)); err == nil && len(lost) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.g.T.Fatalf("what was not flushed on the disk of server %d is still there, so nothing was cut: %q, %v", d.id, lost, err)
	}
}

// holds fails unless the server that runs has its data on the disk.
func (d *disk) holds() {
	d.g.T.Helper()
	const version = "version-2"
	used := d.g.stat(fmt.Sprintf("/proc/%d/root%s", d.g.process(d.id).PID, filepath.Join(d.data, version)))
	if !os.SameFile(used, d.g.stat(d.path(version))) || os.SameFile(used, d.g.stat(filepath.Join(d.data, version))) {
		d.g.T.Fatalf("the data of server %d is not on a disk of its own", d.id)
	}
}

// logged reports whether a transaction stands in the log on the disk: its zxid is a
// part of each entry's header (TxnHeader).
func (d *disk) logged(zxid ensemble.Zxid) bool {
	d.g.T.Helper()
	logs, err := filepath.Glob(d.path("version-2", "log.*"))
	if err != nil {
		d.g.T.Fatal(err)
	}
	want := binary.BigEndian.AppendUint64(nil, uint64(zxid))
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			d.g.T.Fatal(err)
		}
		if bytes.Contains(text, want) {
			return true
		}
	}
	return false
}

// takeAway brings the data back to where the lab put it; what is played next may look
// for it there.
func (d *disk) takeAway() {
	ctx := afterwards(d.g.T)
	host := func(verbs ...string) {
		for _, verb := range verbs {
			if _, err := labkit.Must(d.g.Lab.Zklab(ctx, "host", verb, fmt.Sprintf("%s/%d", d.g.Name, d.id))); err != nil {
				d.g.T.Error(err)
			}
		}
	}
	host("stop")
	// Where there is no disk, both are one directory.
	if err := d.try(`[ "$(stat -c %d "$at")" = "$(stat -c %d "$data")" ] ||
		{ rm -f "$at"/probe-* && find "$data" -mindepth 1 -delete && cp -a "$at/." "$data/" && umount "$at"; }`); err != nil {
		d.g.T.Error(err)
	}
	host("unmask", "start")
}

// path is where this process finds a file on the disk.
func (d *disk) path(name ...string) string {
	return filepath.Join(append([]string{fmt.Sprintf("/proc/%d/root", d.supervisor), d.at}, name...)...)
}

// run runs a shell script where the host's mounts are.
func (d *disk) run(script string) {
	d.g.T.Helper()
	if err := d.try(script); err != nil {
		d.g.T.Fatal(err)
	}
}

func (d *disk) try(script string) error {
	cmd := exec.CommandContext(afterwards(d.g.T), "nsenter", "-m", "-t", strconv.Itoa(d.supervisor), "--", "sh", "-c", script)
	cmd.Env = append(os.Environ(), "image="+d.image, "at="+d.at, "data="+d.data)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the disk of server %d: %s: %w\n%s", d.id, script, err, out)
	}
	return nil
}

// process is the host of a server, whose process runs.
func (g *Stage) process(id int) labkit.Host {
	g.T.Helper()
	hosts, err := g.Lab.Hosts(g.T.Context(), g.Name)
	if err != nil {
		g.T.Fatal(err)
	}
	for _, h := range hosts {
		if h.ID == id && h.PID > 0 {
			return h
		}
	}
	g.T.Fatalf("server %d does not run on its host", id)
	return labkit.Host{}
}

// parent is the process that has started another one.
func (g *Stage) parent(pid int) int {
	g.T.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		g.T.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "PPid:"); ok {
			parent, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil {
				g.T.Fatal(err)
			}
			return parent
		}
	}
	g.T.Fatalf("process %d has no parent", pid)
	return 0
}

func (g *Stage) stat(path string) fs.FileInfo {
	g.T.Helper()
	info, err := os.Stat(path)
	if err != nil {
		g.T.Fatal(err)
	}
	return info
}
