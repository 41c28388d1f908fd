package history

import "fmt"

// Kinds of operation.
const (
	// Set replaces a register's value whatever its version.
	Set = "set"
	// CAS replaces a register's value if it has the Expected version.
	CAS = "cas"
	// Create makes a sequential znode below Key; Path is its name.
	Create = "create"
	// Read is a write that changes nothing followed by a get, in one session.
	Read = "read"
	// Get is a get alone: it may be stale, but a session never goes back.
	Get = "get"
	// Watch is a get that registers a watch; Version is what it saw.
	Watch = "watch"
	// Fire is the arrival of a watch's event; Call and Return are equal.
	Fire = "fire"
	// Ephemeral creates the ephemeral znode Key in Session.
	Ephemeral = "ephemeral"
	// End is the end of Session, which owns the ephemeral znode Key. Closing a
	// session tells nobody whether it was heard, so that the result is Unknown.
	End = "end"
	// Look is a write that changes nothing followed by an exists of the ephemeral znode Key; Owner is
	// the session that has it, empty when it is not there.
	Look = "look"
	// Session is something that happened to a client's session; Value is one of
	// Opened to Closed.
	Session = "session"
)

// What happens to a session, as its client learns of it.
const (
	Opened       = "opened"
	Connected    = "connected"
	Disconnected = "disconnected"
	Expired      = "expired"
	Closed       = "closed"
)

// Op is one operation. Times are nanoseconds since 1970; between operations of
// one file they are monotonic.
type Op struct {
	Process string `json:"process"`
	Call    int64  `json:"call"`
	Return  int64  `json:"return"`
	Op      string `json:"op"`
	Key     string `json:"key"`
	// Value is what was written, or what a read returned.
	Value string `json:"value,omitempty"`
	// Expected is the version a CAS demanded.
	Expected *int32 `json:"expected,omitempty"`
	// Version is the znode's version after a set, or as read.
	Version int32 `json:"version,omitempty"`
	// Zxid is that of the write that made Version.
	Zxid int64  `json:"zxid,omitempty"`
	Path string `json:"path,omitempty"`
	// Session is the one session the whole operation ran in; empty when it
	// changed meanwhile.
	Session string `json:"session,omitempty"`
	// Owner is the session a Look found the ephemeral znode to belong to.
	Owner string `json:"owner,omitempty"`
	// TimeoutMillis is the session timeout that was asked for: with End and
	// Session.
	TimeoutMillis int64  `json:"timeoutMillis,omitempty"`
	Result        Result `json:"result"`
	Error         string `json:"error,omitempty"`
}

// SessionName prints a session id as ZooKeeper's logs do; no session is empty.
func SessionName(id int64) string {
	if id == 0 {
		return ""
	}
	return fmt.Sprintf("0x%x", uint64(id))
}
