package migration

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
)

// Intent is what an operator asked for.
type Intent struct {
	Kind FlightKind  `json:"kind"`
	ID   ensemble.ID `json:"id"`
	By   string      `json:"by"`
	// EpochAtStart is the leader's epoch when the command began; an election
	// that was not planned since then stops the run before the next server
	// (I6). 0 when not known yet. To run the command again is to accept it.
	EpochAtStart uint32 `json:"epochAtStart"`
	// Since is from when on somebody has looked again and again, at this very
	// clock; what was seen dead before that may have run meanwhile. Zero when
	// nobody looks for long.
	Since time.Time `json:"since,omitzero"`
	// Data is what a new replacement starts from; empty means as recorded, or
	// DataEmpty.
	Data DataMode `json:"data,omitempty"`
	// UnseenSince is since when some server was not seen at any look of this
	// command; zero while all were.
	UnseenSince time.Time `json:"unseenSince,omitzero"`
	// NoQuorumSince is since when every voter was seen, at each look of this
	// command, and none of them served; zero while one did or was not seen.
	NoQuorumSince time.Time `json:"noQuorumSince,omitzero"`
	// RenewalsAtStart is how often the pod had been started anew when the
	// command began. To run the command again is to accept more.
	RenewalsAtStart int `json:"renewalsAtStart,omitempty"`
	// All: every server that runs on its host is meant, one after the other; all
	// their pods are parked before the first host is stopped.
	All bool `json:"all,omitempty"`
	// AcceptLoss are the clients that may lose their last host.
	AcceptLoss sessions.Consent `json:"acceptLoss,omitzero"`
	// Began is when this command began, by the same clock; zero when that is long ago.
	Began time.Time `json:"began,omitzero"`
	// Assumed are the keys of what was not seen and the operator answers for (Use).
	Assumed []string `json:"assumed,omitempty"`
	// Refused is why this command has put the pods' settings back to what they
	// were before it; it does not go on with those.
	Refused string `json:"refused,omitempty"`
	// Undo: a change of the pods' settings that no server has joined with is taken back.
	Undo bool `json:"undo,omitempty"`
	// Plain: the pods lose their gates, for good where GiveUp is the ensemble's name.
	Plain  bool   `json:"plain,omitempty"`
	GiveUp string `json:"giveUp,omitempty"`
	// Regate: pods that were made without a gate get theirs again.
	Regate bool `json:"regate,omitempty"`
}

// Kind is the kind of a decision.
type Kind string

const (
	// Do: carry out Step, then look again.
	Do Kind = "do"
	// Wait: something outside must happen first; look again soon.
	Wait Kind = "wait"
	// Stop: go no further; Reason, Evidence and Next say why and what now.
	Stop Kind = "stop"
	// Done: the intent is fulfilled.
	Done Kind = "done"
)

// Code is the stable name of a reason.
type Code string

