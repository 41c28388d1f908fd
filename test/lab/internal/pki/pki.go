// Package pki makes the lab's certificate authority, certificates and kubeconfigs.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// Authority signs for one lab.
type Authority struct {
	Dir  string
	cert *x509.Certificate
	key  crypto.Signer
}

// Subject says what a certificate is for.
type Subject struct {
	User   string
	Groups []string
	// Hosts are a server's names and addresses; a client has none.
	Hosts []string
	// Expired certificates were good until an hour ago.
	Expired bool
}

// Pair is a certificate and its key, as PEM.
type Pair struct{ Cert, Key []byte }

// lifetime is longer than any lab lives.
const lifetime = 365 * 24 * time.Hour

// Create makes an authority and a key pair for service account tokens.
func Create(dir string) (*Authority, error) {
	authority, err := CreateAuthority(dir)
	if err != nil {
		return nil, err
	}
	return authority, createTokenKey(dir)
}

// CreateAuthority makes an authority that Load finds again.
func CreateAuthority(dir string) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make certificates: %w", err)
	}
	authority, err := NewAuthority()
	if err != nil {
		return nil, err
	}
	authority.Dir = dir
	pair, err := encode(authority.cert.Raw, authority.key)
	if err != nil {
		return nil, err
	}
	return authority, write(dir, "ca", pair)
}

// NewAuthority makes one that nothing is kept of.
func NewAuthority() (*Authority, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	ca, err := cert.NewSelfSignedCACert(cert.Config{CommonName: "zklab", NotBefore: time.Now().Add(-time.Hour)}, key)
	if err != nil {
		return nil, fmt.Errorf("make the authority: %w", err)
	}
	return &Authority{cert: ca, key: key}, nil
}

// Load reads an authority that was created earlier.
func Load(dir string) (*Authority, error) {
	certs, err := cert.CertsFromFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("load the lab's authority: %w", err)
	}
	key, err := keyutil.PrivateKeyFromFile(filepath.Join(dir, "ca.key"))
	if err != nil {
		return nil, fmt.Errorf("load the lab's authority: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("load the lab's authority: the key in %s cannot sign", dir)
	}
	return &Authority{Dir: dir, cert: certs[0], key: signer}, nil
}

// CA is the authority's certificate as PEM.
func (a *Authority) CA() []byte { return encodePEM(cert.CertificateBlockType, a.cert.Raw) }

// Issue signs a certificate for a client, or for a server that is also a client.
func (a *Authority) Issue(s Subject) (Pair, error) {
	key, err := newKey()
	if err != nil {
		return Pair{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return Pair{}, fmt.Errorf("sign for %s: %w", s.User, err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: s.User, Organization: s.Groups},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if s.Expired {
		template.NotBefore, template.NotAfter = time.Now().Add(-lifetime), time.Now().Add(-time.Hour)
	}
	for _, host := range s.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	if len(s.Hosts) > 0 {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return Pair{}, fmt.Errorf("sign for %s: %w", s.User, err)
	}
	return encode(der, key)
}

// IssueFiles writes NAME.crt and NAME.key beside the authority.
func (a *Authority) IssueFiles(name string, s Subject) error {
	pair, err := a.Issue(s)
	if err != nil {
		return err
	}
	return write(a.Dir, name, pair)
}

func createTokenKey(dir string) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("make the token key: %w", err)
	}
	private, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return fmt.Errorf("make the token key: %w", err)
	}
	return write(dir, "tokens", Pair{Cert: encodePEM(keyutil.PublicKeyBlockType, public), Key: private})
}

func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, nil
}

func encode(der []byte, key crypto.Signer) (Pair, error) {
	private, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return Pair{}, fmt.Errorf("encode a key: %w", err)
	}
	return Pair{Cert: encodePEM(cert.CertificateBlockType, der), Key: private}, nil
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// write writes both files for their owner alone. client-go's WriteCert would let
// everybody read a certificate.
func write(dir, name string, pair Pair) error {
	for ext, data := range map[string][]byte{".crt": pair.Cert, ".key": pair.Key} {
		if err := os.WriteFile(filepath.Join(dir, name+ext), data, 0o600); err != nil {
			return fmt.Errorf("write a certificate: %w", err)
		}
	}
	return nil
}
