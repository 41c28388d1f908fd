package migration

import (
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Report is what the script at the head of a pod's container told last. Its zero value
// says that nothing was heard: a container that does not run, or whose node is lost,
// tells nothing.
type Report struct {
	State GateState `json:"state,omitempty"`
	// Detail are its own words, or why its report does not count.
	Detail string `json:"detail,omitempty"`
	// Cause is why it refuses, where a new proof is the way out.
	Cause GateCause `json:"cause,omitempty"`
	// At is when it was made, by the node's clock; it is only ever compared with
	// itself. Fresh: that was less than ReportFresh ago, by the same clock.
	At    time.Time `json:"at,omitzero"`
	Fresh bool      `json:"fresh,omitempty"`
	// Generation is the newest generation of the gate that the pod has read.
	Generation int `json:"generation,omitempty"`
	// HostClosedFor is how long the pod itself, dialing the host's client and election
	// port, has been refused on both at each look, some seconds apart; nil while it is
	// not. It is the second vantage point of I3.
	HostClosedFor *time.Duration `json:"hostClosedFor,omitempty"`
	// Volume is what it found there.
	Volume Volume `json:"volume,omitzero"`
	// Version is the ZooKeeper release that the pod's image holds, as the gate
	// found out before it started anything; zero when unknown.
	Version ensemble.Version `json:"version,omitzero"`
	// Listens tells whether the parked pod accepts connections at the server's ports.
	Listens Listening `json:"listens,omitempty"`
}

// HostClosed reports whether the host refuses the pod on both ports.
func (r Report) HostClosed() bool { return r.HostClosedFor != nil }

// GateState is what the script is at.
type GateState string

const (
	// GateUnknown: no report was read.
	GateUnknown GateState = ""
	// GateParked: waiting for its line in the gate.
	GateParked GateState = "parked"
	// GateVetoed: released, but the host's port still accepts connections.
	GateVetoed GateState = "vetoed"
	// GateStarted: ZooKeeper was started.
	GateStarted GateState = "started"
	// GateRefused: the script found something wrong (wrong myid) and waits.
	GateRefused GateState = "refused"
)

// GateCause is why a gate refuses to start ZooKeeper although it is open.
type GateCause string

const (
	// CauseNone: none of the below.
	CauseNone GateCause = ""
	// CauseLost: the data of the release is not on the volume; the volume, or
	// the pod it was opened for, is another one.
	CauseLost GateCause = "lost"
	// CauseInterrupted: an earlier start of the same release ended before the
	// server had synced once. Before 3.5.10 and 3.6.3 what it left would be
	// completed by a difference that misses transactions (ZOOKEEPER-3642).
	CauseInterrupted GateCause = "interrupted"
)

// Volume is what is on a pod's volume.
type Volume struct {
	State VolumeState `json:"state,omitempty"`
	// Generation is that of the release whose data is there, 0 without any; Since is
	// the gate's generation when this volume was looked at first, nil when unknown.
	Generation int  `json:"generation,omitempty"`
	Since      *int `json:"since,omitempty"`
	// Seed is the token of the complete copy of the host's data that waits there (see
	// Flight.Seed).
	Seed string `json:"seed,omitempty"`
}

// VolumeState is what ZooKeeper left on a volume, as the files there show.
type VolumeState string

const (
	// VolumeUnknown: nobody tells. It may hold a member's data.
	VolumeUnknown VolumeState = ""
	// VolumeUnused: ZooKeeper was never started on it.
	VolumeUnused VolumeState = "unused"
	// VolumeUnsynced: it was started, and has never synced from a leader.
	VolumeUnsynced VolumeState = "unsynced"
	// VolumeSynced: it has.
	VolumeSynced VolumeState = "synced"
	// VolumeOutlived: it has, and the host, as the pod has seen, has run since.
	VolumeOutlived VolumeState = "outlived"
)

// Listening tells whether something in a parked pod accepts connections at the server's
// own ports, for as long as its host serves, so that the paths there can be tried.
type Listening string

const (
	// ListenUnknown: not yet, or the host does not serve.
	ListenUnknown Listening = ""
	// Listens: at all of them.
	Listens Listening = "yes"
	// ListensNot: it cannot, or is of an earlier release.
	ListensNot Listening = "no"
)
