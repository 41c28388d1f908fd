package migration

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
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
	// Clients is who is connected, and where they were seen before; nil where nobody asked.
	Clients *sessions.View `json:"clients,omitempty"`
	// Belongings are looked at where pods are proved or something is taken back; nil
	// where nobody looked.
	Belongings *Belongings `json:"belongings,omitempty"`
	// Uses are possible users of the Services, asked once by whoever takes them back.
	Uses []Use `json:"uses,omitempty"`
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
