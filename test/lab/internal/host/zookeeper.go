package host

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// UserID runs ZooKeeper, on hosts as in pods.
const UserID = 1000

// Machine says how a host's server is run; it is stored beside its files.
type Machine struct {
	Dir     string   `json:"dir"`
	ZooCfg  string   `json:"zooCfg"`
	DataDir string   `json:"dataDir"`
	Layers  []string `json:"layers"` // Root file system, topmost first.
	HeapMiB int      `json:"heapMiB"`
	// EtcDir is where the server sees the folder of its zoo.cfg, too.
	EtcDir   string   `json:"etcDir"`
	JVMFlags []string `json:"jvmFlags,omitempty"`
}

// Save writes the file that LoadMachine reads.
func (m Machine) Save() error {
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("describe the host in %s: %w", m.Dir, err)
	}
	if err := os.WriteFile(filepath.Join(m.Dir, "machine.json"), data, 0o644); err != nil {
		return fmt.Errorf("describe the host: %w", err)
	}
	return nil
}

// LoadMachine reads how the server in a folder is run.
func LoadMachine(dir string) (Machine, error) {
	data, err := os.ReadFile(filepath.Join(dir, "machine.json"))
	if err != nil {
		return Machine{}, fmt.Errorf("read the host's description: %w", err)
	}
	var m Machine
	if err := json.Unmarshal(data, &m); err != nil {
		return Machine{}, fmt.Errorf("read the host's description: %w", err)
	}
	return m, nil
}

// MountRoot gives the server a root file system: the layers of its version's
// image, read-only, below a scratch layer. The host's own folder appears in it
// under the same path. It must run in a mount namespace of its own.
func (m Machine) MountRoot() (string, error) {
	root := filepath.Join(m.Dir, "root")
	upper, work := filepath.Join(m.Dir, "scratch"), filepath.Join(m.Dir, "work")
	for _, dir := range []string{root, upper, work} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", fmt.Errorf("make the host's root: %w", err)
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", strings.Join(m.Layers, ":"), upper, work)
	if err := unix.Mount("overlay", root, "overlay", 0, options); err != nil {
		return "", fmt.Errorf("mount the host's root (%s): %w", options, err)
	}
	binds := [][2]string{
		{"/dev", "/dev"}, {"/proc", "/proc"}, {"/etc/resolv.conf", "/etc/resolv.conf"},
		{filepath.Dir(m.ZooCfg), filepath.Dir(m.ZooCfg)}, {m.DataDir, m.DataDir},
		{filepath.Dir(m.ZooCfg), m.EtcDir},
	}
	for _, b := range binds {
		if err := bindInto(root, b[0], b[1]); err != nil {
			return "", err
		}
	}
	return root, nil
}

func bindInto(root, source, target string) error {
	target = filepath.Join(root, target)
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("show %s to the host: %w", source, err)
	}
	if info.IsDir() {
		err = os.MkdirAll(target, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(target), 0o755); err == nil {
		err = os.WriteFile(target, nil, 0o644)
	}
	if err != nil {
		return fmt.Errorf("show %s to the host: %w", source, err)
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("show %s to the host: %w", source, err)
	}
	return nil
}

// Command runs ZooKeeper in the root, as its own user.
func (m Machine) Command(root string) *exec.Cmd {
	return &exec.Cmd{
		Path: "/usr/local/bin/zkServer.sh",
		Args: []string{"zkServer.sh", "start-foreground", m.ZooCfg},
		Dir:  "/",
		Env: []string{
			"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
			fmt.Sprintf("ZK_SERVER_HEAP=%d", m.HeapMiB), "SERVER_JVMFLAGS=" + strings.Join(m.JVMFlags, " "),
		},
		Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: &syscall.SysProcAttr{
			Chroot:     root,
			Credential: &syscall.Credential{Uid: UserID, Gid: UserID},
			Setpgid:    true,
		},
	}
}
