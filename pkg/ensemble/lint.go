package ensemble

import (
	"fmt"
	"net/netip"
	"strings"
)

// Severity says how bad a finding is.
type Severity string

const (
	// SeverityError: a migration must not begin.
	SeverityError Severity = "error"
	// SeverityWarning: the operator should know.
	SeverityWarning Severity = "warning"
)

// Finding is something in a configuration that ZooKeeper may accept and a
// migration cannot, or should not, live with.
type Finding struct {
	// Code names the rule; it never changes.
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	File     string   `json:"file"`
	// Line is the physical line, from 1; 0 means the file as a whole.
	Line int `json:"line,omitempty"`
	// Text is the line as it stands in the file.
	Text    string `json:"text,omitempty"`
	Problem string `json:"problem"`
	// Hint says what to do.
	Hint string `json:"hint,omitempty"`
}

// String prints file:line: problem.
func (f Finding) String() string {
	return (&InputError{File: f.File, Line: f.Line, Problem: f.Problem, Text: f.Text}).Error()
}

// AsError turns a finding into an input error.
func (f Finding) AsError() *InputError {
	return &InputError{File: f.File, Line: f.Line, Problem: f.Problem, Text: f.Text, Want: f.Hint}
}

// linter collects the findings of one configuration.
type linter struct {
	c   *Config
	v   Version
	out []Finding
}

// Lint checks one server's configuration against one release (the zero
// Version where it is not known). Names are judged by their spelling only.
// Findings come in file order within each rule.
func Lint(c *Config, v Version) []Finding {
	l := &linter{c: c, v: v}
	l.size()
	l.servers()
	l.collisions()
	l.duplicates()
	l.values()
	l.settings()
	l.managers()
	return l.out
}

func (l *linter) add(sev Severity, code string, p *Properties, key, hint, format string, args ...any) {
	l.out = append(l.out, Finding{
		Code: code, Severity: sev, File: p.Name(), Line: p.Line(key), Text: p.Text(key),
		Problem: HideSecrets(fmt.Sprintf(format, args...)), Hint: hint,
	})
}

func (l *linter) size() {
	voters := len(Ensemble{Servers: l.c.Servers}.Voters())
	f := Finding{Severity: SeverityError, File: l.c.ServerFile().Name()}
	switch {
	case len(l.c.Servers) <= 1:
		f.Code, f.Problem = "standalone", "a standalone server: every replacement is an outage and nothing holds its data meanwhile"
		f.Hint = "grow it to three servers first, or move it with a copy of its data during an outage"
	case voters < 3:
		f.Code, f.Problem = "few-voters", fmt.Sprintf("%d voters: with one away there is no quorum", voters)
		f.Hint = "grow the ensemble to at least three voters first"
	case voters%2 == 0 && !l.c.Hierarchical:
		f.Code, f.Severity = "even-voters", SeverityWarning
		f.Problem = fmt.Sprintf("%d voters survive no more failures than %d", voters, voters-1)
		f.Hint = "nothing, if this is on purpose"
	default:
		return
	}
	l.out = append(l.out, f)
}

func (l *linter) servers() {
	p := l.c.ServerFile()
	if l.before35() && l.c.ClientPort == 0 {
		l.add(SeverityError, "client-port-missing", l.c.Props, "clientPort", "clientPort=2181",
			"no clientPort: ZooKeeper %s does not start without it", l.v)
	}
	l.trailingBlanks(p)
	for _, s := range l.c.Servers {
		key := l.c.keys[s.ID]
		if v, _ := l.c.Props.Get("extendedTypesEnabled"); s.ID > maxExtendedID && javaTrim(v) == "true" {
			l.add(l.from35(), "id-and-extended-types", p, key, fmt.Sprintf("ids up to %d, or no extendedTypesEnabled", maxExtendedID),
				"server id %s: with extendedTypesEnabled=true a server with an id above %d does not serve", s.ID, maxExtendedID)
		}
		line := l.c.lines[s.ID]
		if value, _ := p.Get(key); strings.Contains(value, ";") && l.before35() {
			l.add(SeverityError, "client-part", p, key, "no ;port before 3.5", "ZooKeeper %s does not read the client part behind ;", l.v)
		}
		if len(line.addresses) > 1 {
			l.multiAddress(p, key)
		}
		for _, a := range line.addresses {
			if a.PeerPort == a.ElectionPort {
				sev := SeverityError
				if s.Role == Observer {
					sev = l.from35() // 3.4 reads it, and an observer binds but one of the two
				}
				l.add(sev, "same-port", p, key, "two ports", "peer port and election port are both %d", a.PeerPort)
			}
			l.address(p, key, a)
		}
		if line.client {
			l.clientBind(p, key, line.clientHost)
		}
	}
}

// maxExtendedID is EphemeralType.MAX_EXTENDED_SERVER_ID (3.5.4+).
const maxExtendedID = 254

// trailingBlanks finds what 3.4 trims and later releases do not
// (QuorumMaj and QuorumHierarchical read the values as they are).
func (l *linter) trailingBlanks(p *Properties) {
	for _, key := range p.Keys() {
		raw, _ := p.Get(key)
		if !isMembership(javaTrim(key)) || raw == javaTrim(raw) || l.before35() {
			continue
		}
		sev := l.from35()
		if endsInRole(raw) {
			sev = SeverityWarning // behind a role some releases forgive it
		}
		l.add(sev, "trailing-blank", p, key, "no blank at the end of the line",
			"blanks at the end of the line: 3.5 and later take them for part of the last number and do not start")
	}
}

// endsInRole reports whether the last word of a server line is a role.
func endsInRole(value string) bool {
	v := javaTrim(value)
	_, err := parseRole(v[strings.LastIndexByte(v, ':')+1:])
	return err == nil
}

