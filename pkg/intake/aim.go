package intake

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Aim is the ensemble that a wrap is for.
type Aim struct {
	Name, Namespace string
	// EndpointsAPI is what was asked for, or the default; Asked says which of both.
	EndpointsAPI migration.EndpointsAPI
	Asked        bool
	// Recorded is what the journal has; nil for an ensemble that was never wrapped.
	Recorded *migration.Record
}

// Record is the record that wrapping aims at. What is recorded stays: an input
// that says otherwise of a server's place, its vote once servers have moved, or of
// who is a member, is refused.
func (a Aim) Record(d Description, ask Lookup) (migration.Record, error) {
	rec := migration.Record{APIVersion: migration.RecordVersion, Kind: "Record", Name: a.Name, Namespace: a.Namespace, EndpointsAPI: a.EndpointsAPI}
	if a.Recorded != nil {
		rec = *a.Recorded
		if a.Asked && a.EndpointsAPI != rec.EndpointsAPI {
			return rec, refused(fmt.Sprintf("%s is wrapped with %s, the input asks for %s", a.Name, rec.EndpointsAPI, a.EndpointsAPI), "leave that out: what Services stand on is not exchanged")
		}
	}
	if err := RefuseLint(d); err != nil {
		return rec, err
	}
	servers := make([]migration.ServerRecord, 0, len(d.Ensemble.Servers))
	for i, srv := range d.Ensemble.Servers {
		ip, err := d.resolve(ask, srv)
		if err != nil {
			return rec, err
		}
		sr := migration.ServerRecord{Server: srv, HostIP: ip, Service: render.ServiceName(a.Name, srv.ID), Ordinal: i}
		if a.Recorded != nil {
			if sr, err = a.kept(sr, d.Config != nil); err != nil {
				return rec, err
			}
		}
		if a.Recorded == nil && d.Config == nil && srv.SecureClientPort != 0 {
			return rec, usagef("server %d has a client port with TLS: give the hosts' files, which say what pods need for it", srv.ID)
		}
		servers = append(servers, sr)
	}
	if r := a.Recorded; r != nil && len(servers) != len(r.Servers) {
		return rec, refused(fmt.Sprintf("the input has servers %v, recorded are %v", d.Ensemble.IDs(), r.Ensemble().IDs()), membershipStays)
	}
	rec.Servers = servers
	for i := range rec.Servers {
		d.directories(&rec.Servers[i])
	}
	if c := d.Config; c != nil {
		rec.Settings.TickTimeMillis, rec.Settings.SyncLimit = c.TickTime, c.SyncLimit
		if a.Recorded == nil || !handedOut(*a.Recorded) || rec.Settings.InitLimit == 0 {
			rec.Settings.InitLimit = c.InitLimit
		}
	}
	return rec, nil
}

// Sketch is a record for checks: of everything, without refusing what a check
// reports better.
func (a Aim) Sketch(d Description, ask Lookup) (migration.Record, error) {
	if a.Recorded != nil {
		return *a.Recorded, nil
	}
	rec := migration.Record{Name: a.Name, Namespace: a.Namespace, EndpointsAPI: a.EndpointsAPI}
	for i, srv := range d.Ensemble.Servers {
		ip, err := d.resolve(ask, srv)
		if err != nil {
			return rec, err
		}
		rec.Servers = append(rec.Servers, migration.ServerRecord{Server: srv, HostIP: ip, Ordinal: i})
	}
	return rec, nil
}

const membershipStays = "membership does not change during a migration"

// kept is what the journal has of a server, held against what the input says.
// files: the input is the hosts' files, which say more than --member.
func (a Aim) kept(said migration.ServerRecord, files bool) (migration.ServerRecord, error) {
	old, ok := a.Recorded.Server(said.ID)
	if !ok {
		return said, refused(fmt.Sprintf("server %d is not in the recorded ensemble %s, which has %v", said.ID, a.Name, a.Recorded.Ensemble().IDs()), membershipStays)
	}
	sr := *old
	if said.HostIP == sr.ClusterIP {
		// A file that was reconfigured names the Service.
		said.HostIP = sr.HostIP
	}
	gainPorts(&sr.Server, &said.Server, files)
	there := said
	there.Role = sr.Role // another one is judged by keepVote, and makes for other ports
	if sr.HostIP != there.HostIP || !slices.Equal(sr.Ports(), there.Ports()) {
		return sr, refused(fmt.Sprintf("server %d is recorded at %s, the input says %s", said.ID, placeText(sr), placeText(there)),
			"if the host has really moved, say so by wrapping under another name; an address that clients use is never changed")
	}
	err := keepVote(*a.Recorded, &sr, said.Server, files)
	return sr, err
}

// gainPorts gives a server ports that nobody recorded: earlier releases did not, and
// --expose asks for some. What --member, or no --expose, leaves unsaid is as recorded.
func gainPorts(kept, said *ensemble.Server, files bool) {
	if !files {
		said.SecureClientPort, said.ObserverMasterPort = kept.SecureClientPort, kept.ObserverMasterPort
	}
	for _, p := range []struct{ kept, said *int }{{&kept.AdminPort, &said.AdminPort}, {&kept.MetricsPort, &said.MetricsPort}} {
		if *p.said == 0 {
			*p.said = *p.kept
		}
	}
	for _, p := range []struct{ kept, said *int }{
		{&kept.SecureClientPort, &said.SecureClientPort}, {&kept.ObserverMasterPort, &said.ObserverMasterPort},
		{&kept.AdminPort, &said.AdminPort}, {&kept.MetricsPort, &said.MetricsPort},
	} {
		if *p.kept == 0 {
			*p.kept = *p.said
		}
	}
}

func placeText(s migration.ServerRecord) string {
	var ports []string
	for _, p := range s.Ports() {
		ports = append(ports, fmt.Sprintf("%s %d", p.Name, p.Number))
	}
	return s.HostIP + " " + strings.Join(ports, ", ")
}

// keepVote brings a server's part in the quorum up to date while everything runs
// on its host, and refuses another one afterwards: the pods would count votes as
// the input says, the rules as the journal does. --member says nothing of weights
// and groups.
func keepVote(recorded migration.Record, kept *migration.ServerRecord, said ensemble.Server, files bool) error {
	if !files {
		said.Weight, said.Group = kept.Weight, kept.Group
	}
	if said.Vote() == kept.Vote() {
		return nil
	}
	if recorded.Begun() {
		return refused(fmt.Sprintf("server %d is recorded as %s, the input says %s", kept.ID, kept.Vote(), said.Vote()),
			membershipStays+": bring the hosts' files back to what is recorded, or leave -f out")
	}
	kept.Role, kept.Weight, kept.Group = said.Role, said.Weight, said.Group
	return nil
}
