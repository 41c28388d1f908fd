package ensemble

import (
	"fmt"
	"slices"
)

// LintPorts finds what no Service can be made of in the ports of an ensemble as FromHosts
// makes it of these files; none where members were given by flags. It judges servers and not
// files, for a host's file knows the client port of that host alone.
func LintPorts(e Ensemble, files []HostConfig) []Finding {
	var out []Finding
	for _, s := range e.Servers {
		own := ownConfig(s, files)
		if port, _ := s.AskedPort(); port == 0 {
			f := Finding{Code: "no-client-port", Severity: SeverityError, Problem: "no client port that others reach",
				Hint: "clientPort=2181, or secureClientPort with TLS, on all hosts first"}
			f.locate(own, s.ID, "clientPort", "secureClientPort")
			if !slices.Contains(out, f) { // one file for all hosts says it once
				out = append(out, f)
			}
		}
		out = append(out, sharedPorts(s, own, files)...)
		owner := map[int]PortName{}
		for _, p := range s.Ports() {
			other, taken := owner[p.Number]
			owner[p.Number] = p.Name
			// Peer and election port stand in one line, which Lint judges.
			if taken && (other != PortPeer || p.Name != PortElection) {
				f := Finding{Code: "same-port", Severity: SeverityError, Hint: "a port of its own for each",
					Problem: fmt.Sprintf("server %s: port %d is both its %s and its %s port", s.ID, p.Number, other, p.Name)}
				f.locate(own, s.ID)
				out = append(out, f)
			}
		}
	}
	return out
}

// LintAddresses finds servers that are given by their addresses and cannot all be there: two
// at one address and port, or one whose own two ports are the same.
func LintAddresses(servers []Server) map[ID][]Finding {
	out, owner := map[ID][]Finding{}, claims{}
	for _, s := range servers {
		add := func(code, hint, problem string) {
			out[s.ID] = append(out[s.ID], Finding{Code: code, Severity: SeverityError, Problem: problem, Hint: hint})
		}
		take := func(what string, port int) {
			if problem := owner.take(what, s.ID, s.Host, port); problem != "" {
				add("same-address", eachAddressOnce, fmt.Sprintf("server %s: %s", s.ID, problem))
			}
		}
		if s.Role != Observer {
			if s.PeerPort == s.ElectionPort {
				add("same-port", "two ports", fmt.Sprintf("server %s: peer port and election port are both %d", s.ID, s.PeerPort))
			}
			take("peer", s.PeerPort)
		}
		for what, port := range map[string]int{"election": s.ElectionPort, "client": s.ClientPort, "secure client": s.SecureClientPort} {
			// A server's own ports among each other are LintPorts'.
			if port != s.PeerPort || s.Role == Observer {
				take(what, port)
			}
		}
	}
	return out
}

// sharedPorts finds client ports that the one zoo.cfg of all pods, made from the first file,
// would not have: such a pod would listen where its Service does not point.
func sharedPorts(s Server, own *Config, files []HostConfig) []Finding {
	if own == nil {
		return nil
	}
	shared, ok := files[0].Config.Server(s.ID)
	f := Finding{Code: "port-differs", Severity: SeverityError}
	switch {
	case !ok:
		return nil
	case s.ClientPort != shared.ClientPort:
		f.Problem = fmt.Sprintf("server %s has client port %d, the one zoo.cfg of all pods would have %d", s.ID, s.ClientPort, shared.ClientPort)
		f.Hint = fmt.Sprintf("one port on all hosts, or (3.5 and later) the port in each server line, as server.%s=...;%d", s.ID, s.ClientPort)
		f.locate(own, s.ID, "clientPort")
	case s.SecureClientPort != shared.SecureClientPort:
		f.Problem = fmt.Sprintf("server %s has secure client port %d, the one zoo.cfg of all pods would have %d", s.ID, s.SecureClientPort, shared.SecureClientPort)
		f.Hint = "one secureClientPort on all hosts"
		f.locate(own, s.ID, "secureClientPort")
	default:
		return nil
	}
	return []Finding{f}
}

// ownConfig is the server's own file, or the first; nil where there is none.
func ownConfig(s Server, files []HostConfig) *Config {
	for _, f := range files {
		if f.ID.Is(s.ID) {
			return f.Config
		}
	}
	if len(files) > 0 {
		return files[0].Config
	}
	return nil
}

// locate puts the finding at the first of the keys that the files have, or at the server's
// line.
func (f *Finding) locate(c *Config, id ID, keys ...string) {
	if c == nil {
		f.File = "--member"
		return
	}
	for _, key := range append(keys, c.ServerKey(id)) {
		for _, p := range []*Properties{c.Props, c.ServerFile()} {
			if f.Line = p.Line(key); f.Line > 0 {
				f.File, f.Text = p.Name(), p.Text(key)
				return
			}
		}
	}
}
