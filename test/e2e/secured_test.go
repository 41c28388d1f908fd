//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestTLSOnHosts shows that the lab's ensembles with TLS are what they claim:
// they serve who has the right certificates, and nobody else.
func TestTLSOnHosts(t *testing.T) {
	for _, c := range []struct{ name, version, tls string }{
		{"tls38", "3.8.0", "quorum:client"},
		{"tls39", "3.9.3", "quorum:client"},
		{"tlsonly38", "3.8.0", "quorum:client-only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := scene.New(t, c.name, c.version, []int{1, 2, 3}, "tls="+c.tls)
			mustCLI(t, s, s.Hosts[0], "create", "/k", "v")
			for _, h := range s.Hosts {
				mustCLI(t, s, h, "get", "/k")
				refusesPlain(t, s, fmt.Sprintf("%s:%d", h.Address, h.ElectionPort))
				refusesPlain(t, s, fmt.Sprintf("%s:%d", h.Address, h.SecurePort))
			}
			for _, fault := range []string{"expired", "other-ca", "other-san"} {
				wrongCertificate(t, s, fault)
			}
		})
	}
}

// wrongCertificate gives one server and the client wrong certificates. The others
// refuse the server, and the servers the client.
func wrongCertificate(t *testing.T, s *scene.Scene, fault string) {
	t.Helper()
	wrong, h := s.Hosts[1], fmt.Sprintf("%s/%d", s.Name, s.Hosts[1].ID)
	// ZooKeeper says it of every connection, with a TLS version where the handshake went well.
	refused := regexp.MustCompile("Accepted TLS connection from /" + regexp.QuoteMeta(wrong.Address) + ":[0-9]+ - NONE ")
	seen := len(logOf(t, s.Hosts[0]))
	dir := t.TempDir()
	s.Must(s.Lab.Zklab(t.Context(), "credentials", s.Name, "--fault", fault, "--host", fmt.Sprint(wrong.ID), "--dir", dir))
	s.Must(s.Lab.Zklab(t.Context(), "host", "restart", h))
	scene.Eventually(t, "server 1 refuses the certificate that is "+fault, func() error {
		if !refused.MatchString(logOf(t, s.Hosts[0])[seen:]) {
			return errors.New("its log has no failed handshake with server 2")
		}
		return nil
	})
	if out, err := cli(t, s, wrong, "", "get", "/k"); err == nil {
		t.Errorf("server 2 serves with a certificate that is %s:\n%s", fault, out)
	}
	mustCLI(t, s, s.Hosts[0], "set", "/k", fault)
	if fault != "other-san" { // nobody asks for a client's name
		if out, err := cli(t, s, s.Hosts[0], filepath.Join(dir, "client"), "get", "/k"); err == nil {
			t.Errorf("a client with a certificate that is %s is served:\n%s", fault, out)
		}
	}
	s.Must(s.Lab.Zklab(t.Context(), "credentials", s.Name, "--host", fmt.Sprint(wrong.ID)))
	s.Must(s.Lab.Zklab(t.Context(), "host", "restart", h))
	scene.Eventually(t, "server 2 is back", func() error {
		_, err := cli(t, s, wrong, "", "get", "/k")
		return err
	})
}

func logOf(t *testing.T, h labkit.Host) string {
	t.Helper()
	data, err := os.ReadFile(h.Log)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// refusesPlain wants that who does not begin with a handshake is hung up on. A
// port without TLS would wait for the rest of these words.
func refusesPlain(t *testing.T, s *scene.Scene, address string) {
	t.Helper()
	conn, err := s.Lab.Dial(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s waits for more from a client without TLS", address)
	}
}

// cli runs ZooKeeper's own command line against one server, with the files in dir,
// or the ensemble's own.
func cli(t *testing.T, s *scene.Scene, h labkit.Host, dir string, args ...string) (string, error) {
	t.Helper()
	port := h.SecurePort
	if port == 0 {
		port = h.ClientPort
	}
	if dir == "" {
		dir = h.ClientFiles
	}
	words := append([]string{"env", fmt.Sprintf("ZK_SERVERS=%s:%d", h.Address, port), filepath.Join(dir, "zkCli.sh")}, args...)
	r, err := labkit.Must(s.Lab.OnClient(t.Context(), words...))
	return r.Stdout + r.Stderr, err
}

// mustCLI wants that the command succeeds.
func mustCLI(t *testing.T, s *scene.Scene, h labkit.Host, args ...string) {
	t.Helper()
	if out, err := cli(t, s, h, "", args...); err != nil {
		t.Fatalf("zkCli.sh %q at server %d: %v\n%s", args, h.ID, err, out)
	}
}
