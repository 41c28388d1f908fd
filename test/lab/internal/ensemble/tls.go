package ensemble

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// What tls= encrypts.
const (
	tlsQuorum     = "quorum"
	tlsClient     = "client"
	tlsClientOnly = "client-only"
)

// StorePassword opens all of an ensemble's key stores and trust stores.
const StorePassword = "lab-store-secret"

// Secured tells whether servers and clients need credentials.
func (s Spec) Secured() bool { return len(s.TLS) > 0 || s.SASL != "" }

// SecureQuorum tells whether servers talk TLS to one another.
func (s Spec) SecureQuorum() bool { return slices.Contains(s.TLS, tlsQuorum) }

// SecureClients tells whether there is a client port with TLS.
func (s Spec) SecureClients() bool {
	return slices.Contains(s.TLS, tlsClient) || slices.Contains(s.TLS, tlsClientOnly)
}

// PlainClients tells whether there is a client port without TLS.
func (s Spec) PlainClients() bool { return !slices.Contains(s.TLS, tlsClientOnly) }

func (s Spec) validateTLS() error {
	for _, what := range s.TLS {
		if !slices.Contains([]string{tlsQuorum, tlsClient, tlsClientOnly}, what) {
			return fmt.Errorf("tls=%s: there are %s, %s and %s", what, tlsQuorum, tlsClient, tlsClientOnly)
		}
	}
	if len(s.TLS) > 0 && strings.HasPrefix(s.Version, "3.4.") {
		return fmt.Errorf("tls=%s: ZooKeeper %s has no TLS, 3.5 and later do", strings.Join(s.TLS, ":"), s.Version)
	}
	if len(s.SANs) > 0 && len(s.TLS) == 0 {
		return fmt.Errorf("san=%s: there are certificates with tls= only", s.SANs[0])
	}
	return nil
}

// EtcDir is where a host's server sees the folder of its zoo.cfg, too: the files
// that zoo.cfg and the JVM flags name have the same path on all hosts.
const EtcDir = "/etc/zookeeper"

// Names of the files of a server with TLS: its key and certificate, and the
// ensemble's authority.
const (
	KeyStore   = "keystore.p12"
	TrustStore = "truststore.p12"
)

// tlsLines are zoo.cfg's. Only connections by Netty can have TLS; stores of the
// kind .p12 are read from 3.6 on.
func (s Spec) tlsLines(self Server) []string {
	var lines []string
	stores := func(prefix string) {
		lines = append(lines,
			prefix+".keyStore.location="+filepath.Join(EtcDir, KeyStore), prefix+".keyStore.password="+StorePassword,
			prefix+".trustStore.location="+filepath.Join(EtcDir, TrustStore), prefix+".trustStore.password="+StorePassword)
	}
	if s.SecureClients() {
		lines = append(lines, "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
			fmt.Sprintf("secureClientPort=%d", self.SecureClientPort))
		stores("ssl")
	}
	if s.SecureQuorum() {
		lines = append(lines, "sslQuorum=true")
		stores("ssl.quorum")
	}
	return lines
}
