package plan

import (
	"net/netip"
	"slices"
	"testing"
)

func TestTwinsAreInTheirRanges(t *testing.T) {
	for ipv4, want := range map[string]string{
		Gateway: MachineNet6, ControlPlane: MachineNet6, APIService: ServiceNet6, "10.77.2.250": MachineNet6,
	} {
		twin := Twin(ipv4)
		if !netip.MustParsePrefix(want).Contains(netip.MustParseAddr(twin)) {
			t.Errorf("%s: %s is not in %s", ipv4, twin, want)
		}
		if Number(ipv4) != Number(twin) {
			t.Errorf("%s and %s have the numbers %v and %v", ipv4, twin, Number(ipv4), Number(twin))
		}
	}
	// The first address of the range is the API server's in both families.
	if got := netip.MustParsePrefix(ServiceNet6).Addr().Next().String(); got != Twin(APIService) {
		t.Errorf("the API server's Service gets %s, and is expected at %s", got, Twin(APIService))
	}
}

func TestPodRangesInBothFamilies(t *testing.T) {
	cidrs, err := Dual.NodePodCIDRs(250)
	if err != nil || !slices.Equal(cidrs, []string{"10.78.250.0/24", "fd00:78:0:fa::/64"}) {
		t.Errorf("%v, %v", cidrs, err)
	}
	if !netip.MustParsePrefix(PodNet6).Contains(netip.MustParsePrefix(cidrs[1]).Addr()) {
		t.Errorf("%s is not in %s", cidrs[1], PodNet6)
	}
}
