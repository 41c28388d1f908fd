package zkprobe

import (
	"net"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// memberLines gathers the membership block of conf: server.N, weight.N and
// group.N as QuorumMaj.toString and QuorumHierarchical.toString print them.
// Unlike zoo.cfg it is printed by the server, hence in one form only.
type memberLines struct {
	list    []ensemble.Server
	weights map[ensemble.ID]int
	groups  map[ensemble.ID]int
	broken  bool
}

func (m *memberLines) take(key, value string) bool {
	kind, number, found := strings.Cut(key, ".")
	if !found {
		return false
	}
	switch kind {
	case "server":
		id, err := ensemble.ParseID(number)
		s, ok := parseMember(value)
		if err != nil || !ok {
			m.broken = true
			return false
		}
		s.ID = id
		m.list = append(m.list, s)
	case "weight":
		id, err := ensemble.ParseID(number)
		w, werr := strconv.Atoi(value)
		if err != nil || werr != nil || w < 0 {
			m.broken = true
			return false
		}
		if m.weights == nil {
			m.weights = map[ensemble.ID]int{}
		}
		m.weights[id] = w
	case "group":
		g, err := strconv.Atoi(number)
		if err != nil {
			m.broken = true
			return false
		}
		for member := range strings.SplitSeq(value, ":") {
			id, err := ensemble.ParseID(member)
			if err != nil {
				m.broken = true
				return false
			}
			if m.groups == nil {
				m.groups = map[ensemble.ID]int{}
			}
			m.groups[id] = g
		}
	default:
		return false
	}
	return true
}

func (m *memberLines) servers() []ensemble.Server {
	if m.broken || len(m.list) == 0 {
		return nil
	}
	for i, s := range m.list {
		if w, ok := m.weights[s.ID]; ok {
			m.list[i].Weight = w
		}
		m.list[i].Group = m.groups[s.ID]
	}
	ensemble.SortServers(m.list)
	return m.list
}

// parseMember reads host:peer:election[|host:peer:election...][:role][;[addr:]port],
// with IPv6 addresses in brackets (QuorumPeer.QuorumServer.toString).
func parseMember(value string) (ensemble.Server, bool) {
	s := ensemble.Server{Role: ensemble.Participant, Weight: 1}
	peers, client, hasClient := strings.Cut(value, ";")
	if hasClient && !parseClient(client, &s) {
		return s, false
	}
	var all []ensemble.PeerAddress
	for part := range strings.SplitSeq(peers, "|") {
		if head, role, ok := cutRole(part); ok {
			part, s.Role = head, role
		}
		p, ok := parsePeer(part)
		if !ok {
			return s, false
		}
		all = append(all, p)
	}
	s.PeerAddress = all[0]
	if len(all) > 1 {
		s.More = all[1:]
	}
	return s, true
}

func cutRole(part string) (string, ensemble.Role, bool) {
	i := strings.LastIndexByte(part, ':')
	if i < 0 {
		return part, "", false
	}
	switch role := ensemble.Role(strings.ToLower(part[i+1:])); role {
	case ensemble.Participant, ensemble.Observer:
		return part[:i], role, true
	}
	return part, "", false
}

func parsePeer(part string) (ensemble.PeerAddress, bool) {
	head, election, ok := cutPort(part)
	if !ok {
		return ensemble.PeerAddress{}, false
	}
	host, peer, ok := cutPort(head)
	host = unbracket(host)
	return ensemble.PeerAddress{Host: host, PeerPort: peer, ElectionPort: election}, ok && host != ""
}

func parseClient(client string, s *ensemble.Server) bool {
	if port, err := strconv.Atoi(client); err == nil {
		s.ClientPort = port
		return port > 0 && port <= 65535
	}
	host, port, ok := cutPort(client)
	host = unbracket(host)
	if host != "0.0.0.0" && host != "::" && host != "0:0:0:0:0:0:0:0" {
		s.ClientAddress = host // a wildcard is "all addresses", which is ""
	}
	s.ClientPort = port
	return ok
}

func cutPort(s string) (string, int, bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", 0, false
	}
	port, err := strconv.Atoi(s[i+1:])
	return s[:i], port, err == nil && port > 0 && port <= 65535
}

// unbracket also drops the empty name Java prints before an unnamed address.
func unbracket(host string) string {
	host = strings.TrimPrefix(host, "/")
	if in, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(in, "]")
	}
	if ip := net.ParseIP(host); ip != nil {
		return ip.String()
	}
	return host
}
