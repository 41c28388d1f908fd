package hostreport

import (
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

// RouteKind is what a route is.
type RouteKind string

const (
	// RouteUnknown: there is no ip on the host, or its answer is not understood.
	RouteUnknown RouteKind = ""
	// RouteUnicast: packets leave by an interface.
	RouteUnicast RouteKind = "unicast"
	// RouteLocal: the address is one of the host's own.
	RouteLocal RouteKind = "local"
	// RouteNone: the host has no route to it, or one that refuses.
	RouteNone RouteKind = "none"
)

// Kind is what the route is.
func (r Route) Kind() RouteKind {
	words := strings.Fields(r.Answer)
	for _, none := range []string{"unreachable", "No route to host", "blackhole", "prohibit"} {
		if strings.Contains(r.Answer, none) {
			return RouteNone
		}
	}
	switch {
	case len(words) == 0:
	case words[0] == "local":
		return RouteLocal
	case words[0] == r.Address:
		return RouteUnicast
	}
	return RouteUnknown
}

// Via is the gateway; empty when the address is on the link, or nothing is known.
func (r Route) Via() string { return r.address("via") }

// Source is the address that the host sends from.
func (r Route) Source() string { return r.address("src") }

// Interface is the one by which packets leave.
func (r Route) Interface() string { return r.after("dev") }

func (r Route) address(word string) string {
	if a := r.after(word); strict.Address(a) == "" {
		return a
	}
	return ""
}

func (r Route) after(word string) string {
	words := strings.Fields(r.Answer)
	for i := range len(words) - 1 {
		if words[i] == word {
			return words[i+1]
		}
	}
	return ""
}
