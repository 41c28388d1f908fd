package intake

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Lookup finds the addresses of a host name, as this machine resolves it.
type Lookup func(host string) ([]netip.Addr, error)

// settleNames drops the differences that are none: the hosts' files name one
// machine in several ways, and all of them resolve alike from here.
func settleNames(ask Lookup, diffs []ensemble.Difference) []ensemble.Difference {
	var out []ensemble.Difference
	for _, d := range diffs {
		if !d.Names || !sameMachine(ask, d.Values) {
			out = append(out, d)
		}
	}
	return out
}

// sameMachine reports whether all values lead to the same addresses. A list of
// several addresses (3.6+, "|") is left to the operator.
func sameMachine(ask Lookup, values []ensemble.SourceValue) bool {
	var first []netip.Addr
	for i, v := range values {
		if strings.Contains(v.Value, "|") {
			return false
		}
		addrs, err := addresses(ask, v.Value)
		if err != nil || len(addrs) == 0 {
			return false
		}
		if i > 0 && !slices.Equal(first, addrs) {
			return false
		}
		first = addrs
	}
	return true
}

// addresses resolves a host, sorted; an address is its own.
func addresses(ask Lookup, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	found, err := ask(host)
	if err != nil {
		return nil, err
	}
	var out []netip.Addr
	for _, a := range found {
		out = append(out, a.Unmap())
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out), nil
}

// resolve finds the IP address of a host as the Service's endpoints need it. An
// error names the line the host stands on.
func (d Description) resolve(ask Lookup, s ensemble.Server) (string, error) {
	ip, err := hostIP(ask, s.Host)
	if err == nil {
		return ip, nil
	}
	e := &ensemble.InputError{Problem: fmt.Sprintf("server %d: %s", s.ID, err), Want: "an address, or a name this machine resolves, that pods can reach"}
	for _, h := range d.Hosts {
		p, key := h.Config.ServerFile(), h.Config.ServerKey(s.ID)
		if own, ok := h.Config.Server(s.ID); ok && own.Host == s.Host {
			e.File, e.Line, e.Text = p.Name(), p.Line(key), p.Text(key)
			return "", usage(e)
		}
	}
	at := d.Place(s.ID)
	e.File, e.Line = at.File, at.Line
	return "", usage(e)
}

func hostIP(ask Lookup, host string) (string, error) {
	addrs, err := addresses(ask, host)
	if err != nil {
		return "", fmt.Errorf("host %q does not resolve here: %w", host, err)
	}
	if len(addrs) == 0 {
		return "", fmt.Errorf("host %q does not resolve here: no address", host)
	}
	// Services have IPv4 addresses unless the cluster is another one.
	ip := addrs[0]
	switch text := addressText(host, ip); {
	case ip.IsLoopback():
		return "", fmt.Errorf("%s is a loopback address: pods would reach themselves", text)
	case ip.IsUnspecified():
		return "", fmt.Errorf("%s is no address of a host: give one file per host, so that the others' view is known", text)
	case ip.IsLinkLocalUnicast(), ip.IsMulticast():
		return "", fmt.Errorf("%s cannot be the endpoint of a Service (link-local or multicast)", text)
	}
	return ip.String(), nil
}

func addressText(host string, ip netip.Addr) string {
	if host == ip.String() {
		return host
	}
	return fmt.Sprintf("%s (%s)", host, ip)
}
