//go:build linux && zk

package zkprobe

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestPowerCut: with one of three servers stopped, the two others commit a canary. At
// that moment the third starts from nothing, and both machines lose their power: what
// they come back with is what was on their disks. Not one acknowledged write is lost, and
// each of the two has the canary.
func TestPowerCut(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root: no disks can be made")
	}
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			e, disks := startOnDisks(ctx, t, version, 1, 2, 3)
			order := e.LeaderLast(ctx)
			moves, others := e.Server(order[0]), []*zkreal.Server{e.Server(order[1]), e.Server(order[2])}
			conn, _, err := zk.Connect([]string{others[0].ClientAddr(), others[1].ClientAddr()}, 10*time.Second, zk.WithLogInfo(false))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			written := 0
			write := func(n int) {
				for range n {
					if _, err := conn.Create(fmt.Sprintf("/n%d", written), nil, 0, zk.WorldACL(zk.PermAll)); err != nil {
						t.Fatal(err)
					}
					written++
				}
			}
			write(200)
			moves.Stop()
			write(200)
			var p Prober
			canary, err := p.Canary(ctx, []string{others[1].ClientAddr()})
			if err != nil {
				t.Fatal(err)
			}
			if err := moves.Wipe(); err != nil {
				t.Fatal(err)
			}
			if err := moves.Start(); err != nil {
				t.Fatal(err)
			}
			for _, s := range others {
				if err := disks[s.ID].PowerCut(s); err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range others {
				if err := s.Start(); err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range append(others, moves) {
				if _, err := s.WaitServing(ctx); err != nil {
					t.Fatal(err)
				}
			}
			for _, s := range append(others, moves) {
				waitFor(ctx, t, "the server to have everything", func() bool { return p.Learn(ctx, s.ClientAddr()).Nodes >= int64(written) })
			}
			for _, s := range others {
				if !logged(t, s.DataDir(), canary.Zxid) {
					t.Errorf("server %d has come back without the canary %s", s.ID, canary.Zxid)
				}
			}
			for i := range written {
				if found, _, err := conn.Exists(fmt.Sprintf("/n%d", i)); err != nil || !found {
					t.Fatalf("write %d of %d was acknowledged, and is gone: %v", i, written, err)
				}
			}
		})
	}
}

// TestPowerCutIsOne: what such a server has not flushed is lost with its power. It is
// what the wait for the other servers' disks is for, where a commit does without one of
// them.
func TestPowerCutIsOne(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("not root: no disks can be made")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	e, disks := startOnDisks(ctx, t, "3.8.0", 1, 2, 3, 4, 5)
	order := e.LeaderLast(ctx)
	e.Server(order[0]).Stop()
	slow, leader := e.Server(order[1]), e.Server(order[4])
	var p Prober
	held := slowDisk(ctx, t, slow.PID())
	canary, err := p.Canary(ctx, []string{leader.ClientAddr()})
	if err != nil {
		t.Fatal(err)
	}
	held.waitForSync(ctx)
	waitFor(ctx, t, "the server to show the canary", func() bool { return p.Learn(ctx, slow.ClientAddr()).Zxid >= canary.Zxid })
	if err := disks[slow.ID].Keep(slow); err != nil {
		t.Fatal(err)
	}
	held.end() // strace keeps who is killed
	if err := disks[slow.ID].Off(slow); err != nil {
		t.Fatal(err)
	}
	if logged(t, slow.DataDir(), canary.Zxid) {
		t.Errorf("%s is in its log, and it was never flushed", canary.Zxid)
	}
	// The others have it.
	if !logged(t, leader.DataDir(), canary.Zxid) {
		t.Errorf("%s is not in the leader's log: the log is not read rightly", canary.Zxid)
	}
}

// startOnDisks starts an ensemble in which each server has a disk of its own.
func startOnDisks(ctx context.Context, t *testing.T, version string, ids ...int) (*zkreal.Ensemble, map[int]*zkreal.Disk) {
	t.Helper()
	dir, disks := t.TempDir(), map[int]*zkreal.Disk{}
	for _, id := range ids {
		d, err := zkreal.NewDisk(dir, id)
		if err != nil {
			t.Fatal(err)
		}
		disks[id] = d
		t.Cleanup(func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	e := startReal(ctx, t, zkreal.Options{Version: version, IDs: ids, Dir: dir, JVM: []string{"-Dzookeeper.preAllocSize=1024"}})
	for _, d := range disks {
		if err := d.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	return e, disks
}

// logged reports whether a transaction stands in a server's log: its zxid is a part of
// each entry's header (TxnHeader).
func logged(t *testing.T, dataDir string, zxid ensemble.Zxid) bool {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dataDir, "version-2", "log.*"))
	if err != nil {
		t.Fatal(err)
	}
	want := binary.BigEndian.AppendUint64(nil, uint64(zxid))
	for _, log := range logs {
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, want) {
			return true
		}
	}
	return false
}
