package preflight

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

func TestCertificates(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	leaf := func(change func(*x509.Certificate)) *x509.Certificate {
		c := &x509.Certificate{DNSNames: []string{"zk1"}, IPAddresses: []net.IP{net.ParseIP("10.0.0.1")}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0)}
		change(c)
		return c
	}
	for name, c := range map[string]struct {
		check     string
		port      ensemble.PortName
		unwrapped bool
		off       bool
		leaf      *x509.Certificate
		wrong     string
		skip      string
	}{
		"its ClusterIP":      {check: peerNames, port: ensemble.PortElection, leaf: leaf(func(c *x509.Certificate) { c.IPAddresses = append(c.IPAddresses, net.ParseIP("10.96.0.1")) })},
		"its Service's name": {check: peerNames, port: ensemble.PortElection, leaf: leaf(func(c *x509.Certificate) { c.DNSNames = []string{"demo-1.zk.svc.cluster.local"} })},
		"a wildcard, and its address": {check: clientNames, port: ensemble.PortSecureClient, leaf: leaf(func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = []string{"*.zk.svc.cluster.local"}, []net.IP{net.ParseIP("10.96.0.1")}
		})},
		"a name, for clients":     {check: clientNames, port: ensemble.PortSecureClient, leaf: leaf(func(c *x509.Certificate) { c.DNSNames = []string{"*.zk.svc.cluster.local"} }), wrong: "not 10.96.0.1, which other clients look for"},
		"an address, for clients": {check: clientNames, port: ensemble.PortSecureClient, leaf: leaf(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("10.96.0.1")} }), wrong: "not demo-1.zk.svc.cluster.local, which clients of 3.9 look for"},
		"neither":                 {check: peerNames, port: ensemble.PortElection, leaf: leaf(func(*x509.Certificate) {}), wrong: "server 1 shows a certificate for zk1, 10.0.0.1 at its election port, which has neither 10.96.0.1 nor demo-1.zk.svc.cluster.local"},
		"neither, for clients":    {check: clientNames, port: ensemble.PortSecureClient, leaf: leaf(func(*x509.Certificate) {}), wrong: "at its secure-client port"},
		"of another port":         {check: clientNames, port: ensemble.PortElection, leaf: leaf(func(*x509.Certificate) {})},
		"nobody verifies":         {check: peerNames, port: ensemble.PortElection, off: true, leaf: leaf(func(*x509.Certificate) {}), skip: "hostnameVerification=false"},
		"not wrapped":             {check: peerNames, port: ensemble.PortElection, unwrapped: true, leaf: leaf(func(*x509.Certificate) {}), skip: "no Services yet"},
		"not seen":                {check: peerNames, port: ensemble.PortElection, skip: "server 1: refused"},
		"a common name alone": {check: peerNames, port: ensemble.PortElection, leaf: leaf(func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses, c.Subject = nil, nil, pkix.Name{CommonName: "demo-1.zk.svc.cluster.local"}
		})},
		"a common name beside others": {check: peerNames, port: ensemble.PortElection, leaf: leaf(func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "demo-1.zk.svc.cluster.local"} }), wrong: "neither"},
		"valid":                       {check: certificates, leaf: leaf(func(*x509.Certificate) {})},
		"expired":                     {check: certificates, leaf: leaf(func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, 0, -1) }), wrong: "has expired on 2026-10-31"},
		"expires soon":                {check: certificates, leaf: leaf(func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, 0, 3) }), wrong: "expires on 2026-11-04"},
		"from tomorrow on":            {check: certificates, leaf: leaf(func(c *x509.Certificate) { c.NotBefore = now.AddDate(0, 0, 1) }), wrong: "is valid from 2026-11-02"},
	} {
		rec := threeServers()
		for i := range rec.Servers {
			if s := &rec.Servers[i]; !c.unwrapped {
				s.Service, s.ClusterIP = "demo-"+s.ID.String(), "10.96.0."+s.ID.String()
			}
		}
		f := Facts{Record: rec, Now: now, QuorumTLS: QuorumTLS{On: true, Unverified: c.off}, Certificates: []Shown{{Server: 1, Port: c.port, Leaf: c.leaf, Why: "refused"}}}
		for _, check := range tlsChecks() {
			if check.ID != c.check {
				continue
			}
			wrong, skip := check.Eval(f)
			if text := strings.Join(wrong, "; "); (text == "") != (c.wrong == "") || !strings.Contains(text, c.wrong) || (skip == "") != (c.skip == "") || !strings.Contains(skip, c.skip) {
				t.Errorf("%s: %q, %q; want %q, %q", name, text, skip, c.wrong, c.skip)
			}
		}
	}
}

func TestQuorumTLSOf(t *testing.T) {
	old, fips := ensemble.Version{Major: 3, Minor: 8}, ensemble.Version{Major: 3, Minor: 9, Patch: 3}
	if got := QuorumTLSOf("sslQuorum=true\n", fips); !got.On || !got.Unverified {
		t.Errorf("3.9.3: %+v", got)
	}
	if got := QuorumTLSOf("sslQuorum=true\nfips-mode=false\n", fips); !got.On || got.Unverified {
		t.Errorf("3.9.3 without FIPS mode: %+v", got)
	}
	for text, want := range map[string]QuorumTLS{
		"": {}, "sslQuorum=true\n": {On: true}, "sslQuorum = TRUE \nssl.quorum.hostnameVerification=false\n": {On: true, Unverified: true}, "a=\\u12": {},
		"sslQuorum=true\nfips-mode=true": {On: true, Unverified: true},
	} {
		if got := QuorumTLSOf(text, old); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
