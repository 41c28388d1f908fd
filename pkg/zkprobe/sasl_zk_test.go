//go:build linux && zk

package zkprobe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// saslConfig has servers take SASL, and demand it where the release can.
func saslConfig() map[string]string {
	return map[string]string{
		"authProvider.1":               "org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
		"sessionRequireClientSASLAuth": "true",
	}
}

// startDigest starts an ensemble whose servers know users of DIGEST-MD5.
func startDigest(ctx context.Context, t *testing.T, version string, config map[string]string) *zkreal.Ensemble {
	t.Helper()
	dir := t.TempDir()
	jaas := filepath.Join(dir, "jaas.conf")
	section := "Server {\n  org.apache.zookeeper.server.auth.DigestLoginModule required\n" +
		"  user_canary=\"right\"\n  user_latin=\"größe\"\n  user_wide=\"密码\";\n};\n"
	if err := os.WriteFile(jaas, []byte(section), 0o600); err != nil {
		t.Fatal(err)
	}
	return startReal(ctx, t, zkreal.Options{
		Version: version, Dir: dir, Config: config, JVM: []string{"-Djava.security.auth.login.config=" + jaas},
	})
}

// TestRealDigest: DIGEST-MD5 with each release, the right password and others.
func TestRealDigest(t *testing.T) {
	for _, version := range zkreal.Versions() {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			server := startDigest(ctx, t, version, saslConfig()).Server(2)
			demands := Prober{}.Learn(ctx, server.ClientAddr()).Version.AtLeast(3, 5, 9)
			for _, c := range []struct {
				user, password string
				lets           bool
			}{
				{"canary", "right", true}, {"latin", "größe", true}, {"wide", "密码", true},
				{"canary", "wrong", false}, {"latin", "grosse", false}, {"wide", "密", false}, {"nobody", "right", false},
			} {
				p := Prober{CommitTimeout: 20 * time.Second, SASL: &SASL{Mechanism: DigestMD5, Username: c.user, Password: c.password}}
				got, err := p.Canary(ctx, []string{server.ClientAddr()})
				if c.lets {
					if err != nil || !strings.Contains(logOf(t, server), "adding SASL authorization for authorizationID: "+c.user) {
						t.Errorf("%s: got %+v, %v, and in the log no %s", c.user, got, err, c.user)
					}
					if since, err := p.ServingSince(ctx, server.ClientAddr()); err != nil || !since.AheadKnown {
						t.Errorf("%s: serving since: got %+v, %v", c.user, since, err)
					}
					continue
				}
				want := int32(0) // 3.4.13 hangs up
				if demands {
					want = codeAuthDemanded
				}
				var sasl *SASLError
				if !errors.As(err, &sasl) || sasl.Code != want || (sasl.Err == nil) != demands {
					t.Errorf("%s with a wrong password: got %v, want code %d", c.user, err, want)
				}
			}
			// And without any.
			_, err := Prober{CommitTimeout: 20 * time.Second}.Canary(ctx, []string{server.ClientAddr()})
			var canary *CanaryError
			if demands != (errors.As(err, &canary) && canary.AuthDemanded()) || !demands && err != nil {
				t.Errorf("without credentials: got %v, demanded: %t", err, demands)
			}
		})
	}
}

// TestRealEnforced: enforce.auth.schemes with sasl, and without.
func TestRealEnforced(t *testing.T) {
	for _, version := range []string{"3.8.0", "3.9.3"} {
		for schemes, lets := range map[string]bool{"sasl": true, "digest": false} {
			t.Run(version+" "+schemes, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				config := saslConfig()
				delete(config, "sessionRequireClientSASLAuth")
				config["enforce.auth.enabled"], config["enforce.auth.schemes"] = "true", schemes
				e := startDigest(ctx, t, version, config)
				p := Prober{CommitTimeout: 20 * time.Second, SASL: &SASL{Mechanism: DigestMD5, Username: "canary", Password: "right"}}
				_, err := p.Canary(ctx, []string{e.Server(2).ClientAddr()})
				var canary *CanaryError
				demanded := errors.As(err, &canary) && canary.AuthDemanded() && strings.Contains(err.Error(), "add sasl to enforce.auth.schemes")
				if lets && err != nil || !lets && !demanded {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// TestRealNoSASL: servers that have no JAAS file.
func TestRealNoSASL(t *testing.T) {
	eachVersion(t, nil, func(ctx context.Context, t *testing.T, e *zkreal.Ensemble) {
		p := Prober{CommitTimeout: 20 * time.Second, SASL: &SASL{Mechanism: DigestMD5, Username: "u", Password: "p"}}
		_, err := p.Canary(ctx, []string{e.Server(2).ClientAddr()})
		var sasl *SASLError
		if !errors.As(err, &sasl) || sasl.Code != 0 || !strings.Contains(err.Error(), "does not speak SASL") {
			t.Errorf("got %v", err)
		}
	})
}

func logOf(t *testing.T, s *zkreal.Server) string {
	t.Helper()
	b, err := os.ReadFile(s.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
