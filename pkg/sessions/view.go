package sessions

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

const (
	// maxAddresses bounds the addresses that a view lists, maxIDs the sessions of each.
	maxAddresses = 200
	maxIDs       = 20
)

// View is what one look, with what is remembered, says of the clients.
type View struct {
	// At is when the servers were asked.
	At time.Time `json:"at"`
	// Pods are the servers in pods that told who is connected. Without any, nothing tells
	// who has moved.
	Pods []ensemble.ID `json:"pods,omitempty"`
	// Moved counts the connected sessions that were seen at a pod, at this look or before.
	Moved int `json:"moved"`
	// Left are the addresses of connected sessions that have only ever been seen at hosts,
	// those with the most sessions first; Sessions and Addresses count all of them, also
	// those that the list has no room for.
	Left      []Address `json:"left,omitempty"`
	Sessions  int       `json:"sessions"`
	Addresses int       `json:"addresses"`
	// Away are addresses that have only ever been seen at hosts and are not connected now.
	Away []Address `json:"away,omitempty"`
	// Untold are the servers that did not tell who is connected to them.
	Untold []Untold `json:"untold,omitempty"`
	// Dropped counts the sessions that are not remembered, for lack of room.
	Dropped int `json:"dropped,omitempty"`
}

// Address is one client machine, or what hides several.
type Address struct {
	Address string `json:"address"`
	// Sessions counts them, IDs lists some.
	Sessions int  `json:"sessions"`
	IDs      []ID `json:"ids,omitempty"`
	// Servers are those that it is connected to, empty where it is away.
	Servers []ensemble.ID `json:"servers,omitempty"`
	// Since is when the first of these sessions was first seen, Last when the last one was.
	Since time.Time `json:"since"`
	Last  time.Time `json:"last"`
	// Others: other sessions of this address were seen at pods.
	Others bool `json:"others,omitempty"`
}

// Untold is a server that did not tell.
type Untold struct {
	Server ensemble.ID `json:"server"`
	Place  Place       `json:"place"`
	Why    string      `json:"why"`
}

// View adds a look up; the memory has it already (Note).
func (m *Memory) View(lists []List, at time.Time) *View {
	at = at.UTC().Truncate(time.Second)
	v := &View{At: at, Dropped: m.dropped}
	connected, servers := map[ID]remembered{}, map[ID][]ensemble.ID{}
	for _, list := range lists {
		switch {
		case list.Place == OnItsWay:
			continue
		case list.Untold != "":
			v.Untold = append(v.Untold, Untold{Server: list.Server, Place: list.Place, Why: list.Untold})
		case list.Place == InPod:
			v.Pods = append(v.Pods, list.Server)
		}
		for _, s := range list.Sessions {
			r, known := connected[s.ID]
			if !known {
				r = remembered{ID: s.ID, Address: s.Address, Since: at}
			}
			if old, ok := m.seen[s.ID]; ok {
				r = old
			}
			r.Last = at
			if list.Place == InPod && r.Moved.IsZero() {
				r.Moved = at
			}
			connected[s.ID], servers[s.ID] = r, append(servers[s.ID], list.Server)
		}
	}
	left, away, moved := map[string]*Address{}, map[string]*Address{}, map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(connected)) {
		if r := connected[id]; r.Moved.IsZero() {
			v.Sessions++
			add(left, r, servers[id])
		} else {
			v.Moved++
			moved[r.Address] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.seen)) {
		r := m.seen[id]
		if _, here := connected[id]; !r.Moved.IsZero() {
			moved[r.Address] = true
		} else if !here {
			add(away, r, nil)
		}
	}
	maps.DeleteFunc(away, func(a string, _ *Address) bool { return moved[a] || left[a] != nil })
	for address, a := range left {
		a.Others = moved[address]
	}
	v.Addresses = len(left)
	v.Left, v.Away = listed(left), listed(away)
	return v
}

