package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// TestClientsWarn: servers that give out the hosts' addresses, in a cluster with a domain of its own.
func TestClientsWarn(t *testing.T) {
	s, rec := wrappedHere(t)
	s.prober = newProber(nil)
	at := netip.MustParseAddrPort(tcpfake.Words(t, func(conn net.Conn, word string) {
		switch word {
		case "cons":
			_, _ = io.WriteString(conn, strings.Repeat(" /10.9.0.7:40000[1](queued=0,recved=9,sent=9,sid=0x1,to=6000)\n", 25))
		case "conf":
			_, _ = io.WriteString(conn, "maxClientCnxns=60\nmembership: \nserver.1=zk1.example.com:2888:3888:participant;0.0.0.0:2181\nversion=0")
		}
	}))
	for i := range rec.Servers {
		rec.Servers[i].ClusterIP, rec.Servers[i].ClientPort = at.Addr().String(), int(at.Port())
	}
	rec.Hosts.ClusterDomain = "corp.example"
	r := clientsReport(t.Context(), s, rec, aclScan{})
	if !strings.Contains(r.NewDNS, "demo-1.zk.svc.corp.example:") {
		t.Errorf("by name: %s", r.NewDNS)
	}
	var codes []string
	for _, w := range r.Warnings {
		codes = append(codes, w.Code)
	}
	if got := strings.Join(codes, " "); got != "names-too-early ensemble-tracker connection-limit cached-addresses stored-addresses" {
		t.Errorf("got %s", got)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"warnings":[{"code":"names-too-early","evidence":["server 1 binds zk1.example.com`, `"hint":"raise maxClientCnxns`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%s is not in\n%s", want, data)
		}
	}
	var out bytes.Buffer
	if err := printClients(&deps{streams: genericiooptions.IOStreams{Out: &out}}, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  ensemble-tracker\n      servers 1, 2, 3: /zookeeper/config leads clients to the hosts: zk1.example.com:2181\n      hint: in clients that use Curator",
		"server 1 takes 60 connections of one address (maxClientCnxns), and clients have 75 in all",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