// multiAddress judges a line with several addresses. The key in zoo.cfg does
// not switch them on: QuorumServer asks the system property alone, while
// QuorumPeerConfig keeps the key to itself (3.6.0 to 3.9.3).
func (l *linter) multiAddress(p *Properties, key string) {
	sev := SeverityWarning
	if !l.v.IsZero() && !l.v.AtLeast(3, 6, 0) {
		sev = SeverityError
	}
	l.add(sev, "multi-address", p, key, "3.6 or later with -Dzookeeper.multiAddress.enabled=true in the JVM's flags",
		"several addresses divided by |: a server without that flag does not start; reconfigure leaves the Service's address alone")
}

func (l *linter) before35() bool { return !l.v.IsZero() && !l.v.AtLeast(3, 5, 0) }

// from35 makes a finding that only 3.5 and later mind a warning for 3.4 and
// where the version is unknown.
func (l *linter) from35() Severity {
	if !l.v.AtLeast(3, 5, 0) {
		return SeverityWarning
	}
	return SeverityError
}

func (l *linter) address(p *Properties, key string, a lineAddress) {
	switch kind, why := hostKind(a.Host); kind {
	case hostLoopback:
		// One such line may be the server's own; the other hosts' files then
		// say where it is, and FromHosts wants to hear it from them.
		sev := SeverityWarning
		if l.loopbacks() > 1 {
			sev = SeverityError
		}
		l.add(sev, "loopback-address", p, key, "an address other machines reach",
			"%s is this machine itself: a Service cannot lead to it", a.Host)
	case hostWildcard:
		l.add(SeverityWarning, "wildcard-address", p, key, "the other hosts' files, which name this server's address",
			"%s says where to listen, not where the server is (ZOOKEEPER-2164)", a.Host)
	case hostBad:
		l.add(SeverityError, "bad-host", p, key, "a host name or an IP address", "%q %s", a.Host, why)
	case hostPlain:
	}
}

// loopbacks counts the servers listed at a loopback address.
func (l *linter) loopbacks() int {
	n := 0
	for _, s := range l.c.Servers {
		if kind, _ := hostKind(s.Host); kind == hostLoopback {
			n++
		}
	}
	return n
}

// collisions finds addresses that two sockets of the list would share. An observer never
// binds its peer port, and a loopback address is another one on each host.
func (l *linter) collisions() {
	p, owner := l.c.ServerFile(), claims{}
	for _, s := range l.c.Servers {
		key := l.c.keys[s.ID]
		take := func(what, host string, port int) {
			if problem := owner.take(what, s.ID, host, port); problem != "" {
				l.add(SeverityError, "same-address", p, key, eachAddressOnce, "%s", problem)
			}
		}
		for _, a := range l.c.lines[s.ID].addresses {
			if s.Role != Observer {
				take("peer", a.Host, a.PeerPort)
			}
			if s.Role == Observer || a.ElectionPort != a.PeerPort {
				take("election", a.Host, a.ElectionPort)
			}
		}
		if !l.c.lines[s.ID].client {
			continue
		}
		switch kind, _ := hostKind(s.ClientAddress); {
		case s.ClientAddress == "", kind == hostWildcard:
			take("client", s.Host, s.ClientPort)
		case kind != hostLoopback:
			take("client", s.ClientAddress, s.ClientPort)
		}
	}
}

// claims are the sockets of servers, and whose they are.
type claims map[string]string

const eachAddressOnce = "each address and port once"

// take claims a socket; what is wrong with it, if it is somebody else's.
func (c claims) take(what string, id ID, host string, port int) string {
	if kind, _ := hostKind(host); kind == hostWildcard || port == 0 {
		return ""
	}
	at := fmt.Sprintf("%s:%d", bracket(sameHost(host)), port)
	me := fmt.Sprintf("the %s address of server %s", what, id)
	if first, taken := c[at]; taken && first != me {
		return at + " is also " + first
	}
	c[at] = me
	return ""
}

// sameHost is one spelling of a host: an address may have several, with zeros or within IPv6.
func sameHost(host string) string {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

type hostClass int

const (
	hostPlain hostClass = iota
	hostLoopback
	hostWildcard
	hostBad
)

// Loopback reports whether a host, by its spelling, is the machine itself.
func Loopback(host string) bool {
	kind, _ := hostKind(host)
	return kind == hostLoopback
}

// hostKind judges a host by its spelling; why explains hostBad.
func hostKind(host string) (kind hostClass, why string) {
	if a, err := netip.ParseAddr(host); err == nil {
		switch {
		case a.Zone() != "":
			return hostBad, "has a zone, which means something on one machine only"
		case a.IsUnspecified():
			return hostWildcard, ""
		case a.Unmap().IsLoopback():
			return hostLoopback, ""
		case a.IsLinkLocalUnicast() || a.IsMulticast():
			return hostBad, "is a link-local or multicast address, which a Service cannot lead to"
		}
		return hostPlain, ""
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	switch {
	case name == "localhost" || strings.HasSuffix(name, ".localhost") || strings.HasPrefix(name, "localhost."):
		return hostLoopback, ""
	case name == "" || len(name) > 253:
		return hostBad, "is no host name"
	}
	for _, label := range strings.Split(name, ".") {
		if label == "" || len(label) > 63 {
			return hostBad, "is no host name"
		}
		for _, r := range label {
			ok := r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z'
			if !ok {
				return hostBad, "has a character no host name has"
			}
		}
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if strings.Trim(last, "0123456789") == "" {
		return hostBad, "looks like an IP address and is none"
	}
	return hostPlain, ""
}
