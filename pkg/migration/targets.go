package migration

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// AtHost is the server's client port at its host's own address.
func (s ServerRecord) AtHost() vantage.Target {
	return vantage.Target{Server: s.ID, Via: vantage.ViaHost, Host: s.HostIP, Port: s.ClientPort}
}

// ElectionAtHost is its election port there.
func (s ServerRecord) ElectionAtHost() vantage.Target {
	return vantage.Target{Server: s.ID, Via: vantage.ViaHost, Host: s.HostIP, Port: s.ElectionPort}
}

// AtService is its client port at its Service's address, wherever that leads.
func (s ServerRecord) AtService() vantage.Target {
	return vantage.Target{Server: s.ID, Via: vantage.ViaService, Host: s.ClusterIP, Port: s.ClientPort}
}

// Of is where a path leads: to the pod that the server moves to, which has that address,
// or to its server's Service.
func (p Path) Of(r Record, moved ensemble.ID, podIP string) vantage.Target {
	t := vantage.Target{Server: p.To, Via: vantage.ViaPod, Host: podIP, Port: p.Port}
	if s, ok := r.Server(p.To); ok && (p.To != moved || podIP == "") {
		t.Via, t.Host = vantage.ViaService, s.ClusterIP
	}
	return t
}

// AtPod is its client port at its pod's own address.
func (s ServerRecord) AtPod(ip string) vantage.Target {
	return vantage.Target{Server: s.ID, Via: vantage.ViaPod, Host: ip, Port: s.ClientPort}
}
