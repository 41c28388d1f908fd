package control

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
	"sigs.k8s.io/yaml"
)

// ProxyHealthPort answers when a machine's kube-proxy lives.
const ProxyHealthPort = 10256

// Proxy is a machine's kube-proxy, in its network and with the lock file of
// iptables to itself.
func Proxy(lab *state.Lab, machine string) (sys.Daemon, error) {
	everywhere := lab.Family.Of("0.0.0.0", "::") // the latter takes both
	config, err := yaml.Marshal(map[string]any{
		"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
		"mode": lab.ProxyMode, "clusterCIDR": strings.Join(lab.Family.Of(plan.PodNet, plan.PodNet6), ","), "hostnameOverride": machine,
		"clientConnection":   map[string]any{"kubeconfig": lab.Kubeconfig("system:kube-proxy", true)},
		"metricsBindAddress": "127.0.0.1:10249", "healthzBindAddress": net.JoinHostPort(everywhere[len(everywhere)-1], strconv.Itoa(ProxyHealthPort)),
		"oomScoreAdj": 0,
		// The kernel's connection tracking limits are not the lab's to change.
		"conntrack": map[string]any{"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
	})
	if err != nil {
		return sys.Daemon{}, fmt.Errorf("configure kube-proxy: %w", err)
	}
	run := lab.Path("run", machine)
	if err := os.MkdirAll(run, 0o755); err != nil {
		return sys.Daemon{}, fmt.Errorf("configure kube-proxy: %w", err)
	}
	path := lab.Path("conf", "kube-proxy-"+machine+".yaml")
	if err := os.WriteFile(path, config, 0o644); err != nil {
		return sys.Daemon{}, fmt.Errorf("configure kube-proxy: %w", err)
	}
	place := lab.Place(machine)
	place.Binds = append(place.Binds, sys.Bind{Source: run, Target: "/run"})
	return sys.Daemon{Name: ProxyName(machine), Place: place, Args: []string{lab.Program("kube-proxy"), "--config=" + path, "--v=1"}}, nil
}

// ProxyName names a machine's kube-proxy.
func ProxyName(machine string) string { return "kube-proxy-" + machine }
