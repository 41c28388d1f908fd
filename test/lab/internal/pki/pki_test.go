package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/keyutil"
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
	cert := verify(t, authority, pair, "127.0.0.1", "api.example.com")
	if cert.Subject.CommonName != "alice" || cert.Subject.Organization[0] != "staff" {
		t.Errorf("subject is %s", cert.Subject)
	}
}

func TestFilesAreTheirOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	authority, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := authority.IssueFiles("apiserver", Subject{User: "kube-apiserver", Hosts: []string{"127.0.0.1"}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca.crt", "ca.key", "tokens.crt", "tokens.key", "apiserver.crt", "apiserver.key"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("%s has the mode %s", name, info.Mode())
		}
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(dir, "apiserver.crt"), filepath.Join(dir, "apiserver.key")); err != nil {
		t.Error(err)
	}
}

// The API server checks tokens with one file, and signs them with the other.
func TestTokenKeysAreAPair(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(dir); err != nil {
		t.Fatal(err)
	}
	public, err := keyutil.PublicKeysFromFile(filepath.Join(dir, "tokens.crt"))
	if err != nil {
		t.Fatal(err)
	}
	private, err := keyutil.PrivateKeyFromFile(filepath.Join(dir, "tokens.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, ok := private.(*ecdsa.PrivateKey)
	if !ok || len(public) != 1 || !key.PublicKey.Equal(public[0]) {
		t.Errorf("%d public keys, private key %T", len(public), private)
	}
}

// A lab that was brought up earlier has an authority with other key usages.
func TestEarlierAuthorityLoads(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "zklab"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := write(dir, "ca", Pair{Cert: ca, Key: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})}); err != nil {
		t.Fatal(err)
	}
	authority, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if string(authority.CA()) != string(ca) {
		t.Errorf("the authority is %s, want %s", authority.CA(), ca)
	}
	pair, err := authority.Issue(Subject{User: "carol"})
	if err != nil {
		t.Fatal(err)
	}
	verify(t, authority, pair)
}

func TestDamagedAuthorityIsRefused(t *testing.T) {
	for _, name := range []string{"ca.crt", "ca.key"} {
		dir := t.TempDir()
		if _, err := Create(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil {
			t.Errorf("%s is empty, and the authority loads", name)
		}
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

// verify checks a certificate as a client of these hosts does, and as a server.
func verify(t *testing.T, authority *Authority, pair Pair, hosts ...string) *x509.Certificate {
	t.Helper()
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
	for _, host := range hosts {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	return cert
}
