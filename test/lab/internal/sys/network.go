package sys

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
)

// Route sends a range through a machine.
type Route struct{ Net, Via string }

// Network is a lab's bridge and the machines on it.
type Network struct {
	Name   plan.Name
	Family plan.Family
}

// Create makes the bridge, in a namespace that holds nothing else, so that the
// machine the lab runs on keeps its own interfaces and rules untouched.
func (n Network) Create(ctx context.Context) error {
	bridge := n.Name.Namespace(plan.BridgeMachine)
	if err := run(ctx, "ip", "netns", "add", bridge); err != nil {
		return fmt.Errorf("make the lab's bridge: %w", err)
	}
	lines := []string{"link set lo up", "link add br0 type bridge forward_delay 0 stp_state 0"}
	for _, gateway := range n.Family.Addresses(plan.Gateway) {
		lines = append(lines, addAddress(gateway, "br0"))
	}
	return ipBatch(ctx, bridge, append(lines, "link set br0 up")...)
}

// addAddress gives a device an address of the machines' range. An IPv6 address is used at
// once: all are the lab's, and none stands twice.
func addAddress(address, device string) string {
	if strings.Contains(address, ":") {
		return fmt.Sprintf("address add %s/64 dev %s nodad", address, device)
	}
	return fmt.Sprintf("address add %s/%d dev %s", address, plan.MachinePrefixBits, device)
}

// AddMachine makes a network namespace with eth0 on the bridge.
func (n Network) AddMachine(ctx context.Context, machine string, addresses []string, routes []Route) error {
	bridge, own := n.Name.Namespace(plan.BridgeMachine), n.Name.Namespace(machine)
	if err := run(ctx, "ip", "netns", "add", own); err != nil {
		return fmt.Errorf("make machine %s: %w", machine, err)
	}
	port := portName(addresses[0])
	if err := ipBatch(ctx, bridge,
		fmt.Sprintf("link add %s type veth peer name eth0 address %s netns %s", port, hardware(addresses[0]), own),
		fmt.Sprintf("link set %s master br0 up", port),
	); err != nil {
		return fmt.Errorf("plug machine %s in: %w", machine, err)
	}
	lines := []string{"link set lo up"}
	for _, address := range addresses {
		lines = append(lines, addAddress(address, "eth0"))
	}
	lines = append(lines, "link set eth0 up")
	for _, gateway := range n.Family.Addresses(plan.Gateway) {
		lines = append(lines, "route add default via "+gateway)
	}
	for _, r := range routes {
		if !slices.Contains(addresses, r.Via) {
			lines = append(lines, fmt.Sprintf("route add %s via %s", r.Net, r.Via))
		}
	}
	if err := ipBatch(ctx, own, lines...); err != nil {
		return fmt.Errorf("configure machine %s: %w", machine, err)
	}
	return nil
}

// Exists tells whether a machine has a network.
func (n Network) Exists(machine string) bool {
	_, err := os.Stat(n.Name.NamespacePath(machine))
	return err == nil
}

// RemoveMachine undoes AddMachine.
func (n Network) RemoveMachine(ctx context.Context, machine, address string) error {
	if !n.Exists(machine) {
		return nil
	}
	// A namespace lives on while a process is in it, and so would its address.
	if err := ipBatch(ctx, n.Name.Namespace(plan.BridgeMachine), "link delete "+portName(address)); err != nil {
		return fmt.Errorf("unplug machine %s: %w", machine, err)
	}
	if err := run(ctx, "ip", "netns", "delete", n.Name.Namespace(machine)); err != nil {
		return fmt.Errorf("remove machine %s: %w", machine, err)
	}
	return nil
}

// Remove removes every namespace of the lab, whatever state it is in.
func (n Network) Remove(ctx context.Context) error {
	entries, err := os.ReadDir("/run/netns")
	if err != nil {
		return ignoreMissing(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), n.Name.NamespacePrefix()) {
			continue
		}
		if err := run(ctx, "ip", "netns", "delete", e.Name()); err != nil {
			return fmt.Errorf("remove the lab's network: %w", err)
		}
	}
	return nil
}

// portName is the bridge's end of a machine's cable: p and the machine's number.
func portName(address string) string {
	number := plan.Number(address)
	return fmt.Sprintf("p%d.%d", number[0], number[1])
}

// hardware is the machine's hardware address. It follows from its address: when
// a new machine gets that of one that went, its neighbours still know it.
func hardware(address string) string {
	const locallyAdministered = 0x02
	number := plan.Number(address)
	return net.HardwareAddr{locallyAdministered, 0, 10, 77, number[0], number[1]}.String()
}

func ipBatch(ctx context.Context, namespace string, lines ...string) error {
	cmd := exec.CommandContext(ctx, "ip", "-n", namespace, "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip -n %s -batch: %w: %s", namespace, err, strings.TrimSpace(string(out)))
	}
	return nil
}

func run(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
