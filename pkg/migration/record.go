package migration

import (
	"reflect"
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// RecordVersion is the version of the journal's format.
const RecordVersion = "zkmigrate.io/v1alpha1"

// EndpointsAPI says with which objects the Services' hand-made endpoints are
// written.
type EndpointsAPI string

const (
	// EndpointSlices is the default: one discovery.k8s.io/v1 slice per server.
	EndpointSlices EndpointsAPI = "endpointslices"
	// LegacyEndpoints writes v1 Endpoints and leaves the slices to the
	// mirroring controller (deprecated since Kubernetes 1.33, KEP-4974).
	LegacyEndpoints EndpointsAPI = "endpoints"
)

// Record is the journal: what cannot be seen in the cluster or in ZooKeeper.
// Everything else is observed anew before each step.
type Record struct {
	APIVersion   string       `json:"apiVersion"`
	Kind         string       `json:"kind"`
	Name         string       `json:"name"`
	Namespace    string       `json:"namespace"`
	EndpointsAPI EndpointsAPI `json:"endpointsAPI"`
	// Servers are sorted by id.
	Servers []ServerRecord `json:"servers"`
	// Settings of the ensemble that the timing rules need.
	Settings Settings `json:"settings"`
	// Pods is how the pods are made.
	Pods PodOptions `json:"pods"`
	// PodsBefore is how they were made before the last change of settings, until a
	// server has joined in a pod that was made with them.
	PodsBefore *PodOptions `json:"podsBefore,omitempty"`
	// Hosts is how servers are run on their hosts, as the operator said.
	Hosts HostOptions `json:"hosts,omitzero"`
	// Flight is the one operation that is under way (I5), nil when none is.
	Flight *Flight `json:"flight,omitempty"`
	// Removal is what is being taken back, nil when nothing is.
	Removal *Removal `json:"removal,omitempty"`
	// Elections holds the epochs at the marks from which forced elections are
	// counted.
	Elections Elections `json:"elections"`
	// Waivers are checks an operator waived by name.
	Waivers []Waiver `json:"waivers,omitempty"`
	// Audit holds the latest entries, oldest first.
	Audit []AuditEntry `json:"audit,omitempty"`
}

// Settings are ensemble-wide ZooKeeper settings.
type Settings struct {
	TickTimeMillis int    `json:"tickTimeMillis"`
	InitLimit      int    `json:"initLimit"`
	SyncLimit      int    `json:"syncLimit"`
	Version        string `json:"version,omitempty"`
}

// ServerRecord is what was decided about one server and must not change.
type ServerRecord struct {
	ensemble.Server `json:",inline"`
	// HostIP is the address the Service's hand-made endpoints point to; Host
	// (in the embedded server) is the name or address the host's files use.
	HostIP string `json:"hostIP"`
	// Service, ServiceUID and ClusterIP identify the server's Service (I1).
	Service    string `json:"service"`
	ServiceUID string `json:"serviceUID"`
	ClusterIP  string `json:"clusterIP"`
	// Ordinal is the index of the server's pod in the StatefulSet.
	Ordinal int `json:"ordinal"`
	// DataDir and DataLogDir are its directories on the host, as in its zoo.cfg;
	// empty when nobody has read it. DataLogDir is empty where it is DataDir.
	DataDir    string `json:"dataDir,omitempty"`
	DataLogDir string `json:"dataLogDir,omitempty"`
	// Emitted is when the patch for its host was handed out.
	Emitted *Emission `json:"emitted,omitempty"`
	// Reconfigured is set once the server was seen to run with the Services'
	// addresses.
	Reconfigured *Confirmation `json:"reconfigured,omitempty"`
	// Replaced is set once the pod has joined and was held.
	Replaced *time.Time `json:"replaced,omitempty"`
	// Release is the server's line in the gate at that time. The very same line
	// is written again when somebody has taken it out.
	Release *Release `json:"release,omitempty"`
}

// Release is what a line of the gate says besides who it is for.
type Release struct {
	Generation int       `json:"generation"`
	Start      GateStart `json:"start"`
}

// known: the line was found in the gate, so that the same one can be written again.
func (r *Release) known() bool { return r != nil && r.Generation != 0 }

// Confirmation is something that was established once, by whom and how.
type Confirmation struct {
	At  time.Time `json:"at"`
	By  string    `json:"by"`
	How string    `json:"how"`
}

// Waiver is a check that an operator waived by its id.
type Waiver struct {
	Check  string    `json:"check"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Elections counts leader changes by epoch.
type Elections struct {
	// AtWrap, AtReconfigure and AtReplace are the leader's epoch when the
	// ensemble was wrapped, when the rolling restart began and when the first
	// replacement began; 0 when that has not happened.
	AtWrap        uint32 `json:"atWrap,omitempty"`
	AtReconfigure uint32 `json:"atReconfigure,omitempty"`
	AtReplace     uint32 `json:"atReplace,omitempty"`
	// AtReconfigured is the same when the last server was known to run with the new
	// list: what is elected later is not the restart's.
	AtReconfigured uint32 `json:"atReconfigured,omitempty"`
}

// FlightKind is the direction of an operation.
type FlightKind string

const (
	// Replace moves a server from its host into its pod.
	Replace FlightKind = "replace"
	// Revert moves it back.
	Revert FlightKind = "revert"
)

// DataMode says what a pod starts from.
type DataMode string

const (
	// DataEmpty: from nothing, by a full sync from the leader (the default).
	DataEmpty DataMode = "empty"
	// DataCopy: from a complete copy of the host's data that was made after its
	// stop, which is an ordinary restart.
	DataCopy DataMode = "copy"
)

// Flight is the operation that is under way on one server. Its kinds share their parts,
// which are one flat object in the journal.
type Flight struct {
	Kind    FlightKind  `json:"kind"`
	ID      ensemble.ID `json:"id"`
	Started time.Time   `json:"started"`
	By      string      `json:"by"`
	// Epoch is the leader's epoch when the operation began.
	Epoch uint32 `json:"epoch"`
	// WasLeader is set when the server led at the last look before its stop.
	WasLeader bool `json:"wasLeader,omitempty"`
	// Gate is the gate's generation that the operation counts on: when it began
	// or, where a pod that has served goes, when that was seen gone.
	Gate int `json:"gate,omitempty"`
	// Served says that the pod may have taken part in the quorum since the
	// host's server stopped: the host's data is stale then.
	Served bool `json:"served,omitempty"`
	// Aborted is why a replacement was given up after its release.
	Aborted string `json:"aborted,omitempty"`
	// Patched is the confirmation that the host's file was patched, in a restart.
	Patched *Confirmation `json:"patched,omitempty"`

	Proofs   `json:",inline"`
	Stopping `json:",inline"`
	Starting `json:",inline"`
	Leaving  `json:",inline"`
}

// Proofs are canary writes and who was seen to hold them (I4).
type Proofs struct {
	// Before is the canary on all n, After the one on the n-1 others while
	// the server was proven dead, Joined the one its new home must reach.
	Before *Proof `json:"before,omitempty"`
	After  *Proof `json:"after,omitempty"`
	Joined *Proof `json:"joined,omitempty"`
}

// Stopping is how the process that runs comes to its end (I3).
type Stopping struct {
	// Fenced is the confirmation that the host's server cannot come back.
	Fenced *Confirmation `json:"fenced,omitempty"`
	// StopAsked is when the host's server (revert: the pod) was first asked to
	// stop, DeadSince when it was first seen dead.
	StopAsked *time.Time `json:"stopAsked,omitempty"`
	DeadSince *time.Time `json:"deadSince,omitempty"`
	// DeadReport is the pod's last report at that moment (or when a revert was
	// turned back), by its node's clock: with it the pod's next ones tell whether
	// it has watched since, whatever other clocks say.
	DeadReport *PodReport `json:"deadReport,omitempty"`
	// ReportAtStop is the time of the pod's last report when the stop was
	// asked for, by the node's clock: the second witness must be younger.
	ReportAtStop *time.Time `json:"reportAtStop,omitempty"`
	// Paths are those between the parked pod and the others, tried before the stop.
	Paths *Paths `json:"paths,omitempty"`
}

// Starting is what the server starts from in its new home, and when.
type Starting struct {
	// Data says what the pod starts from; empty means DataEmpty.
	Data DataMode `json:"data,omitempty"`
	// Seed is the token a copy of the host's data must carry. It is made once
	// the host's server is proven dead and is forgotten when it comes back, so a
	// copy that has it was made after the stop. SeedAsked is when it was last asked for.
	Seed      string     `json:"seed,omitempty"`
	SeedAsked *time.Time `json:"seedAsked,omitempty"`
	// Released is when the gate was opened (revert: the host asked to start), Kicked
	// when the pod was last kicked.
	Released *time.Time `json:"released,omitempty"`
	Kicked   *time.Time `json:"kicked,omitempty"`
	// Line is the server's line in the gate: what it lets the pod start from
	// and, once a revert or an abort has found it there, its generation.
	Line *Release `json:"line,omitempty"`
	// Renewing is set while the other servers prove anew that the pod may start
	// from empty; Renewals counts such starts.
	Renewing *time.Time `json:"renewing,omitempty"`
	Renewals int        `json:"renewals,omitempty"`
	// OutOfMemory: a start of the pod ended so. Kubernetes forgets it with the
	// container.
	OutOfMemory bool `json:"outOfMemory,omitempty"`
	// Returning is set when a revert was turned back before anything ran on the
	// host: the same line is written again.
	Returning *time.Time `json:"returning,omitempty"`
}

// Leaving is how a server leaves its pod.
type Leaving struct {
	// PodUID is the pod that was deleted; its successor has another.
	PodUID string `json:"podUID,omitempty"`
	// Reclaimed is when a pod that may have run ZooKeeper was first asked to go.
	Reclaimed *time.Time `json:"reclaimed,omitempty"`
	// Cleared is when the selector or a leftover was last removed.
	Cleared *time.Time `json:"cleared,omitempty"`
	// Unmasking is when the host's unit was first to be unmasked: from then on
	// its server may run. Unfenced is the confirmation that the host's server may start again.
	Unmasking *time.Time    `json:"unmasking,omitempty"`
	Unfenced  *Confirmation `json:"unfenced,omitempty"`
}

// PodReport says when a pod reported, by the clock of its node.
type PodReport struct {
	UID string    `json:"uid"`
	At  time.Time `json:"at"`
}

// Proof is a canary write: the id of a transaction of ours that was committed.
type Proof struct {
	Zxid ensemble.Zxid `json:"zxid"`
	// Leader is who led then; none when nobody was seen to.
	Leader ensemble.MaybeID `json:"leader,omitzero"`
	// At is when the write was committed; once complete, for After and Joined,
	// when all were seen to hold it.
	At time.Time `json:"at"`
	// Held are the servers that were seen to have it; complete when those are
	// all that were asked for.
	Held     []ensemble.ID `json:"held,omitempty"`
	Complete bool          `json:"complete"`
}

func (p *Proof) complete() bool { return p != nil && p.Complete }

// heldBy is the proof with those that hold it, as it was seen at a time.
func (p Proof) heldBy(ids []ensemble.ID, at time.Time) *Proof {
	p.Held, p.Complete, p.At = ids, true, at
	return &p
}

// AuditEntry is one line of the journal.
type AuditEntry struct {
	At time.Time `json:"at"`
	By string    `json:"by"`
	// ID is the server it is about, none where that is the ensemble.
	ID     ensemble.MaybeID `json:"id,omitzero"`
	Step   string           `json:"step"`
	Detail string           `json:"detail,omitempty"`
}

// maxAudit bounds the journal; a ConfigMap holds 1 MiB.
const maxAudit = 400

// Note appends to the audit, dropping the oldest lines past the bound.
func (r *Record) Note(e AuditEntry) {
	r.Audit = append(r.Audit, e)
	if over := len(r.Audit) - maxAudit; over > 0 {
		r.Audit = append([]AuditEntry(nil), r.Audit[over:]...)
	}
}

// Server returns a pointer into the record.
func (r *Record) Server(id ensemble.ID) (*ServerRecord, bool) {
	for i := range r.Servers {
		if r.Servers[i].ID == id {
			return &r.Servers[i], true
		}
	}
	return nil, false
}

// ServerOf is Server for an id that may be none.
func (r *Record) ServerOf(id ensemble.MaybeID) (*ServerRecord, bool) {
	if one, ok := id.Get(); ok {
		return r.Server(one)
	}
	return nil, false
}

// Ensemble returns the servers as a list.
func (r *Record) Ensemble() ensemble.Ensemble {
	e := ensemble.Ensemble{Name: r.Name}
	for _, s := range r.Servers {
		e.Servers = append(e.Servers, s.Server)
	}
	ensemble.SortServers(e.Servers)
	return e
}

// Waived reports whether the named check was waived.
func (r *Record) Waived(check string) bool {
	return slices.ContainsFunc(r.Waivers, func(w Waiver) bool { return w.Check == check })
}

// Equal reports whether two records that were read from the journal say the same.
func (r Record) Equal(other Record) bool { return reflect.DeepEqual(r, other) }

// WaivedChecks are the ids of the checks that were waived.
func (r Record) WaivedChecks() []string {
	var ids []string
	for _, w := range r.Waivers {
		ids = append(ids, w.Check)
	}
	return ids
}
