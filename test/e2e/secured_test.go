//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/util/cert"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestSecuredHosts shows that the lab's secured ensembles are what they claim: they
// serve who has the right credentials, and neither servers nor clients with others.
func TestSecuredHosts(t *testing.T) {
	tlsFaults := []string{"expired", "other-ca", "other-san"}
	for _, c := range []struct {
		name, version, how string
		faults             []string
	}{
		{"tls38", "3.8.0", "tls=quorum:client", tlsFaults},
		{"tlsonly38", "3.8.0", "tls=quorum:client-only", nil},
		// From 3.9.0 on names are compared only with fips-mode=false.
		{"tls39", "3.9.3", "tls=quorum:client", tlsFaults[:2]},
		{"tlsnames39", "3.9.3", "tls=quorum,zoo-cfg-line=fips-mode=false", tlsFaults[2:]},
		{"digest34", "3.4.13", "sasl=digest", []string{"other-password"}},
		{"digest38", "3.8.0", "sasl=digest", []string{"other-password"}},
		{"kerberos34", "3.4.13", "sasl=kerberos", []string{"other-principal"}},
		{"kerberos38", "3.8.0", "sasl=kerberos", []string{"other-principal"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &secured{scene.New(t, c.name, c.version, []int{1, 2, 3}, c.how)}
			if strings.HasPrefix(c.how, "sasl=") {
				s.bySASL(t, c.faults)
			} else {
				s.overTLS(t, c.faults)
			}
		})
	}
}

// secured is an ensemble with credentials.
type secured struct{ *scene.Scene }

func (s *secured) overTLS(t *testing.T, faults []string) {
	t.Helper()
	first := s.Hosts[0]
	s.writes(t)
	for _, h := range s.Hosts {
		s.speaksTLS(t, h, h.ElectionPort)
		if !strings.Contains(s.logOf(h), "Creating TLS-only quorum server socket") {
			t.Errorf("server %d accepts other servers without TLS: see %s", h.ID, h.Log)
		}
	}
	for _, fault := range faults {
		// It says this of every connection, with a TLS version where the handshake went well.
		client := s.wrongServer(t, fault, regexp.MustCompile(`Accepted TLS connection from \S*/`+regexp.QuoteMeta(s.Hosts[1].Address)+":[0-9]+ - NONE "))
		if fault == "other-san" {
			continue // nobody asks for a client's name
		}
		if mode, err := s.mode(first, client); err == nil {
			t.Errorf("a client with a certificate that is %s is told %q", fault, mode)
		}
	}
}

func (s *secured) bySASL(t *testing.T, faults []string) {
	t.Helper()
	s.writes(t, "auth::cdrwa")
	if out, err := s.cli("-Djava.security.auth.login.config=/dev/null", "get", "/k"); err == nil {
		t.Errorf("a client that does not authenticate is served:\n%s", out)
	}
	for _, fault := range faults {
		s.wrongServer(t, fault, regexp.MustCompile("Failed to authenticate using SASL"))
	}
}

// writes wants that a client with good credentials can.
func (s *secured) writes(t *testing.T, acl ...string) {
	t.Helper()
	if out, err := s.cli("", append([]string{"create", "/k", "v"}, acl...)...); err != nil {
		t.Fatalf("a client with good credentials: %v\n%s", err, out)
	}
	if out, err := s.cli("", "get", "/k"); err != nil || !strings.Contains(out, "\nv\n") {
		t.Fatalf("what was written is not read: %v\n%s", err, out)
	}
}

// wrongServer gives server 2 wrong credentials, and right ones once server 1 has
// refused it. It returns the folder of a client with wrong ones.
func (s *secured) wrongServer(t *testing.T, fault string, refused *regexp.Regexp) string {
	t.Helper()
	first, wrong, dir := s.Hosts[0], s.Hosts[1], t.TempDir()
	seen := len(s.logOf(first))
	s.Must(s.Lab.Zklab(t.Context(), "credentials", s.Name, "--fault", fault, "--host", "2", "--dir", dir))
	s.OnHost(2, "restart")
	scene.Eventually(t, "server 1 refuses server 2, whose credentials are "+fault, func() error {
		if !refused.MatchString(s.logOf(first)[seen:]) {
			return fmt.Errorf("%s has nothing like %q", first.Log, refused)
		}
		return nil
	})
	if mode, err := s.mode(wrong, wrong.ClientFiles); err == nil {
		t.Errorf("server 2 serves as %q with credentials that are %s", mode, fault)
	}
	s.Must(s.Lab.Zklab(t.Context(), "credentials", s.Name, "--host", "2"))
	s.OnHost(2, "restart")
	for _, h := range []labkit.Host{first, wrong} {
		scene.Eventually(t, fmt.Sprintf("server %d serves", h.ID), func() error {
			_, err := s.mode(h, h.ClientFiles)
			return err
		})
	}
	return filepath.Join(dir, "client")
}

func (s *secured) logOf(h labkit.Host) string {
	s.T.Helper()
	data, err := os.ReadFile(h.Log)
	if err != nil {
		s.T.Fatal(err)
	}
	return string(data)
}

// speaksTLS wants that a port shows a certificate of the ensemble's authority. What
// becomes of the connection then is another matter: the client has no server's name.
func (s *secured) speaksTLS(t *testing.T, h labkit.Host, port int) {
	t.Helper()
	conn, err := s.dial(h.Address, port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	config, shown := s.config(h, h.ClientFiles), false
	config.VerifyConnection = func(tls.ConnectionState) error {
		shown = true
		return nil
	}
	if err := tls.Client(conn, config).HandshakeContext(t.Context()); !shown {
		t.Errorf("%s:%d shows no certificate that is good for it: %v", h.Address, port, err)
	}
}

// config is a client's with the files in dir.
func (s *secured) config(h labkit.Host, dir string) *tls.Config {
	s.T.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "client.crt"), filepath.Join(dir, "client.key"))
	if err != nil {
		s.T.Fatal(err)
	}
	roots, err := cert.NewPool(filepath.Join(dir, "ca.crt"))
	if err != nil {
		s.T.Fatal(err)
	}
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, ServerName: h.Address}
}

// dial connects for a minute.
func (s *secured) dial(host string, port int) (net.Conn, error) {
	conn, err := s.Lab.Dial(s.T.Context(), fmt.Sprintf("%s:%d", host, port))
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(time.Minute))
}

// cli runs ZooKeeper's own command line, as a client with more JVM flags.
func (s *secured) cli(flags string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(s.T.Context(), 3*time.Minute)
	defer cancel()
	words := append([]string{"env", "JVMFLAGS=" + flags, filepath.Join(s.Hosts[0].ClientFiles, "zkCli.sh")}, args...)
	r, err := labkit.Must(s.Lab.OnClient(ctx, words...))
	return r.Stdout + r.Stderr, err
}

// mode asks a server what it is, over TLS where it can, with the certificate in dir.
// A server that does not serve is an error.
func (s *secured) mode(h labkit.Host, dir string) (string, error) {
	conn, err := s.dial(h.Address, cmp.Or(h.SecurePort, h.ClientPort))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if h.SecurePort != 0 {
		conn = tls.Client(conn, s.config(h, dir))
	}
	if _, err := io.WriteString(conn, "srvr"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return "", err
	}
	_, mode, ok := strings.Cut(string(answer), "Mode: ")
	if !ok {
		return "", fmt.Errorf("server %d says %q", h.ID, answer)
	}
	return strings.TrimSpace(mode), nil
}