// The reasons Decide gives. Names are stable.
const (
	CodeStep               Code = "Step"
	CodeDone               Code = "Done"
	CodeAPIIncomplete      Code = "APIIncomplete"
	CodeUnknownServer      Code = "UnknownServer"
	CodeServiceGone        Code = "ServiceGone"
	CodeAddressChanged     Code = "AddressChanged"
	CodeForeignEndpoints   Code = "ForeignEndpoints"
	CodeServiceChanged     Code = "ServiceChanged"
	CodeOneAtATime         Code = "OneAtATime"
	CodeJournalDisagrees   Code = "JournalDisagrees"
	CodeVersionRefused     Code = "VersionRefused"
	CodeNotReconfigured    Code = "NotReconfigured"
	CodeDegraded           Code = "Degraded"
	CodeNotReplaced        Code = "NotReplaced"
	CodeNoLeader           Code = "NoLeader"
	CodeWrongServer        Code = "WrongServer"
	CodeNotSynced          Code = "NotSynced"
	CodeLeaderLast         Code = "LeaderLast"
	CodeUnplannedElection  Code = "UnplannedElection"
	CodeExtraFollower      Code = "ExtraFollower"
	CodeHostUnwatched      Code = "HostUnwatched"
	CodeVersionDiffers     Code = "VersionDiffers"
	CodeZxidOverflowNear   Code = "ZxidOverflowNear"
	CodeQuorumAtRisk       Code = "QuorumAtRisk"
	CodePodNotParked       Code = "PodNotParked"
	CodePodCannotReachHost Code = "PodCannotReachHost"
	CodeProofPending       Code = "ProofPending"
	CodeHostStillUp        Code = "HostStillUp"
	CodeHostSilent         Code = "HostSilent"
	CodeHostReturned       Code = "HostReturned"
	CodeGhostHost          Code = "GhostHost"
	CodeStoppedTooEarly    Code = "StoppedTooEarly"
	CodeSecondVantage      Code = "SecondVantage"
	CodeElectionSinceProof Code = "ElectionSinceProof"
	CodeAdoptPending       Code = "AdoptPending"
	CodeHold               Code = "Hold"
	CodePodStarting        Code = "PodStarting"
	CodePodVetoed          Code = "PodVetoed"
	CodePodRefused         Code = "PodRefused"
	CodeJoining            Code = "Joining"
	CodeAborted            Code = "Aborted"
	CodePodStopping        Code = "PodStopping"
	CodeHostStarting       Code = "HostStarting"
	CodeElecting           Code = "Electing"
	CodeDataMode           Code = "DataMode"
	CodeSeedPending        Code = "SeedPending"
	CodeRenewal            Code = "Renewal"
	CodeKeepsFailing       Code = "KeepsFailing"
	CodePodAway            Code = "PodAway"
	CodePodOutdated        Code = "PodOutdated"
	CodeSetEdited          Code = "SetEdited"
	CodePodObjectGone      Code = "PodObjectGone"
	CodeUnseen             Code = "Unseen"
	CodePodFiles           Code = "PodFiles"
	CodeListDiffers        Code = "ListDiffers"
	CodeImageUnknown       Code = "ImageUnknown"
	CodePathMissing        Code = "PathMissing"
	CodeClientLoss         Code = "ClientLoss"
	CodeRemoval            Code = "Removal"
	CodeInUse              Code = "InUse"
	CodeUseUnseen          Code = "UseUnseen"
	CodeHostRetired        Code = "HostRetired"
	CodeWayBack            Code = "WayBack"
	CodeUngated            Code = "Ungated"
	CodeFinalized          Code = "Finalized"
)

// Decision is what Decide returns. A rule that has nothing to say makes none: it returns
// the zero value, and the next one is asked.
type Decision struct {
	Kind Kind `json:"kind"`
	Code Code `json:"code"`
	// Server is whom it is about.
	Server ensemble.ID `json:"server"`
	Step   StepID      `json:"step,omitempty"`
	// Phase is where the operation stands.
	Phase Phase `json:"phase,omitempty"`
	// Reason says why in one sentence; Evidence what it rests on.
	Reason   string   `json:"reason"`
	Evidence []string `json:"evidence,omitempty"`
	// Next is the command, or the action on a host, that helps.
	Next string `json:"next,omitempty"`
	// Start is what a released pod may start from.
	Start GateStart `json:"start,omitempty"`
	// Release is the line to keep, or to write again.
	Release *Release `json:"release,omitempty"`
	// Pods are those that are made again.
	Pods []PodRef `json:"pods,omitempty"`
	// Flight, when not nil, replaces the record's flight before the step is
	// carried out (write-ahead).
	Flight *Flight `json:"flight,omitempty"`
	// Removal is kept in the same way.
	Removal *Removal `json:"removal,omitempty"`
	// Replicas is how many pods stay, Claims and Services are those that go.
	Replicas int           `json:"replicas,omitempty"`
	Claims   []ClaimRef    `json:"claims,omitempty"`
	Services []ensemble.ID `json:"services,omitempty"`
	// Unseen are the keys of what was not seen and the operator can answer for (Use).
	Unseen []string `json:"unseen,omitempty"`
}

// About is the server that a step is about; none where that is the ensemble.
func (d Decision) About() ensemble.MaybeID {
	if StepByID(d.Step).Phase == PhaseRemove {
		return ensemble.MaybeID{}
	}
	return d.Server.Known()
}

// GateStart is the part of a gate's line that says what the pod may start from
// for the first time: "empty:POD-UID", for that pod alone, or "seed:TOKEN".
type GateStart string

