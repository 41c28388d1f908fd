package hostpatch

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

func dnsInput() DNSInput {
	server := func(id ensemble.ID, host string) ensemble.Server {
		return ensemble.Server{ID: id, PeerAddress: ensemble.PeerAddress{Host: host}, ClientPort: 2181}
	}
	return DNSInput{
		Ensemble: ensemble.Ensemble{Name: "zk", Servers: []ensemble.Server{
			server(1, "zk1.example.com"), server(2, "ZK2"), server(3, "10.0.0.3"), server(4, "big.example.com"), server(5, "big.example.com."),
		}},
		Targets:   map[ensemble.ID]string{1: "10.96.0.1", 2: "fd00::2", 3: "10.96.0.3", 4: "10.96.0.4", 5: "10.96.0.5"},
		Addresses: map[ensemble.ID]string{1: "10.0.0.1", 2: "10.0.0.2"},
		Zone:      "example.com", Server: "ns1.example.com",
	}
}

func TestZoneFragment(t *testing.T) {
	got, err := ZoneFragment(dnsInput())
	if err != nil {
		t.Fatal(err)
	}
	want := `; ensemble zk: the names clients use lead to the Services. Replace the records these names have.
; was 10.0.0.1
zk1.example.com.	60	IN	A	10.96.0.1
; was 10.0.0.2
zk2.example.com.	60	IN	AAAA	fd00::2
; server 3: 10.0.0.3 is an address: clients need the new connection string
; server 4: servers 4, 5 share the name big.example.com: clients need the new connection string
; server 5: servers 4, 5 share the name big.example.com.: clients need the new connection string
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNSUpdate(t *testing.T) {
	in := dnsInput()
	in.TTL = 5
	in.Targets[1] = "zk-1.zookeeper.svc.cluster.local"
	got, err := NSUpdate(in)
	if err != nil {
		t.Fatal(err)
	}
	head := "server ns1.example.com\nzone example.com.\n"
	del := func(name string) string {
		return "update delete " + name + " A\nupdate delete " + name + " AAAA\nupdate delete " + name + " CNAME\n"
	}
	want := Scripts{
		Do: []byte(head + del("zk1.example.com.") + "update add zk1.example.com. 5 CNAME zk-1.zookeeper.svc.cluster.local.\n" +
			del("zk2.example.com.") + "update add zk2.example.com. 5 AAAA fd00::2\nsend\n"),
		Undo: []byte(head + del("zk1.example.com.") + "update add zk1.example.com. 5 A 10.0.0.1\n" +
			del("zk2.example.com.") + "update add zk2.example.com. 5 A 10.0.0.2\nsend\n"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	delete(in.Addresses, 2)
	if got, err = NSUpdate(in); err != nil || got.Undo != nil {
		t.Errorf("an undo without the old addresses: %q, %v", got.Undo, err)
	}
}

func TestDNSRefuses(t *testing.T) {
	in := dnsInput()
	delete(in.Targets, 2)
	if _, err := ZoneFragment(in); err == nil || !strings.Contains(err.Error(), "server 2 has no Service address") {
		t.Errorf("got %v", err)
	}
	in = dnsInput()
	in.Targets[2] = "x\nupdate delete example.com."
	if _, err := NSUpdate(in); err == nil || !strings.Contains(err.Error(), "cannot stand in a zone file") {
		t.Errorf("got %v", err)
	}
}

func TestConnections(t *testing.T) {
	e := ensemble.Ensemble{Name: "zk", Servers: []ensemble.Server{
		{ID: 9, PeerAddress: ensemble.PeerAddress{Host: "2001:db8::9"}, ClientPort: 2183, SecureClientPort: 2281},
		{ID: 2, PeerAddress: ensemble.PeerAddress{Host: "zk2"}, ClientPort: 2181},
		{ID: 5, PeerAddress: ensemble.PeerAddress{Host: "zk5"}},
	}}
	want := []Connection{{ensemble.PortClient, "zk2:2181,[2001:db8::9]:2183", "10.96.0.2:2181,[fd00::9]:2183"}, {ensemble.PortSecureClient, "[2001:db8::9]:2281", "[fd00::9]:2281"}}
	if got, err := Connections(e, map[ensemble.ID]string{2: "10.96.0.2", 9: "fd00::9"}); err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Connections(e, nil); err == nil {
		t.Error("accepted an ensemble without Services")
	}
}
