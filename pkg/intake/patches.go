package intake

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manager"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Patchable refuses, as a usage error, a description that no patches of this
// ensemble's hosts can be made from.
func Patchable(d Description, rec migration.Record) error {
	if d.Config == nil {
		return usagef("--member says nothing about the hosts' files: name them with -f")
	}
	if err := eachKnown(d); err != nil {
		return err
	}
	if err := refusePatched(d.Differences, rec); err != nil {
		return err
	}
	if want := rec.Ensemble().IDs(); !slices.Equal(d.Ensemble.IDs(), want) {
		return usagef("the files have servers %v, the wrapped ensemble has %v", d.Ensemble.IDs(), want)
	}
	return nil
}

// eachKnown wants to know whose file each of several is: a patch made from
// another host's file would carry over that host's settings.
func eachKnown(d Description) error {
	if len(d.Hosts) == 1 {
		return nil
	}
	for _, h := range d.Hosts {
		if h.ID.IsZero() {
			return usagef("%s: whose file is this? Name it as ID=FILE, call its folder by the id or the host, or put a copy of myid beside it", h.Source)
		}
	}
	for _, id := range d.Ensemble.IDs() {
		if !slices.ContainsFunc(d.Hosts, func(h ensemble.HostConfig) bool { return h.ID.Is(id) }) {
			return usagef("server %d: its host's file is missing; give one file for all, or one for each", id)
		}
	}
	return nil
}

// OtherVote is the first server whose part in the quorum is another one in the
// files than in the journal, and what the journal has of it.
func OtherVote(e ensemble.Ensemble, rec migration.Record) (srv ensemble.Server, old *migration.ServerRecord, found bool) {
	for _, srv := range e.Servers {
		if old, ok := rec.Server(srv.ID); ok && old.Vote() != srv.Vote() {
			return srv, old, true
		}
	}
	return ensemble.Server{}, nil, false
}

// UnrecordedPort is the first port of a server in the files that its Service does not have:
// an earlier release recorded fewer, or the file has changed since.
func UnrecordedPort(e ensemble.Ensemble, rec migration.Record) (srv ensemble.Server, port ensemble.Port, found bool) {
	for _, srv := range e.Servers {
		if old, ok := rec.Server(srv.ID); ok {
			for _, p := range old.Lacks(srv) {
				return srv, p, true
			}
		}
	}
	return ensemble.Server{}, ensemble.Port{}, false
}

// RefuseFor refuses files that servers of one version, all of them, must not run
// with.
func (d Description) RefuseFor(v ensemble.Version) error {
	return refuseFindings(d.LintBy(func(ensemble.HostConfig) ensemble.Version { return v }))
}

// Patching is what patches are made with besides the files and the record.
type Patching struct {
	Version ensemble.Version
	// Leader is the leader of this moment, none where unknown.
	Leader ensemble.MaybeID
	// InitLimit is what the live data needs, in ticks; 0 where the present one will
	// do.
	InitLimit int
	// Leave names changes that are left out, Path the file inside the patches.
	Leave []string
	Path  string
	// Managers are the programs that hosts' own reports tell of.
	Managers map[ensemble.ID][]manager.Sign
	// Zone and DNSServer are for the clients' step; empty where not given.
	Zone, DNSServer string
}

// Inputs puts together what patches and DNS records are made from.
func (p Patching) Inputs(d Description, rec migration.Record) (hostpatch.Input, hostpatch.DNSInput) {
	in := hostpatch.Input{
		Ensemble: rec.Ensemble(), Version: p.Version, ServiceHosts: map[ensemble.ID]string{}, Leader: p.Leader, Leave: p.Leave,
		InitLimit: p.InitLimit, Supervisor: hostpatch.Supervisor(rec.Hosts.Supervisor),
	}
	dns := hostpatch.DNSInput{Ensemble: rec.Ensemble(), Targets: map[ensemble.ID]string{}, Addresses: map[ensemble.ID]string{}, Zone: p.Zone, Server: p.DNSServer}
	for _, srv := range rec.Servers {
		in.ServiceHosts[srv.ID] = rec.ServerHost(srv)
		dns.Targets[srv.ID], dns.Addresses[srv.ID] = srv.ClusterIP, srv.HostIP
		host := hostpatch.Host{ID: srv.ID, Address: srv.HostIP, Unit: rec.Hosts.UnitOf(srv.ID), Path: p.Path, Config: d.Config, Managers: p.Managers[srv.ID]}
		for _, h := range d.Hosts {
			if h.ID.Is(srv.ID) {
				host.Config, host.Next = h.Config, h.Next
			}
		}
		in.Hosts = append(in.Hosts, host)
		if fl := rec.Flight; srv.Replaced != nil || fl != nil && fl.ID == srv.ID && fl.Kind != migration.Reconfigure {
			in.InPods = append(in.InPods, srv.ID)
		}
	}
	return in, dns
}
