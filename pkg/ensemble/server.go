// Package ensemble knows what a ZooKeeper ensemble is: ids, addresses, roles,
// versions, quorums and the configuration files that describe them. It is
// pure: no network, no files, no clock, no Kubernetes.
package ensemble

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// ID is a server's myid. ZooKeeper reads it as a long (QuorumPeerConfig) and bounds it
// nowhere: ZOOKEEPER-2503, which would, was never merged.
type ID int64

// MinID and MaxID bound the ids that are taken. Below 0 an id is read as a protocol version
// where elections are held (QuorumCnxManager, ZOOKEEPER-1633). 32 bits hold what fleets make
// ids of, an IPv4 address included, and the ten digits that the gate's script reads.
const (
	MinID ID = 0
	MaxID ID = 1<<32 - 1
)

// String returns the id as it stands in myid.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// JoinIDs lists ids for people, as "1, 2, 3".
func JoinIDs(ids []ID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = id.String()
	}
	return strings.Join(words, ", ")
}

// SessionByte is what a session's id has of the id of the server that handed it out: the
// low byte, in its high one (SessionTrackerImpl.initializeNextSessionId).
func (id ID) SessionByte() uint8 { return uint8(id) }

// ParseID reads an id as it stands in myid or in a server.N key.
func ParseID(s string) (ID, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ID(n) < MinID || ID(n) > MaxID {
		return 0, fmt.Errorf("server id %q: must be a whole number from %d to %d", s, MinID, MaxID)
	}
	return ID(n), nil
}

// Role is what a server is in the server list.
type Role string

const (
	// Participant is a voter.
	Participant Role = "participant"
	// Observer follows without a vote.
	Observer Role = "observer"
)

// Default ports, as in ZooKeeper's documentation.
const (
	DefaultClientPort   = 2181
	DefaultPeerPort     = 2888
	DefaultElectionPort = 3888
)

// PeerAddress is one address other servers use: a host with its quorum (peer)
// and election port.
type PeerAddress struct {
	Host         string `json:"host"`
	PeerPort     int    `json:"peerPort"`
	ElectionPort int    `json:"electionPort"`
}

// Server is one member of an ensemble as the server list describes it.
type Server struct {
	ID   ID   `json:"id"`
	Role Role `json:"role"`
	// PeerAddress is the server's (first) address in the list.
	PeerAddress `json:",inline"`
	// More holds further addresses of a multi-address line (3.6+, "|").
	More []PeerAddress `json:"more,omitempty"`
	// ClientAddress is the bind address of the client port where the list or
	// the file names one; empty means all addresses.
	ClientAddress string `json:"clientAddress,omitempty"`
	// ClientPort is the plain-text client port; 0 when there is none.
	ClientPort int `json:"clientPort,omitempty"`
	// SecureClientPort is the client port with TLS, 0 when there is none that other
	// machines reach; ObserverMasterPort is where observers may follow a follower
	// (3.6+), 0 when that is off.
	SecureClientPort   int `json:"secureClientPort,omitempty"`
	ObserverMasterPort int `json:"observerMasterPort,omitempty"`
	// AdminPort and MetricsPort are those of the AdminServer and of the metrics
	// provider, 0 where nobody asked for them to be reachable.
	AdminPort   int `json:"adminPort,omitempty"`
	MetricsPort int `json:"metricsPort,omitempty"`
	// Weight and Group are those of a hierarchical quorum; weight is 1 and
	// group 0 where the file has none.
	Weight int `json:"weight"`
	Group  int `json:"group,omitempty"`
}

// Voter reports whether the server has a vote: a participant whose weight is
// not zero.
func (s Server) Voter() bool { return s.Role != Observer && s.Weight != 0 }

// Vote says how the server counts in a quorum.
func (s Server) Vote() string {
	if s.Role == Observer {
		return string(Observer)
	}
	return fmt.Sprintf("%s of weight %d in group %d", s.Role, s.Weight, s.Group)
}

// Ensemble is a set of servers under one name.
type Ensemble struct {
	Name string `json:"name"`
	// Servers are sorted by id.
	Servers []Server `json:"servers"`
}

// SortServers orders servers by id, in place.
func SortServers(servers []Server) {
	sort.Slice(servers, func(i, j int) bool { return servers[i].ID < servers[j].ID })
}

// Server returns the member with that id.
func (e Ensemble) Server(id ID) (Server, bool) {
	for _, s := range e.Servers {
		if s.ID == id {
			return s, true
		}
	}
	return Server{}, false
}

// IDs returns all ids, ascending.
func (e Ensemble) IDs() []ID {
	ids := make([]ID, 0, len(e.Servers))
	for _, s := range e.Servers {
		ids = append(ids, s.ID)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids
}

// Voters returns the ids that vote, ascending.
func (e Ensemble) Voters() []ID {
	var ids []ID
	for _, s := range e.Servers {
		if s.Voter() {
			ids = append(ids, s.ID)
		}
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	return ids
}
