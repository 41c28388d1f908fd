package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
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
	r := clientsReport(t.Context(), s, rec, newWhereabouts(s, true), aclScan{})
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

// TestClientsAskOnce: a server that does not answer cons is not asked for conf besides, unless it
// said that cons is not allowed.
func TestClientsAskOnce(t *testing.T) {
	for name, c := range map[string]struct{ answer, asked string }{
		"closes the connection": {"", "cons cons cons"},
		"cons is not allowed":   {"cons is not executed because it is not in the whitelist.\n", "cons conf cons conf cons conf"},
	} {
		t.Run(name, func(t *testing.T) {
			s, rec := wrappedHere(t)
			s.prober = newProber(nil)
			var asked []string
			at := netip.MustParseAddrPort(tcpfake.Words(t, func(conn net.Conn, word string) {
				asked = append(asked, word)
				_, _ = io.WriteString(conn, c.answer)
			}))
			for i := range rec.Servers {
				rec.Servers[i].ClusterIP, rec.Servers[i].ClientPort = at.Addr().String(), int(at.Port())
			}
			if r := clientsReport(t.Context(), s, rec, newWhereabouts(s, true), aclScan{}); len(r.Unknown) != 3 || strings.Join(asked, " ") != c.asked {
				t.Errorf("got %v, asked %s", r.Unknown, asked)
			}
		})
	}
}

// TestScanBounds: bounds that make no sense are refused, and a scan that cannot begin is told.
func TestScanBounds(t *testing.T) {
	for args, want := range map[string]string{
		"--scan-znodes=5":              "give both",
		"--scan-acls --scan-znodes=0":  "expected a positive number",
		"--scan-acls --scan-depth=-1":  "expected a positive number",
		"--scan-acls --scan-znodes=50": "",
	} {
		cmd := &cobra.Command{}
		var scan aclScan
		scan.add(cmd)
		if err := cmd.ParseFlags(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		if err := scan.check(cmd); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	s, rec := wrappedHere(t)
	s.prober = newProber(nil)
	for i := range rec.Servers {
		rec.Servers[i].ClientPort = 1
	}
	r := clientsReport(t.Context(), s, rec, newWhereabouts(s, true), aclScan{on: true, bounds: zkprobe.ScanBounds{Znodes: 1, Depth: 1}})
	if i := slices.IndexFunc(r.Warnings, func(w preflight.ClientWarning) bool { return w.Code == "unread-acls" }); i < 0 || r.ACLs != nil || r.Warnings[i].Evidence[0] != "no ACL was read: no server serves" {
		t.Errorf("got %+v", r.Warnings)
	}
}
