package ensemble

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// PodConfigInput says what is different in a pod.
type PodConfigInput struct {
	// ServiceHosts is the address (ClusterIP, or name) of each server's
	// Service.
	ServiceHosts map[ID]string
	// Version decides which keys exist; the zero Version assumes the newest.
	Version Version
	// DataDir and DataLogDir are the pod's directories. DataLogDir counts
	// only where the host has its logs apart: the layout stays, because a
	// server refuses copied data that is laid out otherwise (ZOOKEEPER-2967).
	// Empty puts the logs into DataDir.
	DataDir, DataLogDir string
	// ClientPort replaces the file's where it is not 0: hosts may differ.
	ClientPort int
	// ConfigDir is where the pod keeps zoo.cfg and the dynamic file. It must
	// be writable where reconfigEnabled is true. Empty means "/conf".
	ConfigDir string
}

// Note tells the operator about one key of a generated file.
type Note struct {
	Key    string `json:"key"`
	Action Action `json:"action"`
	Text   string `json:"text"`
}

// podBuilder edits a copy of the host's file.
type podBuilder struct {
	c     *Config
	in    PodConfigInput
	p     *Properties
	notes []Note
}

// PodConfig derives the pods' zoo.cfg from a host's. It is the same in every
// pod; the id is in myid. Keys that name the host's addresses are dropped,
// directories mapped, everything else is carried, unknown keys with a note.
// It is written in the plainest style (Properties.Plain), in UTF-8.
// The server list gets the Services' addresses; where the host keeps it in a
// dynamic file, PodDynamic makes that file.
func PodConfig(c *Config, in PodConfigInput) (zooCfg []byte, notes []Note, err error) {
	b := &podBuilder{c: c, in: in, p: c.Props.Plain()}
	if err := checkServiceHosts(c, in.ServiceHosts); err != nil {
		return nil, nil, err
	}
	if c.Dynamic == nil {
		mapServers(c, b.p, in.ServiceHosts)
	} else {
		name, _, _ := PodDynamic(c, in)
		b.set("dynamicConfigFile", path.Join(b.configDir(), name), "the pod's own copy, same version")
	}
	if err := b.oneClientPort(); err != nil {
		return nil, nil, err
	}
	b.directories()
	b.listening()
	b.guard()
	b.whitelist()
	b.rest()
	b.local()
	return b.p.Bytes(), b.notes, nil
}

// PodDynamic makes the pods' dynamic file: the host's with the Services'
// addresses, under the host's file name, because the version is part of the
// name. The name is empty where the host has no dynamic file.
func PodDynamic(c *Config, in PodConfigInput) (name string, data []byte, err error) {
	if c.Dynamic == nil {
		return "", nil, nil
	}
	if err := checkServiceHosts(c, in.ServiceHosts); err != nil {
		return "", nil, err
	}
	p := c.Dynamic.Plain()
	mapServers(c, p, in.ServiceHosts)
	return path.Base(c.DynamicConfigFile), p.Bytes(), nil
}

// checkServiceHosts wants an address that can stand in a list for every server.
func checkServiceHosts(c *Config, hosts map[ID]string) error {
	for _, s := range c.Servers {
		h := hosts[s.ID]
		if h == "" {
			return fmt.Errorf("server %s has no Service address: wrap the ensemble first", s.ID)
		}
		if kind, why := hostKind(h); kind != hostPlain {
			return fmt.Errorf("server %s: Service address %q cannot stand in a server list %s", s.ID, h, why)
		}
	}
	return nil
}

// mapServers gives each server line its Service's address.
func mapServers(c *Config, p *Properties, hosts map[ID]string) {
	for _, s := range c.Servers {
		p.Set(javaTrim(c.keys[s.ID]), c.lines[s.ID].withHost(hosts[s.ID]).String())
	}
}

// ServerLineAt is the value of a member's server.N line with another host:
// ports and role as they are, the client part reduced to its port.
func (c *Config) ServerLineAt(id ID, host string) string { return c.lines[id].withHost(host).String() }

