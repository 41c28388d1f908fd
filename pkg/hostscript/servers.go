package hostscript

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Server is one server and the addresses at which it may be reached. An address that
// is empty is not asked for.
type Server struct {
	ID ensemble.ID
	// HostIP is its host's address, ClusterIP its Service's, PodIP its pod's.
	HostIP, ClusterIP, PodIP string
	// Ports are the same at each.
	Ports []ensemble.Port
}

// Between are the questions of an ensemble: whether each port of each server is
// reached on each way, and which of those ports are listened on.
func Between(name string, servers []Server) Questions {
	q := Questions{Ensemble: name}
	for _, s := range servers {
		for _, port := range s.Ports {
			if !slices.Contains(q.Listen, port.Number) {
				q.Listen = append(q.Listen, port.Number)
			}
			for _, way := range []struct {
				via  vantage.Via
				host string
			}{{vantage.ViaHost, s.HostIP}, {vantage.ViaService, s.ClusterIP}, {vantage.ViaPod, s.PodIP}} {
				if way.host != "" {
					q.Paths = append(q.Paths, vantage.Target{Server: s.ID, Via: way.via, Host: way.host, Port: port.Number})
				}
			}
		}
	}
	return q
}
