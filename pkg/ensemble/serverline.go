package ensemble

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// serverLine is the value of a server.N key, in its parts:
//
//	host:peer:election[:role][|host:peer:election[:role]...][;[address:]port]
//
// as read by QuorumPeerConfig.parseProperties (3.4) and
// QuorumServer.initializeWithAddressString (3.5 and later).
type serverLine struct {
	addresses []lineAddress
	client    bool // a client part is there (3.5+)
	// clientHost is empty where the client part is a port alone.
	clientHost string
	clientPort int
}

type lineAddress struct {
	PeerAddress
	role string // as written; empty where there is none
}

const serverLineWant = "host:2888:3888[:participant|:observer][;[address:]2181]"

// parseServerLine reads a trimmed value.
func parseServerLine(value string) (serverLine, error) {
	var out serverLine
	halves := javaSplit(value, ";")
	if len(halves) == 0 {
		return out, errors.New("the server's address is empty")
	}
	if len(halves) > 2 {
		return out, errors.New("more than one client part behind ;")
	}
	if len(halves) == 2 {
		if err := out.parseClient(halves[1]); err != nil {
			return out, err
		}
	}
	for _, one := range javaSplit(halves[0], "|") {
		a, err := parseLineAddress(one)
		if err != nil {
			return out, err
		}
		out.addresses = append(out.addresses, a)
	}
	if len(out.addresses) == 0 {
		return out, errors.New("the server's address is empty")
	}
	if _, err := out.role(); err != nil {
		return out, err
	}
	return out, nil
}

