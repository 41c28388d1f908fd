package zkprobe

import (
	"strconv"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// ConfReply is what conf says. Zero values are unknown, except where noted.
type ConfReply struct {
	// ServerID is the server's myid.
	ServerID     ensemble.MaybeID
	ClientPort   int
	PeerPort     int
	ElectionPort int
	// Role is peerType of the server's own file; the server list decides.
	Role                                 ensemble.Role
	TickTime                             time.Duration
	MinSessionTimeout, MaxSessionTimeout time.Duration
	// InitLimit and SyncLimit are in ticks.
	InitLimit, SyncLimit int
	// MaxClientCnxns is the limit per client address: -1 unknown, 0 unlimited.
	MaxClientCnxns int
	// DataDir and DataLogDir are without the version-2 the server appends.
	DataDir, DataLogDir string
	// DataDirSize and DataLogSize are in bytes (3.5.1+), -1 unknown.
	DataDirSize, DataLogSize int64
	// Members is the server list the server runs with, by id (3.5+); nil on
	// 3.4, which does not show it.
	Members []ensemble.Server
	// ConfigVersion is the version of that list as printed (hexadecimal), ""
	// when unknown; "0" where no reconfiguration ever took place.
	ConfigVersion string
	// Values holds every key=value line, known or not; Rest the other lines.
	Values map[string]string
	Rest   []string
}

// ParseConf reads the answer to conf; it never fails. A membership line it
// cannot read makes Members nil: half a list would be worse than none.
func ParseConf(text string) ConfReply {
	r := ConfReply{MaxClientCnxns: -1, DataDirSize: -1, DataLogSize: -1, Values: map[string]string{}}
	var members memberLines
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		key, value, found := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case found && members.take(key, value):
		case found && key != "":
			r.Values[key] = value
		case strings.TrimSpace(line) == "membership:" || strings.TrimSpace(line) == "":
		default:
			r.Rest = append(r.Rest, line)
		}
	}
	r.Members = members.servers()
	r.ConfigVersion = r.Values["version"]
	if id, err := ensemble.ParseID(r.Values["serverId"]); err == nil {
		r.ServerID = id.Known()
	}
	switch r.Values["peerType"] {
	case "0":
		r.Role = ensemble.Participant
	case "1":
		r.Role = ensemble.Observer
	}
	r.ClientPort = r.port("clientPort")
	r.PeerPort = r.port("quorumPort")
	r.ElectionPort = r.port("electionPort")
	r.TickTime = r.millis("tickTime")
	r.MinSessionTimeout = r.millis("minSessionTimeout")
	r.MaxSessionTimeout = r.millis("maxSessionTimeout")
	r.InitLimit = int(r.number("initLimit", 0))
	r.SyncLimit = int(r.number("syncLimit", 0))
	r.MaxClientCnxns = int(r.number("maxClientCnxns", -1))
	r.DataDir = strings.TrimSuffix(r.Values["dataDir"], "/version-2")
	r.DataLogDir = strings.TrimSuffix(r.Values["dataLogDir"], "/version-2")
	r.DataDirSize = r.number("dataDirSize", -1)
	r.DataLogSize = r.number("dataLogSize", -1)
	return r
}

func (r ConfReply) number(key string, def int64) int64 {
	n, err := strconv.ParseInt(r.Values[key], 10, 32)
	if key == "dataDirSize" || key == "dataLogSize" {
		n, err = strconv.ParseInt(r.Values[key], 10, 64)
	}
	if err != nil || n < 0 {
		return def
	}
	return n
}

func (r ConfReply) port(key string) int {
	n := r.number(key, 0)
	if n > 65535 {
		return 0
	}
	return int(n)
}

func (r ConfReply) millis(key string) time.Duration {
	return time.Duration(r.number(key, 0)) * time.Millisecond
}
