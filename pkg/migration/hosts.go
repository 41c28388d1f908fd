package migration

import (
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// HostOptions is how servers are run and named on their hosts. It is kept so
// that every later command prints the same commands.
type HostOptions struct {
	// Supervisor is what starts servers there (systemd, supervisord, script, docker, podman),
	// Unit its name for them, Own that of servers with another one; empty means the defaults.
	Supervisor string    `json:"supervisor,omitempty"`
	Unit       string    `json:"unit,omitempty"`
	Own        []OwnUnit `json:"own,omitempty"`
	// Address is what stands in the server lines: "ip" (or empty) for the
	// Services' ClusterIPs, "dns" for their names in ClusterDomain.
	Address       string `json:"address,omitempty"`
	ClusterDomain string `json:"clusterDomain,omitempty"`
}

// OwnUnit is the supervisor's name for one server.
type OwnUnit struct {
	ID   ensemble.ID `json:"id"`
	Unit string      `json:"unit"`
}

// UnitOf is the supervisor's name for a server; empty means its default.
func (o HostOptions) UnitOf(id ensemble.ID) string {
	for _, own := range o.Own {
		if own.ID == id {
			return own.Unit
		}
	}
	return o.Unit
}

// The values of HostOptions.Address.
const (
	AddressIP  = "ip"
	AddressDNS = "dns"
)

// Emission is a patch that was handed to the operator.
type Emission struct {
	// At is when it was written, by the clock of the machine that wrote it; a
	// patch to the same files keeps the time of the first one.
	At time.Time `json:"at"`
	// Epoch is the leader's epoch at that time, 0 when unknown: without an
	// election since, a server that has begun to serve later was restarted.
	Epoch uint32 `json:"epoch,omitempty"`
	// Digest is that of the files as patched.
	Digest string `json:"digest"`
}

// ServerHost is what stands in the server lines for a server's Service.
func (r Record) ServerHost(s ServerRecord) string {
	if r.Hosts.Address != AddressDNS {
		return s.ClusterIP
	}
	return r.ServiceName(s)
}

// ServiceName is the Service's full name in the cluster's DNS.
func (r Record) ServiceName(s ServerRecord) string {
	domain := r.Hosts.ClusterDomain
	if domain == "" {
		domain = "cluster.local"
	}
	return s.Service + "." + r.Namespace + ".svc." + domain
}
