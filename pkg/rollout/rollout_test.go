package rollout

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// three is an ensemble of three voters on their hosts.
func three() migration.Record {
	rec := migration.Record{Name: "demo", Namespace: "zk", EndpointsAPI: migration.EndpointSlices, Settings: migration.Settings{Version: "3.8.0"}}
	for i := range 3 {
		id := ensemble.ID(i + 1)
		rec.Servers = append(rec.Servers, migration.ServerRecord{
			Server: ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1, ClientPort: 2181,
				PeerAddress: ensemble.PeerAddress{Host: fmt.Sprintf("zk%d.example.com", id), PeerPort: 2888, ElectionPort: 3888}},
			HostIP: fmt.Sprintf("198.51.100.%d", id), ClusterIP: fmt.Sprintf("192.0.2.%d", id), Ordinal: i,
		})
	}
	return rec
}

// led is a look at servers that all serve, one of them as the leader; 0 for none.
func led(rec migration.Record, leader ensemble.ID, epoch uint32) migration.Observation {
	o := migration.Observation{Record: rec}
	for _, s := range rec.Servers {
		live := vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower, ServerID: s.ID.Known(), Zxid: ensemble.Zxid(epoch) << 32}
		if s.ID == leader {
			live.Mode = ensemble.Leader
		}
		o.Servers = append(o.Servers, migration.ServerView{ID: s.ID, Live: live})
	}
	return o
}