// PeerLineAt is the value of a member's server.N line with another host:
// ports, role and client part as they are. On its host a server can go on
// binding the client address it has.
func (c *Config) PeerLineAt(id ID, host string) string {
	old := c.lines[id]
	line := old.withHost(host)
	line.clientHost = old.clientHost
	return line.String()
}

// HasClientPart reports whether a member's line names a client port (3.5+).
func (c *Config) HasClientPart(id ID) bool { return c.lines[id].client }

// JoinHostPort writes host:port, an IPv6 address in brackets.
func JoinHostPort(host string, port int) string { return bracket(host) + ":" + strconv.Itoa(port) }

func (b *podBuilder) note(key string, a Action, format string, args ...any) {
	b.notes = append(b.notes, Note{Key: key, Action: a, Text: fmt.Sprintf(format, args...)})
}

// set writes a value and says so where it is new.
func (b *podBuilder) set(key, value, why string) {
	if old, ok := b.p.Get(key); ok && javaTrim(old) == value {
		return
	}
	b.p.Set(key, value)
	b.note(key, Map, "%s: %s", value, why)
}

func (b *podBuilder) drop(key, why string) {
	old, ok := b.p.Get(key)
	if !ok {
		return
	}
	b.p.Delete(key)
	b.note(key, Drop, "was %s: %s", javaTrim(old), why)
}

func (b *podBuilder) configDir() string {
	if b.in.ConfigDir == "" {
		return "/conf"
	}
	return b.in.ConfigDir
}

func (b *podBuilder) directories() {
	b.set("dataDir", b.in.DataDir, "the pod's volume")
	_, apart := b.p.Get("dataLogDir")
	switch {
	case apart && b.in.DataLogDir != "":
		b.set("dataLogDir", b.in.DataLogDir, "the pod's volume")
	case apart:
		b.drop("dataLogDir", "the pod keeps logs and snapshots in dataDir")
	}
}

func (b *podBuilder) listening() {
	if b.partsDecide() {
		b.drop("clientPort", "the server lines name each server's port, and a second one that differs keeps it from starting")
	} else if b.in.ClientPort != 0 && b.in.ClientPort != b.c.ClientPort {
		b.set("clientPort", strconv.Itoa(b.in.ClientPort), "the port of the ensemble's Services")
	}
	if address := b.c.loopback(); address != "" {
		b.note("clientPort", Warn, "bound to %s on the hosts, and open on all addresses of the pods: the Service leads there", address)
	}
	b.set("quorumListenOnAllIPs", "true", "a Service's address cannot be bound (ZOOKEEPER-1096)")
	if b.c.MultiAddressEnabled {
		b.note("multiAddress.enabled", Warn, "carried; each server line has the one address of its Service")
	}
}

// loopback is the first loopback address that a plain-text client port is bound to; empty
// where none is.
func (c *Config) loopback() string {
	if Loopback(c.ClientPortAddress) {
		return c.ClientPortAddress
	}
	for _, s := range c.Servers {
		if address := c.lines[s.ID].clientHost; Loopback(address) {
			return address
		}
	}
	return ""
}

// partsDecide reports whether every server line names its client port and
// they differ from clientPort: QuorumPeerConfig.setupClientPort refuses two
// answers.
func (b *podBuilder) partsDecide() bool {
	differ := false
	for _, s := range b.c.Servers {
		line := b.c.lines[s.ID]
		if !line.client {
			return false
		}
		differ = differ || line.clientPort != b.c.ClientPort
	}
	return differ
}

// oneClientPort refuses a list in which some lines name a client port that
// is not the file's and others name none: no single file can serve all pods.
func (b *podBuilder) oneClientPort() error {
	if b.partsDecide() {
		return nil
	}
	port := b.c.ClientPort
	if b.in.ClientPort != 0 {
		port = b.in.ClientPort
	}
	for _, s := range b.c.Servers {
		if line := b.c.lines[s.ID]; line.client && port != 0 && line.clientPort != port {
			return fmt.Errorf("server %s: its line names client port %d and clientPort is %d: write the port into every server line", s.ID, line.clientPort, port)
		}
	}
	return nil
}