// EmptyStart lets the pod with that uid start from nothing. Any other pod, or
// the same one on another volume, finds data of this release or refuses.
func EmptyStart(podUID string) GateStart { return GateStart("empty:" + podUID) }

// SeededStart lets a pod start from the copy with that token.
func SeededStart(token string) GateStart { return GateStart("seed:" + token) }

// Outcome is what carrying out a step brought that cannot be observed later.
type Outcome struct {
	At time.Time
	// Zxid is that of a canary write.
	Zxid ensemble.Zxid
	// Done and By are a host action's result.
	Done bool
	By   string
	// Paths are those that were tried.
	Paths *Paths
	// PlainFiles are what pods without a gate mount; nil for nothing.
	PlainFiles *PlainFiles
}

// Timing rules.
const (
	// DurabilityHold passes between the moment all n-1 were seen to hold the
	// proof and the release:
	// srvr's zxid is applied in memory, a follower's own fsync may come later.
	DurabilityHold = 2 * time.Second
	// ReportFresh bounds the age of a pod's report, by its node's clock; the
	// gate reports at least every 5 s.
	ReportFresh = 20 * time.Second
	// ProofFresh bounds the age of the proof on n servers at the stop, and of
	// that on the others at the release: it says nothing of what came later.
	ProofFresh = 30 * time.Second
	// KickEvery is how often a released pod that still shows itself parked is
	// kicked.
	KickEvery = 2 * time.Second
	// AskAgain is when an action on a host is asked for again that shows no
	// effect; a command killed right before the first time needs it.
	AskAgain = 10 * time.Second
	// WatchGap is how long nobody may have looked for a host that was seen dead
	// to count as dead ever since.
	WatchGap = 30 * time.Second
	// WatchBegin is how long after a host's end its pod's count of looks may
	// begin, the age of a report included: it looks every 4 s at least.
	WatchBegin = 15 * time.Second
	// WatchReport is the same by the pod's own clock, from its last report before
	// that end was noted: it reports every 5 s and looks every 2 s.
	WatchReport = 10 * time.Second
	// ElectionGrace is how long the election that a leader's own stop forces is
	// reported as what it is.
	ElectionGrace = 20 * time.Second
	// UnseenPatience is for how long a command asks again for a server that it
	// cannot see before it refuses to begin.
	UnseenPatience = 20 * time.Second
	// LookGap is the longest pause between two looks of one command between which
	// nothing is taken to have changed for that long.
	LookGap = 10 * time.Second
	// NoQuorumFor is how long nobody must have served for an election to be
	// taken for one that does not end.
	NoQuorumFor = 30 * time.Second
	// RenewalsMax is how many starts from empty of one server a command tries
	// before it asks somebody to look.
	RenewalsMax = 3
	// LeftoverHold is how long the Service must stay free of leftovers after
	// its selector was taken away: a controller with an old Service in its
	// cache may write once more.
	LeftoverHold = time.Second
	// zxidCounterWarn is where a forced election by counter overflow is near.
	zxidCounterWarn = 0xf0000000
)

func do(step StepID, f *Flight, format string, a ...any) Decision {
	return Decision{Kind: Do, Code: CodeStep, Step: step, Phase: StepByID(step).Phase, Reason: fmt.Sprintf(format, a...), Flight: f}
}

func wait(code Code, phase Phase, format string, a ...any) Decision {
	return Decision{Kind: Wait, Code: code, Phase: phase, Reason: fmt.Sprintf(format, a...)}
}

func stop(code Code, next, format string, a ...any) Decision {
	return Decision{Kind: Stop, Code: code, Reason: fmt.Sprintf(format, a...), Next: next}
}

func done(format string, a ...any) Decision {
	return Decision{Kind: Done, Code: CodeDone, Phase: PhaseDone, Reason: fmt.Sprintf(format, a...)}
}

// made reports whether this is a decision at all.
func (d Decision) made() bool { return d.Kind != "" }

func (d Decision) with(evidence ...string) Decision {
	d.Evidence = append(append([]string(nil), d.Evidence...), evidence...)
	return d
}

func (d Decision) then(next string) Decision {
	d.Next = next
	return d
}
