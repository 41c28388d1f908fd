//go:build linux && zk

package zkprobe

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestAcknowledgedIsOnDisk: with one of three servers away, a write is committed only
// when it is on the disks of both others, whichever of them is slow; with one of five
// away it may be committed, and be shown by a server, before it is on that one's disk.
func TestAcknowledgedIsOnDisk(t *testing.T) {
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) {
			for _, c := range []struct {
				name    string
				ids     []int
				leader  bool
				commits bool
			}{
				{name: "three, the follower's disk is slow", ids: []int{1, 2, 3}},
				{name: "three, the leader's disk is slow", ids: []int{1, 2, 3}, leader: true},
				{name: "five, a follower's disk is slow", ids: []int{1, 2, 3, 4, 5}, commits: true},
			} {
				t.Run(c.name, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
					defer cancel()
					e := startReal(ctx, t, zkreal.Options{Version: version, IDs: c.ids, Dir: t.TempDir()})
					order := e.LeaderLast(ctx)
					e.Server(order[0]).Stop()
					leader, slow := e.Server(order[len(order)-1]), e.Server(order[1])
					if c.leader {
						slow = leader
					}
					disk := slowDisk(ctx, t, slow.PID())
					p := Prober{CommitTimeout: time.Minute}
					committed := make(chan error, 1)
					go func() {
						_, err := p.Canary(ctx, []string{leader.ClientAddr()})
						committed <- err
					}()
					disk.waitForSync(ctx)
					if c.commits {
						// The disk is still slow.
						if err := <-committed; err != nil {
							t.Fatal(err)
						}
						at := p.Learn(ctx, leader.ClientAddr()).Zxid
						waitFor(ctx, t, "the server to show what is not on its disk", func() bool { return p.Learn(ctx, slow.ClientAddr()).Zxid >= at })
						disk.end()
						return
					}
					before := p.Learn(ctx, leader.ClientAddr()).Zxid
					// The other one has had it for long when this one answers.
					waitFor(ctx, t, "the write to be outstanding", func() bool { return p.Learn(ctx, leader.ClientAddr()).Outstanding > 0 })
					select {
					case err := <-committed:
						t.Errorf("a write was acknowledged before it was on the disk of server %d: %v", slow.ID, err)
					default:
					}
					if after := p.Learn(ctx, leader.ClientAddr()).Zxid; after != before {
						t.Errorf("committed before it was on the disk of server %d: %s, before %s", slow.ID, after, before)
					}
					disk.end()
					if err := <-committed; err != nil {
						t.Errorf("once the disk had it: %v", err)
					}
				})
			}
		})
	}
}

// disk is that of a process whose flushes are held up.
type disk struct {
	t   *testing.T
	cmd *exec.Cmd
	log string
}

// slowDisk holds up every fsync and fdatasync of a process from now on, until end.
func slowDisk(ctx context.Context, t *testing.T, pid int) *disk {
	t.Helper()
	dir := t.TempDir()
	said, err := os.Create(filepath.Join(dir, "strace"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	d := &disk{t: t, log: filepath.Join(dir, "calls")}
	d.cmd = exec.Command("strace", "-f", "-o", d.log, "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=600000000", "-p", strconv.Itoa(pid))
	d.cmd.Stderr = said
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.end)
	waitFor(ctx, t, "strace to hold on to the process", func() bool {
		b, err := os.ReadFile(said.Name())
		return err == nil && bytes.Contains(b, []byte("attached"))
	})
	return d
}

// waitForSync waits until the process has asked for a flush.
func (d *disk) waitForSync(ctx context.Context) {
	d.t.Helper()
	waitFor(ctx, d.t, "the server to flush its log", func() bool {
		b, err := os.ReadFile(d.log)
		return err == nil && bytes.Contains(b, []byte("sync("))
	})
}

// end lets the flushes happen.
func (d *disk) end() {
	if d.cmd.ProcessState == nil {
		_ = d.cmd.Process.Signal(syscall.SIGINT) // it lets go of the process
		_ = d.cmd.Wait()
	}
}
