package ensemble

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
)

// configReader collects a Config and everything wrong with it.
type configReader struct {
	c       *Config
	groups  map[ID]int
	weights map[ID]int
	errs    []error
}

// static reads zoo.cfg as QuorumPeerConfig.parseProperties does.
func (r *configReader) static(p *Properties) {
	c := r.c
	seen := map[string]string{}
	for _, key := range p.Keys() {
		raw, _ := p.Get(key)
		k, v := javaTrim(key), javaTrim(raw)
		if first, dup := seen[k]; dup {
			r.fault(p, key, "one of the two", "the keys %q and %q are the same to ZooKeeper and which one counts is chance", first, key)
			continue
		}
		seen[k] = key
		if want := strict.Value(k + "=" + v); want != "" {
			r.fault(p, key, want, "there is something in it that is not text")
			continue
		}
		switch k {
		case "dataDir":
			c.DataDir = v
		case "dataLogDir":
			c.DataLogDir = v
		case "clientPort":
			r.port(p, key, v, &c.ClientPort)
		case "clientPortAddress":
			c.ClientPortAddress = v
		case "secureClientPort":
			r.port(p, key, v, &c.SecureClientPort)
		case "secureClientPortAddress":
			c.SecureClientPortAddress = v
		case "observerMasterPort":
			r.observerMaster(p, key, v)
		case "tickTime":
			r.number(p, key, v, &c.TickTime)
		case "initLimit":
			r.number(p, key, v, &c.InitLimit)
		case "syncLimit":
			r.number(p, key, v, &c.SyncLimit)
		case "electionAlg":
			var alg int
			r.number(p, key, v, &alg)
			if alg != 3 && len(r.errs) == 0 {
				r.fault(p, key, "electionAlg=3 or no such line", "only the TCP election (3) is supported, the others ended with 3.5")
			}
		case "peerType":
			role, err := parseRole(v)
			if err != nil {
				r.fault(p, key, "participant or observer", "%v", err)
			}
			c.PeerType = role
		case "quorumListenOnAllIPs":
			c.QuorumListenOnAllIPs = strings.EqualFold(v, "true")
		case "reconfigEnabled":
			c.ReconfigEnabled = strings.EqualFold(v, "true")
		case "standaloneEnabled":
			c.StandaloneEnabled = strings.EqualFold(v, "true")
		case "multiAddress.enabled":
			c.MultiAddressEnabled = strings.EqualFold(v, "true")
		case "dynamicConfigFile":
			c.DynamicConfigFile = v
		default:
			if isMembership(k) {
				r.membership(p, key, k, raw)
				continue
			}
			r.other(p, key, k, v)
		}
	}
}

// other checks the plain numbers among the remaining keys; what they mean is
// nothing to us, but a server does not start when they are wrong.
func (r *configReader) other(p *Properties, key, k, v string) {
	if spec, ok := FindKey(k); ok && spec.Kind == KindInt {
		var n int
		r.number(p, key, v, &n)
	}
}

// isMembership reports whether a key belongs to the server list. ZooKeeper
// looks at "group" and "weight" without the dot.
func isMembership(k string) bool {
	return strings.HasPrefix(k, "server.") || strings.HasPrefix(k, "group") || strings.HasPrefix(k, "weight")
}

// membership reads a server.N, group.N or weight.N line.
func (r *configReader) membership(p *Properties, key, k, raw string) {
	c := r.c
	_, suffix, _ := strings.Cut(k, ".")
	n, err := strconv.ParseInt(suffix, 10, 64)
	if err != nil {
		r.fault(p, key, "server.N, group.N or weight.N with a whole number", "%q has no whole number behind the dot", k)
		return
	}
	v, group := javaTrim(raw), strings.HasPrefix(k, "group")
	id := ID(n)
	if !group && !r.inRange(p, key, id) {
		return
	}
	switch {
	case strings.HasPrefix(k, "server."):
		if other, dup := c.keys[id]; dup {
			r.fault(p, key, "each id once", "%q and %q are the same server", other, key)
			return
		}
		line, err := parseServerLine(v)
		if err != nil {
			r.fault(p, key, serverLineWant, "server %s: %v", id, err)
			return
		}
		c.keys[id], c.lines[id] = key, line
		c.Servers = append(c.Servers, line.server(id))
	case group:
		for _, s := range javaSplit(v, ":") {
			m, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				r.fault(p, key, "group.N=1:2:3", "group %d: member %q is not a server id", n, s)
				return
			}
			if !r.inRange(p, key, ID(m)) {
				return
			}
			if _, dup := r.groups[ID(m)]; dup {
				r.fault(p, key, "each server in one group", "server %d is in more than one group", m)
				return
			}
			r.groups[ID(m)] = int(n)
		}
		c.Hierarchical = true
	default:
		w, err := javaInt(v)
		if err != nil || w < 0 {
			r.fault(p, key, "weight.N=1", "weight %q is not a whole number from 0", v)
			return
		}
		r.weights[id] = w
	}
}

