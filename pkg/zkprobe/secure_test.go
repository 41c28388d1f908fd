package zkprobe

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestSecurePort: an answer comes over TLS from whom an authority has signed; whom none
// has, who wants a certificate, and who speaks no TLS is not seen, which is not dead.
func TestSecurePort(t *testing.T) {
	web := httptest.NewUnstartedServer(nil) // for a certificate and its authority
	web.StartTLS()
	defer web.Close()
	pool := x509.NewCertPool()
	pool.AddCert(web.Certificate())
	serve := func(config *tls.Config) vantage.Target {
		t.Helper()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer conn.Close()
					if config != nil {
						conn = tls.Server(conn, config)
					}
					word := make([]byte, 4)
					if _, err := conn.Read(word); err == nil {
						_, _ = conn.Write([]byte("Zookeeper version: 3.8.0-1, built on x\nMode: follower\n"))
					}
				}()
			}
		}()
		return vantage.Target{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Secure: true}
	}
	own := &tls.Config{Certificates: web.TLS.Certificates}
	for name, c := range map[string]struct {
		server, client *tls.Config
		want           vantage.Reach
	}{
		"trusted":               {own, &tls.Config{RootCAs: pool}, vantage.Answered},
		"not trusted":           {own, &tls.Config{RootCAs: x509.NewCertPool()}, vantage.TLSFailed},
		"no credentials":        {own, nil, vantage.TLSFailed},
		"wants a certificate":   {&tls.Config{Certificates: web.TLS.Certificates, ClientAuth: tls.RequireAnyClientCert}, &tls.Config{RootCAs: pool}, vantage.TLSFailed},
		"gets a certificate":    {&tls.Config{Certificates: web.TLS.Certificates, ClientAuth: tls.RequireAnyClientCert}, &tls.Config{RootCAs: pool, Certificates: web.TLS.Certificates}, vantage.Answered},
		"TLS 1.2, none of ours": {&tls.Config{Certificates: web.TLS.Certificates, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, &tls.Config{RootCAs: pool}, vantage.TLSFailed},
		"no TLS there":          {nil, &tls.Config{RootCAs: pool}, vantage.TLSFailed},
	} {
		at := serve(c.server)
		p := Prober{TLS: c.client}
		a := p.At(at).Ask(t.Context(), at.Address(), Srvr)
		if a.Reach != c.want || (a.Err == nil) != (c.want == vantage.Answered) {
			t.Errorf("%s: %s %v, want %s", name, a.Reach, a.Err, c.want)
		}
		if s := p.Sight(t.Context(), at); c.want != vantage.Answered && s.Sight() != vantage.Unseen {
			t.Errorf("%s: the sight is %s", name, s.Sight())
		}
		chain, err := p.Certificates(t.Context(), at.Address())
		if c.server == nil && err == nil || c.server != nil && (err != nil || !chain[0].Equal(web.Certificate())) {
			t.Errorf("%s: certificates %d %v", name, len(chain), err)
		}
	}
}
