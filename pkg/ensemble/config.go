package ensemble

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// DefaultTickTime is ZooKeeper's tickTime in milliseconds where the file has
// none (ZooKeeperServer.DEFAULT_TICK_TIME). initLimit and syncLimit have no
// default: a quorum does not start without them.
const DefaultTickTime = 3000

// Config is one server's configuration as QuorumPeerConfig reads it. The
// files it was read from stay beside it, so that they can be edited without
// loss.
type Config struct {
	// Name is the file's name as the caller gave it.
	Name string
	// Servers is the server list, sorted by id, with weights and groups.
	// ClientPort is that of the server's line, or this file's clientPort
	// where the line has none (each host may have its own: see FromHosts).
	// SecureClientPort and ObserverMasterPort are this file's.
	Servers []Server

	ClientPort              int    // 0: no plain-text client port
	ClientPortAddress       string // empty: all addresses
	SecureClientPort        int    // 0: none
	SecureClientPortAddress string
	ObserverMasterPort      int // 0: none
	DataDir                 string
	DataLogDir              string // dataDir where the file has none
	TickTime                int    // milliseconds
	InitLimit, SyncLimit    int    // ticks; 0: not set
	PeerType                Role   // participant where not set; the list decides
	QuorumListenOnAllIPs    bool
	ReconfigEnabled         bool
	StandaloneEnabled       bool // true where not set
	MultiAddressEnabled     bool
	Hierarchical            bool // groups are in use

	// DynamicConfigFile is the path the file names; empty when it has none.
	DynamicConfigFile string
	// Props is zoo.cfg, Dynamic the dynamic file or nil.
	Props   *Properties
	Dynamic *Properties

	lines map[ID]serverLine
	keys  map[ID]string
}

// ServerFile is the file that holds the server list: the dynamic file where
// there is one, zoo.cfg otherwise.
func (c *Config) ServerFile() *Properties {
	if c.Dynamic != nil {
		return c.Dynamic
	}
	return c.Props
}

// ServerKey returns the server.N key of a member as the file spells it.
func (c *Config) ServerKey(id ID) string { return c.keys[id] }

// DynamicVersion is the version of the dynamic file: the hexadecimal suffix
// of its name, which is where ZooKeeper keeps it
// (QuorumPeerConfig.getVersionFromFilename); empty when the name has none.
func (c *Config) DynamicVersion() string {
	dot := strings.LastIndexByte(c.DynamicConfigFile, '.')
	if dot < 0 {
		return ""
	}
	suffix := strings.ToLower(c.DynamicConfigFile[dot+1:])
	for i := 0; i < len(suffix); i++ {
		if _, ok := hexDigit(suffix[i]); !ok {
			return ""
		}
	}
	if len(suffix) > 16 {
		return ""
	}
	if trimmed := strings.TrimLeft(suffix, "0"); trimmed != "" || suffix == "" {
		return trimmed
	}
	return "0"
}

// Server returns the member with that id.
func (c *Config) Server(id ID) (Server, bool) {
	return Ensemble{Servers: c.Servers}.Server(id)
}

// DynamicFileName returns the dynamicConfigFile a zoo.cfg names, so that a
// caller can read it before ParseConfig; empty when there is none.
func DynamicFileName(name string, zooCfg []byte) (string, error) {
	p, err := ParseProperties(name, zooCfg)
	if err != nil {
		return "", err
	}
	v, _ := p.Get("dynamicConfigFile")
	return javaTrim(v), nil
}