// inRange refuses an id that cannot be a server's.
func (r *configReader) inRange(p *Properties, key string, id ID) bool {
	if id >= MinID && id <= MaxID {
		return true
	}
	want := fmt.Sprintf("ids from %d to %d", MinID, MaxID)
	if id < MinID {
		r.fault(p, key, want, "server id %s: where elections are held, a number below 0 is read as the version of a protocol (ZOOKEEPER-1633)", id)
		return false
	}
	r.fault(p, key, want, "server id %s is larger than this tool takes", id)
	return false
}

// dynamic reads the dynamic file, which may hold nothing but the server list
// (QuorumPeerConfig.parseDynamicConfig).
func (r *configReader) dynamic(name string, data []byte) error {
	c := r.c
	named := c.DynamicConfigFile
	if named == "" {
		if data == nil {
			return nil
		}
		return &InputError{File: name, Problem: "a dynamic file was given, but zoo.cfg has no dynamicConfigFile line"}
	}
	for _, key := range c.Props.Keys() {
		if isMembership(javaTrim(key)) {
			r.fault(c.Props, key, "the server list in the dynamic file only",
				"%s stands in zoo.cfg beside dynamicConfigFile, ZooKeeper 3.5 and later do not start", javaTrim(key))
		}
	}
	if data == nil {
		return &InputError{
			File: name, Line: c.Props.Line("dynamicConfigFile"), Text: c.Props.Text("dynamicConfigFile"),
			Problem: "the server list is in another file", Want: "that file beside zoo.cfg",
		}
	}
	if strings.HasSuffix(named, ".next") {
		return &InputError{
			File: name, Line: c.Props.Line("dynamicConfigFile"), Text: c.Props.Text("dynamicConfigFile"),
			Problem: "a .next file is a reconfiguration that has not ended", Want: "the committed dynamic file",
		}
	}
	if err := sniff(named, data, wantDynamic); err != nil {
		return err
	}
	p, err := ParseProperties(named, data)
	if err != nil {
		return err
	}
	if err := few(named, p); err != nil {
		return err
	}
	c.Dynamic = p
	for _, key := range p.Keys() {
		raw, _ := p.Get(key)
		switch k := javaTrim(key); {
		case isMembership(k):
			r.membership(p, key, k, raw)
		case k == "version":
			r.fault(p, key, "the version in the file's name only", "a dynamic file with a version line is refused by ZooKeeper")
		default:
			r.fault(p, key, "server.N, group.N and weight.N only", "%q is refused in a dynamic file by ZooKeeper", k)
		}
	}
	return nil
}

// finish applies what needs the whole file.
func (r *configReader) finish() {
	c := r.c
	file := c.ServerFile()
	SortServers(c.Servers)
	if c.DataDir == "" {
		r.errs = append(r.errs, &InputError{File: c.Name, Problem: "dataDir is missing", Want: "dataDir=/path"})
	}
	if c.DataLogDir == "" {
		c.DataLogDir = c.DataDir
	}
	if c.ClientPort == 0 && c.ClientPortAddress != "" {
		r.fault(c.Props, "clientPortAddress", "clientPort beside it", "clientPortAddress without clientPort")
	}
	if c.SecureClientPort == 0 && c.SecureClientPortAddress != "" {
		r.fault(c.Props, "secureClientPortAddress", "secureClientPort beside it", "secureClientPortAddress without secureClientPort")
	}
	for i := range c.Servers {
		s := &c.Servers[i]
		c.fill(s)
		if !c.Hierarchical {
			// Weights without groups do not count: 3.4 ignores them, later
			// versions do not start.
			continue
		}
		g, grouped := r.groups[s.ID]
		if grouped && s.Role == Observer {
			// 3.4 miscounts, later releases fail or add its weight to a
			// quorum it can never be part of.
			r.fault(file, c.keys[s.ID], "participants only in group.N lines", "server %s is an observer and in group %d", s.ID, g)
		}
		if !grouped && s.Role != Observer {
			r.fault(file, c.keys[s.ID], "the id in one group.N line", "server %s is in no group", s.ID)
		}
		s.Group = g
		if w, ok := r.weights[s.ID]; ok {
			s.Weight = w
		}
	}
	r.strangers(file)
	r.voters(file)
	r.sessions()
	if len(c.Servers) > 1 {
		for _, limit := range []struct {
			key string
			n   int
		}{{"initLimit", c.InitLimit}, {"syncLimit", c.SyncLimit}} {
			if _, present := c.Props.Get(limit.key); !present {
				r.errs = append(r.errs, &InputError{File: c.Name, Problem: limit.key + " is missing", Want: limit.key + "=10"})
			} else if (limit.n <= 0 || limit.n > maxTicks) && !r.has(limit.key) {
				r.fault(c.Props, limit.key, fmt.Sprintf("a number of ticks, 1 to %d", maxTicks), "%s is %d", limit.key, limit.n)
			}
		}
	}
}

