package migration

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Observation is one look at everything: the cluster's objects, what the
// servers answer, and the journal. Decide sees nothing else.
type Observation struct {
	// At is when the look began.
	At time.Time `json:"at"`
	// From is where the servers and hosts were asked from.
	From vantage.Point `json:"from,omitzero"`
	// Record is the journal at that time.
	Record Record `json:"record"`
	// Servers are sorted by id and cover every server of the record.
	Servers []ServerView `json:"servers"`
	// ClusterComplete is false when the API server did not answer in full;
	// nothing is decided on half a view.
	ClusterComplete bool `json:"clusterComplete"`
	// Twins are other ensembles of ours with addresses of the same hosts, as far as
	// the user may look.
	Twins []Claim `json:"twins,omitempty"`
	// Via is put into the commands that are printed. It is the reader's, no part of
	// the look, and no rule looks at it.
	Via command.Via `json:"-"`
}

// ServerView is what was seen of one server.
type ServerView struct {
	ID ensemble.ID `json:"id"`
	// Cluster is what the API server knows.
	Cluster ClusterView `json:"cluster"`
	// Host is what answers at the host's own address.
	Host HostView `json:"host"`
	// Live is what answers through the Service's address.
	Live vantage.Sighting `json:"live"`
	// AtPod is what answers at the pod's own address, asked where ZooKeeper may
	// run in it while the Service leads elsewhere.
	AtPod vantage.Sighting `json:"atPod,omitzero"`
}

// ClusterView is what the Kubernetes objects of one server say.
type ClusterView struct {
	Service   ServiceView   `json:"service"`
	Endpoints EndpointsView `json:"endpoints"`
	Pod       PodView       `json:"pod"`
	Gate      GateView      `json:"gate"`
}

// ServiceView is the server's Service.
type ServiceView struct {
	Found     bool   `json:"found"`
	UID       string `json:"uid,omitempty"`
	ClusterIP string `json:"clusterIP,omitempty"`
	// Selector is the pod name selected, empty while the endpoints are
	// hand-made; "?" when the selector is none of ours.
	Selector string `json:"selector,omitempty"`
	// Changed says, in words, what somebody changed in it that it cannot be used
	// with; Patch is the merge patch (JSON) that sets it right.
	Changed []string `json:"changed,omitempty"`
	Patch   string   `json:"patch,omitempty"`
}

// ForeignSelector marks a selector we did not write.
const ForeignSelector = "?"

// EndpointsView lists who contributes which addresses to the Service.
type EndpointsView struct {
	// Bridge is our own slice (or, in LegacyEndpoints mode, our Endpoints
	// object); BridgeFound tells an empty one from none.
	BridgeFound bool     `json:"bridgeFound"`
	Bridge      []string `json:"bridge,omitempty"`
	// BridgePodUID is the pod that owns the bridge, if any.
	BridgePodUID string `json:"bridgePodUID,omitempty"`
	// Controller are the addresses in slices of the endpointslice controller.
	Controller []string `json:"controller,omitempty"`
	// Leftovers names objects of controllers that would stay behind without a
	// selector: Endpoints and slices other than the bridge (kubernetes#118376).
	Leftovers []string `json:"leftovers,omitempty"`
	// Foreign names slices that neither we nor the controllers manage.
	Foreign []string `json:"foreign,omitempty"`
	// Union are the distinct ready addresses of all slices: what kube-proxy
	// uses (I2).
	Union []string `json:"union,omitempty"`
}

// GateState is what the script at the head of the pod's container reports.
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

