package hostscript

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Server is one server and the addresses at which it may be reached. An address that
// is empty, or a port that is 0, is not asked for.
type Server struct {
	ID ensemble.ID
	// HostIP is its host's address, ClusterIP its Service's, PodIP its pod's.
	HostIP, ClusterIP, PodIP string
	// ClientPort, PeerPort and ElectionPort are the same at each.
	ClientPort, PeerPort, ElectionPort int
}

// Between are the questions of an ensemble: whether each port of each server is
// reached on each way, and which of those ports are listened on.
func Between(name string, servers []Server) Questions {
	q := Questions{Ensemble: name}
	for _, s := range servers {
		for _, port := range []int{s.ClientPort, s.PeerPort, s.ElectionPort} {
			if port == 0 {
				continue
			}
			if !slices.Contains(q.Listen, port) {
				q.Listen = append(q.Listen, port)
			}
			for _, way := range []struct {
				via  vantage.Via
				host string
			}{{vantage.ViaHost, s.HostIP}, {vantage.ViaService, s.ClusterIP}, {vantage.ViaPod, s.PodIP}} {
				if way.host != "" {
					q.Paths = append(q.Paths, vantage.Target{Server: s.ID, Via: way.via, Host: way.host, Port: port})
				}
			}
		}
	}
	return q
}
