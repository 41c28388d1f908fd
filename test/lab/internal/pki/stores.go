package pki

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"
)

// KeyStore is a pair that the authority signed, as PKCS #12, which Java reads.
func (a *Authority) KeyStore(p Pair, password string) ([]byte, error) {
	pair, err := tls.X509KeyPair(p.Cert, p.Key)
	if err != nil {
		return nil, fmt.Errorf("make a key store: %w", err)
	}
	store, err := pkcs12.Modern2023.Encode(pair.PrivateKey, pair.Leaf, []*x509.Certificate{a.cert}, password)
	if err != nil {
		return nil, fmt.Errorf("make a key store: %w", err)
	}
	return store, nil
}

// TrustStore is the authority's certificate as PKCS #12, which Java reads.
func (a *Authority) TrustStore(password string) ([]byte, error) {
	store, err := pkcs12.Modern2023.EncodeTrustStore([]*x509.Certificate{a.cert}, password)
	if err != nil {
		return nil, fmt.Errorf("make a trust store: %w", err)
	}
	return store, nil
}