func parseLineAddress(s string) (lineAddress, error) {
	var a lineAddress
	parts, err := hostAndParts(s)
	if err != nil {
		return a, err
	}
	switch {
	case len(parts) == 0 || parts[0] == "":
		return a, errors.New("the host is missing")
	case len(parts) == 1:
		return a, errors.New("the peer port and the election port are missing")
	case len(parts) == 2:
		// 3.4 reads this form for the elections without TCP that 3.5 dropped.
		return a, errors.New("the election port is missing")
	case len(parts) > 4:
		return a, fmt.Errorf("%d parts divided by colons, at most 4 are known; an IPv6 address needs brackets", len(parts))
	}
	a.Host = parts[0]
	if strings.ContainsAny(a.Host, " \t\f\r\n/=,@") {
		return a, fmt.Errorf("%q is no host name or address", a.Host)
	}
	if a.PeerPort, err = parsePort("peer", parts[1]); err != nil {
		return a, err
	}
	if a.ElectionPort, err = parsePort("election", parts[2]); err != nil {
		return a, err
	}
	if len(parts) == 4 {
		a.role = parts[3]
		if _, err := parseRole(a.role); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (l *serverLine) parseClient(s string) error {
	parts, err := hostAndParts(s)
	if err != nil {
		return err
	}
	if len(parts) == 0 || len(parts) > 2 {
		return fmt.Errorf("client part %q is neither a port nor address:port", s)
	}
	l.client = true
	if len(parts) == 2 {
		l.clientHost = parts[0]
	}
	port := parts[len(parts)-1]
	if n, err := javaInt(port); err == nil && n == 0 {
		return nil // as for clientPort
	}
	l.clientPort, err = parsePort("client", port)
	return err
}

// role is the role all addresses agree on; participant where none is written.
func (l serverLine) role() (Role, error) {
	var role Role
	for _, a := range l.addresses {
		if a.role == "" {
			continue
		}
		r, err := parseRole(a.role)
		if err != nil {
			return "", err
		}
		if role != "" && r != role {
			return "", errors.New("the addresses of one server have different roles")
		}
		role = r
	}
	if role == "" {
		role = Participant
	}
	return role, nil
}

// server fills a Server; weight and client port of the file are added by the
// caller.
func (l serverLine) server(id ID) Server {
	role, err := l.role()
	if err != nil {
		role = Participant
	}
	s := Server{
		ID: id, Role: role, PeerAddress: l.addresses[0].PeerAddress,
		ClientAddress: l.clientHost, ClientPort: l.clientPort, Weight: 1,
	}
	for _, a := range l.addresses[1:] {
		s.More = append(s.More, a.PeerAddress)
	}
	return s
}

// withHost is the line with one address, at another host: same ports, same
// role, and the client part as a bare port, which binds every address (a
// host's or a Service's address cannot be bound elsewhere).
func (l serverLine) withHost(host string) serverLine {
	first := l.addresses[0]
	first.Host = host
	for _, a := range l.addresses {
		if first.role == "" {
			first.role = a.role
		}
	}
	return serverLine{addresses: []lineAddress{first}, client: l.client, clientPort: l.clientPort}
}

// String writes the line as it stands in a file.
func (l serverLine) String() string {
	var b strings.Builder
	for i, a := range l.addresses {
		if i > 0 {
			b.WriteByte('|')
		}
		fmt.Fprintf(&b, "%s:%d:%d", bracket(a.Host), a.PeerPort, a.ElectionPort)
		if a.role != "" {
			b.WriteString(":" + a.role)
		}
	}
	if l.client {
		b.WriteByte(';')
		if l.clientHost != "" {
			b.WriteString(bracket(l.clientHost) + ":")
		}
		b.WriteString(strconv.Itoa(l.clientPort))
	}
	return b.String()
}

// MemberFlag reads one member as given on a command line:
// 1=zk1.example.com:2888:3888;2181, with a role where it is an observer.
func MemberFlag(s string) (Server, error) {
	const want = "1=host:2888:3888[:participant|:observer][;[address:]2181]"
	bad := func(problem string) error {
		return &InputError{Problem: problem, Text: s, Want: want}
	}
	left, right, found := strings.Cut(s, "=")
	if !found {
		return Server{}, bad("member has no id")
	}
	id, err := ParseID(strings.TrimPrefix(strings.TrimSpace(left), "server."))
	if err != nil {
		return Server{}, bad(err.Error())
	}
	line, err := parseServerLine(javaTrim(right))
	if err != nil {
		return Server{}, bad(err.Error())
	}
	srv := line.server(id)
	if !line.client {
		srv.ClientPort = DefaultClientPort
	}
	return srv, nil
}

// hostAndParts divides at colons; the host may be an IPv6 address in brackets
// (ConfigUtils.getHostAndPort).
func hostAndParts(s string) ([]string, error) {
	if !strings.HasPrefix(s, "[") {
		return javaSplit(s, ":"), nil
	}
	end := strings.Index(s, "]")
	if end < 0 {
		return nil, errors.New("[ without ]")
	}
	host, rest := s[1:end], s[end+1:]
	if _, err := netip.ParseAddr(host); err != nil {
		return nil, fmt.Errorf("%q in brackets is no IPv6 address", host)
	}
	if rest == "" {
		return []string{host}, nil
	}
	if rest[0] != ':' || len(rest) == 1 {
		return nil, errors.New("no port behind ]")
	}
	return append([]string{host}, javaSplit(rest[1:], ":")...), nil
}

func parsePort(what, s string) (int, error) {
	n, err := javaInt(s)
	if err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("%s port %q is not a whole number from 1 to 65535", what, s)
	}
	return n, nil
}

func parseRole(s string) (Role, error) {
	switch strings.ToLower(javaTrim(s)) {
	case "participant":
		return Participant, nil
	case "observer":
		return Observer, nil
	}
	return "", fmt.Errorf("role %q is neither participant nor observer", s)
}

func bracket(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// javaSplit is String.split for a plain separator: empty strings at the end
// are dropped.
func javaSplit(s, sep string) []string {
	parts := strings.Split(s, sep)
	if len(parts) == 1 {
		return parts
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// javaTrim is String.trim: all controls and blanks at both ends.
func javaTrim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

// javaInt is Integer.parseInt for ASCII digits.
func javaInt(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	return int(n), err
}
