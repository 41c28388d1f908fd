package ensemble

import (
	"net/netip"
	"strings"
)

// duplicates finds keys that stand in a file more than once. Of two server
// lines with one id one is a typing error, and which one nobody knows.
func (l *linter) duplicates() {
	for _, p := range l.c.files() {
		for _, key := range p.Keys() {
			lines := p.Lines(key)
			if len(lines) < 2 {
				continue
			}
			if k := javaTrim(key); isMembership(k) {
				l.add(SeverityError, "duplicate-id", p, key, "each id once",
					"%s stands on %d lines, first on line %d: ZooKeeper reads the last", k, len(lines), lines[0])
				continue
			}
			l.add(SeverityWarning, "duplicate-key", p, key, "each key once",
				"%s stands on %d lines, first on line %d: ZooKeeper reads the last", javaTrim(key), len(lines), lines[0])
		}
	}
}

func (c *Config) files() []*Properties {
	if c.Dynamic != nil {
		return []*Properties{c.Props, c.Dynamic}
	}
	return []*Properties{c.Props}
}

// values finds values that do not mean what they look like.
func (l *linter) values() {
	p := l.c.Props
	for _, key := range p.Keys() {
		k := javaTrim(key)
		if isMembership(k) {
			if !l.c.Hierarchical && strings.HasPrefix(k, "weight") {
				l.add(l.from35(), "weight-without-group", p, key, "group lines as well, or no weights",
					"%s without groups: 3.4 ignores it, 3.5 and later do not start", k)
			}
			continue
		}
		raw, _ := p.Get(key)
		v := javaTrim(raw)
		if strings.HasPrefix(k, "zookeeper.") {
			l.add(SeverityWarning, "prefixed-key", p, key, strings.TrimPrefix(k, "zookeeper."),
				"%s has no effect in zoo.cfg: it becomes the system property zookeeper.%s", k, k)
			continue
		}
		spec, known := FindKey(k)
		if !known {
			continue
		}
		if spec.JVMOnly {
			l.add(SeverityWarning, "jvm-only-key", p, key, "-D"+k+"=... in the JVM's flags, alike everywhere", "%s has no effect in zoo.cfg", k)
			continue
		}
		if !spec.In(l.v) {
			l.add(SeverityWarning, "key-too-new", p, key, "", "ZooKeeper %s does not read %s (first in %s)", l.v, k, spec.Since)
			continue
		}
		if spec.Kind == KindBool && !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
			sev := SeverityWarning
			if l.v.AtLeast(3, 7, 0) {
				sev = SeverityError
			}
			l.add(sev, "bool-value", p, key, "true or false, nothing behind it",
				"%s=%s counts as false before 3.7 and keeps later releases from starting", k, v)
		}
	}
}

// settings finds keys that weaken what a migration relies on.
func (l *linter) settings() {
	p := l.c.Props
	warn := func(sev Severity, key, code, hint, problem string) {
		l.add(sev, code, p, key, hint, "%s", problem)
	}
	if v, ok := p.Get("forceSync"); ok && javaTrim(v) == "no" {
		warn(SeverityError, "forceSync", "force-sync", "forceSync=yes on all servers before the migration",
			"forceSync=no: an acknowledged write may not be on any disk, no proof holds")
	}
	if v, ok := p.Get("snapshot.trust.empty"); ok && strings.EqualFold(javaTrim(v), "true") {
		warn(SeverityWarning, "snapshot.trust.empty", "trust-empty", "remove it once every server has a snapshot",
			"snapshot.trust.empty=true: a server that lost its snapshots starts with less than it acknowledged")
	}
	if l.c.ReconfigEnabled {
		warn(SeverityWarning, "reconfigEnabled", "reconfig", "let nobody change the membership during the migration",
			"reconfigEnabled=true: servers rewrite their own files")
	}
	if v, ok := p.Get("autopurge.purgeInterval"); !ok || javaTrim(v) == "0" {
		warn(SeverityWarning, "autopurge.purgeInterval", "purge-off", "autopurge.purgeInterval=1, or a job that purges the volume",
			"autopurge is off: in a pod nothing else removes old snapshots")
	}
	if v, ok := p.Get("minSessionTimeout"); ok && l.before35() {
		if _, both := p.Get("maxSessionTimeout"); !both && javaTrim(v) != "-1" {
			warn(SeverityError, "minSessionTimeout", "min-session-alone", "maxSessionTimeout beside it",
				"minSessionTimeout without maxSessionTimeout: 3.4 compares it with -1 and does not start")
		}
	}
	for _, key := range []string{"clientPortAddress", "secureClientPortAddress"} {
		if v, ok := p.Get(key); ok {
			l.clientBind(p, key, javaTrim(v))
		}
	}
	l.kerberos(p)
	if v, _ := p.Get("sslQuorum"); strings.EqualFold(javaTrim(v), "true") {
		warn(SeverityWarning, "sslQuorum", "tls-names",
			"certificates with the Services' addresses or names, or ssl.quorum.hostnameVerification=false during the migration",
			"servers check each other's certificates against the address they dial")
	}
	for _, key := range p.Keys() {
		if strings.Contains(strings.ToLower(key), "exhibitor") {
			warn(SeverityError, key, "exhibitor", "stop Exhibitor on all hosts first, ZooKeeper can go on without it",
				"Exhibitor rewrites this file and restarts servers on its own")
			return
		}
	}
	if line := commentLine(p.data, "exhibitor"); line > 0 {
		l.out = append(l.out, Finding{
			Code: "exhibitor", Severity: SeverityError, File: p.Name(), Line: line,
			Problem: "written by Exhibitor, which rewrites this file and restarts servers on its own",
			Hint:    "stop Exhibitor on all hosts first, ZooKeeper can go on without it",
		})
	}
}

