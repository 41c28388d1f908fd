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
	Ports []int
	// ClientPort is the one of them at which ZooKeeper answers four-letter words; 0 where
	// there is none.
	ClientPort int
}

// Between are the questions of an ensemble: whether each port of each server is
// reached on each way, which of those ports are listened on, and how ZooKeeper sees
// this host through a server's Service, and at its host.
func Between(name string, servers []Server) Questions {
	q := Questions{Ensemble: name}
	for _, s := range servers {
		for _, port := range s.Ports {
			if !slices.Contains(q.Listen, port) {
				q.Listen = append(q.Listen, port)
			}
			for _, way := range []struct {
				via  vantage.Via
				host string
			}{{vantage.ViaHost, s.HostIP}, {vantage.ViaService, s.ClusterIP}, {vantage.ViaPod, s.PodIP}} {
				if way.host == "" {
					continue
				}
				t := vantage.Target{Server: s.ID, Via: way.via, Host: way.host, Port: port}
				q.Paths = append(q.Paths, t)
				if port == s.ClientPort && way.via != vantage.ViaPod {
					q.Cons = append(q.Cons, t)
				}
			}
		}
	}
	return q
}
