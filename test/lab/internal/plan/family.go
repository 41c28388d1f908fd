package plan

import (
	"fmt"
	"net/netip"
)

// Family is which IP families a lab has.
type Family string

// The families. Where both are, IPv4 is Kubernetes' own first one.
const (
	IPv4 Family = "ipv4"
	IPv6 Family = "ipv6"
	Dual Family = "dual"
)

// The ranges' twins in IPv6.
const (
	MachineNet6 = "fd00:77::/64"
	PodNet6     = "fd00:78::/48"
	ServiceNet6 = "fd00:79::/112"
)

// ParseFamily reads the word for it.
func ParseFamily(s string) (Family, error) {
	switch f := Family(s); f {
	case IPv4, IPv6, Dual:
		return f, nil
	}
	return "", fmt.Errorf("IP family %q: there are %s, %s and %s", s, IPv4, IPv6, Dual)
}

// Of picks what a lab of the family has, the first one first.
func (f Family) Of(ipv4, ipv6 string) []string {
	switch f {
	case IPv6:
		return []string{ipv6}
	case Dual:
		return []string{ipv4, ipv6}
	default:
		return []string{ipv4}
	}
}

// Addresses are those of the machine, or Service, that has this one in IPv4.
func (f Family) Addresses(ipv4 string) []string { return f.Of(ipv4, Twin(ipv4)) }

// Twin is an address of the plan in IPv6: 10.77.2.1 is fd00:77::2:1.
func Twin(ipv4 string) string {
	b := netip.MustParseAddr(ipv4).As4()
	return netip.MustParseAddr(fmt.Sprintf("fd00:%d::%x:%x", b[1], b[2], b[3])).String()
}

// Number is what tells a machine's addresses from other machines', in both families: its
// last two bytes in IPv4.
func Number(address string) [2]byte {
	a := netip.MustParseAddr(address)
	b := a.As16()
	if a.Is4() {
		return [2]byte{b[14], b[15]}
	}
	return [2]byte{b[13], b[15]}
}

// NodePodCIDRs are the ranges that a node's pods get their addresses from.
func (f Family) NodePodCIDRs(i int) ([]string, error) {
	ipv4, err := NodePodCIDR(i)
	if err != nil {
		return nil, err
	}
	return f.Of(ipv4.String(), fmt.Sprintf("fd00:78:0:%x::/64", i)), nil
}
