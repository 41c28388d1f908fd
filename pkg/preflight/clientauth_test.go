package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestClientAuthOf: which release reads what, where, and whether the pods have a provider.
func TestClientAuthOf(t *testing.T) {
	const provider = "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n"
	for name, c := range map[string]struct {
		zooCfg, flags, host, version string
		schemes, homeless            []string
	}{
		"nothing":                    {zooCfg: "clientPort=2181\n", version: "3.8.0"},
		"SASL":                       {zooCfg: "sessionRequireClientSASLAuth=True \n" + provider, version: "3.8.0", schemes: []string{"sasl"}},
		"SASL, before it was read":   {zooCfg: "sessionRequireClientSASLAuth=true\n" + provider, version: "3.5.8"},
		"SASL, first release":        {zooCfg: "sessionRequireClientSASLAuth=true\n" + provider, version: "3.5.9", schemes: []string{"sasl"}},
		"it goes before schemes":     {zooCfg: "sessionRequireClientSASLAuth=true\nenforce.auth.enabled=true\nenforce.auth.schemes=digest\n" + provider, version: "3.9.3", schemes: []string{"sasl"}},
		"schemes":                    {zooCfg: "enforce.auth.enabled=true\nenforce.auth.schemes=digest, ip\n", version: "3.7.0", schemes: []string{"digest", "ip"}},
		"schemes, not yet":           {zooCfg: "enforce.auth.enabled=true\nenforce.auth.schemes=digest\n", version: "3.6.4"},
		"schemes, off":               {zooCfg: "enforce.auth.schemes=digest\n", version: "3.8.0"},
		"no release reads this":      {zooCfg: "requireClientAuthScheme=sasl\n", version: "3.9.3"},
		"no provider":                {zooCfg: "sessionRequireClientSASLAuth=true\n", version: "3.8.0", schemes: []string{"sasl"}, homeless: []string{"sasl"}},
		"a provider by a flag":       {zooCfg: "enforce.auth.enabled=true\nenforce.auth.schemes=sasl\n", flags: "-Dzookeeper." + strings.TrimSpace(provider), version: "3.8.0", schemes: []string{"sasl"}},
		"a demand by a flag":         {zooCfg: "x=y\n", flags: "-Dzookeeper.sessionRequireClientSASLAuth=true", version: "3.8.0", schemes: []string{"sasl"}, homeless: []string{"sasl"}},
		"x509 and no secure port":    {zooCfg: "enforce.auth.enabled=true\nenforce.auth.schemes=x509\n", version: "3.8.0", schemes: []string{"x509"}, homeless: []string{"x509"}},
		"x509 and a secure port":     {zooCfg: "enforce.auth.enabled=true\nenforce.auth.schemes=x509\nsecureClientPort=2281\n", version: "3.8.0", schemes: []string{"x509"}},
		"a host's file":              {host: "sessionRequireClientSASLAuth=true\n", version: "3.8.0", schemes: []string{"sasl"}},
		"a text that nobody can use": {zooCfg: "x=\\u12\n", version: "3.8.0"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := ensemble.ParseVersion(c.version)
			if err != nil {
				t.Fatal(err)
			}
			got := ClientAuthOf(migration.PodOptions{ZooCfg: c.zooCfg, JVMFlags: c.flags}, c.host, v)
			if !slices.Equal(got.Schemes, c.schemes) || !slices.Equal(got.Homeless, c.homeless) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestClientSessions: what blocks, what does not, and what to do.
func TestClientSessions(t *testing.T) {
	three := []migration.ServerRecord{{}, {}, {}}
	for i := range three {
		three[i].ID = ensemble.ID(i + 1)
	}
	refused := map[ensemble.ID]SessionTry{1: {}, 2: {Refused: "wrong password"}, 3: {}}
	for name, c := range map[string]struct {
		f      Facts
		result Result
		blocks bool
		says   string
		hint   string
	}{
		"not asked for":     {Facts{}, OK, false, "", ""},
		"all let it in":     {Facts{Sessions: map[ensemble.ID]SessionTry{1: {}, 2: {}, 3: {}}}, OK, false, "", ""},
		"one does not":      {Facts{Sessions: refused}, Fail, true, "server 2 does not let it in: wrong password", "where only some refuse it"},
		"waived":            {Facts{Sessions: refused, Waivers: []string{"ZK035"}}, Waived, false, "server 2", ""},
		"one was not seen":  {Facts{Sessions: map[ensemble.ID]SessionTry{1: {}, 2: {Unseen: "timed out"}, 3: {}}}, Unknown, false, "server 2 was not seen from here: timed out", ""},
		"digest alone":      {Facts{Sessions: refused, ClientAuth: ClientAuth{Schemes: []string{"digest"}}}, Fail, true, "server 2", "cannot authenticate by digest: for the time of the migration add ip"},
		"digest and x509":   {Facts{Sessions: refused, ClientAuth: ClientAuth{Schemes: []string{"digest", "x509"}}}, Fail, true, "server 2", "--credentials"},
		"no provider":       {Facts{ClientAuth: ClientAuth{Schemes: []string{"sasl"}, Homeless: []string{"sasl"}}}, Fail, true, "authenticate by sasl, and neither the pods' zoo.cfg", "wrap --jvm-flags"},
		"flags in a Secret": {Facts{ClientAuth: ClientAuth{Homeless: []string{"sasl"}}, Record: migration.Record{Pods: migration.PodOptions{FilesSecret: "s"}}, Stored: Stored{Keys: map[string]bool{"jvm-flags": true}}}, OK, false, "", ""},
		"a Secret not seen": {Facts{ClientAuth: ClientAuth{Homeless: []string{"sasl"}}, Record: migration.Record{Pods: migration.PodOptions{FilesSecret: "s"}}, Stored: Stored{Unlooked: "no"}}, OK, false, "", ""},
		"a Secret without":  {Facts{ClientAuth: ClientAuth{Homeless: []string{"sasl"}}, Record: migration.Record{Pods: migration.PodOptions{FilesSecret: "s"}}}, Fail, true, "authProvider", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.f.Servers = three
			all := BeforeStop(c.f)
			got := all[slices.IndexFunc(all, func(fd Finding) bool { return fd.ID == "ZK035" })]
			if got.Result != c.result || got.Blocks != c.blocks || !strings.Contains(strings.Join(got.Detail, "\n"), c.says) || !strings.Contains(got.Hint, c.hint) {
				t.Errorf("got %+v", got)
			}
		})
	}
}
