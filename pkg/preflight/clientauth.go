package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

const clientSessions = "ZK035"

// ClientAuth is what is recorded of how clients must authenticate.
type ClientAuth struct {
	// Schemes are those of which a session needs one; none where any is let in.
	Schemes []string
	// Homeless are schemes among them that nothing recorded gives the pods a provider for.
	Homeless []string
}

// SessionTry is what came of a session that this command opened with one server.
type SessionTry struct {
	// Refused is why the server did not let it in, or why what --credentials say could not be shown to
	// it; empty where it did, or nothing is known.
	Refused string
	// Unseen is why nothing is known.
	Unseen string
}

// ClientAuthOf reads what the pods' configuration and JVM flags, or a host's file, say. A server
// reads it as system properties. sessionRequireClientSASLAuth goes before enforce.auth, of which it
// is a case from 3.7.0 on (AuthenticationHelper). requireClientAuthScheme demands nothing.
func ClientAuthOf(pods migration.PodOptions, hostCfg string, v ensemble.Version) (a ClientAuth) {
	values := map[string]string{}
	note := func(_, key, value string) {
		if k, known := ensemble.FindKey(key); known && k.In(v) {
			values[key] = strings.TrimSpace(value)
		}
	}
	settings(migration.PodOptions{ZooCfg: hostCfg}, note)
	settings(pods, note)
	switch {
	case strings.EqualFold(values["sessionRequireClientSASLAuth"], "true"):
		a.Schemes = []string{"sasl"}
	case strings.EqualFold(values["enforce.auth.enabled"], "true"):
		for scheme := range strings.SplitSeq(values["enforce.auth.schemes"], ",") {
			a.Schemes = append(a.Schemes, strings.TrimSpace(scheme))
		}
	}
	if pods.ZooCfg != "" {
		knows := providers(pods)
		a.Homeless = slices.DeleteFunc(slices.Clone(a.Schemes), knows)
	}
	return a
}

// settings are the keys of the pods' zoo.cfg and the properties of their JVM flags, by their names
// in zoo.cfg.
func settings(pods migration.PodOptions, note func(where, key, value string)) {
	texts := []string{pods.ZooCfg}
	for _, own := range pods.Own {
		texts = append(texts, own.ZooCfg)
	}
	for _, text := range texts {
		p, err := ensemble.ParseProperties("zoo.cfg", []byte(text))
		if err != nil {
			continue // who cannot read it finds nothing in it
		}
		for _, key := range p.Keys() {
			value, _ := p.Get(key)
			note("zoo.cfg", key, value)
		}
	}
	for flag := range strings.FieldsSeq(pods.JVMFlags) {
		if property, ok := strings.CutPrefix(flag, "-D"); ok {
			key, value, _ := strings.Cut(property, "=")
			note("a JVM flag", strings.TrimPrefix(key, "zookeeper."), value)
		}
	}
}

// providers reports of a scheme whether a server in a pod knows it. ZooKeeper brings ip and digest,
// and with a secure client port x509 (QuorumPeerConfig.configureSSLAuth). Which scheme somebody's own provider has
// stands in its code: with one of those every scheme may be known.
func providers(pods migration.PodOptions) func(scheme string) bool {
	known := map[string]bool{"world": true, "auth": true, "super": true, "ip": true, "digest": true}
	other := false
	settings(pods, func(_, key, value string) {
		switch {
		case key == "secureClientPort" || key == "secureClientPortAddress":
			known["x509"] = true
		case !strings.HasPrefix(key, "authProvider."):
		case strings.HasSuffix(strings.TrimSpace(value), ".SASLAuthenticationProvider"):
			known["sasl"] = true
		case strings.HasSuffix(strings.TrimSpace(value), ".X509AuthenticationProvider"):
			known["x509"] = true
		default:
			other = true
		}
	})
	return func(scheme string) bool { return known[scheme] || other }
}

func clientAuthCheck() Check {
	return Check{ID: clientSessions, Title: "this command can authenticate to every server", Severity: Blocker, Waivable: true, BeforeStop: true, Bounded: true,
		HintFor: authHint, Eval: func(f Facts) (wrong []string, _ string) {
			for _, s := range f.Servers {
				if why := f.Sessions[s.ID].Refused; why != "" {
					wrong = append(wrong, fmt.Sprintf("server %d does not let it in: %s", s.ID, why))
				}
			}
			// The file jvm-flags may have flags that are not recorded.
			told := !f.Record.Pods.FilesNamed() || f.Stored.Unlooked == "" && !f.Stored.Keys["jvm-flags"]
			if told && len(f.ClientAuth.Homeless) > 0 {
				wrong = append(wrong, fmt.Sprintf("clients must authenticate by %s, and neither the pods' zoo.cfg nor their JVM flags have an authProvider for it: a server in a pod lets nobody in, and from 3.7.0 on it does not start",
					strings.Join(f.ClientAuth.Homeless, ", ")))
			}
			return wrong, ""
		}}
}

func authHint(f Facts) string {
	hint := "give --credentials of a user whom all servers let in (docs/credentials.md); where only some refuse it, their JAAS files, keytabs or trust stores differ"
	can := func(scheme string) bool { return slices.Contains([]string{"ip", "sasl", "x509"}, scheme) }
	if s := f.ClientAuth.Schemes; len(s) > 0 && !slices.ContainsFunc(s, can) {
		hint = fmt.Sprintf("this command cannot authenticate by %s: for the time of the migration add ip, or sasl or x509 with --credentials for it, to enforce.auth.schemes, on one server after the other, the leader last", strings.Join(s, ", "))
	}
	if len(f.ClientAuth.Homeless) > 0 {
		hint += "; add the hosts' authProvider to zoo.cfg, or to the pods' flags (wrap --jvm-flags)"
	}
	return hint
}
