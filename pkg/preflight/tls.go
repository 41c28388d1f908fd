package preflight

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// The checks of certificates.
const (
	clientNames  = "TLS001"
	peerNames    = "TLS002"
	certificates = "TLS003"
)

// soon is how long a certificate should last: a migration is in parts, and renewing in the
// middle of one is another change.
const soon = 14 * 24 * time.Hour

// Shown is the certificate that a server shows at one of its ports.
type Shown struct {
	Server ensemble.ID
	Port   ensemble.PortName
	// Leaf is nil where none was seen: Why says what was seen instead.
	Leaf *x509.Certificate
	Why  string
}

// QuorumTLS is what the hosts' files say of TLS between servers.
type QuorumTLS struct {
	// On: servers speak TLS to each other. Unverified: they hold no names against
	// certificates.
	On, Unverified bool
}

// QuorumTLSOf reads it from the pods' configuration, or a host's, as the release does. In
// FIPS mode, which 3.9.0 and later have by default, servers hold no names of each other's
// against certificates (X509Util.createTrustManager).
func QuorumTLSOf(zooCfg string, v ensemble.Version) QuorumTLS {
	p, err := ensemble.ParseProperties("zoo.cfg", []byte(zooCfg))
	if err != nil {
		return QuorumTLS{}
	}
	is := func(key, want string) bool {
		value, _ := p.Get(key) // absent is empty
		return strings.EqualFold(strings.TrimSpace(value), want)
	}
	fips := is("fips-mode", "true") || v.AtLeast(3, 9, 0) && !is("fips-mode", "false")
	return QuorumTLS{On: is("sslQuorum", "true"), Unverified: fips || is("ssl.quorum.hostnameVerification", "false")}
}

func tlsChecks() []Check {
	return []Check{
		{ID: clientNames, Title: "certificates for clients name the Services' addresses", Severity: Warning,
			Hint: "clients that verify host names (ZooKeeper's own does, unless zookeeper.ssl.hostnameVerification=false) need a certificate with the address that they are given: reissue the servers' certificates with them, before clients move",
			Eval: func(f Facts) ([]string, string) { return f.unnamed(ensemble.PortSecureClient) }},
		{ID: peerNames, Title: "certificates between servers name the Services' addresses", Severity: Blocker, Waivable: true, BeforeStop: true,
			HintFor: peerNamesHint, Eval: func(f Facts) ([]string, string) {
				if f.QuorumTLS.Unverified {
					return nil, "no server verifies host names (ssl.quorum.hostnameVerification=false, or fips-mode, the default from 3.9.0 on)"
				}
				return f.unnamed(ensemble.PortElection)
			}},
		{ID: certificates, Title: "certificates are valid, and last for the migration", Severity: Warning,
			Hint: "renew them first", Eval: expiring},
	}
}

func peerNamesHint(f Facts) string {
	name, namespace, domain := "NAME", "NAMESPACE", "DOMAIN"
	if f.Record.Name != "" {
		name, namespace, domain = f.Record.Name, f.Record.Namespace, "cluster.local"
		if d := f.Record.Hosts.ClusterDomain; d != "" {
			domain = d
		}
	}
	return fmt.Sprintf("reissue the hosts' certificates with those addresses beside the names they have, and restart the servers with them, one after the other, before reconfigure. Those of the pods must also name *.%s-pods.%s.svc.%s and *.%s-ID.%s.svc.%s, one of which the servers find by reverse look-ups of the pods' addresses (3.8.6, 3.9.5 and later only with -Dzookeeper.ssl.quorum.allowReverseDnsLookup=true); a parked pod tries it before its host is stopped. Or ssl.quorum.hostnameVerification=false on all servers; then %s",
		name, namespace, domain, name, namespace, domain, command.At{Namespace: f.Record.Namespace, Via: f.Via}.Ours("check"))
}

// unnamed says which servers' certificates lack their Service's address.
func (f Facts) unnamed(port ensemble.PortName) (wrong []string, skip string) {
	var unseen []string
	for _, c := range f.Certificates {
		s, ok := f.Record.Server(c.Server)
		switch {
		case c.Port != port || !ok:
			continue
		case s.ClusterIP == "":
			return nil, "there are no Services yet"
		case c.Leaf == nil:
			unseen = append(unseen, fmt.Sprintf("server %d: %s", c.Server, c.Why))
			continue
		}
		name := f.Record.ServiceName(*s)
		address, named := names(c.Leaf, s.ClusterIP), names(c.Leaf, name)
		shows := fmt.Sprintf("server %d shows a certificate for %s at its %s port, which has", c.Server, namesOf(c.Leaf), port)
		switch {
		case !address && !named:
			wrong = append(wrong, fmt.Sprintf("%s neither %s nor %s", shows, s.ClusterIP, name))
		case port != ensemble.PortSecureClient:
			// Servers take the one or the other (ZKTrustManager.performHostVerification).
		case !named:
			// In FIPS mode, 3.9's default, a client that is given an address looks for its name.
			wrong = append(wrong, fmt.Sprintf("%s %s, and not %s, which clients of 3.9 look for", shows, s.ClusterIP, name))
		case !address:
			wrong = append(wrong, fmt.Sprintf("%s %s, and not %s, which other clients look for where they are given addresses", shows, name, s.ClusterIP))
		}
	}
	if len(wrong) > 0 {
		return wrong, ""
	}
	return nil, strings.Join(unseen, "; ")
}

// names reports whether a certificate is for an address or a name, as ZooKeeper's
// ZKHostnameVerifier sees it: the common name counts only without alternative names.
func names(c *x509.Certificate, host string) bool {
	if len(c.DNSNames) == 0 && len(c.IPAddresses) == 0 && strings.EqualFold(c.Subject.CommonName, host) {
		return true
	}
	return c.VerifyHostname(host) == nil
}

func namesOf(c *x509.Certificate) string {
	all := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			all = append(all, a.Unmap().String())
		}
	}
	if len(all) == 0 {
		return quote.Visible("CN=" + c.Subject.CommonName)
	}
	if len(all) > 12 {
		all = append(all[:12], fmt.Sprintf("and %d more", len(all)-12))
	}
	return quote.Visible(strings.Join(all, ", "))
}

// expiring says which certificates end soon, or have, by the clock of whoever looked.
func expiring(f Facts) (wrong []string, skip string) {
	for _, c := range f.Certificates {
		if c.Leaf == nil {
			continue
		}
		switch until := c.Leaf.NotAfter; {
		case f.Now.Before(c.Leaf.NotBefore):
			wrong = append(wrong, fmt.Sprintf("server %d: the certificate at its %s port is valid from %s", c.Server, c.Port, c.Leaf.NotBefore.UTC().Format(time.DateTime)))
		case f.Now.After(until):
			wrong = append(wrong, fmt.Sprintf("server %d: the certificate at its %s port has expired on %s", c.Server, c.Port, until.UTC().Format(time.DateTime)))
		case f.Now.Add(soon).After(until):
			wrong = append(wrong, fmt.Sprintf("server %d: the certificate at its %s port expires on %s", c.Server, c.Port, until.UTC().Format(time.DateTime)))
		}
	}
	return wrong, ""
}
