// Package state is what a running lab remembers between two commands.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// Lab is one lab.
type Lab struct {
	Name    plan.Name `json:"name"`
	Ready   bool      `json:"ready"`
	APIPort int       `json:"apiPort"`
	// ProxyMode is every kube-proxy's: iptables or nftables.
	ProxyMode string `json:"proxyMode"`
	// Kubernetes is the release, as 1.34.
	Kubernetes string      `json:"kubernetes"`
	Family     plan.Family `json:"family"`
	Nodes      []Node      `json:"nodes"`
	Clients    []Machine   `json:"clients"`
	Ensembles  []Ensemble  `json:"ensembles"`
	// Versions of ZooKeeper whose images the nodes have.
	Versions []string `json:"versions"`
	// Programs are the components' paths in the cache.
	Programs Programs `json:"programs"`
	Cache    string   `json:"cache"`
	// Images is the prepared folder that nodes start from.
	Images string `json:"images"`
}

// Programs are where the built components lie.
type Programs struct {
	CoreDNS string `json:"coredns"`
	Pause   string `json:"pause"`
}

// Machine is anything with a network namespace and an address.
type Machine struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	// Also is its address in the other family, in a lab that has both.
	Also string `json:"also,omitempty"`
}

// Addresses are all that it has.
func (m Machine) Addresses() []string {
	if m.Also == "" {
		return []string{m.Address}
	}
	return []string{m.Address, m.Also}
}

// Node is a Kubernetes node.
type Node struct {
	Machine
	PodCIDR string `json:"podCIDR"`
	// AlsoPodCIDR is its range in the other family, in a lab that has both.
	AlsoPodCIDR string `json:"alsoPodCIDR,omitempty"`
}

// PodCIDRs are all ranges of its pods.
func (n Node) PodCIDRs() []string {
	if n.AlsoPodCIDR == "" {
		return []string{n.PodCIDR}
	}
	return []string{n.PodCIDR, n.AlsoPodCIDR}
}

// Ensemble is a ZooKeeper ensemble on hosts of the lab.
type Ensemble struct {
	Spec    ensemble.Spec     `json:"spec"`
	Servers []ensemble.Server `json:"servers"`
}

// ErrNoLab says that there is no lab of that name.
var ErrNoLab = errors.New("no such lab")

// Load reads a lab that was brought up.
func Load(name plan.Name) (*Lab, error) {
	data, err := os.ReadFile(filepath.Join(name.StateDir(), stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("lab %q: %w; start it with: zklab up --name %s", name, ErrNoLab, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read the lab's state: %w", err)
	}
	var lab Lab
	if err := json.Unmarshal(data, &lab); err != nil {
		return nil, fmt.Errorf("read the lab's state: %w", err)
	}
	return &lab, nil
}

const stateFile = "state.json"

// Save writes the state; a reader sees the old or the new one, never a half.
func (l *Lab) Save() error {
	data, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	path := l.Path(stateFile)
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write the lab's state: %w", err)
	}
	return nil
}

// Path is a path in the lab's folder.
func (l *Lab) Path(parts ...string) string {
	return filepath.Join(append([]string{l.Name.StateDir()}, parts...)...)
}

// MakeDirs makes the lab's folders.
func (l *Lab) MakeDirs() error {
	for _, dir := range []string{"bin", "pki", "logs", "pids", "conf", "hosts", "kubeconfig"} {
		if err := os.MkdirAll(l.Path(dir), 0o755); err != nil {
			return fmt.Errorf("make the lab's folders: %w", err)
		}
	}
	return nil
}

// Self is the lab's own copy of this program: "go run" deletes its one.
func (l *Lab) Self() string { return l.Path("bin", "zklab") }

// Runner starts the lab's daemons.
func (l *Lab) Runner() sys.Runner {
	return sys.Runner{Self: l.Self(), PIDs: l.Path("pids"), Logs: l.Path("logs")}
}

// Program is the path of a Kubernetes component.
func (l *Lab) Program(name string) string { return l.Path("bin", name) }

// ResolvConf is what machines of the lab see as /etc/resolv.conf.
func (l *Lab) ResolvConf() string { return l.Path("conf", "resolv.conf") }

// Place is where a daemon of a machine runs, unless it is a node's.
func (l *Lab) Place(machine string) sys.Place {
	return sys.Place{
		Cgroup: l.Name.Cgroup(machine, "daemons"),
		Net:    l.Name.NamespacePath(machine),
		Binds:  []sys.Bind{{Source: l.ResolvConf(), Target: "/etc/resolv.conf"}},
	}
}

// Kubeconfig is the path of a user's kubeconfig: inLab with the address that
// the lab's machines reach, otherwise with one on loopback.
func (l *Lab) Kubeconfig(user string, inLab bool) string {
	if inLab {
		return l.Path("kubeconfig", user+".in-lab.kubeconfig")
	}
	return l.Path("kubeconfig", user+".kubeconfig")
}

// InLabServer is the API server's address for the lab's machines.
func (l *Lab) InLabServer() string {
	return "https://" + l.ControlPlane(plan.APIPort)
}

// ControlPlane is a port of the control plane's machine.
func (l *Lab) ControlPlane(port int) string {
	return net.JoinHostPort(l.Family.Addresses(plan.ControlPlane)[0], strconv.Itoa(port))
}

// Network is the lab's.
func (l *Lab) Network() sys.Network { return sys.Network{Name: l.Name, Family: l.Family} }

// Server is the API server's address on the machine the lab runs on.
func (l *Lab) Server() string { return fmt.Sprintf("https://127.0.0.1:%d", l.APIPort) }

// Ensemble finds an ensemble by its name.
func (l *Lab) Ensemble(name string) (Ensemble, bool) {
	for _, e := range l.Ensembles {
		if e.Spec.Name == name {
			return e, true
		}
	}
	return Ensemble{}, false
}

// Host finds a server by ENSEMBLE/ID.
func (l *Lab) Host(word string) (Ensemble, ensemble.Server, error) {
	name, id, _ := strings.Cut(word, "/")
	for _, e := range l.Ensembles {
		for _, s := range e.Servers {
			if e.Spec.Name == name && fmt.Sprint(s.ID) == id {
				return e, s, nil
			}
		}
	}
	return Ensemble{}, ensemble.Server{}, fmt.Errorf("no host %q in lab %s; hosts are named ENSEMBLE/ID: %s", word, l.Name, strings.Join(l.hostNames(), ", "))
}

func (l *Lab) hostNames() []string {
	var names []string
	for _, e := range l.Ensembles {
		for _, s := range e.Servers {
			names = append(names, fmt.Sprintf("%s/%d", e.Spec.Name, s.ID))
		}
	}
	return names
}

// HostByAddress finds the server a hook is called for. Several servers may
// share a host, so the id counts too.
func (l *Lab) HostByAddress(address string, id int) (ensemble.Server, error) {
	for _, e := range l.Ensembles {
		for _, s := range e.Servers {
			if s.Address == address && s.ID == id {
				return s, nil
			}
		}
	}
	return ensemble.Server{}, fmt.Errorf("no host of lab %s has the address %s and server id %d", l.Name, address, id)
}

// Routes lead to the nodes' pods.
func (l *Lab) Routes() []sys.Route {
	routes := make([]sys.Route, 0, len(l.Nodes))
	for _, n := range l.Nodes {
		for i, cidr := range n.PodCIDRs() {
			routes = append(routes, sys.Route{Net: cidr, Via: n.Addresses()[i]})
		}
	}
	return routes
}
