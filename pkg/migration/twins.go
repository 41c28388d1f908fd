package migration

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// CodeWrappedTwice: another ensemble of ours has the same hosts.
const CodeWrappedTwice Code = "WrappedTwice"

// Claim is what one ensemble of ours says of hosts: a journal, or the hand-made
// endpoints that one has left behind.
type Claim struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Addresses are those on hosts, each with its port.
	Addresses []string `json:"addresses"`
}

// Claim is this record's own.
func (r Record) Claim() Claim {
	c := Claim{Namespace: r.Namespace, Name: r.Name}
	for _, s := range r.Servers {
		if s.Retired != nil {
			continue // somebody else's by now
		}
		for _, port := range s.Ports() {
			c.Addresses = append(c.Addresses, ensemble.JoinHostPort(s.HostIP, port.Number))
		}
	}
	return c
}

// Twins are the claims of others on addresses of this record's hosts. Two records
// of one ensemble have two journals and two locks, and each would take a server
// away without knowing of the other.
func (r Record) Twins(claims []Claim) []Claim {
	own := r.Claim()
	var out []Claim
	for _, c := range claims {
		if c.Namespace == own.Namespace && c.Name == own.Name {
			continue
		}
		shared := Claim{Namespace: c.Namespace, Name: c.Name}
		for _, a := range c.Addresses {
			if slices.Contains(own.Addresses, a) && !slices.Contains(shared.Addresses, a) {
				shared.Addresses = append(shared.Addresses, a)
			}
		}
		if len(shared.Addresses) > 0 {
			out = append(out, shared)
		}
	}
	return out
}

// String says whose the addresses are.
func (c Claim) String() string {
	return fmt.Sprintf("ensemble %s in namespace %s has %s", c.Name, c.Namespace, strings.Join(c.Addresses, ", "))
}

// wrappedOnce: no other ensemble of ours has these hosts.
func (c *context) wrappedOnce() (Decision, Class) {
	twins := c.twins
	if len(twins) == 0 {
		return Decision{}, ""
	}
	var said []string
	for _, t := range twins {
		said = append(said, t.String())
	}
	return stop(CodeWrappedTwice, command.At{Namespace: twins[0].Namespace, Via: c.via}.Ours("status %s", twins[0].Name),
		"these hosts are wrapped as ensemble %s in namespace %s, too: two journals and two locks for one ensemble", twins[0].Name, twins[0].Namespace).
		with(said...).
		with("go on with one of the two; before the other's objects are deleted, make sure that no server and no client uses its Services' addresses"), ClassRefusal
}