// Recall is the last look that is remembered: who was connected then, as far as it can be told
// from when sessions were last seen; nil where nothing is remembered.
func (m *Memory) Recall() *View {
	if len(m.seen) == 0 {
		return nil
	}
	all := m.sorted()
	v := &View{At: all[len(all)-1].Last, Dropped: m.dropped}
	left, away := map[string]*Address{}, map[string]*Address{}
	for _, r := range all {
		switch here := !r.Last.Before(v.At.Add(-renewedAfter)); {
		case !here && r.Moved.IsZero():
			add(away, r, nil)
		case !here:
		case r.Moved.IsZero():
			v.Sessions++
			add(left, r, nil)
		default:
			v.Moved++
		}
	}
	maps.DeleteFunc(away, func(a string, _ *Address) bool { return left[a] != nil })
	v.Addresses = len(left)
	v.Left, v.Away = listed(left), listed(away)
	return v
}

func add(by map[string]*Address, r remembered, servers []ensemble.ID) {
	a, known := by[r.Address]
	if !known {
		a = &Address{Address: r.Address, Since: r.Since, Last: r.Last}
		by[r.Address] = a
	}
	a.Sessions++
	if len(a.IDs) < maxIDs {
		a.IDs = append(a.IDs, r.ID)
	}
	for _, id := range servers {
		if !slices.Contains(a.Servers, id) {
			a.Servers = append(a.Servers, id)
		}
	}
	slices.Sort(a.Servers)
	a.Since = earlier(a.Since, r.Since)
	if r.Last.After(a.Last) {
		a.Last = r.Last
	}
}

// listed are the addresses with the most sessions first, as many as a view lists.
func listed(by map[string]*Address) []Address {
	var out []Address
	for _, a := range by {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Address) int {
		return cmp.Or(cmp.Compare(b.Sessions, a.Sessions), cmp.Compare(a.Address, b.Address))
	})
	return out[:min(len(out), maxAddresses)]
}

// Silent are the servers on hosts that did not tell; nobody has looked where there is no view.
func (v *View) Silent() []Untold {
	if v == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(v.Untold), func(u Untold) bool { return u.Place != OnHost })
}

// Known reports whether all servers on hosts have told who is connected.
func (v *View) Known() bool { return v != nil && len(v.Silent()) == 0 }

// Clear reports whether it is known that nobody is connected that has only ever been seen at
// hosts.
func (v *View) Clear() bool { return v.Known() && v.Sessions == 0 }

// Words says in one sentence how many clients have only ever been seen at hosts; it is empty
// where nobody was asked.
func (v *View) Words() string {
	if v == nil {
		return ""
	}
	out := "only ever seen at hosts: " + v.Count() + "; seen at a pod: " + counted(v.Moved, "session", "sessions")
	switch {
	case len(v.Pods) > 0:
	case v.Moved == 0:
		out = v.Count() + "; which have moved cannot be told until a server in a pod tells who came there"
	default:
		out += "; no server in a pod tells who is there now"
	}
	var silent []ensemble.ID
	for _, u := range v.Silent() {
		silent = append(silent, u.Server)
	}
	if len(silent) > 0 {
		out += "; not known of " + Servers(silent) + ", not telling who is connected"
	}
	return out
}

// Count is "2 sessions of 1 address".
func (v *View) Count() string {
	return fmt.Sprintf("%s of %s", counted(v.Sessions, "session", "sessions"), counted(v.Addresses, "address", "addresses"))
}

// Servers is "server 1" or "servers 1, 2".
func Servers(ids []ensemble.ID) string {
	if len(ids) == 1 {
		return "server " + ids[0].String()
	}
	return "servers " + ensemble.JoinIDs(ids)
}

func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// Line is "10.0.0.7: 2 sessions (0x1, 0x2) at servers 2, 3, first seen ...".
func (a Address) Line() string {
	const named = 3
	var ids []string
	for _, id := range a.IDs[:min(len(a.IDs), named)] {
		ids = append(ids, id.String())
	}
	if a.Sessions > len(ids) {
		ids = append(ids, "...")
	}
	line := fmt.Sprintf("%s: %s (%s)", a.Address, counted(a.Sessions, "session", "sessions"), strings.Join(ids, ", "))
	if len(a.Servers) > 0 {
		line += " at " + Servers(a.Servers)
	}
	line += ", first seen " + a.Since.UTC().Format(time.DateTime) + " UTC"
	if len(a.Servers) == 0 {
		line += ", last " + a.Last.UTC().Format(time.DateTime) + " UTC"
	}
	if a.Others {
		line += "; other sessions of this address were seen at pods"
	}
	return line
}
