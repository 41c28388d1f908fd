//go:build zk

package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestCluesOfRealServers: the third of three real servers cannot join, and its own
// log names the peer, the certificate, the key store, the password or the directory.
//
//	go test -tags zk -run CluesOfRealServers ./pkg/cluster
func TestCluesOfRealServers(t *testing.T) {
	known, stranger := keyStore(t), keyStore(t)
	trusted := trustStore(t, known)
	tls := map[string]string{
		"sslQuorum":                      "true",
		"serverCnxnFactory":              "org.apache.zookeeper.server.NettyServerCnxnFactory",
		"ssl.quorum.keyStore.location":   known,
		"ssl.quorum.keyStore.password":   password,
		"ssl.quorum.trustStore.location": trusted,
		"ssl.quorum.trustStore.password": password,
	}
	missing := filepath.Join(t.TempDir(), "missing.p12")
	for name, tc := range map[string]struct {
		versions []string
		config   map[string]string
		edit     func(s *zkreal.Server, cfg string) string
		alone    bool
		says     string
	}{
		"peers that are away": {versions: zkreal.Versions(), alone: true, says: "Cannot open channel to 1 at election address"},
		"a directory that is a file": {versions: zkreal.Versions(), says: "version-2", edit: func(s *zkreal.Server, cfg string) string {
			path := filepath.Join(s.Dir, "file")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return strings.Replace(cfg, "dataDir="+s.DataDir(), "dataDir="+s.DataDir()+"\ndataLogDir="+path, 1)
		}},
		// Its own log names whom it cannot reach; why is in the others' logs.
		"a certificate that the others refuse": {versions: secure(), config: tls, says: "Cannot open channel to 1 at election address", edit: replaced(known, stranger)},
		"a certificate that it refuses":        {versions: secure(), config: tls, says: "PKIX path", edit: replaced(trusted, trustStore(t, stranger))},
		"a key store that is missing":          {versions: secure(), config: tls, says: missing, edit: replaced(known, missing)},
		"a wrong password":                     {versions: secure(), config: tls, says: "password was incorrect", edit: replaced(password, "wrong-one")},
	} {
		for _, version := range tc.versions {
			t.Run(strings.ReplaceAll(name, " ", "-")+"/"+version, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
				defer cancel()
				e, err := zkreal.New(ctx, zkreal.Options{Version: version, IDs: []int{1, 2, 3}, Dir: t.TempDir(), Config: tc.config})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(e.Close)
				for _, id := range []int{1, 2} {
					if tc.alone {
						break
					}
					if err := e.Server(id).Start(); err != nil {
						t.Fatal(err)
					}
				}
				s := e.Server(3)
				if tc.edit != nil {
					cfg, err := os.ReadFile(s.ConfigFile())
					if err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(s.ConfigFile(), []byte(tc.edit(s, string(cfg))), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.Start(); err != nil {
					t.Fatal(err)
				}
				waitClue(ctx, t, s.LogFile(), tc.says)
			})
		}
	}
}

// waitClue waits until one of the clues says so.
func waitClue(ctx context.Context, t *testing.T, path, says string) {
	t.Helper()
	said := func(log []byte) string { return strings.Join(clues(log), "\n") }
	log := waitLog(ctx, t, path, "a clue that says "+says, func(log []byte) bool { return strings.Contains(said(log), says) })
	t.Log(said(log))
}

const password = "of-a-test"

// secure are the releases with TLS between servers (3.5.5 and later).
func secure() []string {
	var out []string
	for _, v := range zkreal.Versions() {
		if !strings.HasPrefix(v, "3.4.") {
			out = append(out, v)
		}
	}
	return out
}

func replaced(old, by string) func(*zkreal.Server, string) string {
	return func(_ *zkreal.Server, cfg string) string { return strings.ReplaceAll(cfg, old, by) }
}

// keyStore holds a certificate of its own.
func keyStore(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.p12")
	keytool(t, path, "-genkeypair", "-keyalg", "RSA", "-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-validity", "30")
	return path
}

// trustStore trusts the certificate of a key store.
func trustStore(t *testing.T, keys string) string {
	t.Helper()
	dir := t.TempDir()
	keytool(t, keys, "-exportcert", "-file", filepath.Join(dir, "server.crt"))
	keytool(t, filepath.Join(dir, "trusted.p12"), "-importcert", "-noprompt", "-file", filepath.Join(dir, "server.crt"))
	return filepath.Join(dir, "trusted.p12")
}

// keytool comes with Java.
func keytool(t *testing.T, store string, args ...string) {
	t.Helper()
	args = append(args, "-alias", "server", "-storetype", "PKCS12", "-keystore", store, "-storepass", password)
	if out, err := exec.Command("keytool", args...).CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("keytool: %w: %s", err, out))
	}
}
