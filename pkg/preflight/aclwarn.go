package preflight

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// maxACLs is how many ids are shown as evidence; JSON has all.
const maxACLs = 20

// addressACLs tells of rights that go by the address that a server sees of a client
// (IPAuthenticationProvider), and whose address it is, as far as that is known.
func (f Facts) addressACLs() (out []string) {
	if f.ACLs == nil {
		return nil
	}
	more := 0
	for _, e := range f.ACLs.Entries {
		switch {
		case e.Scheme != "ip":
		case len(out) == maxACLs:
			more++
		default:
			text := fmt.Sprintf("ip:%s may %s %s: %s", e.ID, e.Permissions, znodes(e.Znodes, e.Paths), and(f.whose(e.ID)))
			if strings.Contains(e.Permissions, "w") && slices.Contains(e.Paths, "/zookeeper/config") {
				text += "; who may write /zookeeper/config can reconfigure the ensemble"
			}
			out = append(out, text)
		}
	}
	if more > 0 {
		out = append(out, fmt.Sprintf("%d more addresses (-o json has them)", more))
	}
	return out
}

// whose are those known to have one of the addresses.
func (f Facts) whose(id string) (out []string) {
	prefix, ok := addresses(id)
	if !ok {
		return []string{"that is no address that a client can have"}
	}
	has := func(address string) bool {
		a, err := netip.ParseAddr(address)
		return err == nil && prefix.Contains(a.Unmap())
	}
	if has("127.0.0.1") || has("::1") {
		out = append(out, "what runs on a server's own machine, where pods have only their own containers")
	}
	var hosts []ensemble.ID
	for _, s := range f.Servers {
		if has(s.HostIP) {
			hosts = append(hosts, s.ID)
		}
	}
	if len(hosts) > 0 {
		out = append(out, "the host of "+serverList(hosts)+", and what runs there besides")
	}
	for _, l := range f.looks() {
		switch to := l.translated(f); {
		case to == "":
		case slices.ContainsFunc(l.addresses(), has):
			out = append(out, fmt.Sprintf("%s, which servers see as %s through Services", l.from, to))
		case has(to):
			out = append(out, fmt.Sprintf("%s and all others that servers see as %s through Services", l.from, to))
		}
	}
	connected := map[string]bool{}
	for _, c := range f.Sources {
		for address := range c.By {
			if has(address) {
				connected[address] = true
			}
		}
	}
	switch n := len(connected); {
	case n > 3:
		out = append(out, fmt.Sprintf("%d addresses of clients that are connected now", n))
	case n > 0:
		out = append(out, "connected now from "+and(slices.Sorted(maps.Keys(connected))))
	case len(f.Sources) < len(f.Servers):
		out = append(out, "whether a client is connected from there is not known")
	default:
		out = append(out, "no client is connected from there now")
	}
	return out
}

// addresses reads an id as IPAuthenticationProvider does: an address, or ADDRESS/BITS.
func addresses(id string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(id); err == nil {
		return p, true
	}
	a, err := netip.ParseAddr(id)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// unread tells what of the ACLs is not known.
func (f Facts) unread() (out []string) {
	if f.ACLsError != "" {
		return []string{"no ACL was read: " + f.ACLsError}
	}
	s := f.ACLs
	if s == nil {
		return nil
	}
	if s.Stopped != "" {
		out = append(out, fmt.Sprintf("the scan stopped %s: %d znodes that exist were not read, nor any below them", s.Stopped, s.Skipped))
	}
	if s.Hidden > 0 {
		out = append(out, "this command may not read the ACL of "+znodes(s.Hidden, s.HiddenPaths)+", nor see what is below")
	}
	if s.Closed > 0 {
		out = append(out, "this command may not see what is below "+znodes(s.Closed, s.ClosedPaths))
	}
	if s.Dropped > 0 {
		out = append(out, fmt.Sprintf("%d entries of ACLs were met and not kept, for there are too many different ones", s.Dropped))
	}
	return out
}

// strangers tells of ACLs whose scheme no server in a pod would know: without a provider nobody
// has the rights (ProviderRegistry, PrepRequestProcessor.checkACL).
func (f Facts) strangers() (out []string) {
	if f.ACLs == nil || f.Record.Pods.ZooCfg == "" {
		return nil
	}
	knows := providers(f.Record.Pods)
	by := map[string]*vantage.ACLEntry{}
	for _, e := range f.ACLs.Entries {
		switch sum := by[e.Scheme]; {
		case knows(e.Scheme):
		case sum == nil:
			by[e.Scheme] = &e
		default:
			sum.Znodes += e.Znodes
		}
	}
	for _, scheme := range slices.Sorted(maps.Keys(by)) {
		out = append(out, fmt.Sprintf("ACLs with %s: on %s, and neither the pods' zoo.cfg nor their JVM flags have an authProvider for it", scheme, znodes(by[scheme].Znodes, by[scheme].Paths)))
	}
	return out
}

// znodes are so many, some of which are named.
func znodes(n int, some []string) string {
	switch more := n - len(some); {
	case n == 1 && more == 0:
		return some[0]
	case more > 0:
		return fmt.Sprintf("%d znodes (%s and %d more)", n, strings.Join(some, ", "), more)
	}
	return fmt.Sprintf("%d znodes (%s)", n, strings.Join(some, ", "))
}
