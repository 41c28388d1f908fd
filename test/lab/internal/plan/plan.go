// Package plan is the one place the lab's names and addresses come from.
//
// Every lab has a bridge in a network namespace of its own, so all labs use the
// same addresses; only what the whole machine shares (names of namespaces,
// cgroups, the state folder) carries the lab's name.
package plan

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
)

const (
	// MachineNet holds the bridge, the control plane, nodes, hosts and clients.
	MachineNet = "10.77.0.0/16"
	// Gateway is the bridge's own address. Nothing lies behind it: a default
	// route must exist for the kernel to look at a ClusterIP at all.
	Gateway      = "10.77.0.1"
	ControlPlane = "10.77.0.10"
	// PodNet is cut into one /24 per node.
	PodNet     = "10.78.0.0/16"
	ServiceNet = "10.79.0.0/16"
	// APIService is the ClusterIP of the "kubernetes" Service, first of its range.
	APIService = "10.79.0.1"

	APIPort       = 6443
	ClusterDomain = "cluster.local"
	// HostDomain is where the lab's hosts and clients have names.
	HostDomain = "zklab.test"

	// Realm is the lab's Kerberos realm.
	Realm = "ZKLAB.TEST"

	// StateRoot holds one folder per lab.
	StateRoot = "/var/lib/zklab"

	maxMachines = 250
)

// Name is a lab's name, checked.
type Name string

// ParseName refuses what would not fit into file, cgroup and socket names.
func ParseName(s string) (Name, error) {
	if !regexp.MustCompile(`^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$`).MatchString(s) {
		return "", fmt.Errorf("lab name %q: want 1 to 20 of a-z, 0-9 and -, starting with a letter", s)
	}
	return Name(s), nil
}

// StateDir is the lab's folder.
func (n Name) StateDir() string { return filepath.Join(StateRoot, string(n)) }

// Namespace names a machine's network namespace. The dot keeps the lab "a"
// apart from a lab "a-b".
func (n Name) Namespace(machine string) string { return n.NamespacePrefix() + machine }

// NamespacePrefix is what all of the lab's network namespaces start with.
func (n Name) NamespacePrefix() string { return "zklab." + string(n) + "." }

// NamespacePath is where ip(8) keeps a machine's network namespace.
func (n Name) NamespacePath(machine string) string {
	return filepath.Join("/run/netns", n.Namespace(machine))
}

// Cgroup is the lab's group, below every hierarchy's root.
func (n Name) Cgroup(parts ...string) string {
	return filepath.Join(append([]string{"/zklab", string(n)}, parts...)...)
}

// Bridge and ControlPlaneMachine name the two machines every lab has.
const (
	BridgeMachine       = "bridge"
	ControlPlaneMachine = "control-plane"
)

// NodeName, and the others below, count from 1.
func NodeName(i int) string { return fmt.Sprintf("node%d", i) }

// ClientName is a machine for operators and ZooKeeper clients.
func ClientName(i int) string { return fmt.Sprintf("client%d", i) }

// NodeAddress is a node's address.
func NodeAddress(i int) (netip.Addr, error) { return machineAddress(1, i) }

// HostAddress is the address of a ZooKeeper host.
func HostAddress(i int) (netip.Addr, error) { return machineAddress(2, i) }

// ClientAddress is a client's address.
func ClientAddress(i int) (netip.Addr, error) { return machineAddress(3, i) }

// NodePodCIDR is the range a node's pods get their addresses from.
func NodePodCIDR(i int) (netip.Prefix, error) {
	if i < 1 || i > maxMachines {
		return netip.Prefix{}, fmt.Errorf("node %d: a lab has 1 to %d", i, maxMachines)
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 78, byte(i), 0}), 24), nil
}

// MachinePrefixBits is the length of MachineNet's prefix.
const MachinePrefixBits = 16

func machineAddress(third byte, i int) (netip.Addr, error) {
	if i < 1 || i > maxMachines {
		return netip.Addr{}, fmt.Errorf("machine %d: a lab has at most %d of a kind", i, maxMachines)
	}
	return netip.AddrFrom4([4]byte{10, 77, third, byte(i)}), nil
}
