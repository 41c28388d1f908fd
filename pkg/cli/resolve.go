package cli

import (
	"context"
	"net"
	"net/netip"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
)

// lookup asks this machine's resolver for the addresses of a host.
func lookup(ctx context.Context) intake.Lookup {
	return func(host string) ([]netip.Addr, error) { return net.DefaultResolver.LookupNetIP(ctx, "ip", host) }
}
