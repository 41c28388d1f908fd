package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/image"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
	"sigs.k8s.io/yaml"
)

const containerdSocket = "/run/containerd/containerd.sock"

// nodeDir holds a node's own /run, /var/lib and /var/log.
func nodeDir(lab *state.Lab, n state.Node, parts ...string) string {
	return lab.Path(append([]string{"nodes", n.Name}, parts...)...)
}

// VolumeDir holds a node's local volumes.
func VolumeDir(lab *state.Lab, n state.Node, parts ...string) string {
	return nodeDir(lab, n, append([]string{"volumes"}, parts...)...)
}

// Containerd is a node's container runtime. It is the node's first program and
// makes the mounts that the others join: its own /run, /var/lib and /var/log,
// so that nodes don't meet in fixed paths and nothing is left of them.
func Containerd(lab *state.Lab, n state.Node) (sys.Daemon, error) {
	for _, dir := range []string{"run/netns", "log", "cni", "volumes", "var-lib/zklab", "var-lib/kubelet", "var-lib/cni"} {
		if err := os.MkdirAll(nodeDir(lab, n, dir), 0o755); err != nil {
			return sys.Daemon{}, fmt.Errorf("prepare %s: %w", n.Name, err)
		}
	}
	if err := startFrom(lab.Images, nodeDir(lab, n, "var-lib/containerd")); err != nil {
		return sys.Daemon{}, fmt.Errorf("give %s its images: %w", n.Name, err)
	}
	return containerd(lab, n)
}

// Reboot is the same for a node that was up before: its disk is as it was left,
// and /run, which is memory on a real machine, is empty.
func Reboot(lab *state.Lab, n state.Node) (sys.Daemon, error) {
	run := nodeDir(lab, n, "run")
	if err := errors.Join(os.RemoveAll(run), os.MkdirAll(filepath.Join(run, "netns"), 0o755)); err != nil {
		return sys.Daemon{}, fmt.Errorf("boot %s: %w", n.Name, err)
	}
	return containerd(lab, n)
}

func containerd(lab *state.Lab, n state.Node) (sys.Daemon, error) {
	plugins, err := cniPlugins()
	if err != nil {
		return sys.Daemon{}, err
	}
	config := fmt.Sprintf(`version = 2
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = %q
    conf_dir = %q
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`, image.PauseName, plugins, nodeDir(lab, n, "cni"))
	var ranges []any
	for _, cidr := range n.PodCIDRs() {
		ranges = append(ranges, []any{map[string]string{"subnet": cidr}})
	}
	var routes []any
	for _, dst := range lab.Family.Of("0.0.0.0/0", "::/0") {
		routes = append(routes, map[string]string{"dst": dst})
	}
	cni, err := json.Marshal(map[string]any{"cniVersion": "0.4.0", "name": "zklab", "plugins": []any{map[string]any{
		"type": "ptp", "ipMasq": false, "mtu": 1500,
		"ipam": map[string]any{"type": "host-local", "ranges": ranges, "routes": routes},
	}}})
	if err != nil {
		return sys.Daemon{}, fmt.Errorf("configure %s: %w", n.Name, err)
	}
	for path, text := range map[string]string{
		nodeDir(lab, n, "containerd.toml"):       config,
		nodeDir(lab, n, "cni", "zklab.conflist"): string(cni),
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return sys.Daemon{}, fmt.Errorf("configure %s: %w", n.Name, err)
		}
	}
	place := lab.Place(n.Name)
	place.Binds = append(place.Binds,
		// The lab's own folder must stay visible below the node's /var/lib.
		sys.Bind{Source: plan.StateRoot, Target: nodeDir(lab, n, "var-lib/zklab")},
		sys.Bind{Source: nodeDir(lab, n, "var-lib"), Target: "/var/lib"},
		sys.Bind{Source: nodeDir(lab, n, "log"), Target: "/var/log"},
		sys.Bind{Source: nodeDir(lab, n, "run"), Target: "/run"},
	)
	return sys.Daemon{
		Name: "containerd-" + n.Name, Place: place,
		Args: []string{"containerd", "--config", nodeDir(lab, n, "containerd.toml"), "--log-level", "warn"},
	}, nil
}