// local gives a server that has only a secure client port a plain-text one at its pod's
// loopback address, where the gate's probes ask it.
func (b *podBuilder) local() {
	if b.c.SecureClientPort == 0 || slices.ContainsFunc(b.c.Servers, func(s Server) bool { return s.ClientPort != 0 }) {
		return
	}
	b.set("clientPort", strconv.Itoa(LocalPort(b.c.Servers)), "for the pod's own probes, which ask in plain text")
	b.set("clientPortAddress", "127.0.0.1", "nobody else reaches it")
}

// guard keeps an empty pod out of elections where the release can do that.
func (b *podBuilder) guard() {
	if v := b.in.Version; v.IsZero() || v.HasAutocreateGuard() {
		b.set("db.autocreate", "false", "an empty server must not vote until it has followed a leader (ZOOKEEPER-261)")
	}
}

func (b *podBuilder) whitelist() {
	old, set := b.p.Get("4lw.commands.whitelist")
	if value, change := Whitelist(old, set, b.in.Version); change {
		b.set("4lw.commands.whitelist", value, "the words this tool asks")
	}
}

// rest applies the key table to everything not handled by name.
func (b *podBuilder) rest() {
	for _, key := range b.p.Keys() {
		k := javaTrim(key)
		if isMembership(k) {
			continue
		}
		spec, known := FindKey(k)
		switch {
		case strings.HasPrefix(k, "zookeeper."):
			b.note(k, Carry, "carried; it has no effect here: the property it sets is zookeeper.%s", k)
		case !known:
			b.note(k, Carry, "carried; unknown to this tool")
		case spec.Action == Drop:
			b.drop(key, spec.Note)
		case spec.Action == Warn && k != "multiAddress.enabled" && concerns(spec, b.value(key)):
			b.note(k, Warn, "%s", spec.Note)
		case spec.Kind == KindPath && spec.Action == Carry:
			b.note(k, Warn, "carried; the file must be in the image at the same path")
		}
	}
}

// concerns: the value is one that the key's note is about.
func concerns(spec Key, value string) bool {
	switch {
	case spec.Name == "autopurge.purgeInterval":
		return value == "0"
	case spec.Name == "forceSync":
		return strings.EqualFold(value, "no")
	case spec.Kind == KindBool:
		return strings.EqualFold(value, "true")
	}
	return true
}

func (b *podBuilder) value(key string) string {
	v, _ := b.p.Get(key)
	return javaTrim(v)
}

// WantedWords are the four-letter words this tool asks, in the order they are
// added to a whitelist.
func WantedWords() []string {
	return []string{"srvr", "stat", "mntr", "conf", "cons", "ruok", "isro", "wchs"}
}

// Whitelist returns the value 4lw.commands.whitelist needs. change is false
// where nothing needs to be written: the release has no such key, the list
// has all words, or (3.4.10 and later 3.4) a missing key allows them all
// while a written one would take others away (ServerCnxn.isEnabled).
func Whitelist(old string, set bool, v Version) (value string, change bool) {
	spec, _ := FindKey("4lw.commands.whitelist")
	if !spec.In(v) || !set && !v.IsZero() && !v.AtLeast(3, 5, 0) {
		return old, false
	}
	var words []string
	have := map[string]bool{}
	for _, w := range strings.Split(old, ",") {
		w = javaTrim(w)
		if w == "*" {
			return old, false
		}
		if w != "" && !have[w] {
			have[w] = true
			words = append(words, w)
		}
	}
	for _, w := range WantedWords() {
		if !have[w] {
			words = append(words, w)
			change = true
		}
	}
	if !change {
		return old, false
	}
	return strings.Join(words, ","), true
}