// clientBind judges the address that a client port is bound to.
func (l *linter) clientBind(p *Properties, key, address string) {
	switch kind, _ := hostKind(address); {
	case address == "" || kind == hostWildcard:
	case kind == hostLoopback:
		l.add(SeverityWarning, "client-loopback", p, key, "an address other machines reach, or none, which is all",
			"%s is this machine alone: neither pods nor the Service nor this tool reach the client port, unless something on the host forwards to it", address)
	case kind == hostPlain && !isLiteral(address):
		l.add(SeverityWarning, "client-bind", p, key, "a literal address: reconfigure changes it",
			"bound by name: once the name leads to the Service, the server cannot bind it at its next start")
	}
}

// kerberos finds principals with a host: who listens lets in whoever's host is one of those
// in the server lines (SaslQuorumServerCallbackHandler.handleAuthorizeCallback), and who
// dials puts the host in the server line for _HOST.
func (l *linter) kerberos(p *Properties) {
	const key = "quorum.auth.kerberos.servicePrincipal"
	v, _ := p.Get(key)
	_, host, _ := strings.Cut(javaTrim(v), "/")
	if host != "" && l.requiresSASL(p) {
		l.add(SeverityWarning, "kerberos-peers", p, key,
			"quorum.auth.serverRequireSasl=false on all servers by a rolling restart, then quorum.auth.learnerRequireSasl=false by another (in that order: a server that does not authenticate is let in by nobody who requires it); true again, the other way round, with principals of the Services' names after the migration. Firewall the peer ports meanwhile",
			"from the first restart on the lists differ, and servers reject each other: who listens lets in principals with the hosts of its own list, who dials asks for the host in its own")
		return
	}
	switch host, _, _ = strings.Cut(host, "@"); {
	case host == "":
	case strings.Contains(host, "_HOST"):
		l.add(SeverityWarning, "kerberos-host", p, key, "names in the server lines (--address=dns) with principals for them, or a fixed principal",
			"_HOST becomes the host in the server line: a literal address has no principal")
	default:
		l.add(SeverityWarning, "kerberos-host", p, key, "names in the server lines (--address=dns), and keytabs with principals of those names",
			"peers are let in when the host of their principal stands in a server line: with the Services' addresses there, or names without %s, they reject each other", host)
	}
}

// requiresSASL: servers let no peer in, or follow none, that has not authenticated.
func (l *linter) requiresSASL(p *Properties) bool {
	is := func(key string) bool {
		v, _ := p.Get("quorum.auth." + key)
		return strings.EqualFold(javaTrim(v), "true")
	}
	return is("enableSasl") && (is("learnerRequireSasl") || is("serverRequireSasl"))
}

func isLiteral(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// commentLine returns the first comment line with a word, from 1, or 0.
func commentLine(data []byte, word string) int {
	for i, line := range strings.Split(string(data), "\n") {
		t := strings.ToLower(strings.TrimSpace(line))
		if t != "" && (t[0] == '#' || t[0] == '!') && strings.Contains(t, word) {
			return i + 1
		}
	}
	return 0
}
