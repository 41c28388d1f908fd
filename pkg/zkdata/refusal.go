package zkdata

import (
	"errors"
	"fmt"
	"io"
)

// Reason is the stable name of why a copy is refused.
type Reason string

// The reasons.
const (
	// NoToken: the token file is missing; OtherToken: it holds another token.
	NoToken    Reason = "no-token"
	OtherToken Reason = "other-token"
	// WrongID: myid is missing or another server's.
	WrongID Reason = "wrong-id"
	// HotCopy: files were written after the token.
	HotCopy Reason = "hot-copy"
	// NoEpochs: currentEpoch or acceptedEpoch is missing or no number;
	// EpochsDisagree: they do not fit the data.
	NoEpochs       Reason = "no-epochs"
	EpochsDisagree Reason = "epochs-disagree"
	// Leftover: a file of an interrupted write.
	Leftover Reason = "leftover"
	// NoSnapshot: none is whole; DamagedSnapshot: the checksum is wrong.
	NoSnapshot      Reason = "no-snapshot"
	DamagedSnapshot Reason = "damaged-snapshot"
	// DamagedLog: a transaction log is none, or is broken in the middle.
	DamagedLog Reason = "damaged-log"
	// MissingLog: there is a hole in the transactions, or they end too early.
	MissingLog Reason = "missing-log"
	// Mixed: files of two directories of a kind.
	Mixed Reason = "mixed"
	// NotAFile: a link where a file must be.
	NotAFile Reason = "not-a-file"
	// NoRoom: the pod's volume cannot hold it.
	NoRoom Reason = "no-room"
	// CutShort: the stream ends too early or is no tar.
	CutShort Reason = "cut-short"
)

// RefusedError says why a copy is not taken.
type RefusedError struct {
	Reason Reason
	// File is the entry of the copy it is about, if one.
	File string
	// What is wrong, and what to do next.
	What, Next string
	// Err is the cause, if there is one.
	Err error
}

// Error prints all of it.
func (r *RefusedError) Error() string {
	s := "the copy is refused (" + string(r.Reason) + "): "
	if r.File != "" {
		s += r.File + ": "
	}
	s += r.What
	if r.Err != nil {
		s += ": " + r.Err.Error()
	}
	if r.Next != "" {
		s += "; " + r.Next
	}
	return s
}

// Unwrap returns the cause.
func (r *RefusedError) Unwrap() error { return r.Err }

// Permanent: another look at the same copy will not mend it.
func (r *RefusedError) Permanent() bool { return true }

// again is what helps against most of them.
const again = "run the printed command again on the host, with its server stopped"

// otherwise is the way out when the host's data itself is not good.
const otherwise = "if it is so on the host, too: take the server back with revert, let it sync, and begin again, with --data=empty if you like"

// hole is the way out when the host's logs never held what is missing. A follower
// whose first sync was interrupted may go on in memory from what it has not logged
// (ZOOKEEPER-5094; seen on 3.8.0); from its next start on it lacks that, wherever it
// starts.
const hole = "If the host's own logs lack them, the server will, too: revert, then replace it with --data=empty, so that it gets everything from the leader"

// NoRoomError refuses a copy that the volume of a pod cannot hold.
func NoRoomError(what string) *RefusedError {
	return &RefusedError{Reason: NoRoom, What: what,
		Next: "enlarge the pod's PersistentVolumeClaim if its StorageClass allows that (spec.resources.requests.storage), or take the server back with revert and replace it with --data=empty"}
}

func refuse(reason Reason, file, what, next string) error {
	return &RefusedError{Reason: reason, File: file, What: what, Next: next}
}

func refusef(reason Reason, file, next, format string, a ...any) error {
	return refuse(reason, file, fmt.Sprintf(format, a...), next)
}

// broken is a stream that ends too early or is no tar. What the producer says
// of itself stays in the chain.
func broken(err error) error {
	what := "the input is no tar, or is damaged"
	if errors.Is(err, io.ErrUnexpectedEOF) {
		what = "the input ends in the middle"
	}
	return &RefusedError{Reason: CutShort, What: what, Next: again, Err: err}
}
