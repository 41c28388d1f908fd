package zkprobe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Answers is what one look at a client address showed, in full. Numbers are -1 and everything
// else empty where the server did not say.
type Answers struct {
	Addr string        `json:"addr"`
	At   time.Time     `json:"at"`
	Took time.Duration `json:"took"`
	// Reach is how far srvr came; that word is whitelisted always.
	Reach vantage.Reach `json:"reach"`
	// Silent: the connection was accepted, and nothing answered in time.
	Silent bool `json:"silent,omitempty"`
	// Error explains a Reach other than Answered.
	Error string `json:"error,omitempty"`
	// Denied lists the words the server's whitelist leaves out.
	Denied []Word `json:"denied,omitempty"`

	Version ensemble.Version `json:"version"`
	Mode    ensemble.Mode    `json:"mode,omitempty"`
	// Zxid is the last transaction the server has applied in memory; it is
	// known only where ZxidKnown is set. After an election an idle leader shows
	// epoch<<32 and synced followers the older one: compare after a canary.
	Zxid      ensemble.Zxid `json:"zxid"`
	ZxidKnown bool          `json:"zxidKnown"`

	// Conf is how far conf came, which is asked where srvr was answered: Garbled where
	// it did not come whole. ConfError says why it told less than it should.
	Conf      vantage.Reach `json:"conf,omitempty"`
	ConfError string        `json:"confError,omitempty"`

	// From conf. ServerID is none, Members nil when unknown (3.4 never shows
	// them); limits are in ticks.
	ServerID          ensemble.MaybeID  `json:"serverId,omitzero"`
	Members           []ensemble.Server `json:"members,omitempty"`
	ConfigVersion     string            `json:"configVersion,omitempty"`
	Role              ensemble.Role     `json:"role,omitempty"`
	ClientPort        int               `json:"clientPort,omitempty"`
	PeerPort          int               `json:"peerPort,omitempty"`
	ElectionPort      int               `json:"electionPort,omitempty"`
	TickTime          time.Duration     `json:"tickTime,omitempty"`
	InitLimit         int               `json:"initLimit,omitempty"`
	SyncLimit         int               `json:"syncLimit,omitempty"`
	MinSessionTimeout time.Duration     `json:"minSessionTimeout,omitempty"`
	MaxSessionTimeout time.Duration     `json:"maxSessionTimeout,omitempty"`
	MaxClientCnxns    int               `json:"maxClientCnxns"`
	DataDir           string            `json:"dataDir,omitempty"`
	DataLogDir        string            `json:"dataLogDir,omitempty"`

	// From mntr of a leader, -1 elsewhere. Glance asks nobody else for mntr. SyncedFollowers is no proof of sync,
	// see MntrReply.SyncedFollowers.
	Learners        int64 `json:"learners"`
	SyncedFollowers int64 `json:"syncedFollowers"`
	SyncedObservers int64 `json:"syncedObservers"`
	// PeerState is zk_peer_state (3.6+), as "following - broadcast".
	PeerState string `json:"peerState,omitempty"`
	// Uptime is how long the process lives (3.6+), 0 when unknown.
	Uptime time.Duration `json:"uptime,omitempty"`
	// DataSize is zk_approximate_data_size in bytes, of the znodes alone.
	DataSize   int64 `json:"dataSize"`
	Ephemerals int64 `json:"ephemerals"`
	Watches    int64 `json:"watches"`

	Connections int64    `json:"connections"`
	Nodes       int64    `json:"nodes"`
	Outstanding int64    `json:"outstanding"`
	Received    int64    `json:"received"`
	Sent        int64    `json:"sent"`
	Latency     *Latency `json:"latency,omitempty"`
}

// Learn asks srvr, and where a ZooKeeper answers conf and mntr, and puts the
// answers together. It never fails: what was not learnt is unknown.
func (p Prober) Learn(ctx context.Context, addr string) Answers {
	return p.sight(ctx, addr, func(ensemble.Mode) bool { return true })
}

// Glance is Learn, but that mntr is asked of a leader alone, who counts followers by it:
// of others it tells sizes.
func (p Prober) Glance(ctx context.Context, addr string) Answers {
	return p.sight(ctx, addr, func(m ensemble.Mode) bool { return m == ensemble.Leader })
}

// Sight is what decisions need of a glance.
func (p Prober) Sight(ctx context.Context, t vantage.Target) vantage.Sighting {
	return p.At(t).Glance(ctx, t.Address()).Sighting()
}

// Port tries a bare TCP connect. What explains the state in words is left to ProbePort.
func (p Prober) Port(ctx context.Context, t vantage.Target) vantage.PortState {
	state, _ := p.ProbePort(ctx, t.Address())
	return state
}

