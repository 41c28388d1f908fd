package cli

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// lookup finds the addresses of a host name.
type lookup func(ctx context.Context, host string) ([]netip.Addr, error)

// lookupHost asks this machine's resolver.
func lookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// settleNames drops the differences that are none: the hosts' files name one
// machine in several ways, and all of them resolve alike from here.
func settleNames(ctx context.Context, ask lookup, diffs []ensemble.Difference) []ensemble.Difference {
	var out []ensemble.Difference
	for _, d := range diffs {
		if !d.Names || !sameMachine(ctx, ask, d.Values) {
			out = append(out, d)
		}
	}
	return out
}

// sameMachine reports whether all values lead to the same addresses. A list of
// several addresses (3.6+, "|") is left to the operator.
func sameMachine(ctx context.Context, ask lookup, values []ensemble.SourceValue) bool {
	var first []netip.Addr
	for i, v := range values {
		if strings.Contains(v.Value, "|") {
			return false
		}
		addrs, err := addresses(ctx, ask, v.Value)
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
func addresses(ctx context.Context, ask lookup, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	found, err := ask(ctx, host)
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
func (d described) resolve(ctx context.Context, s ensemble.Server) (string, error) {
	ip, err := resolveHost(ctx, lookupHost, s.Host)
	if err == nil {
		return ip, nil
	}
	e := &ensemble.InputError{Problem: fmt.Sprintf("server %d: %s", s.ID, err), Want: "an address, or a name this machine resolves, that pods can reach"}
	for _, h := range d.hosts {
		p, key := h.Config.ServerFile(), h.Config.ServerKey(s.ID)
		if own, ok := h.Config.Server(s.ID); ok && own.Host == s.Host {
			e.File, e.Line, e.Text = p.Name(), p.Line(key), p.Text(key)
			return "", &usageError{e}
		}
	}
	e.File = "--member"
	return "", &usageError{e}
}

func resolveHost(ctx context.Context, ask lookup, host string) (string, error) {
	addrs, err := addresses(ctx, ask, host)
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
