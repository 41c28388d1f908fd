package ensemble

import "net/netip"

// SameAddress reports whether both are one IP address, however it is written. A name is none.
func SameAddress(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return errX == nil && errY == nil && x.Unmap() == y.Unmap()
}
