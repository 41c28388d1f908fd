package ensemble

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// HostConfig is the configuration of one host.
type HostConfig struct {
	// ID is the server on that host; none where the caller does not know.
	ID MaybeID
	// Source names the host or file in messages.
	Source string
	Config *Config
	// Next says that a zoo.cfg.dynamic.next lies beside the file: a
	// reconfiguration that has not ended.
	Next bool
}

// SourceValue is what one source says.
type SourceValue struct {
	Source string `json:"source"`
	Value  string `json:"value"`
}

// Difference is a key on which the hosts' files do not agree though they must.
type Difference struct {
	// Key is the key, or a description such as "server ids".
	Key    string        `json:"key"`
	Values []SourceValue `json:"values"`
	// Why says what follows from it.
	Why string `json:"why"`
	// Names is set where the sources only name one server's machine
	// differently: where all names resolve alike this is no difference, which
	// an edge can find out.
	Names bool `json:"names,omitempty"`
}

// String prints the key and who says what.
func (d Difference) String() string {
	parts := make([]string, len(d.Values))
	for i, v := range d.Values {
		parts[i] = v.Source + ": " + v.Value
	}
	return d.Key + " differs: " + strings.Join(parts, "; ")
}

// FromHosts makes one ensemble of one file for all hosts or of one file per
// host. A server's own line may name a wildcard or loopback address, as is
// usual where hosts run containers: the other files say where it is. What
// must agree and does not is returned as differences; the ensemble is usable
// only when there are none. Problems no comparison can be made with are
// errors.
func FromHosts(name string, files []HostConfig) (Ensemble, []Difference, error) {
	if len(files) == 0 {
		return Ensemble{}, nil, errors.New("no configuration given")
	}
	files = append([]HostConfig(nil), files...)
	if err := ownIDs(files); err != nil {
		return Ensemble{}, nil, err
	}
	sort.SliceStable(files, func(i, j int) bool {
		a, known := files[i].ID.Get()
		b, knownToo := files[j].ID.Get()
		return a < b && known == knownToo || !known && knownToo
	})
	m := &merger{files: files}
	m.sets()
	ens := Ensemble{Name: name}
	for _, id := range m.ids() {
		s, err := m.server(id)
		if err != nil {
			return Ensemble{}, nil, err
		}
		ens.Servers = append(ens.Servers, s)
	}
	m.settings()
	return ens, m.diffs, nil
}

// ownIDs checks the given ids and finds those the caller did not know: a
// wildcard address can only stand in a server's own line.
func ownIDs(files []HostConfig) error {
	taken := map[ID]string{}
	for i := range files {
		f := &files[i]
		if f.Config == nil || len(f.Config.Servers) == 0 {
			return &InputError{File: f.Source, Problem: "no server.N line: a standalone server is no ensemble",
				Want: "server.1=" + serverLineWant}
		}
		if f.Next {
			return &InputError{File: f.Source, Problem: "a .dynamic.next file lies beside it: a reconfiguration has not ended",
				Want: "the same committed configuration on every host"}
		}
		if f.ID.IsZero() {
			f.ID = f.Config.selfID()
		}
		id, known := f.ID.Get()
		if !known {
			continue
		}
		if _, ok := f.Config.Server(id); !ok {
			return &InputError{File: f.Source, Problem: fmt.Sprintf("the file has no line for its own server %s", id),
				Want: "server." + id.String() + "=" + serverLineWant}
		}
		if first, dup := taken[id]; dup {
			return &InputError{File: f.Source, Problem: fmt.Sprintf("server %s was given already by %s", id, first), Want: "one file per server"}
		}
		taken[id] = f.Source
	}
	return nil
}

// selfID is the one server whose address is a wildcard or, with none of
// those, the one with a loopback address; none when that does not tell.
func (c *Config) selfID() MaybeID {
	for _, want := range []hostClass{hostWildcard, hostLoopback} {
		var found []ID
		for _, s := range c.Servers {
			if kind, _ := hostKind(s.Host); kind == want {
				found = append(found, s.ID)
			}
		}
		if len(found) == 1 {
			return found[0].Known()
		}
	}
	return MaybeID{}
}

// merger compares files.
type merger struct {
	files []HostConfig
	diffs []Difference
}

func (m *merger) ids() []ID { return Ensemble{Servers: m.files[0].Config.Servers}.IDs() }

// compare records a difference where the sources do not all say the same.
func (m *merger) compare(key, why string, say func(HostConfig) (string, bool)) {
	var values []SourceValue
	same := true
	for _, f := range m.files {
		v, ok := say(f)
		if !ok {
			continue
		}
		if len(values) > 0 && v != values[0].Value {
			same = false
		}
		values = append(values, SourceValue{Source: f.Source, Value: v})
	}
	if !same {
		m.diffs = append(m.diffs, Difference{Key: key, Values: values, Why: why})
	}
}

func (m *merger) sets() {
	m.compare("server ids", "servers with different lists count different majorities", func(f HostConfig) (string, bool) {
		var ids []string
		for _, id := range (Ensemble{Servers: f.Config.Servers}).IDs() {
			ids = append(ids, id.String())
		}
		return strings.Join(ids, ","), true
	})
	m.compare("dynamic configuration version", "a server with a lower version takes the list of its peers", func(f HostConfig) (string, bool) {
		if f.Config.Dynamic == nil {
			return "no dynamic file", true
		}
		if v := f.Config.DynamicVersion(); v != "" {
			return v, true
		}
		return "0", true
	})
}