// maxTicks is more than any limit needs. ZooKeeper reads others, too, and what
// waits by them fails: a negative time-out is none, a large product overflows.
const maxTicks = 1_000_000

// voters refuses lists no quorum can come of, as ZooKeeper does.
func (r *configReader) voters(p *Properties) {
	participants := 0
	for _, s := range r.c.Servers {
		if s.Role != Observer {
			participants++
		}
	}
	observers := len(r.c.Servers) - participants
	if len(r.errs) == 0 && observers > 0 && (participants == 0 || participants == 1 && r.c.StandaloneEnabled) {
		r.errs = append(r.errs, &InputError{
			File: p.Name(), Problem: "observers without a quorum of participants to follow",
			Want: "at least two participants in the server list",
		})
	}
}

// sessions refuses bounds the wrong way round; -1 stands for the default of
// 2 and 20 ticks.
func (r *configReader) sessions() {
	c := r.c
	if c.TickTime == 0 {
		r.fault(c.Props, "tickTime", "milliseconds", "tickTime is 0")
		return
	}
	least, most := 2*c.TickTime, 20*c.TickTime
	for key, to := range map[string]*int{"minSessionTimeout": &least, "maxSessionTimeout": &most} {
		v, _ := c.Props.Get(key)
		if n, err := javaInt(javaTrim(v)); err == nil && n != -1 {
			*to = n
		}
	}
	if least > most && len(r.errs) == 0 {
		key := "minSessionTimeout"
		if c.Props.Line(key) == 0 {
			key = "maxSessionTimeout"
		}
		r.fault(c.Props, key, "minSessionTimeout no larger than maxSessionTimeout",
			"sessions of at least %d ms and at most %d ms", least, most)
	}
}

// strangers refuses group and weight lines of servers that are not there.
func (r *configReader) strangers(p *Properties) {
	var ids []ID
	for id := range r.groups {
		ids = append(ids, id)
	}
	for id := range r.weights {
		if _, both := r.groups[id]; !both && r.c.Hierarchical {
			ids = append(ids, id)
		}
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	for _, id := range ids {
		if _, ok := r.c.keys[id]; !ok && len(r.errs) == 0 {
			r.errs = append(r.errs, &InputError{
				File: p.Name(), Problem: "server " + id.String() + " has a group or a weight but no server line",
				Want: "server." + id.String() + "=" + serverLineWant,
			})
		}
	}
}

// has reports whether a problem at that key's line is recorded already.
func (r *configReader) has(key string) bool {
	for _, err := range r.errs {
		var in *InputError
		if errors.As(err, &in) && in.File == r.c.Name && in.Line == r.c.Props.Line(key) {
			return true
		}
	}
	return false
}

func (r *configReader) number(p *Properties, key, v string, to *int) {
	n, err := javaInt(v)
	if err != nil {
		r.fault(p, key, "a whole number", "%s is not a number", javaTrim(key))
		return
	}
	*to = n
}

// port reads the port of a key. 0 is none: 3.5 to 3.8 take it for "not set", and from 3.9
// on the server listens on a port that it chooses and nobody knows.
func (r *configReader) port(p *Properties, key, v string, to *int) {
	if n, err := javaInt(v); err == nil && n == 0 {
		return
	}
	n, err := parsePort(javaTrim(key), v)
	if err != nil {
		r.fault(p, key, "a port", "%v", err)
		return
	}
	*to = n
}

// observerMaster reads its port: "off" is any number below 1.
func (r *configReader) observerMaster(p *Properties, key, v string) {
	var n int
	r.number(p, key, v, &n)
	if n > 65535 {
		r.fault(p, key, "a port", "%s %d is not a whole number up to 65535", javaTrim(key), n)
	}
	r.c.ObserverMasterPort = max(n, 0)
}

// fill gives a server what this file says of every server's ports.
func (c *Config) fill(s *Server) {
	if !c.lines[s.ID].client {
		s.ClientPort = c.ClientPort
	}
	if kind, _ := hostKind(c.SecureClientPortAddress); kind != hostLoopback {
		s.SecureClientPort = c.SecureClientPort
	}
	s.ObserverMasterPort = c.ObserverMasterPort
}
