package ensemble

import (
	"fmt"
	"strconv"
	"strings"
)

// Zxid is a ZooKeeper transaction id: the leader's epoch in the high 32 bits,
// a counter in the low 32.
type Zxid uint64

// Epoch returns the leader epoch the transaction belongs to.
func (z Zxid) Epoch() uint32 { return uint32(z >> 32) }

// Counter returns the transaction's number within its epoch.
func (z Zxid) Counter() uint32 { return uint32(z) }

// String prints the id as srvr does.
func (z Zxid) String() string { return fmt.Sprintf("0x%x", uint64(z)) }

// ParseZxid reads the form that srvr prints.
func ParseZxid(s string) (Zxid, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(s), "0x"), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("zxid %q: not a hexadecimal number", s)
	}
	return Zxid(n), nil
}

// Mode is what a running server says it is at this moment.
type Mode string

// The modes srvr prints, and NotServing for a server that answers but takes
// part in no quorum ("not currently serving requests").
const (
	Leader     Mode = "leader"
	Follower   Mode = "follower"
	Observing  Mode = "observer"
	Standalone Mode = "standalone"
	ReadOnly   Mode = "read-only"
	NotServing Mode = "not-serving"
)

// Serving reports whether the server takes part in a quorum.
func (m Mode) Serving() bool { return m == Leader || m == Follower || m == Observing }
