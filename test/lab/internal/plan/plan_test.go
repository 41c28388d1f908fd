package plan

import (
	"net/netip"
	"strings"
	"testing"
)

func TestRangesDoNotOverlap(t *testing.T) {
	nets := []netip.Prefix{netip.MustParsePrefix(MachineNet), netip.MustParsePrefix(PodNet), netip.MustParsePrefix(ServiceNet)}
	for i, a := range nets {
		for _, b := range nets[i+1:] {
			if a.Overlaps(b) {
				t.Errorf("%s overlaps %s", a, b)
			}
		}
	}
	if nets[0].Bits() != MachinePrefixBits {
		t.Errorf("MachinePrefixBits = %d, MachineNet is %s", MachinePrefixBits, MachineNet)
	}
}

func TestEveryAddressIsItsOwn(t *testing.T) {
	seen := map[netip.Addr]string{
		netip.MustParseAddr(Gateway):      "gateway",
		netip.MustParseAddr(ControlPlane): "control plane",
	}
	kinds := map[string]func(int) (netip.Addr, error){"node": NodeAddress, "host": HostAddress, "client": ClientAddress}
	machines := netip.MustParsePrefix(MachineNet)
	for kind, address := range kinds {
		for i := 1; i <= maxMachines; i++ {
			a, err := address(i)
			if err != nil {
				t.Fatal(err)
			}
			if other, ok := seen[a]; ok {
				t.Fatalf("%s %d has the address of %s", kind, i, other)
			}
			if !machines.Contains(a) {
				t.Fatalf("%s %d: %s is outside of %s", kind, i, a, MachineNet)
			}
			seen[a] = kind
		}
		if _, err := address(0); err == nil {
			t.Errorf("%s 0 should be refused", kind)
		}
	}
}

func TestPodRangesLieInPodNet(t *testing.T) {
	all := netip.MustParsePrefix(PodNet)
	for _, i := range []int{1, 2, maxMachines} {
		p, err := NodePodCIDR(i)
		if err != nil {
			t.Fatal(err)
		}
		if !all.Contains(p.Addr()) || p.Bits() <= all.Bits() {
			t.Errorf("node %d: %s is not within %s", i, p, all)
		}
	}
	if _, err := NodePodCIDR(maxMachines + 1); err == nil {
		t.Error("too many nodes should be refused")
	}
}

func TestNames(t *testing.T) {
	for _, bad := range []string{"", "A", "1a", "a.b", "a/b", "a-", strings.Repeat("a", 21)} {
		if _, err := ParseName(bad); err == nil {
			t.Errorf("%q should be refused", bad)
		}
	}
	a, _ := ParseName("a")
	ab, _ := ParseName("a-b")
	if strings.HasPrefix(ab.Namespace("node1"), a.NamespacePrefix()) {
		t.Error("a lab must not take another lab's namespaces for its own")
	}
	if got := a.Cgroup("node1", "pods"); got != "/zklab/a/node1/pods" {
		t.Errorf("cgroup = %s", got)
	}
}
