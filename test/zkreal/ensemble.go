//go:build linux

package zkreal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Options describe an ensemble to run.
type Options struct {
	// Version is one of Versions.
	Version string
	// IDs are the servers' ids; 1, 2 and 3 when empty.
	IDs []int
	// Observers names the ids among IDs that are observers.
	Observers []int
	// Dir holds data, configuration and logs; the caller removes it.
	Dir string
	// Config holds zoo.cfg settings added to or replacing the default ones; an
	// empty value removes a default.
	Config map[string]string
	// JVM holds further java options.
	JVM []string
}

// Ensemble is a set of real servers, each a JVM of its own on 127.0.0.1.
// Methods may be used from several goroutines as long as they concern
// different servers.
type Ensemble struct {
	opts    Options
	jars    string
	servers map[int]*Server
}

// New writes the configuration of an ensemble and starts nothing.
func New(ctx context.Context, opts Options) (*Ensemble, error) {
	if opts.Dir == "" {
		return nil, errors.New("real ensemble: Options.Dir is empty: give a folder, as testing.T.TempDir returns")
	}
	if len(opts.IDs) == 0 {
		opts.IDs = []int{1, 2, 3}
	}
	sort.Ints(opts.IDs)
	jars, err := Fetch(ctx, opts.Version)
	if err != nil {
		return nil, err
	}
	e := &Ensemble{opts: opts, jars: jars, servers: map[int]*Server{}}
	ports, err := freePorts(3 * len(opts.IDs))
	if err != nil {
		return nil, err
	}
	for i, id := range opts.IDs {
		e.servers[id] = &Server{
			ID:           id,
			Dir:          filepath.Join(opts.Dir, fmt.Sprintf("server%d", id)),
			ClientPort:   ports[3*i],
			PeerPort:     ports[3*i+1],
			ElectionPort: ports[3*i+2],
			e:            e,
		}
	}
	for _, s := range e.servers {
		if err := s.configure(); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// IDs returns the ids, ascending.
func (e *Ensemble) IDs() []int { return append([]int(nil), e.opts.IDs...) }

// Server returns the server with that id, nil when there is none.
func (e *Ensemble) Server(id int) *Server { return e.servers[id] }

// ClientAddrs returns every server's client address, by ascending id.
func (e *Ensemble) ClientAddrs() []string {
	var out []string
	for _, id := range e.opts.IDs {
		out = append(out, e.servers[id].ClientAddr())
	}
	return out
}

// Start starts all servers and waits until each one serves.
func (e *Ensemble) Start(ctx context.Context) error {
	for _, id := range e.opts.IDs {
		if err := e.servers[id].Start(); err != nil {
			return err
		}
	}
	for _, id := range e.opts.IDs {
		if _, err := e.servers[id].WaitServing(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close kills every server that still runs and waits for its end.
func (e *Ensemble) Close() {
	for _, s := range e.servers {
		s.Kill()
	}
}

// Leader returns the id of the server that says it leads, 0 when none does.
func (e *Ensemble) Leader(ctx context.Context) int {
	for _, id := range e.opts.IDs {
		if e.servers[id].Mode(ctx) == "leader" {
			return id
		}
	}
	return 0
}

// LeaderLast returns all ids with the present leader at the end, which is the
// order a rolling restart takes.
func (e *Ensemble) LeaderLast(ctx context.Context) []int {
	leader := e.Leader(ctx)
	var out []int
	for _, id := range e.opts.IDs {
		if id != leader {
			out = append(out, id)
		}
	}
	if leader != 0 {
		out = append(out, leader)
	}
	return out
}

func (e *Ensemble) observer(id int) bool {
	for _, o := range e.opts.Observers {
		if o == id {
			return true
		}
	}
	return false
}

// zooCfg renders the configuration of one server. Defaults are short ticks and
// all four-letter words, because tests want to see and not to wait.
func (e *Ensemble) zooCfg(s *Server) string {
	set := map[string]string{
		"tickTime":               "1000",
		"initLimit":              "10",
		"syncLimit":              "5",
		"maxClientCnxns":         "0",
		"4lw.commands.whitelist": "*",
		"admin.enableServer":     "false",
		"dataDir":                s.DataDir(),
		"clientPort":             fmt.Sprint(s.ClientPort),
		"clientPortAddress":      "127.0.0.1",
	}
	if e.observer(s.ID) {
		set["peerType"] = "observer"
	}
	for k, v := range e.opts.Config {
		set[k] = v
	}
	for _, id := range e.opts.IDs {
		m := e.servers[id]
		line := fmt.Sprintf("127.0.0.1:%d:%d", m.PeerPort, m.ElectionPort)
		if e.observer(id) {
			line += ":observer"
		}
		set[fmt.Sprintf("server.%d", id)] = line
	}
	keys := make([]string, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var b strings.Builder
	for _, k := range keys {
		if set[k] != "" {
			fmt.Fprintf(&b, "%s=%s\n", k, set[k])
		}
	}
	return b.String()
}

// freePorts asks the kernel for ports nobody uses and holds them all until the
// last one is found, so that they differ.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port on 127.0.0.1: %w", err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
