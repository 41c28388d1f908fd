package intake

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

const (
	head  = "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/var/lib/zookeeper\nclientPort=2181\n"
	lines = "server.1=zk1.example.com:2888:3888\nserver.2=zk2.example.com:2888:3888\nserver.3=zk3.example.com:2888:3888\n"
	file  = head + lines
)

// parsed is a host's file.
func parsed(t *testing.T, source, text string) ensemble.HostConfig {
	t.Helper()
	c, err := ensemble.ParseConfig(source, []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return ensemble.HostConfig{Source: source, Config: c}
}

// described is one file for all hosts, or the files of hosts 1, 2, ...
func described(t *testing.T, texts ...string) Description {
	t.Helper()
	var hosts []ensemble.HostConfig
	for i, text := range texts {
		h := parsed(t, fmt.Sprintf("host%d/zoo.cfg", i+1), text)
		if len(texts) > 1 {
			h.ID = ensemble.ID(i + 1).Known()
		}
		hosts = append(hosts, h)
	}
	d, err := FromFiles("demo", hosts, addressBook)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// addressBook resolves zkN.example.com to 198.51.100.N.
func addressBook(host string) ([]netip.Addr, error) {
	var n uint8
	if _, err := fmt.Sscanf(host, "zk%d.example.com", &n); err != nil {
		return nil, errors.New("no such host")
	}
	return []netip.Addr{netip.AddrFrom4([4]byte{198, 51, 100, n})}, nil
}

// recorded is what a wrap of file has left in the journal.
func recorded() migration.Record {
	rec := migration.Record{
		APIVersion: migration.RecordVersion, Kind: "Record", Name: "demo", Namespace: "zk", EndpointsAPI: migration.EndpointSlices,
		Settings: migration.Settings{TickTimeMillis: 2000, InitLimit: 10, SyncLimit: 5, Version: "3.8.0"},
	}
	for i := range 3 {
		id := ensemble.ID(i + 1)
		rec.Servers = append(rec.Servers, migration.ServerRecord{
			Server: ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1, ClientPort: 2181,
				PeerAddress: ensemble.PeerAddress{Host: fmt.Sprintf("zk%d.example.com", id), PeerPort: 2888, ElectionPort: 3888}},
			HostIP: fmt.Sprintf("198.51.100.%d", id), Service: fmt.Sprintf("demo-%d", id), ClusterIP: fmt.Sprintf("192.0.2.%d", id), Ordinal: i,
		})
	}
	return rec
}