// Sighting keeps of the answers what decisions need.
func (s Answers) Sighting() vantage.Sighting {
	out := vantage.Sighting{
		Reach: s.Reach, Silent: s.Silent, Detail: s.Error, Version: s.Version, Mode: s.Mode, ServerID: s.ServerID, Members: s.Members,
		ConfUnread:      s.Conf != vantage.NotAsked && s.Conf != vantage.Answered && s.Conf != vantage.NotWhitelisted,
		SyncedFollowers: int(s.SyncedFollowers), Learners: int(s.Learners), Connections: int(max(s.Connections, 0)), Znodes: int(max(s.Nodes, 0)),
	}
	if out.ConfUnread {
		out.Detail = s.ConfError
	}
	if s.ZxidKnown {
		out.Zxid = s.Zxid
	}
	return out
}

func (p Prober) sight(ctx context.Context, addr string, counts func(ensemble.Mode) bool) Answers {
	start := time.Now()
	s := Answers{Addr: addr, At: start}
	srvr := p.Ask(ctx, addr, Srvr)
	s.Reach = srvr.Reach
	s.Silent = srvr.Reach == vantage.Timeout && srvr.Accepted
	s.takeSrvr(ParseSrvr(answered(srvr)))
	if srvr.Reach == vantage.Answered && s.Mode == "" {
		// Cut off, or no ZooKeeper's: it says nothing of who takes part.
		srvr.Reach, s.Reach, srvr.Err = vantage.Garbled, vantage.Garbled, fmt.Errorf("the answer to srvr from %s has no mode: it was cut off, or is no ZooKeeper's", addr)
	}
	var conf, mntr Answer
	if srvr.Reach == vantage.Answered {
		var wg sync.WaitGroup
		if counts(s.Mode) {
			wg.Go(func() { mntr = p.Ask(ctx, addr, Mntr) })
		}
		conf = p.Ask(ctx, addr, Conf)
		wg.Wait()
	}
	s.takeConf(ParseConf(answered(conf)))
	s.judgeConf(conf)
	s.takeMntr(ParseMntr(answered(mntr)))
	for _, a := range []Answer{srvr, conf, mntr} {
		if a.Reach == vantage.NotWhitelisted {
			s.Denied = append(s.Denied, a.Word)
		}
	}
	if s.Reach == vantage.NotServing {
		s.Mode = ensemble.NotServing
	}
	if srvr.Err != nil {
		s.Error = srvr.Err.Error()
	}
	s.Took = time.Since(start)
	return s
}

// answered returns the text of a real answer; anything else reads as nothing.
func answered(a Answer) string {
	if a.Reach != vantage.Answered {
		return ""
	}
	return a.Text
}

func (s *Answers) takeSrvr(r SrvrReply) {
	s.Version, s.Mode, s.Zxid, s.ZxidKnown = r.Version, r.Mode, r.Zxid, r.ZxidKnown
	s.Connections, s.Nodes, s.Outstanding = r.Connections, r.Nodes, r.Outstanding
	s.Received, s.Sent, s.Latency = r.Received, r.Sent, r.Latency
}

func (s *Answers) takeConf(r ConfReply) {
	s.ServerID, s.Members, s.ConfigVersion, s.Role = r.ServerID, r.Members, r.ConfigVersion, r.Role
	s.ClientPort, s.PeerPort, s.ElectionPort = r.ClientPort, r.PeerPort, r.ElectionPort
	s.TickTime, s.InitLimit, s.SyncLimit = r.TickTime, r.InitLimit, r.SyncLimit
	s.MinSessionTimeout, s.MaxSessionTimeout = r.MinSessionTimeout, r.MaxSessionTimeout
	s.MaxClientCnxns, s.DataDir, s.DataLogDir = r.MaxClientCnxns, r.DataDir, r.DataLogDir
}

// judgeConf: serverId stands in every release's conf, and from 3.5 on it ends with the
// list, which ends with its version (QuorumMaj.toString, QuorumHierarchical.toString).
// A connection that is reset in the middle ends like one that is closed behind it.
func (s *Answers) judgeConf(a Answer) {
	s.Conf = a.Reach
	switch modern := s.Version.AtLeast(3, 5, 0); {
	case a.Reach != vantage.Answered:
		if a.Err != nil && a.Reach != vantage.NotWhitelisted {
			s.ConfError = a.Err.Error()
		}
	case s.ServerID.IsZero(), modern && s.ConfigVersion == "":
		s.Conf, s.ConfError = vantage.Garbled, "the answer to conf was cut off"
	case modern && s.Members == nil:
		s.Conf, s.ConfError = vantage.Garbled, "the server list in the answer to conf has a line that cannot be read"
	}
}

func (s *Answers) takeMntr(r MntrReply) {
	s.Learners, s.SyncedFollowers, s.SyncedObservers = r.Learners(), r.SyncedFollowers(), r.SyncedObservers()
	s.PeerState = r.PeerState()
	s.DataSize = r.IntOr("zk_approximate_data_size", -1)
	s.Ephemerals = r.IntOr("zk_ephemerals_count", -1)
	s.Watches = r.IntOr("zk_watch_count", -1)
	if ms, ok := r.Int("zk_uptime"); ok && ms > 0 {
		s.Uptime = time.Duration(ms) * time.Millisecond
	}
}
