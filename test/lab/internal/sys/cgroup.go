// Package sys does what the lab needs of the kernel: namespaces, cgroups,
// mounts and processes.
package sys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// hierarchies returns where cgroups are mounted; tracked holds those the lab
// puts its processes into: the unified one where it is the only one, otherwise
// the memory and pids controllers, which every container runtime can live beside.
func hierarchies() (all, tracked []string, err error) {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, nil, fmt.Errorf("find cgroups: %w", err)
	}
	var unified string
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		switch f[2] {
		case "cgroup2":
			unified = f[1]
			all = append(all, f[1])
		case "cgroup":
			all = append(all, f[1])
			options := strings.Split(f[3], ",")
			if slices.Contains(options, "memory") || slices.Contains(options, "pids") {
				tracked = append(tracked, f[1])
			}
		}
	}
	if len(tracked) == 0 && unified != "" {
		tracked = []string{unified}
	}
	if len(tracked) == 0 {
		return nil, nil, errors.New("find cgroups: neither cgroup2 nor the memory and pids controllers are mounted below /sys/fs/cgroup")
	}
	return all, tracked, nil
}

// MakeCgroup creates a group in every tracked hierarchy.
func MakeCgroup(group string) error {
	_, tracked, err := hierarchies()
	if err != nil {
		return err
	}
	return makeIn(tracked, group)
}

// MakeCgroupEverywhere creates a group in all hierarchies, as a kubelet wants
// its root to be.
func MakeCgroupEverywhere(group string) error {
	all, _, err := hierarchies()
	if err != nil {
		return err
	}
	return makeIn(all, group)
}

// Favour gives a group and its ancestors as much processor time against others
// as the kernel allows. Pods live in a nested group; without it all of them
// together would weigh as much as one process outside.
func Favour(group string) error {
	all, _, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range all {
		for dir := filepath.Clean(group); dir != "/" && dir != "."; dir = filepath.Dir(dir) {
			for file, most := range map[string]string{"cpu.shares": "262144", "cpu.weight": "10000"} {
				path := filepath.Join(root, dir, file)
				if _, err := os.Stat(path); err != nil {
					continue
				}
				if err := os.WriteFile(path, []byte(most), 0o644); err != nil {
					return fmt.Errorf("set %s: %w", path, err)
				}
			}
		}
	}
	return nil
}

func makeIn(roots []string, group string) error {
	for _, root := range roots {
		if err := os.MkdirAll(filepath.Join(root, group), 0o755); err != nil {
			return fmt.Errorf("make cgroup: %w", err)
		}
		passControllersOn(root, group)
	}
	return nil
}

// passControllersOn lets a group of the unified hierarchy have the controllers
// its ancestors have; there each level must hand them down. Elsewhere, and for
// controllers that can't be had, nothing happens.
func passControllersOn(root, group string) {
	dir := root
	for part := range strings.SplitSeq(strings.Trim(filepath.Dir(group), "/"), "/") {
		data, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
		if err != nil {
			return
		}
		for controller := range strings.FieldsSeq(string(data)) {
			_ = os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
		}
		dir = filepath.Join(dir, part)
	}
}

// JoinCgroup moves this process into a group, which is made if it is missing.
func JoinCgroup(group string) error {
	if err := MakeCgroup(group); err != nil {
		return err
	}
	_, tracked, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range tracked {
		procs := filepath.Join(root, group, "cgroup.procs")
		if err := os.WriteFile(procs, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
			return fmt.Errorf("join cgroup: %w", err)
		}
	}
	return nil
}

// CgroupPIDs lists the processes in a group and below it.
func CgroupPIDs(group string) ([]int, error) {
	_, tracked, err := hierarchies()
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, root := range tracked {
		err := filepath.WalkDir(filepath.Join(root, group), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return ignoreMissing(err)
			}
			if !d.IsDir() {
				return nil
			}
			data, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
			if err != nil {
				return ignoreMissing(err)
			}
			for word := range strings.FieldsSeq(string(data)) {
				if pid, err := strconv.Atoi(word); err == nil {
					pids = append(pids, pid)
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("list cgroup %s: %w", group, err)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}

// RemoveCgroup removes a group and all below it from every hierarchy: container
// runtimes make theirs in all of them.
func RemoveCgroup(group string) error {
	all, _, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range all {
		if err := removeTree(filepath.Join(root, group)); err != nil {
			return fmt.Errorf("remove cgroup: %w", err)
		}
		// The parent all labs share goes with the last of them.
		if parent := filepath.Dir(group); parent != "/" {
			_ = os.Remove(filepath.Join(root, parent))
		}
	}
	return nil
}

func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ignoreMissing(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeTree(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return ignoreMissing(os.Remove(dir))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
