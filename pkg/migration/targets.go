package migration

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// AtHost is the server's client port at its host's own address.
func (s ServerRecord) AtHost() vantage.Target {
	return s.asked(vantage.ViaHost, s.HostIP)
}

// asked is the port at which the server is asked, on one way.
func (s ServerRecord) asked(via vantage.Via, host string) vantage.Target {
	port, secure := s.AskedPort()
	return vantage.Target{Server: s.ID, Via: via, Host: host, Port: port, Secure: secure}
}

// ElectionAtHost is its election port there.
func (s ServerRecord) ElectionAtHost() vantage.Target {
	return vantage.Target{Server: s.ID, Via: vantage.ViaHost, Host: s.HostIP, Port: s.ElectionPort}
}

// AtService is its client port at its Service's address, wherever that leads.
func (s ServerRecord) AtService() vantage.Target {
	return s.asked(vantage.ViaService, s.ClusterIP)
}

// ClientPorts are all its ports for clients at its Service's address: each one tells of its
// own clients only.
func (s ServerRecord) ClientPorts() []vantage.Target {
	out := []vantage.Target{s.AtService()}
	if port := s.Port(ensemble.PortSecureClient); port != 0 && !out[0].Secure {
		out = append(out, vantage.Target{Server: s.ID, Via: vantage.ViaService, Host: s.ClusterIP, Port: port, Secure: true})
	}
	return out
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
	return s.asked(vantage.ViaPod, ip)
}
