package sys

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Place says where a program runs: which cgroup, network and mounts it sees.
type Place struct {
	// Cgroup is a path below every hierarchy the lab tracks; empty keeps the caller's.
	Cgroup string `json:"cgroup,omitempty"`
	// Net is the path of a network namespace.
	Net string `json:"net,omitempty"`
	// MountsOf joins the mount namespace at this path (/proc/PID/ns/mnt).
	// Otherwise the program gets one of its own, with Binds laid over it.
	MountsOf string `json:"mountsOf,omitempty"`
	Binds    []Bind `json:"binds,omitempty"`
}

// Bind shows Source at Target, with everything mounted below it.
type Bind struct {
	Source string `json:"source"`
	Target string `json:"target"`
}

// Exec replaces this process by argv, in the place. It returns only on failure.
//
// Namespaces belong to threads: the thread that enters them is the one that
// calls execve, and the kernel keeps its namespaces for the new program.
func (p Place) Exec(argv, env []string) error {
	runtime.LockOSThread()
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return fmt.Errorf("find %s: %w", argv[0], err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("find %s: %w", argv[0], err)
	}
	if p.Cgroup != "" {
		if err := JoinCgroup(p.Cgroup); err != nil {
			return err
		}
	}
	if p.Net != "" {
		if err := setns(p.Net, unix.CLONE_NEWNET); err != nil {
			return err
		}
	}
	if err := p.enterMounts(); err != nil {
		return err
	}
	if err := syscall.Exec(path, argv, env); err != nil {
		return fmt.Errorf("run %s: %w", path, err)
	}
	return nil
}

func (p Place) enterMounts() error {
	cwd, cwdErr := os.Getwd()
	if p.MountsOf != "" {
		// A thread that shares its working directory with others may not
		// change its mount namespace.
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return fmt.Errorf("separate the working directory: %w", err)
		}
		if err := setns(p.MountsOf, unix.CLONE_NEWNS); err != nil {
			return err
		}
	} else if err := PrivateMounts(p.Binds); err != nil {
		return err
	}
	if cwdErr == nil {
		// Joining a mount namespace moves to its root. A folder that is not
		// visible there is no reason to fail.
		_ = unix.Chdir(cwd)
	}
	return nil
}

// PrivateMounts gives the calling thread, which must be locked, mounts of its
// own: what is bound there vanishes with the last process that sees it.
func PrivateMounts(binds []Bind) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("make a mount namespace: %w", err)
	}
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	for _, b := range binds {
		target, err := filepath.EvalSymlinks(b.Target)
		if err != nil {
			return fmt.Errorf("bind %s: %w", b.Target, err)
		}
		if err := unix.Mount(b.Source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind %s to %s: %w", b.Source, target, err)
		}
	}
	return nil
}

// InNetwork calls f in a network namespace. Sockets f makes stay in it, also
// after f has returned. f must not start goroutines that make sockets.
func InNetwork(path string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		// Never unlocked: the thread is dirty and ends with the goroutine.
		runtime.LockOSThread()
		if err := setns(path, unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

func setns(path string, kind int) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open namespace %s: %w", path, err)
	}
	defer unix.Close(fd)
	if err := unix.Setns(fd, kind); err != nil {
		return fmt.Errorf("enter namespace %s: %w", path, err)
	}
	return nil
}
