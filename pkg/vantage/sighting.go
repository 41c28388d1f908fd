package vantage

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// Sighting is what one server said of itself.
type Sighting struct {
	Reach Reach `json:"reach"`
	// Silent: the connection was accepted, and nothing answered in time: the way there is
	// open, and its process hangs or is stopped.
	Silent bool `json:"silent,omitempty"`
	// Detail is the failure in words.
	Detail  string           `json:"detail,omitempty"`
	Version ensemble.Version `json:"version,omitzero"`
	Mode    ensemble.Mode    `json:"mode,omitempty"`
	Zxid    ensemble.Zxid    `json:"zxid,omitempty"`
	// ServerID is the id the server itself reports; none when it does not say.
	ServerID ensemble.MaybeID `json:"serverID,omitzero"`
	// Members is the server list it runs with; nil where the version does not
	// show it (3.4).
	Members []ensemble.Server `json:"members,omitempty"`
	// ConfUnread: it answered srvr, but not conf, which tells its id and its list, or
	// not all of it. Not set where its whitelist leaves conf out.
	ConfUnread bool `json:"confUnread,omitempty"`
	// SyncedFollowers and Learners are the leader's counts, -1 when unknown.
	SyncedFollowers int `json:"syncedFollowers"`
	Learners        int `json:"learners"`
	Connections     int `json:"connections,omitempty"`
	Znodes          int `json:"znodes,omitempty"`
}

// Sight is what one look says of whether a server takes part in a quorum.
type Sight string

// The three values. A server that was not seen is neither up nor down.
const (
	// SeenServing: it said that it takes part.
	SeenServing Sight = "serving"
	// SeenNotServing: it said that it does not, or its port refused the connection.
	// A refusal is the word of whoever sent it: a firewall can refuse in the name
	// of a live server, so nothing is stopped on a refusal alone.
	SeenNotServing Sight = "not serving"
	// Unseen: no answer, a broken one, or srvr is not allowed.
	Unseen Sight = "not seen"
)

// Sight reduces the outcome to its three values.
func (s Sighting) Sight() Sight {
	switch {
	case s.Serving():
		return SeenServing
	case s.Reach == Answered, s.Reach == NotServing, s.Reach == Refused:
		return SeenNotServing
	}
	return Unseen
}

// Serving reports whether the server was seen to take part in a quorum.
func (s Sighting) Serving() bool { return s.Reach == Answered && s.Mode.Serving() }

// Unread reports whether a server serves there of which it is not known which one
// it is, nor which list it runs with, and may be known at the next look.
func (s Sighting) Unread() bool { return s.Serving() && s.ConfUnread }

// Hidden reports whether this look did not see who serves there: not at all, or only
// that somebody does.
func (s Sighting) Hidden() bool { return s.Sight() == Unseen || s.Unread() }

// Another reports whether what serves at that server's address says that it is
// a different one: endpoints are mixed up, or kube-proxy is late.
func (s Sighting) Another(id ensemble.ID) bool {
	return s.Serving() && s.ServerID.IsNot(id)
}

// Said is how the question ended, in words.
func (s Sighting) Said() string {
	out := map[Reach]string{
		Answered: "it answers as " + string(s.Mode), NotServing: "it runs, and takes part in no quorum",
		Refused: "connections to it are refused", Timeout: "no answer in time", Unreachable: "there is no way to it",
		NotWhitelisted: "it does not answer srvr (4lw.commands.whitelist)", Other: "another server answers, or one that does not say which it is", ClosedEmpty: "the connection brought no answer",
		TLSFailed: "the TLS handshake failed", Garbled: "the connection brought no answer", NotAsked: "not asked",
	}[s.Reach]
	if s.Unread() {
		out += ", and its conf, which tells its id and its list, did not come whole"
	}
	if s.Detail != "" {
		out += " (" + s.Detail + ")"
	}
	return out
}
