//go:build linux

package zkreal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Disk is the disk of one server's data: a file system of its own in a file. What
// the server has written and not flushed is in the kernel's memory and not in that file.
// It needs root.
type Disk struct{ image, at string }

// NewDisk puts the data of a server on a disk of its own, before the ensemble is made:
// dir is the ensemble's Options.Dir.
func NewDisk(dir string, id int) (*Disk, error) {
	d := &Disk{image: filepath.Join(dir, fmt.Sprintf("disk%d", id)), at: filepath.Join(dir, fmt.Sprintf("server%d", id), "data")}
	if err := os.MkdirAll(d.at, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(d.image)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(256 << 20); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	if err := run("mkfs.ext4", "-q", "-F", d.image); err != nil {
		return nil, err
	}
	return d, d.mount()
}

// mount has the kernel write by itself as late as it can.
func (d *Disk) mount() error { return run("mount", "-o", "loop,commit=600", d.image, d.at) }

// Sync flushes all that is in the kernel's memory, as it does by itself in time.
func (d *Disk) Sync() error { return run("sync", "-f", d.at) }

// PowerCut ends the server, and with it whatever of its data was not on its disk. The
// disk is there again afterwards, for the next start.
func (d *Disk) PowerCut(s *Server) error {
	if err := d.Keep(s); err != nil {
		return err
	}
	return d.Off(s)
}

// Keep is the moment of the power cut: what is on the disk now is what will be left.
func (d *Disk) Keep(s *Server) error {
	s.Pause() // it writes nothing while its disk is looked at
	return run("cp", "--sparse=always", d.image, d.left())
}

// Off ends the server, and has its disk be what Keep has kept.
func (d *Disk) Off(s *Server) error {
	s.Kill()
	if err := run("umount", d.at); err != nil {
		return err
	}
	if err := os.Rename(d.left(), d.image); err != nil {
		return err
	}
	return d.mount()
}

func (d *Disk) left() string { return d.image + ".left" }

// Close takes the disk away.
func (d *Disk) Close() error { return run("umount", d.at) }

func run(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}