// server merges what the files say about one server.
func (m *merger) server(id ID) (Server, error) {
	field := func(name, why string, get func(Server) string) {
		m.compare("server."+id.String()+" "+name, why, func(f HostConfig) (string, bool) {
			s, ok := f.Config.Server(id)
			if !ok {
				return "", false
			}
			return get(s), true
		})
	}
	field("ports", "servers look for each other where nobody listens", func(s Server) string {
		return fmt.Sprintf("%d:%d", s.PeerPort, s.ElectionPort)
	})
	field("role", "servers count different majorities", func(s Server) string { return string(s.Role) })
	field("weight", "servers count different majorities", func(s Server) string { return fmt.Sprint(s.Weight) })
	field("group", "servers count different majorities", func(s Server) string { return fmt.Sprint(s.Group) })

	best := m.witness(id)
	found := len(m.diffs)
	m.compare("server."+id.String()+" address", "one of them may be somewhere else", func(f HostConfig) (string, bool) {
		s, ok := f.Config.Server(id)
		if !ok || f.ID.Is(id) && !best.ID.Is(id) && !realHost(s.Host) {
			return "", false
		}
		all := []string{strings.ToLower(s.Host)}
		for _, a := range s.More {
			all = append(all, fmt.Sprintf("%s:%d:%d", strings.ToLower(bracket(a.Host)), a.PeerPort, a.ElectionPort))
		}
		return strings.Join(all, "|"), true
	})
	for i := range m.diffs[found:] {
		m.diffs[found+i].Names = true
	}
	s, _ := best.Config.Server(id)
	if kind, _ := hostKind(s.Host); kind == hostWildcard || kind == hostLoopback && !m.oneMachine() {
		p, key := best.Config.ServerFile(), best.Config.ServerKey(id)
		what := "a wildcard"
		if kind == hostLoopback {
			what = "a loopback address, this machine itself"
		}
		return s, &InputError{
			File: best.Source, Line: p.Line(key), Text: p.Text(key),
			Problem: fmt.Sprintf("no file says where server %s is: %s is %s", id, s.Host, what),
			Want:    "the file of another host, or an address in place of " + s.Host,
		}
	}
	m.own(&s)
	return s, nil
}

// oneMachine reports whether the lists name nothing but this machine, as on a
// developer's desk; Lint objects to that.
func (m *merger) oneMachine() bool {
	for _, f := range m.files {
		for _, s := range f.Config.Servers {
			if realHost(s.Host) {
				return false
			}
		}
	}
	return true
}

// witness picks the file whose line for a server is believed: an address
// other machines reach before a loopback address, that before a wildcard;
// among equals the first.
func (m *merger) witness(id ID) HostConfig {
	pick, best := m.files[0], 0
	for _, f := range m.files {
		s, ok := f.Config.Server(id)
		if !ok {
			continue
		}
		rank := 3
		switch kind, _ := hostKind(s.Host); kind {
		case hostLoopback:
			rank = 2
		case hostWildcard:
			rank = 1
		case hostPlain, hostBad:
		}
		if rank > best {
			pick, best = f, rank
		}
	}
	return pick
}

func realHost(host string) bool {
	kind, _ := hostKind(host)
	return kind == hostPlain
}

// own takes a server's ports and its client address from its own file, which knows best;
// else they are as the server list says, or any file (one file for all hosts).
func (m *merger) own(s *Server) {
	for _, f := range m.files {
		if !f.ID.Is(s.ID) {
			continue
		}
		own, _ := f.Config.Server(s.ID)
		s.ClientAddress, s.ClientPort = own.ClientAddress, own.ClientPort
		if !f.Config.HasClientPart(s.ID) {
			s.ClientAddress = f.Config.ClientPortAddress
		}
		s.SecureClientPort, s.ObserverMasterPort = own.SecureClientPort, own.ObserverMasterPort
		return
	}
}

// settings compares every key that must be alike.
func (m *merger) settings() {
	keys := map[string]bool{}
	for _, f := range m.files {
		for _, key := range f.Config.Props.Keys() {
			keys[javaTrim(key)] = true
		}
	}
	names := make([]string, 0, len(keys))
	for k := range keys {
		if spec, known := FindKey(k); !isMembership(k) && !(known && spec.PerHost) {
			names = append(names, k)
		}
	}
	sort.Strings(names)
	for _, k := range names {
		found := len(m.diffs)
		m.compare(k, "servers of one ensemble must run with the same settings", func(f HostConfig) (string, bool) {
			v, ok := f.Config.Props.Get(k)
			if !ok {
				v, ok = defaultOf(k)
			}
			if !ok {
				return "(not set)", true
			}
			return javaTrim(v), true
		})
		for _, d := range m.diffs[found:] {
			for i := range d.Values {
				if SecretSetting(k, d.Values[i].Value) && d.Values[i].Value != "(not set)" {
					d.Values[i].Value = Hidden
				}
			}
		}
	}
}

// defaultOf is the value that a missing key stands for, for those where a
// file may well spell it out.
func defaultOf(key string) (string, bool) {
	switch key {
	case "tickTime":
		return "3000", true
	case "maxClientCnxns":
		return "60", true
	case "quorumListenOnAllIPs", "reconfigEnabled", "localSessionsEnabled", "localSessionsUpgradingEnabled",
		"sslQuorum", "portUnification", "tcpKeepAlive", "multiAddress.enabled":
		return "false", true
	case "standaloneEnabled", "syncEnabled":
		return "true", true
	case "electionAlg", "autopurge.snapRetainCount":
		return "3", true
	case "autopurge.purgeInterval":
		return "0", true
	case "forceSync", "leaderServes":
		return "yes", true
	}
	return "", false
}
