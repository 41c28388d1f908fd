package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/progress"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// tool is a program the lab runs, and the Debian package that has it.
type tool struct{ program, pkg string }

func tools() []tool {
	return []tool{
		{"ip", "iproute2"}, {"iptables", "iptables"}, {"nft", "nftables"}, {"containerd", "containerd"}, {"ctr", "containerd"},
		{"runc", "runc"}, {"etcd", "etcd-server"}, {"mmdebstrap", "mmdebstrap"}, {"patch", "patch"}, {"tar", "tar"},
		{"dpkg-deb", "dpkg"}, {"mount", "mount"},
	}
}

// kerberosTools are for ensembles with sasl=kerberos alone.
func kerberosTools() []tool {
	return []tool{{"krb5kdc", "krb5-kdc"}, {"kdb5_util", "krb5-kdc"}, {"kadmin.local", "krb5-admin-server"}}
}

const (
	needStateGiB = 2
	needCacheGiB = 2
)

// Preflight checks that the lab can run here, before anything is changed, and
// installs the Debian packages it misses.
func Preflight(ctx context.Context, cache string, log *progress.Log) error {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		return errors.New("the lab makes network namespaces and mounts: run it on Linux as root")
	}
	if err := errors.Join(
		needDisk(plan.StateRoot, needStateGiB), needDisk(cache, needCacheGiB),
		needFile("/etc/resolv.conf", "make an empty one; the lab lays its own over it"),
	); err != nil {
		return err
	}
	if err := install(ctx, log, tools()); err != nil {
		return err
	}
	return errors.Join(tryCgroup(ctx), tryNetwork(ctx), tryOverlay(ctx))
}

func needDisk(dir string, gib uint64) error {
	// The folder may not exist yet; its nearest parent has the same disk.
	for dir != "/" {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return fmt.Errorf("look at the disk below %s: %w", dir, err)
	}
	if free := st.Bavail * uint64(st.Bsize) >> 30; free < gib {
		return fmt.Errorf("%s has %d GiB free, the lab wants %d", dir, free, gib)
	}
	return nil
}

func needFile(path, hint string) error {
	if _, err := filepath.EvalSymlinks(path); err != nil {
		return fmt.Errorf("%s is missing: %s", path, hint)
	}
	return nil
}

func install(ctx context.Context, log *progress.Log, tools []tool) error {
	var missing []string
	for _, t := range tools {
		if _, err := exec.LookPath(t.program); err != nil {
			missing = append(missing, t.pkg)
		}
	}
	if !anyExists("/usr/lib/cni/ptp", "/opt/cni/bin/ptp") {
		missing = append(missing, "containernetworking-plugins")
	}
	if !anyExists("/usr/share/keyrings/debian-archive-keyring.gpg") {
		missing = append(missing, "debian-archive-keyring")
	}
	if len(missing) == 0 {
		return nil
	}
	log.Say("installing Debian packages: %s", strings.Join(missing, " "))
	restore, err := forbidServices()
	if err != nil {
		return err
	}
	defer restore()
	for _, args := range [][]string{{"update", "-q"}, append([]string{"install", "-q", "-y", "--no-install-recommends"}, missing...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// forbidServices keeps Debian from starting what it installs: the lab starts
// its own containerd and etcd, and wants no others. A policy that is already
// there stays.
func forbidServices() (restore func(), err error) {
	const policy = "/usr/sbin/policy-rc.d"
	f, err := os.OpenFile(policy, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, os.ErrExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("keep Debian from starting services: %w", err)
	}
	_, err = f.WriteString("#!/bin/sh\nexit 101\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("keep Debian from starting services: %w", err)
	}
	return func() { _ = os.Remove(policy) }, nil
}

func anyExists(paths ...string) bool {
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			return true
		}
	}
	return false
}

func tryCgroup(context.Context) error {
	group := fmt.Sprintf("/zklab/try-%d", os.Getpid())
	if err := sys.MakeCgroup(group); err != nil {
		return fmt.Errorf("the lab needs cgroups that it can write to: %w", err)
	}
	return sys.RemoveCgroup(group)
}

// tryNetwork makes what a machine of the lab is made of, with iptables in it.
func tryNetwork(ctx context.Context) error {
	name := plan.Name(fmt.Sprintf("try-%d", os.Getpid()))
	network := sys.Network{Name: name}
	defer func() { _ = network.Remove(context.WithoutCancel(ctx)) }()
	err := network.Create(ctx)
	if err == nil {
		err = network.AddMachine(ctx, "m", []string{"10.77.255.1"}, nil)
	}
	if err != nil {
		return fmt.Errorf("the lab needs network namespaces, bridges and veth: %w", err)
	}
	out, err := exec.CommandContext(ctx, "ip", "netns", "exec", name.Namespace("m"), "iptables", "-t", "nat", "-A", "OUTPUT",
		"-p", "tcp", "-m", "comment", "--comment", "try", "-m", "statistic", "--mode", "random", "--probability", "0.5",
		"-j", "DNAT", "--to-destination", "10.77.255.2").CombinedOutput()
	if err != nil {
		return fmt.Errorf("the lab needs iptables with NAT in a network namespace: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// tryOverlay mounts where the lab will, in a shell with mounts of its own.
func tryOverlay(ctx context.Context) error {
	if err := os.MkdirAll(plan.StateRoot, 0o755); err != nil {
		return fmt.Errorf("make the state folder: %w", err)
	}
	dir, err := os.MkdirTemp(plan.StateRoot, ".try-")
	if err != nil {
		return fmt.Errorf("make the state folder: %w", err)
	}
	defer os.RemoveAll(dir)
	const script = `cd "$0" && mkdir l u w m && mount -t overlay overlay -o lowerdir=l,upperdir=u,workdir=w m`
	out, err := exec.CommandContext(ctx, "unshare", "--mount", "sh", "-c", script, dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("the lab needs overlay mounts below %s: %w: %s", plan.StateRoot, err, strings.TrimSpace(string(out)))
	}
	return nil
}
