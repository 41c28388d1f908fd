package ensemble

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
)

// Server is one member as the lab runs it.
type Server struct {
	ID       int    `json:"id"`
	Observer bool   `json:"observer,omitempty"`
	Machine  string `json:"machine"`
	Address  string `json:"address"`
	// Also is its host's address in the other IP family, which nothing of it uses.
	Also string `json:"also,omitempty"`
	// Listed is what the server lines call its host.
	Listed string `json:"listed"`
	// ClientPort is 0 where clients must use TLS, SecureClientPort where they can't.
	ClientPort       int `json:"clientPort"`
	SecureClientPort int `json:"secureClientPort,omitempty"`
	QuorumPort       int `json:"quorumPort"`
	ElectionPort     int `json:"electionPort"`
	AdminPort        int `json:"adminPort"`
	// Dir holds conf/zoo.cfg, data and what the lab needs to run the server.
	Dir string `json:"dir"`
}

// ZooCfg is the server's configuration file.
func (s Server) ZooCfg() string { return filepath.Join(s.ConfDir(), "zoo.cfg") }

// ConfDir is where the server's configuration lies.
func (s Server) ConfDir() string { return filepath.Join(s.Dir, "conf") }

// DataDir is the server's data folder, the same path inside and outside of its
// root file system.
func (s Server) DataDir() string { return filepath.Join(s.Dir, "data") }

// Servers lays the ensemble out: place says which machine, with which address
// and folder, the i-th server gets.
func (s Spec) Servers(place func(i, id int) Server) []Server {
	servers := make([]Server, 0, len(s.IDs))
	for i, id := range s.IDs {
		server := place(i, id)
		server.ID = id
		server.Observer = slices.Contains(s.Observers, id)
		offset := 0
		if s.SharedHost {
			offset = i
		}
		server.Listed = bracketed(server.Address)
		if s.Names {
			server.Listed = fmt.Sprintf("%s-%d.%s", s.Name, id, plan.HostDomain)
		}
		if s.PlainClients() {
			server.ClientPort = s.ClientPort + offset
		}
		if s.SecureClients() {
			server.SecureClientPort = s.SecureClientPort + offset
		}
		server.QuorumPort = s.QuorumPort + offset
		server.ElectionPort = s.ElectionPort + offset
		server.AdminPort = adminPort + offset
		servers = append(servers, server)
	}
	return servers
}

// bracketed is an address as server lines and URLs have it.
func bracketed(address string) string {
	if strings.Contains(address, ":") {
		return "[" + address + "]"
	}
	return address
}

// sets reports whether an extra line has the key of line.
func (s Spec) sets(line string) bool {
	key, _, _ := strings.Cut(line, "=")
	return slices.ContainsFunc(s.ZooCfgLines, func(l string) bool { return strings.HasPrefix(l, key+"=") })
}

// adminPort is ZooKeeper's own default for its AdminServer.
const adminPort = 8080

// RenderZooCfg writes what a system administrator would have: no
// quorumListenOnAllIPs, only harmless four-letter words. A dynamic ensemble
// starts from the same one file: with its first leader each server moves the
// list into zoo.cfg.dynamic.VERSION beside it (QuorumPeerConfig.editStaticConfig).
func (s Spec) RenderZooCfg(self Server, all []Server) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# ZooKeeper server %d of ensemble %s\n", self.ID, s.Name)
	for _, line := range []string{"tickTime=2000", "initLimit=10", "syncLimit=5"} {
		if !s.sets(line) {
			fmt.Fprintln(&b, line)
		}
	}
	fmt.Fprintf(&b, "dataDir=%s\n", self.DataDir())
	if s.PlainClients() {
		fmt.Fprintf(&b, "clientPort=%d\n", self.ClientPort)
	}
	fmt.Fprintf(&b, "4lw.commands.whitelist=srvr,stat,mntr,conf,cons,ruok,wchs,isro\n")
	if self.AdminPort != adminPort {
		fmt.Fprintf(&b, "admin.serverPort=%d\n", self.AdminPort)
	}
	if self.Observer {
		fmt.Fprintf(&b, "peerType=observer\n")
	}
	if s.Dynamic {
		fmt.Fprintf(&b, "reconfigEnabled=true\nstandaloneEnabled=false\n")
	}
	for _, line := range slices.Concat(s.tlsLines(self), s.saslLines(), s.ZooCfgLines) {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintln(&b)
	for _, peer := range all {
		fmt.Fprintf(&b, "server.%d=%s:%d:%d", peer.ID, peer.Listed, peer.QuorumPort, peer.ElectionPort)
		switch {
		case peer.Observer:
			b.WriteString(":observer")
		case s.Dynamic:
			b.WriteString(":participant")
		}
		if s.Dynamic && s.PlainClients() {
			// Without it the servers would not know each other's client ports,
			// nor clients that read /zookeeper/config.
			fmt.Fprintf(&b, ";%d", peer.ClientPort)
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}
