package main

import (
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// TestStandIn: each address answers as the server of its clone, with the clone's ClusterIPs.
func TestStandIn(t *testing.T) {
	at := func(name string, ips ...string) (rec migration.Record) {
		rec.Name = name
		for i, ip := range ips {
			rec.Servers = append(rec.Servers, migration.ServerRecord{ClusterIP: ip, HostIP: []string{"127.0.0.1", "127.0.0.2"}[i]})
		}
		return rec
	}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	const list = "server.1=10.79.0.1:2888:3888\nserver.2=10.79.0.10:2888:3888\n"
	s := &standIn{
		listener: l, original: at("bench", "10.79.0.1", "10.79.0.10"), at: map[netip.Addr]answers{},
		said: []answers{{zkprobe.Conf: "serverId=1\n" + list}, {zkprobe.Conf: "serverId=2\n" + list}},
	}
	go s.serve()
	defer s.close()
	if err := s.add(at("e000", "10.79.1.1", "10.79.1.2")); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for host, id := range map[string]string{"127.0.0.1": "1", "127.0.0.2": "2"} {
		conn, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "conf"); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		want := "serverId=" + id + "\nserver.1=10.79.1.1:2888:3888\nserver.2=10.79.1.2:2888:3888\n"
		if err != nil || string(got) != want {
			t.Errorf("%s says %q (%v), want %q", host, got, err, want)
		}
		conn.Close()
	}
}
