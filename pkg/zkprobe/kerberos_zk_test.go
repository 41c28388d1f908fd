//go:build linux && zk

package zkprobe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/kdc"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// TestRealKerberos: GSSAPI with each release and a real KDC.
func TestRealKerberos(t *testing.T) {
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			kerberos(ctx, t, version)
		})
	}
}

func kerberos(ctx context.Context, t *testing.T, version string) {
	k, err := kdc.Start(ctx, t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	keytab := func(name string) string {
		t.Helper()
		path, err := k.Keytab(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	content := func(path string) []byte {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const service = "zookeeper/zk1.example.test"
	dir := t.TempDir()
	jaas := filepath.Join(dir, "jaas.conf")
	section := fmt.Sprintf("Server {\n  com.sun.security.auth.module.Krb5LoginModule required\n  useKeyTab=true storeKey=true useTicketCache=false\n"+
		"  keyTab=%q principal=%q;\n};\n", keytab(service), service+"@"+kdc.Realm)
	if err := os.WriteFile(jaas, []byte(section), 0o600); err != nil {
		t.Fatal(err)
	}
	e := startReal(ctx, t, zkreal.Options{Version: version, Dir: dir, Config: saslConfig(), JVM: []string{
		"-Djava.security.auth.login.config=" + jaas, "-Djava.security.krb5.conf=" + k.ConfFile(),
	}})
	server := e.Server(2)
	addr := server.ClientAddr()
	demands := Prober{}.Learn(ctx, addr).Version.AtLeast(3, 5, 9)

	given := SASL{Mechanism: GSSAPI, Principal: "canary", Keytab: content(keytab("canary")), Krb5Conf: string(content(k.ConfFile())),
		ServerHost: func(string) string { return "zk1.example.test" }}
	try := func(change func(*SASL)) error {
		s := given
		change(&s)
		if err := s.Check(); err != nil {
			t.Errorf("check: %v", err)
		}
		_, err := Prober{CommitTimeout: 20 * time.Second, SASL: &s}.Canary(ctx, []string{addr})
		return err
	}
	for _, query := range []string{"addprinc -pw right person", "addprinc -pw right +requires_preauth careful", "modprinc +requires_preauth canary", "addprinc -pw right -allow_tix locked"} {
		if err := k.Admin(ctx, query); err != nil {
			t.Fatal(err)
		}
	}
	if err := try(func(*SASL) {}); err != nil || !strings.Contains(logOf(t, server), "adding SASL authorization for authorizationID: canary@"+kdc.Realm) {
		t.Fatalf("got %v, and the log has no canary", err)
	}
	if since, err := (Prober{CommitTimeout: 20 * time.Second, SASL: &given}).ServingSince(ctx, addr); err != nil || !since.AheadKnown {
		t.Errorf("serving since: got %+v, %v", since, err)
	}
	password := func(name, password string) func(*SASL) {
		return func(s *SASL) { s.Principal, s.Keytab, s.Password = name+"@"+kdc.Realm, nil, password }
	}
	for _, name := range []string{"person", "careful"} {
		if err := try(password(name, "right")); err != nil {
			t.Errorf("the password of %s: %v", name, err)
		}
	}
	keytab("zookeeper/zk2.example.test")
	old := content(keytab("rotated"))
	keytab("rotated")
	host := func(name string) func(*SASL) {
		return func(s *SASL) { s.ServerHost = func(string) string { return name } }
	}
	const refused = "its keytab has the KDC's current key"
	for name, c := range map[string]struct {
		change  func(*SASL)
		stage   CanaryStage
		says    string
		refused bool
	}{
		"wrong password":                {password("person", "wrong-or-right"), CanaryTicket, "the KDC rejected the key of person", false},
		"wrong password, with preauth":  {password("careful", "wrong-or-right"), CanaryTicket, "the KDC rejected the key of careful", false},
		"nobody":                        {password("nobody", "wrong-or-right"), CanaryTicket, "the KDC does not know nobody", false},
		"locked":                        {password("locked", "right"), CanaryTicket, "locked or expired", false},
		"an old keytab":                 {func(s *SASL) { s.Principal, s.Keytab = "rotated", old }, CanaryTicket, "the KDC rejected the key of rotated", false},
		"another server's principal":    {host("zk2.example.test"), CanaryAuth, refused, true},
		"a principal that no one has":   {host("zk3.example.test"), CanaryTicket, "the KDC does not know zookeeper/zk3.example.test", false},
		"an address as the host":        {func(s *SASL) { s.ServerHost = nil }, CanaryTicket, "the KDC does not know zookeeper/127.0.0.1", false},
		"no host":                       {host(""), CanaryTicket, "is not known", false},
		"another service":               {func(s *SASL) { s.Service = "kafka" }, CanaryTicket, "the KDC does not know kafka/", false},
		"DIGEST-MD5 to a Kerberos site": {func(s *SASL) { s.Mechanism, s.Username, s.Password = DigestMD5, "canary", "wrong-or-right" }, CanaryAuth, "wants GSSAPI", true},
	} {
		t.Run(name, func(t *testing.T) { wantSASLError(t, try(c.change), c.stage, c.says, c.refused, demands) })
	}
	// The KDC gets a new key for the server, whose keytab stays.
	keytab(service)
	t.Run("a server with an old keytab", func(t *testing.T) { wantSASLError(t, try(func(*SASL) {}), CanaryAuth, refused, true, demands) })
	k.Close()
	t.Run("no KDC", func(t *testing.T) {
		wantSASLError(t, try(func(*SASL) {}), CanaryTicket, "no KDC of krb5.conf answers", false, demands)
	})
}

// TestRealClocks: a KDC whose clock is an hour ahead says so where it wants pre-authentication, and
// where not its reply is of another time.
func TestRealClocks(t *testing.T) {
	k, err := kdc.Start(t.Context(), t.TempDir(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	conf, err := os.ReadFile(k.ConfFile())
	if err != nil {
		t.Fatal(err)
	}
	server := fakeSASL(t, func(int, []byte) ([]byte, int32) { t.Error("the server was asked without a ticket"); return nil, 0 })
	for _, name := range []string{"person", "+requires_preauth careful"} {
		if err := k.Admin(t.Context(), "addprinc -pw right "+name); err != nil {
			t.Fatal(err)
		}
		s := SASL{Mechanism: GSSAPI, Principal: strings.TrimPrefix(name, "+requires_preauth "), Password: "right", Krb5Conf: string(conf)}
		_, err = Prober{CommitTimeout: 20 * time.Second, SASL: &s}.Canary(t.Context(), []string{server})
		wantSASLError(t, err, CanaryTicket, "the clocks of this machine and the KDC are too far apart", false, false)
	}
}

// wantSASLError judges a failure; refused ones were the server's, which says so by a code where it
// demands authentication, and hangs up where it cannot.
func wantSASLError(t *testing.T, err error, stage CanaryStage, says string, refused, demands bool) {
	t.Helper()
	var canary *CanaryError
	var sasl *SASLError
	if !errors.As(err, &canary) || !errors.As(err, &sasl) || canary.Stage != stage || canary.NoCommit || !strings.Contains(err.Error(), says) {
		t.Fatalf("got %v, want stage %s and %q", err, stage, says)
	}
	if (sasl.Code == codeAuthDemanded) != (refused && demands) || (sasl.Err != nil) != (refused && !demands) {
		t.Errorf("code %d, closed %v, refused %t: %v", sasl.Code, sasl.Err, refused, err)
	}
	if strings.Contains(err.Error(), "wrong-or-right") {
		t.Errorf("error %q shows the password", err)
	}
}
