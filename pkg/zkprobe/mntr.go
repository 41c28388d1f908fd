package zkprobe

import (
	"math"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// MntrReply is what mntr says, key by key. Keys differ between releases and
// between leader and follower; what is missing is unknown, never zero.
type MntrReply struct {
	Values map[string]string
	// Rest keeps the lines that are no key and value.
	Rest []string
}

// ParseMntr reads the answer to mntr; it never fails.
func ParseMntr(text string) MntrReply {
	r := MntrReply{Values: make(map[string]string, strings.Count(text, "\n"))}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		key, value, found := strings.Cut(line, "\t")
		if found && key != "" {
			r.Values[key] = strings.TrimSpace(value)
		} else if strings.TrimSpace(line) != "" {
			r.Rest = append(r.Rest, line)
		}
	}
	return r
}

// Float returns a number; false when the key is missing, is no number, or is
// NaN or infinite, which 3.6+ prints for averages of nothing.
func (r MntrReply) Float(key string) (float64, bool) {
	f, err := strconv.ParseFloat(r.Values[key], 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// Int returns a whole number; 3.6+ prints some of them as "1.0". Values beyond
// what a float64 counts exactly are unknown unless printed without a point.
func (r MntrReply) Int(key string) (int64, bool) {
	if n, err := strconv.ParseInt(r.Values[key], 10, 64); err == nil {
		return n, true
	}
	f, ok := r.Float(key)
	if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// IntOr returns a whole number, or def when it is unknown.
func (r MntrReply) IntOr(key string, def int64) int64 {
	if n, ok := r.Int(key); ok {
		return n
	}
	return def
}

// Mode returns zk_server_state, "" when unknown.
func (r MntrReply) Mode() ensemble.Mode { return parseMode(r.Values["zk_server_state"]) }

// PeerState returns zk_peer_state (3.6+), such as "following - broadcast" or
// "following - synchronization"; "" when unknown.
func (r MntrReply) PeerState() string { return r.Values["zk_peer_state"] }

// Version returns zk_version, zero when unknown.
func (r MntrReply) Version() ensemble.Version {
	v, err := ensemble.ParseVersion(r.Values["zk_version"])
	if err != nil {
		return ensemble.Version{}
	}
	return v
}

// Learners returns how many followers and observers a leader has connections
// of, -1 when unknown: zk_followers up to 3.5 (observers counted in), renamed
// to zk_learners in 3.6.
func (r MntrReply) Learners() int64 {
	return r.IntOr("zk_learners", r.IntOr("zk_followers", -1))
}

// SyncedFollowers returns how many followers a leader forwards proposals to,
// -1 when unknown. It counts from Leader.startForwarding on, before the
// follower has loaded what it was sent: no proof that one has synced.
func (r MntrReply) SyncedFollowers() int64 { return r.IntOr("zk_synced_followers", -1) }

// SyncedObservers is the same for observers (3.6+), -1 when unknown.
func (r MntrReply) SyncedObservers() int64 { return r.IntOr("zk_synced_observers", -1) }
