package zkprobe

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// At is the prober for a target: it speaks TLS to a secure port.
func (p Prober) At(t vantage.Target) Prober {
	if t.Secure {
		p.Dialer = secureDialer{plain: p.dialer(), config: p.TLS}
	}
	return p
}

// secureDialer speaks TLS on another dialer's connections.
type secureDialer struct {
	plain  Dialer
	config *tls.Config
}

// DialContext ends with the handshake. The server's name is not held against its
// certificate: it is asked at addresses that a certificate may not have, says itself which
// server it is, and is told nothing that it does not know.
func (d secureDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.plain.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := ownCopy(d.config)
	roots := config.RootCAs
	config.InsecureSkipVerify = true // see above: VerifyConnection does the rest
	config.VerifyConnection = func(s tls.ConnectionState) error { return trusted(s.PeerCertificates, roots, config.Time) }
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // nothing was written
		return nil, &HandshakeError{Err: err}
	}
	return secure, nil
}

// ownCopy is a configuration that can be changed; nil is the default one.
func ownCopy(config *tls.Config) *tls.Config {
	if config == nil {
		return &tls.Config{}
	}
	return config.Clone()
}

// trusted holds a certificate against the authorities; roots are the system's where nil.
func trusted(chain []*x509.Certificate, roots *x509.CertPool, now func() time.Time) error {
	if len(chain) == 0 {
		return errors.New("the server showed no certificate")
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	if now != nil {
		options.CurrentTime = now()
	}
	for _, c := range chain[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(options)
	return err
}

// HandshakeError says that a connection was taken and no TLS session came of it.
type HandshakeError struct{ Err error }

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("TLS handshake: %v (docs/credentials.md)", e.Err)
}

// Unwrap returns the cause.
func (e *HandshakeError) Unwrap() error { return e.Err }

// tlsFailed reports whether an error is about TLS: the handshake, or an alert that comes
// after it, as a server's does in TLS 1.3 that does not trust the client's certificate.
func tlsFailed(err error) bool {
	var handshake *HandshakeError
	var alert tls.AlertError
	var remote *net.OpError
	switch {
	case errors.As(err, &handshake):
		// A handshake that timed out or was called off says nothing about TLS.
		return !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
	case errors.As(err, &alert):
		return true
	}
	return errors.As(err, &remote) && remote.Op == "remote error"
}

// Certificates are those that the server shows at a TLS port, its own first. They are shown
// before a client must show one, and are not judged.
func (p Prober) Certificates(ctx context.Context, addr string) ([]*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, orDefault(p.Timeout, DefaultTimeout))
	defer cancel()
	conn, err := p.dialer().DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer closeWith(ctx, conn)()
	var shown []*x509.Certificate
	config := ownCopy(p.TLS)
	config.InsecureSkipVerify = true // they are looked at, and nothing is said over the connection
	config.VerifyConnection = func(s tls.ConnectionState) error {
		shown = s.PeerCertificates
		return nil
	}
	err = tls.Client(conn, config).HandshakeContext(ctx)
	if len(shown) > 0 {
		return shown, nil
	}
	return nil, cmp.Or(ended(ctx, err), errors.New("the server showed no certificate"))
}
