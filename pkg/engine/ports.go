// Package engine runs the loop: observe, decide, act once, record, observe
// again. It declares what it needs from the outside and decides nothing
// itself; every decision is migration.Decide's.
package engine

import (
	"context"
	"io"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Observer reads the Kubernetes objects of ensembles.
type Observer interface {
	// Observe returns what the API server knows of every server of the record.
	// An error means the view is not complete.
	Observe(ctx context.Context, rec migration.Record) (map[ensemble.ID]migration.ClusterView, error)
}

// Cluster reads and writes the Kubernetes objects of one ensemble. Every write
// is idempotent and carries preconditions (uid, resourceVersion) where a stale
// caller could do harm.
type Cluster interface {
	Observer
	// Park applies everything the pods need (gate, configuration, headless
	// Service, PodDisruptionBudget, StatefulSet); no gate is opened by it.
	Park(ctx context.Context, rec migration.Record) error
	// Ungate makes the Secret that pods without a gate mount, where they need one, and returns
	// what they mount; nil for nothing.
	Ungate(ctx context.Context, rec migration.Record) (*migration.PlainFiles, error)
	// Finalize applies what the pods are left with, StatefulSet and Services: from then on
	// Kubernetes restarts them.
	Finalize(ctx context.Context, rec migration.Record) error
	// PointToPod points the server's hand-made endpoints at its pod, in one
	// write (flip), creating them when missing. The pod must still have the
	// given uid and IP.
	PointToPod(ctx context.Context, rec migration.Record, id ensemble.ID, podUID, podIP string) error
	// PointToHost points them back at the host.
	PointToHost(ctx context.Context, rec migration.Record, id ensemble.ID) error
	// SetSelector lets the Service select the server's pod (adopt);
	// ClearSelector takes the selector away.
	SetSelector(ctx context.Context, rec migration.Record, id ensemble.ID) error
	ClearSelector(ctx context.Context, rec migration.Record, id ensemble.ID) error
	// DropBridge deletes our hand-made endpoints once the controller's slice
	// holds the same address.
	DropBridge(ctx context.Context, rec migration.Record, id ensemble.ID) error
	// DeleteLeftovers deletes what controllers leave behind when a selector is
	// taken away (kubernetes#118376): their slices, and Endpoints that are not
	// ours. Our bridge stays.
	DeleteLeftovers(ctx context.Context, rec migration.Record, id ensemble.ID) error
	// OpenGate adds the server's line to the gate, CloseGate removes it; each
	// makes a new gate generation when it changes something. RenewGate replaces
	// the line, in a new generation, if it is still of the given one.
	OpenGate(ctx context.Context, rec migration.Record, id ensemble.ID, start migration.GateStart) error
	RenewGate(ctx context.Context, rec migration.Record, id ensemble.ID, start migration.GateStart, generation int) error
	// RestoreGate writes a line again as it was.
	RestoreGate(ctx context.Context, rec migration.Record, id ensemble.ID, line migration.Release) error
	CloseGate(ctx context.Context, rec migration.Record, id ensemble.ID) error
	// Kick makes the kubelet refresh the pod's volumes at once.
	Kick(ctx context.Context, rec migration.Record, id ensemble.ID) error
	// Seed fills the parked pod's volume with the copy of the host's data that r
	// brings (a tar stream), under the flight's token, if it is complete.
	Seed(ctx context.Context, rec migration.Record, id ensemble.ID, r io.Reader) error
	// DeletePod deletes exactly that pod, gracefully.
	DeletePod(ctx context.Context, rec migration.Record, id ensemble.ID, podUID string) error
}

// Remover takes back what wrap and park have made. Only objects with the ensemble's label are
// touched, each by its uid; what is gone already is no error.
type Remover interface {
	// Belongings returns the objects that there are.
	Belongings(ctx context.Context, rec migration.Record) (migration.Belongings, error)
	// ShrinkSet has the StatefulSet make so many pods.
	ShrinkSet(ctx context.Context, rec migration.Record, replicas int) error
	// DeleteClaims deletes exactly those volume claims.
	DeleteClaims(ctx context.Context, rec migration.Record, claims []migration.ClaimRef) error
	// DeletePodObjects deletes a StatefulSet that makes no pods, and then what pods share.
	DeletePodObjects(ctx context.Context, rec migration.Record) error
	// DeleteService deletes the recorded Service of a server, and its hand-made endpoints.
	DeleteService(ctx context.Context, rec migration.Record, id ensemble.ID) error
}

// Prober talks to ZooKeeper.
type Prober interface {
	// Sight asks a client port who is there; it never fails, the outcome is in
	// the sighting.
	Sight(ctx context.Context, t vantage.Target) vantage.Sighting
	// Port tries a bare TCP connect.
	Port(ctx context.Context, t vantage.Target) vantage.PortState
	// Canary commits a write through that server and returns a zxid that is at
	// least that of the write. It leaves no znode behind.
	Canary(ctx context.Context, t vantage.Target) (ensemble.Zxid, error)
}

// Clients tells which sessions clients have, and where they were seen.
type Clients interface {
	// Look asks the servers, or gives what was found a moment ago, or nil where nobody was
	// asked yet. It must not take long while a server is away.
	Look(ctx context.Context, rec migration.Record) *sessions.View
}

// HostAction is what must happen on a server's host.
type HostAction string

// The actions, as the host hook gets them.
const (
	HostStop       HostAction = "stop"
	HostStart      HostAction = "start"
	HostMask       HostAction = "mask"
	HostUnmask     HostAction = "unmask"
	HostApplyPatch HostAction = "apply-patch"
	HostUndoPatch  HostAction = "undo-patch"
	// HostCopyData is CopyData's.
	HostCopyData HostAction = "copy-data"
	// HostReport asks for a host report; no step of a migration does.
	HostReport HostAction = "report"
)

// Hosts carries out or asks for actions on hosts. We never log in to a host:
// it is either the operator's own program, or the operator.
type Hosts interface {
	// Do returns done=true when the action was carried out (a hook that
	// exited 0) or confirmed by the operator, and false when it was only asked
	// for. It must be idempotent.
	Do(ctx context.Context, action HostAction, server migration.ServerRecord) (done bool, by string, err error)
	// CopyData returns the host's data as a tar stream that carries the token;
	// nil when the operator was asked to send it. To close it early ends what
	// writes it; the error of Close is that of the copy.
	CopyData(ctx context.Context, server migration.ServerRecord, token string) (io.ReadCloser, error)
}

// Paths tries connects from where servers run.
type Paths interface {
	// Try fills in what became of each path to and from the server: in its parked pod, which
	// has that address, or on its host where podIP is empty. What nobody could try stays unknown, with why. It fails only where
	// the context ends.
	Try(ctx context.Context, rec migration.Record, id ensemble.ID, podIP string, paths []migration.Path) error
}

// Journal is the durable record and its lock.
type Journal interface {
	// Load reads the record.
	Load(ctx context.Context) (migration.Record, error)
	// Save writes it; it fails when somebody else wrote since Load.
	Save(ctx context.Context, rec migration.Record) error
}

// Lock is what lets one command at a time work on an ensemble.
type Lock interface {
	// Held fails when the lock is no longer ours, or may not be: it asks the API
	// server, and it compares the wall's clock, which goes on while a machine
	// sleeps.
	Held(ctx context.Context) error
}

// Clock is the time.
type Clock interface {
	Now() time.Time
	// Sleep waits for d or until the context ends.
	Sleep(ctx context.Context, d time.Duration) error
}
