package zkprobe

import (
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// SessionOrigin is what a session id tells of the server that handed it out:
// SessionTrackerImpl.initializeNextSession starts counting at
// id<<56 | clock<<24>>>8 each time a server begins to serve, which it does
// after its own start and after every election or lost leader. So two ids of
// the same server with the same Clock come from one stretch of serving, and a
// change between two of them shows a restart or an election in between.
type SessionOrigin struct {
	// IDByte is the low byte of the id of the server the client was connected to,
	// see Of.
	IDByte uint8 `json:"idByte"`
	// Clock is the low 40 bits of the milliseconds of the server's clock when
	// it began to serve (a busy server counts into it: 65,536 sessions add a
	// millisecond). The clock is Java's nanoTime on 3.4.13, 3.8.0 and 3.9.3: on
	// Linux the time since the machine booted, so values of different machines,
	// or from before and after a reboot, cannot be compared. Releases before
	// Time.currentElapsedTime (ZOOKEEPER-1366) took the wall clock.
	Clock time.Duration `json:"clock"`
}

const (
	clockBits = 40
	// wallHorizon separates the two clocks: the wall clock of a server that
	// began to serve within it, or the uptime of a machine, which is far from
	// the wall clock's low bits except in a few months around 2039.
	wallHorizon = 5 * 365 * 24 * time.Hour
)

// SplitSession reads the origin off a session id.
func SplitSession(id int64) SessionOrigin {
	u := uint64(id)
	return SessionOrigin{
		IDByte: uint8(u >> 56),
		Clock:  time.Duration(u>>16&(1<<clockBits-1)) * time.Millisecond,
	}
}

// Of is the server of those ids that handed out the session; none where more than one may
// have. It is a way to learn a server's id where conf is not whitelisted. A byte that fits
// none of them is an id of its own, of a server that is not among them.
func (o SessionOrigin) Of(ids []ensemble.ID) ensemble.MaybeID {
	found := ensemble.ID(o.IDByte).Known()
	n := 0
	for _, id := range ids {
		if id.SessionByte() == o.IDByte {
			found, n = id.Known(), n+1
		}
	}
	if n > 1 {
		return ensemble.MaybeID{}
	}
	return found
}

// WallClock returns the time at which the server began to serve, where the id
// was made from the wall clock; false where it was made from an uptime. now is
// the present time.
func (o SessionOrigin) WallClock(now time.Time) (time.Time, bool) {
	const wrap = int64(1) << clockBits
	age := (now.UnixMilli()%wrap - o.Clock.Milliseconds() + wrap) % wrap
	if d := time.Duration(age) * time.Millisecond; d <= wallHorizon {
		return now.Add(-d), true
	}
	return time.Time{}, false
}

// ServingSince returns the time at which the server began to serve, by the
// server's wall clock, from a line of cons that shows the session whose origin
// this is: there est is the wall clock, and lresp the uptime, of nearly the same
// instant if the line was read right after the session was opened. False when
// the line does not tell.
func (o SessionOrigin) ServingSince(c Client) (time.Time, bool) {
	if c.SessionID == 0 || SplitSession(c.SessionID) != o || c.Established.IsZero() {
		return time.Time{}, false
	}
	lresp, ok := c.lastResponse()
	if !ok || lresp < o.Clock {
		return time.Time{}, false
	}
	return c.Established.Add(o.Clock - lresp), true
}
