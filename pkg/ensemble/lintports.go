package ensemble

import (
	"fmt"
	"slices"
)

// LintPorts finds what no Service can be made of in the ports of an ensemble as FromHosts
// makes it of these files, or, where there are none, as the journal has it. It judges servers
// and not files, for a host's file knows the client port of that host alone.
func LintPorts(e Ensemble, files []HostConfig) []Finding {
	var out []Finding
	for _, s := range e.Servers {
		own := ownConfig(s, files)
		for _, f := range unasked(s) {
			f.locate(own, s.ID, "clientPort", "secureClientPort")
			if !slices.Contains(out, f) { // one file for all hosts says it once
				out = append(out, f)
			}
		}
		out = append(out, sharedPorts(s, own, files)...)
		for _, f := range samePorts(s) {
			f.locate(own, s.ID)
			out = append(out, f)
		}
	}
	return out
}

// LintServers is LintPorts, and what Lint finds in server lines, for servers that are given by
// their addresses; place is where each was given.
func LintServers(servers []Server, place func(ID) InputError) []Finding {
	var out []Finding
	owner := claims{}
	for _, s := range servers {
		found := append(unasked(s), samePorts(s)...)
		if s.Role != Observer && s.PeerPort == s.ElectionPort {
			found = append(found, Finding{Code: "same-port", Severity: SeverityError, Hint: "two ports",
				Problem: fmt.Sprintf("server %s: peer port and election port are both %d", s.ID, s.PeerPort)})
		}
		for _, p := range s.Ports() {
			if s.PortName(p.Number) != p.Name {
				continue // one port for two uses was found above
			}
			if problem := owner.take(string(p.Name), s.ID, s.Host, p.Number); problem != "" {
				found = append(found, Finding{Code: "same-address", Severity: SeverityError, Hint: eachAddressOnce, Problem: fmt.Sprintf("server %s: %s", s.ID, problem)})
			}
		}
		at := place(s.ID)
		for _, f := range found {
			if f.File, f.Line = at.File, at.Line; !slices.Contains(out, f) { // all members are of one flag
				out = append(out, f)
			}
		}
	}
	return out
}

// unasked: the server has no port that clients and this tool could ask at.
func unasked(s Server) []Finding {
	if port, _ := s.AskedPort(); port != 0 {
		return nil
	}
	return []Finding{{Code: "no-client-port", Severity: SeverityError, Problem: "no client port that others reach",
		Hint: "clientPort=2181, or secureClientPort with TLS, on all hosts first"}}
}

// samePorts finds ports that a server has for two uses. Peer and election port stand in one
// line, which Lint judges.
func samePorts(s Server) (out []Finding) {
	owner := map[int]PortName{}
	for _, p := range s.Ports() {
		other, taken := owner[p.Number]
		owner[p.Number] = p.Name
		if taken && (other != PortPeer || p.Name != PortElection) {
			out = append(out, Finding{Code: "same-port", Severity: SeverityError, Hint: "a port of its own for each",
				Problem: fmt.Sprintf("server %s: port %d is both its %s and its %s port", s.ID, p.Number, other, p.Name)})
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
