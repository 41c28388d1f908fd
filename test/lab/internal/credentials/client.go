package credentials

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strings"

	"k8s.io/client-go/util/cert"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/pki"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
)

// Names of a client's files as PEM, for programs that are not Java.
const (
	ClientCA   = "ca.crt"
	ClientCert = "client.crt"
	ClientKey  = "client.key"

	clientKeyTab = "client.keytab"
)

// Client has what a client in dir needs. zkCli.sh is ZooKeeper's own command
// line with all of it; classPath has ZooKeeper's jars, connect the servers.
func (s Set) Client(dir, classPath, connect string) (Files, error) {
	files := Files{}
	flags := s.Spec.JVMFlags(dir)
	if len(s.Spec.TLS) > 0 {
		if err := s.addClientStores(files); err != nil {
			return nil, err
		}
	}
	if s.Spec.SecureClients() {
		flags = append(flags, "-Dzookeeper.client.secure=true", "-Dzookeeper.clientCnxnSocket=org.apache.zookeeper.ClientCnxnSocketNetty")
		for _, store := range [][2]string{{"keyStore", "client.p12"}, {"trustStore", "truststore.p12"}} {
			flags = append(flags, fmt.Sprintf("-Dzookeeper.ssl.%s.location=%s", store[0], filepath.Join(dir, store[1])),
				fmt.Sprintf("-Dzookeeper.ssl.%s.password=%s", store[0], ensemble.StorePassword))
		}
	}
	switch s.Spec.SASL {
	case ensemble.SASLDigest:
		files[ensemble.JAASFile] = s.digestClient()
	case ensemble.SASLKerberos:
		// Hosts' addresses lead to no name.
		flags = append(flags, "-Dzookeeper.sasl.client.canonicalize.hostname=false")
		principal := "client@" + plan.Realm
		keys, err := s.Kerberos.KeyTab(principal)
		if err != nil {
			return nil, err
		}
		files[clientKeyTab], files[ensemble.Krb5Conf] = keys, s.Kerberos.Config()
		files[ensemble.JAASFile] = []byte(kerberosSection("Client", filepath.Join(dir, clientKeyTab), principal))
	}
	files["flags"] = []byte(strings.Join(flags, "\n") + "\n")
	files["zkCli.sh"] = fmt.Appendf(nil, `#!/bin/sh
# ZooKeeper's own command line, for the servers of ensemble %s or those that ZK_SERVERS names.
exec java -Dzookeeper.root.logger=WARN,CONSOLE $(cat %q) $JVMFLAGS -cp %q \
  org.apache.zookeeper.ZooKeeperMain -server "${ZK_SERVERS:-%s}" "$@"
`, s.Spec.Name, filepath.Join(dir, "flags"), classPath, connect)
	return files, nil
}

func (s Set) addClientStores(files Files) error {
	pair, store, err := s.sign(pki.Subject{User: "client"})
	if err != nil {
		return err
	}
	trust, err := s.Authority.TrustStore(ensemble.StorePassword)
	if err != nil {
		return err
	}
	files[ClientCA], files[ClientCert], files[ClientKey] = s.Authority.CA(), pair.Cert, pair.Key
	files["client.p12"], files["truststore.p12"] = store, trust
	return nil
}

// ClientTLS is how a client with the files in dir connects.
func ClientTLS(dir string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, ClientCert), filepath.Join(dir, ClientKey))
	if err != nil {
		return nil, fmt.Errorf("read the client's certificate: %w", err)
	}
	roots, err := cert.NewPool(filepath.Join(dir, ClientCA))
	if err != nil {
		return nil, fmt.Errorf("read the client's authority: %w", err)
	}
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}, nil
}