func cniPlugins() (string, error) {
	for _, dir := range []string{"/usr/lib/cni", "/opt/cni/bin"} {
		if _, err := os.Stat(filepath.Join(dir, "ptp")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("find the CNI plugins: neither /usr/lib/cni nor /opt/cni/bin has ptp; install containernetworking-plugins")
}

// NodePlace is inside a node: its network and the mounts its containerd made.
func NodePlace(lab *state.Lab, n state.Node) (sys.Place, error) {
	containerd, err := lab.Runner().Find("containerd-" + n.Name)
	if err != nil {
		return sys.Place{}, err
	}
	if !containerd.Alive() {
		return sys.Place{}, fmt.Errorf("enter %s: its containerd is gone; see %s", n.Name, containerd.Log)
	}
	return sys.Place{
		Cgroup:   lab.Name.Cgroup(n.Name, "daemons"),
		Net:      lab.Name.NamespacePath(n.Name),
		MountsOf: fmt.Sprintf("/proc/%d/ns/mnt", containerd.PID),
	}, nil
}

// Kubelet is a node's agent.
func Kubelet(lab *state.Lab, n state.Node) (sys.Daemon, error) {
	config, err := yaml.Marshal(map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false},
			"x509":      map[string]any{"clientCAFile": lab.Path("pki", "ca.crt")},
		},
		"tlsCertFile":              lab.Path("pki", "kubelet-"+n.Name+".crt"),
		"tlsPrivateKeyFile":        lab.Path("pki", "kubelet-"+n.Name+".key"),
		"clusterDNS":               lab.Family.Addresses(plan.ControlPlane)[:1],
		"clusterDomain":            plan.ClusterDomain,
		"resolvConf":               lab.ResolvConf(),
		"containerRuntimeEndpoint": "unix://" + containerdSocket,
		"volumePluginDir":          "/var/lib/kubelet/volume-plugins",
		// The kubelet heeds the root only together with groups per QoS class.
		"cgroupDriver": "cgroupfs", "cgroupRoot": lab.Name.Cgroup(n.Name, "pods"),
		"cgroupsPerQOS": true, "enforceNodeAllocatable": []string{},
		"localStorageCapacityIsolation": false, "failSwapOn": false, "oomScoreAdj": 0,
		// A full disk under the lab must not evict its pods.
		"evictionHard":                map[string]string{"memory.available": "1Mi", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%", "imagefs.inodesFree": "0%"},
		"imageGCHighThresholdPercent": 100,
		"nodeStatusUpdateFrequency":   "5s",
		// From 1.35 on the kubelet refuses them by default.
		"failCgroupV1": false,
	})
	if err != nil {
		return sys.Daemon{}, fmt.Errorf("configure %s: %w", n.Name, err)
	}
	path := nodeDir(lab, n, "kubelet.yaml")
	if err := os.WriteFile(path, config, 0o644); err != nil {
		return sys.Daemon{}, fmt.Errorf("configure %s: %w", n.Name, err)
	}
	pods := lab.Name.Cgroup(n.Name, "pods")
	if err := errors.Join(sys.MakeCgroupEverywhere(pods), sys.Favour(filepath.Dir(pods))); err != nil {
		return sys.Daemon{}, err
	}
	place, err := NodePlace(lab, n)
	if err != nil {
		return sys.Daemon{}, err
	}
	return sys.Daemon{Name: "kubelet-" + n.Name, Place: place, Args: []string{
		lab.Program("kubelet"), "--config=" + path,
		"--kubeconfig=" + lab.Kubeconfig("system:node:"+n.Name, true),
		"--hostname-override=" + n.Name, "--node-ip=" + strings.Join(n.Addresses(), ","), "--v=1",
	}}, nil
}
