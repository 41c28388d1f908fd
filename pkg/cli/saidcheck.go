package cli

import (
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// refuse judges every value. It asks nobody.
func (s *said) refuse() error {
	spec := s.Spec
	api := migration.EndpointsAPI(spec.EndpointsAPI)
	if err := checkWaivers(s.place("waive"), spec.Waive); err != nil {
		return err
	}
	if err := s.pods().Check(); err != nil {
		return err
	}
	if api != migration.EndpointSlices && api != migration.LegacyEndpoints {
		return usagef("%s=%q: allowed are endpointslices, endpoints", s.place("endpoints-api"), api)
	}
	for _, name := range s.exposed() {
		if !slices.Contains(ensemble.Exposable(), name) {
			return usagef("%s=%q: allowed are admin, metrics", s.place("expose"), name)
		}
	}
	if spec.Address != migration.AddressIP && spec.Address != migration.AddressDNS {
		return usagef("%s=%q: allowed are ip, dns", s.place("address"), spec.Address)
	}
	if _, err := hostpatch.CommandsFor(hostpatch.Supervisor(spec.Hosts.Supervisor), ""); err != nil {
		return usagef("%s: %w", s.place("supervisor"), err)
	}
	for flag, name := range map[string]string{"cluster-domain": spec.ClusterDomain, "dns-zone": spec.DNS.Zone, "dns-server": spec.DNS.Server} {
		if err := checkDomain(s.place(flag), name); err != nil {
			return err
		}
	}
	if _, bad := intake.UnitNames(spec.Hosts.Unit); bad != "" {
		return usagef("%s=%q is not the name of a unit, program or container, or the path of a script: write it without blanks, as zookeeper.service, or ID=NAME for one server", s.place("unit"), quote.Typed(bad))
	}
	// On a machine whose command needs no program there may be none.
	if s.cmd.Flag("host-hook") != nil {
		if err := checkHook(s.place("host-hook"), spec.Hosts.Hook); err != nil {
			return err
		}
	}
	if err := hostpatch.CheckLeave(spec.Hosts.Leave); err != nil {
		return usagef("%s: %w", s.place("leave"), err)
	}
	if path := spec.Hosts.Path; path == "" || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return usagef("%s=%q is not a name for a file inside a patch: leave blanks and control characters out", s.place("path"), quote.Typed(path))
	}
	return nil
}
