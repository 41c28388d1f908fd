package hostreport

import (
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

// NoRoute reports whether the host has no route to the path's address, or one that refuses. What
// is not understood is not known, and not that.
func (p Path) NoRoute() bool {
	for _, none := range []string{"unreachable", "No route to host", "blackhole", "prohibit"} {
		if strings.Contains(p.Route, none) {
			return true
		}
	}
	return false
}

// Gateway is whom the host sends the path's packets to; empty when the address is on the link, or
// nothing is known.
func (p Path) Gateway() string {
	words := strings.Fields(p.Route)
	for i := range len(words) - 1 {
		if words[i] == "via" && strict.Address(words[i+1]) == "" {
			return words[i+1]
		}
	}
	return ""
}
