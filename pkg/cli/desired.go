package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

// desired builds the record that wrapping aims at.
func (o *WrapOptions) desired(ctx context.Context, name, namespace string, recorded migration.Record, known bool) (migration.Record, described, error) {
	if o.input.empty() {
		if !known {
			return recorded, described{}, usagef("ensemble %s is not recorded in namespace %s: name its files with -f", name, namespace)
		}
		return recorded, described{ensemble: recorded.Ensemble()}, nil
	}
	desc, err := o.input.read(ctx, name)
	if err != nil {
		return recorded, desc, err
	}
	if err := refuseLint(desc); err != nil {
		return recorded, desc, err
	}
	rec := migration.Record{APIVersion: migration.RecordVersion, Kind: "Record", Name: name, Namespace: namespace, EndpointsAPI: o.endpointsAPI}
	if known {
		rec = recorded
	}
	servers := make([]migration.ServerRecord, 0, len(desc.ensemble.Servers))
	for i, srv := range desc.ensemble.Servers {
		ip, err := desc.resolve(ctx, srv)
		if err != nil {
			return rec, desc, err
		}
		sr := migration.ServerRecord{Server: srv, HostIP: ip, Service: render.ServiceName(name, srv.ID), Ordinal: i}
		if old, ok := recorded.Server(srv.ID); known && ok {
			kept := *old
			if ip == kept.ClusterIP {
				// A file that was reconfigured names the Service.
				ip, sr.HostIP = kept.HostIP, kept.HostIP
			}
			if kept.HostIP != ip || kept.PeerPort != srv.PeerPort || kept.ElectionPort != srv.ElectionPort || kept.ClientPort != srv.ClientPort {
				return rec, desc, &refusedError{
					reason: fmt.Sprintf("server %d is recorded at %s, the input says %s", srv.ID, placeText(kept), placeText(sr)),
					next:   "if the host has really moved, say so by wrapping under another name; an address that clients use is never changed",
				}
			}
			if err := sameVote(recorded, &kept, srv, desc.config != nil); err != nil {
				return rec, desc, err
			}
			sr = kept
		} else if known {
			return rec, desc, &refusedError{reason: fmt.Sprintf("server %d is not in the recorded ensemble %s, which has %v", srv.ID, name, recorded.Ensemble().IDs()),
				next: "membership does not change during a migration"}
		}
		servers = append(servers, sr)
	}
	if known && len(servers) != len(recorded.Servers) {
		return rec, desc, &refusedError{reason: fmt.Sprintf("the input has servers %v, recorded are %v", desc.ensemble.IDs(), recorded.Ensemble().IDs()), next: "membership does not change during a migration"}
	}
	rec.Servers = servers
	for i := range rec.Servers {
		desc.directories(&rec.Servers[i])
	}
	if c := desc.config; c != nil {
		if err := samePorts(rec.Servers, c); err != nil {
			return rec, desc, err
		}
		rec.Settings.TickTimeMillis, rec.Settings.InitLimit, rec.Settings.SyncLimit = c.TickTime, c.InitLimit, c.SyncLimit
	}
	return rec, desc, nil
}

// moved reports whether any server is in its pod, or on its way.
func moved(rec migration.Record) bool {
	return rec.Flight != nil || slices.ContainsFunc(rec.Servers, func(s migration.ServerRecord) bool { return s.Replaced != nil })
}

// sameVote brings a server's part in the quorum up to date while everything runs
// on its host, and refuses another one afterwards: the pods would count votes as
// the input says, the rules as the journal does. --member says nothing of weights
// and groups.
func sameVote(recorded migration.Record, kept *migration.ServerRecord, said ensemble.Server, files bool) error {
	if !files {
		said.Weight, said.Group = kept.Weight, kept.Group
	}
	if said.Vote() == kept.Vote() {
		return nil
	}
	if moved(recorded) {
		return &refusedError{reason: fmt.Sprintf("server %d is recorded as %s, the input says %s", kept.ID, kept.Vote(), said.Vote()),
			next: "membership does not change during a migration: bring the hosts' files back to what is recorded, or leave -f out"}
	}
	kept.Role, kept.Weight, kept.Group = said.Role, said.Weight, said.Group
	return nil
}

// directories keeps where a host has its server's data, if its file was read.
// One file alone stands for all hosts, as it does for the patches.
func (d described) directories(sr *migration.ServerRecord) {
	for _, h := range d.hosts {
		if h.ID != sr.ID && len(d.hosts) > 1 {
			continue
		}
		keepDirectories(sr, h.Config)
	}
}

func keepDirectories(sr *migration.ServerRecord, c *ensemble.Config) {
	sr.DataDir, sr.DataLogDir = "", ""
	// One that names no single place for sure counts as unknown.
	if strict.Path(c.DataDir) != "" || strict.Path(c.DataLogDir) != "" {
		return
	}
	sr.DataDir = c.DataDir
	if c.DataLogDir != c.DataDir {
		sr.DataLogDir = c.DataLogDir
	}
}

func placeText(s migration.ServerRecord) string {
	return fmt.Sprintf("%s client %d, peer %d, election %d", s.HostIP, s.ClientPort, s.PeerPort, s.ElectionPort)
}

// refuseLint turns what no migration can begin with into a usage error.
func refuseLint(d described) error {
	var errs []error
	if err := refuseFindings(d.lint); err != nil {
		errs = append(errs, err)
	}
	for _, diff := range d.differences {
		errs = append(errs, fmt.Errorf("%s (expected the same on every host: %s)", diff, diff.Why))
	}
	if d.config == nil && len(d.ensemble.Voters()) < 3 {
		errs = append(errs, fmt.Errorf("%d voters: at least three are needed, with fewer every stop is an outage", len(d.ensemble.Voters())))
	}
	if len(errs) > 0 {
		return &usageError{errors.Join(errs...)}
	}
	return nil
}

// refuseFindings joins blocking findings: file, line, the line, what was
// expected.
func refuseFindings(findings []ensemble.Finding) error {
	var errs []error
	for _, f := range findings {
		if f.Severity == ensemble.SeverityError {
			errs = append(errs, f.AsError())
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &usageError{errors.Join(errs...)}
}