// PodView is the server's pod.
type PodView struct {
	Found       bool   `json:"found"`
	Name        string `json:"name,omitempty"`
	UID         string `json:"uid,omitempty"`
	IP          string `json:"ip,omitempty"`
	Node        string `json:"node,omitempty"`
	Terminating bool   `json:"terminating,omitempty"`
	// Running: the container runs. Ready: its readiness probe passes.
	Running bool `json:"running,omitempty"`
	Ready   bool `json:"ready,omitempty"`
	// Outdated: it was made from another template than the record has now;
	// SetOutdated: so would its successor be.
	Outdated    bool `json:"outdated,omitempty"`
	SetOutdated bool `json:"setOutdated,omitempty"`
	// SetDrift says, in words, what somebody edited in the template of the
	// StatefulSet, so that the successor would not be as recorded.
	SetDrift []string `json:"setDrift,omitempty"`
	// Drift says the same of the pod. It is Outdated by that only where another
	// template would make it otherwise.
	Drift []string `json:"drift,omitempty"`
	// Unmade: some of what it is made from is missing and can be made again: the
	// StatefulSet (or it is too small for this pod, or of an earlier release), or the
	// ConfigMap with its files.
	Unmade bool `json:"unmade,omitempty"`
	// Files is what is wrong with the ConfigMap its zoo.cfg and scripts come from.
	Files string `json:"files,omitempty"`
	// ForeignFiles is that ConfigMap's name where somebody else's has taken its place.
	ForeignFiles string `json:"foreignFiles,omitempty"`
	// Preparing: nothing is known to keep it from running; it is being scheduled,
	// or its node prepares it.
	Preparing bool `json:"preparing,omitempty"`
	// Restarts of the container.
	Restarts int `json:"restarts,omitempty"`
	// Problem is why the pod does not run (unschedulable, image, volume).
	Problem string `json:"problem,omitempty"`
	// EarlierLog is the container whose log of before its last end says more about
	// Problem.
	EarlierLog string `json:"earlierLog,omitempty"`
	// OutOfMemory: its container was killed for using more memory than its
	// limit when it last ended.
	OutOfMemory bool `json:"outOfMemory,omitempty"`
	// NodeLost: its node does not report, or is no more.
	NodeLost bool `json:"nodeLost,omitempty"`
	// Claim is its volume claim; Unbound is the same where no volume can be had
	// for it, so that no node takes the pod.
	Claim   string `json:"claim,omitempty"`
	Unbound string `json:"unbound,omitempty"`
	// Gate is the script's latest report, GateDetail its own words,
	// GateGeneration the newest gate generation it has read.
	Gate           GateState `json:"gate,omitempty"`
	GateDetail     string    `json:"gateDetail,omitempty"`
	GateGeneration int       `json:"gateGeneration,omitempty"`
	// GateCause is why it refuses, where a new proof is the way out.
	GateCause GateCause `json:"gateCause,omitempty"`
	// Seeded is the token of the complete copy of the host's data that waits on
	// the pod's volume (see Flight.Seed).
	Seeded string `json:"seeded,omitempty"`
	// NeverSynced: the files on the volume show that ZooKeeper was started there
	// and never synced from a leader.
	NeverSynced bool `json:"neverSynced,omitempty"`
	// NeverStarted: ZooKeeper was never started on the volume.
	NeverStarted bool `json:"neverStarted,omitempty"`
	// Outlived: the data on the volume is older than the host's last run, which the
	// pod has seen.
	Outlived bool `json:"outlived,omitempty"`
	// DataGeneration is that of the release whose data is on the volume, 0 without
	// any; VolumeSince is the gate's generation when this volume was looked at first,
	// nil when unknown.
	DataGeneration int  `json:"dataGeneration,omitempty"`
	VolumeSince    *int `json:"volumeSince,omitempty"`
	// Version is the ZooKeeper release that the pod's image holds, as the gate
	// found out before it started anything; zero when unknown.
	Version ensemble.Version `json:"version,omitzero"`
	// LogSays are words of ZooKeeper's own log that may say why it does not join, and
	// Snapshots how often it has begun to get one there. Anybody who can reach the
	// server can write into that log: people see them, and they decide nothing.
	LogSays   []string `json:"logSays,omitempty"`
	Snapshots int      `json:"snapshots,omitempty"`
	// HostClosed: the pod itself, dialing the host's client and election
	// port, is refused on both. It is the second vantage point of I3.
	HostClosed bool `json:"hostClosed,omitempty"`
	// HostClosedFor is how long it has been refused at each look, some seconds
	// apart, when it reported.
	HostClosedFor time.Duration `json:"hostClosedFor,omitempty"`
	// GateAt is when the gate made the report, by the node's clock; it is only
	// ever compared with itself.
	GateAt time.Time `json:"gateAt,omitempty"`
	// GateFresh: the report is younger than ReportFresh by the node's clock.
	GateFresh bool `json:"gateFresh,omitempty"`
	// Listens tells whether the parked pod accepts connections at the server's ports.
	Listens Listening `json:"listens,omitempty"`
}

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

// Parked reports whether the pod waits at its gate with everything in place.
func (p PodView) Parked() bool {
	return p.Found && p.Running && !p.Terminating && p.IP != "" && p.Gate == GateParked
}

// GateView is the gate as the API server holds it.
type GateView struct {
	// Found: the gate's ConfigMap exists.
	Found bool `json:"found"`
	// Generation counts every change of the gate.
	Generation int `json:"generation"`
	// Released: the server's line is in the gate, since ReleasedGeneration.
	Released           bool `json:"released"`
	ReleasedGeneration int  `json:"releasedGeneration,omitempty"`
	// Start is what its line lets the pod start from.
	Start GateStart `json:"start,omitempty"`
}

// HostView is what answers at the host's own address.
type HostView struct {
	Client   vantage.PortState `json:"client"`
	Election vantage.PortState `json:"election"`
	// Answer is what the client port says to srvr, where it accepts connections.
	Answer vantage.Sighting `json:"answer,omitzero"`
}

// Up reports whether the server was seen to run: it answered, or its election port
// is open while its client port refuses, which nothing in between brings about.
func (h HostView) Up() bool {
	switch h.Answer.Reach {
	case vantage.Answered, vantage.NotServing, vantage.NotWhitelisted:
		return true
	default:
		return h.Election == vantage.PortOpen && h.Client == vantage.PortClosed
	}
}

// Open reports whether anything accepts a connection: the server, another
// program that got the address, or something in between that accepts everything.
func (h HostView) Open() bool { return h.Client == vantage.PortOpen || h.Election == vantage.PortOpen }

// Closed reports whether both ports refuse. Silence is no proof of death.
func (h HostView) Closed() bool {
	return h.Client == vantage.PortClosed && h.Election == vantage.PortClosed
}

// said is what its ports did, in words.
func (h HostView) said() string {
	return fmt.Sprintf("client port %s, election port %s", h.Client, h.Election)
}

// View returns what was seen of a server.
func (o Observation) View(id ensemble.ID) (ServerView, bool) {
	for _, v := range o.Servers {
		if v.ID == id {
			return v, true
		}
	}
	return ServerView{}, false
}

// Epoch returns the leader's epoch, as its zxid shows it; ok is false without
// exactly one leader, and the epoch 0 then.
func (o Observation) Epoch() (epoch uint32, ok bool) {
	leader, ok := o.Leader().Get()
	if !ok {
		return 0, false
	}
	v, ok := o.View(leader)
	return v.Says().Zxid.Epoch(), ok
}

// Leader returns the id of the one server that says it leads; none when none or
// more than one does.
func (o Observation) Leader() ensemble.MaybeID {
	var leader ensemble.MaybeID
	for _, v := range o.Servers {
		if s := v.Says(); s.Serving() && s.Mode == ensemble.Leader {
			if !leader.IsZero() {
				return ensemble.MaybeID{}
			}
			leader = v.ID.Known()
		}
	}
	return leader
}
