package pki

import (
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

func TestIssuedCertificatesVerify(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(dir); err != nil {
		t.Fatal(err)
	}
	authority, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(Subject{User: "alice", Groups: []string{"staff"}, Hosts: []string{"127.0.0.1", "api.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(loaded.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.CA())
	for _, host := range []string{"127.0.0.1", "api.example.com"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if cert.Subject.CommonName != "alice" || cert.Subject.Organization[0] != "staff" {
		t.Errorf("subject is %s", cert.Subject)
	}
}

func TestKubeconfigIsWhole(t *testing.T) {
	authority, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(Subject{User: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bob.kubeconfig")
	err = Kubeconfig{Server: "https://127.0.0.1:6443", Cluster: "zklab-lab", User: "bob", Namespace: "zk", CA: authority.CA(), Pair: pair}.Write(path)
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != "https://127.0.0.1:6443" || len(config.CAData) == 0 || len(config.CertData) == 0 || len(config.KeyData) == 0 {
		t.Errorf("config lacks something: %+v", config.Host)
	}
	raw, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if raw.Contexts[raw.CurrentContext].Namespace != "zk" {
		t.Error("the namespace is lost")
	}
}