// ParseConfig reads a zoo.cfg and, where it names one, its dynamic file (nil
// when there is none). All problems found are returned together; each is an
// *InputError. What ZooKeeper accepts but a migration cannot live with is
// left to Lint.
func ParseConfig(name string, zooCfg []byte, dynamic []byte) (*Config, error) {
	if err := sniff(name, zooCfg, wantZooCfg); err != nil {
		return nil, err
	}
	props, err := ParseProperties(name, zooCfg)
	if err != nil {
		return nil, err
	}
	if err := few(name, props); err != nil {
		return nil, err
	}
	r := &configReader{
		c: &Config{
			Name: name, Props: props, TickTime: DefaultTickTime, StandaloneEnabled: true, PeerType: Participant,
			lines: map[ID]serverLine{}, keys: map[ID]string{},
		},
		groups: map[ID]int{}, weights: map[ID]int{},
	}
	if err := looksLikeZooCfg(props); err != nil {
		return nil, err
	}
	r.static(props)
	if err := r.dynamic(name, dynamic); err != nil {
		r.errs = append(r.errs, err)
	}
	r.finish()
	if more := len(r.errs) - maxErrors; more > 0 {
		r.errs = append(r.errs[:maxErrors], &InputError{File: name, Problem: fmt.Sprintf("%d more such problems: fix those above first", more)})
	}
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	return r.c, nil
}

const (
	// maxSettings bounds the work of comparing everything with everything. A list of a
	// thousand servers with groups and weights has fewer.
	maxSettings = 4096
	// maxErrors bounds how much is said of one file.
	maxErrors = 20
)

// few refuses a file with more lines than any configuration has.
func few(name string, p *Properties) error {
	if len(p.entries) <= maxSettings {
		return nil
	}
	return &InputError{
		File: name, Line: p.entries[maxSettings].line, Problem: fmt.Sprintf("the file has %d settings", len(p.entries)),
		Want: fmt.Sprintf("a configuration of %d settings at most", maxSettings),
	}
}

const (
	wantZooCfg  = "a zoo.cfg: lines such as dataDir=/var/lib/zookeeper and server.1=host:2888:3888"
	wantDynamic = "a dynamic file: lines such as server.1=host:2888:3888:participant;2181"
)

// sniff refuses what cannot be a properties file at all.
func sniff(name string, data []byte, want string) error {
	bad := func(problem string) error { return &InputError{File: name, Problem: problem, Want: want} }
	head := bytes.TrimLeft(data, " \t\r\n\f")
	switch {
	case len(head) == 0:
		return bad("the file is empty")
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return bad("the file is UTF-16, which ZooKeeper does not read")
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		return bad("the file is compressed with gzip")
	case bytes.IndexByte(data, 0) >= 0:
		return bad("this is a binary file")
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		return bad("the file begins with a byte order mark, which ZooKeeper takes for part of the first key")
	case head[0] == '<':
		return bad("this is XML or HTML")
	case head[0] == '{':
		return bad("this is JSON")
	case bytes.HasPrefix(head, []byte("---")):
		return bad("this is YAML")
	}
	return nil
}

func looksLikeZooCfg(p *Properties) error {
	known, version, kind := false, false, false
	for _, key := range p.Keys() {
		k := javaTrim(key)
		known = known || k == "dataDir" || strings.HasPrefix(k, "server.") || k == "dynamicConfigFile"
		version, kind = version || k == "apiVersion", kind || k == "kind"
	}
	switch {
	case version && kind && known:
		return &InputError{
			File: p.Name(), Line: p.Line("apiVersion"), Problem: "this is a Kubernetes object in YAML, with a zoo.cfg in it at best",
			Want: "the zoo.cfg alone, the text under its key in data",
		}
	case known:
		return nil
	}
	problem := "no dataDir and no server.N line"
	if version || kind {
		problem = "this is YAML"
	}
	return &InputError{
		File: p.Name(), Problem: "this is no zoo.cfg: " + problem,
		Want: "a zoo.cfg with lines such as dataDir=/var/lib/zookeeper and server.1=host:2888:3888",
	}
}

// fault records a problem at the line of a key.
func (r *configReader) fault(p *Properties, key, want, format string, args ...any) {
	r.errs = append(r.errs, &InputError{
		File: p.Name(), Line: p.Line(key), Text: p.Text(key), Want: want,
		Problem: HideSecrets(fmt.Sprintf(format, args...)), // a value is quoted in it
	})
}
