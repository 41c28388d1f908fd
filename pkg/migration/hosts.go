package migration

import "time"

// HostOptions is how servers are run and named on their hosts. It is kept so
// that every later command prints the same commands.
type HostOptions struct {
	// Supervisor is what starts servers there (systemd, supervisord, script, docker, podman),
	// Unit its name for them; empty means the defaults.
	Supervisor string `json:"supervisor,omitempty"`
	Unit       string `json:"unit,omitempty"`
	// Address is what stands in the server lines: "ip" (or empty) for the
	// Services' ClusterIPs, "dns" for their names in ClusterDomain.
	Address       string `json:"address,omitempty"`
	ClusterDomain string `json:"clusterDomain,omitempty"`
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
