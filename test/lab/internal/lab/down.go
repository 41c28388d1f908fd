package lab

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/progress"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// Down removes a lab and all it left, in whatever state it is.
func Down(ctx context.Context, name plan.Name, log *progress.Log) error {
	unlock, err := LockName(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	if err := remove(ctx, name); err != nil {
		return err
	}
	log.Say("lab %s is gone", name)
	return nil
}

// remove works from what the kernel knows, not from what the lab remembers, so
// that a lab killed half-way goes too. Nearly all mounts are in namespaces that
// end with the processes.
func remove(ctx context.Context, name plan.Name) error {
	group := name.Cgroup()
	mine, err := sys.CgroupPIDs(group)
	if err != nil {
		return err
	}
	if slices.Contains(mine, os.Getpid()) {
		return fmt.Errorf("remove lab %s: this command runs inside of it; run it outside of zklab exec", name)
	}
	if err := sys.KillCgroup(ctx, group, time.Minute); err != nil {
		return fmt.Errorf("remove lab %s: %w", name, err)
	}
	if err := (sys.Network{Name: name}).Remove(ctx); err != nil {
		return fmt.Errorf("remove lab %s: %w", name, err)
	}
	// The kernel lets go of a group shortly after its last process.
	var last error
	if !sys.Poll(ctx, 20*time.Second, func() bool { last = sys.RemoveCgroup(group); return last == nil }) {
		return fmt.Errorf("remove lab %s: %w", name, last)
	}
	if err := unmountBelow(name.StateDir()); err != nil {
		return fmt.Errorf("remove lab %s: %w", name, err)
	}
	if err := os.RemoveAll(name.StateDir()); err != nil {
		return fmt.Errorf("remove lab %s: %w", name, err)
	}
	_ = os.Remove(plan.StateRoot) // Goes with the last lab.
	return nil
}

// unmountBelow makes sure that removing files removes only the lab's.
func unmountBelow(dir string) error {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("list mounts: %w", err)
	}
	var points []string
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			points = append(points, f[4])
		}
	}
	// Later mounts may lie on earlier ones.
	for _, p := range slices.Backward(points) {
		if err := syscall.Unmount(p, syscall.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", p, err)
		}
	}
	return nil
}
