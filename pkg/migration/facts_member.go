package migration

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// member is what one look adds up to about one server.
type member struct {
	// ServerRecord is what the journal says of it.
	ServerRecord
	// address is where its Service leads; selected tells that the Service selects a
	// pod, so that Kubernetes' controllers decide where.
	address  Address
	selected bool
	// host is what its host shows, ports what the ports there did.
	host  HostState
	ports HostView
	// stands is what its pod is in, holds what its volume does.
	stands PodState
	holds  Holding
	// live is what answered at the Service's address, inPod at the pod's own, and says
	// what the server itself said, wherever it was asked.
	live, inPod, says vantage.Sighting

	// What the facts come from, for words and for preconditions of single writes.
	service   ServiceView
	endpoints EndpointsView
	pod       PodView
	report    Report
	gate      GateView
}

// derived adds up what was seen of one server.
func derived(s ServerRecord, v ServerView) member {
	c := v.Cluster
	return member{
		ServerRecord: s,
		address:      addressOf(s.HostIP, c.Pod.IP, c.Endpoints.Union), selected: c.Service.Selector != "",
		host: v.Host.State(), ports: v.Host,
		stands: c.Pod.State(), holds: c.Pod.Holds(c.Gate),
		live: v.Live, inPod: v.AtPod, says: v.Says(),
		service: c.Service, endpoints: c.Endpoints, pod: c.Pod, report: c.Pod.Report, gate: c.Gate,
	}
}

// Address is where the one address of a server leads, by the endpoints that kube-proxy
// uses.
type Address string

// The places it can lead to.
const (
	AddressNone Address = "none"
	AddressHost Address = "host"
	AddressPod  Address = "pod"
	// AddressElse: to several at once, or to somebody else.
	AddressElse Address = "elsewhere"
)

func addressOf(host, pod string, endpoints []string) Address {
	switch {
	case len(endpoints) == 0:
		return AddressNone
	case same(endpoints, host):
		return AddressHost
	case pod != "" && same(endpoints, pod):
		return AddressPod
	}
	return AddressElse
}

// HostState is what a look at a host's own ports adds up to.
type HostState string

// The states of a host. No answer does not prove that it is down.
const (
	// HostSilent: nothing answered or refused there, or nobody asked.
	HostSilent HostState = "silent"
	// HostUp: the server was seen to run there.
	HostUp HostState = "up"
	// HostUnclear: something accepts connections and does not answer.
	HostUnclear HostState = "unclear"
	// HostRefuses: client and election port refuse.
	HostRefuses HostState = "refuses"
)

// State adds up what the ports did.
func (h HostView) State() HostState {
	switch {
	case h.Up():
		return HostUp
	case h.Open():
		return HostUnclear
	case h.Closed():
		return HostRefuses
	}
	return HostSilent
}

// open reports whether anything accepts connections there.
func (s HostState) open() bool { return s == HostUp || s == HostUnclear }

// PodState is what a pod is in, by Kubernetes and by its gate.
type PodState string

// The states of a pod.
const (
	PodNone PodState = "none"
	// PodGoing: it is being deleted.
	PodGoing PodState = "terminating"
	// PodIdle: its container does not run.
	PodIdle PodState = "not running"
	// PodUntold: it runs, and its gate has not told anything that counts.
	PodUntold PodState = "untold"
	// PodParked: it waits at its gate with everything in place.
	PodParked PodState = "parked"
	// PodVetoed, PodRefused and PodStarted are what its gate reports.
	PodVetoed  PodState = "vetoed"
	PodRefused PodState = "refused"
	PodStarted PodState = "started"
)

// State adds up what Kubernetes and the gate say of the pod.
func (p PodView) State() PodState {
	switch {
	case p.UID == "":
		return PodNone
	case p.Terminating:
		return PodGoing
	case !p.Running():
		return PodIdle
	case p.Report.State == GateParked && p.IP != "":
		return PodParked
	case p.Report.State == GateVetoed:
		return PodVetoed
	case p.Report.State == GateRefused:
		return PodRefused
	case p.Report.State == GateStarted:
		return PodStarted
	}
	return PodUntold
}

// Parked reports whether the pod waits at its gate with everything in place.
func (p PodView) Parked() bool { return p.State() == PodParked }

// away: it does not run, or not for long.
func (s PodState) away() bool { return s == PodNone || s == PodGoing || s == PodIdle }

// Holding is what a pod's volume holds, as far as its gate can tell.
type Holding string

// What a volume can hold.
const (
	// HoldsUnknown: nobody tells.
	HoldsUnknown Holding = "unknown"
	// HoldsNothing: no ZooKeeper that ran on it has ever acknowledged anything.
	HoldsNothing Holding = "nothing"
	// HoldsOld: the host has run since.
	HoldsOld Holding = "old"
	// HoldsHalf: it was released, and its data is lost or half written. Having read the
	// gate as it is, it waits for a new proof that it may start from empty.
	HoldsHalf Holding = "half"
	// HoldsMember: a member ran on it, and what it holds may be newer than what the
	// host does.
	HoldsMember Holding = "a member's"
)

// Holds adds up what the gate tells of the volume.
func (p PodView) Holds(gate GateView) Holding {
	stands, r := p.State(), p.Report
	switch {
	case stands == PodRefused && r.Cause != CauseNone && gate.Released && r.Generation >= gate.Generation:
		return HoldsHalf
	case stands != PodParked:
		return HoldsUnknown
	case r.Volume.State == VolumeUnused || r.Volume.State == VolumeUnsynced:
		return HoldsNothing
	case r.Volume.State == VolumeOutlived:
		return HoldsOld
	}
	return HoldsMember
}

// atHost: the address is the host's, and no selector is set.
func (m *member) atHost() bool { return m.address == AddressHost && !m.selected }

// started: ZooKeeper was started in the pod, by what its gate told last.
func (m *member) started() bool { return m.report.State == GateStarted }

// mayRun: ZooKeeper runs in the pod, or a restart of the pod would start it.
func (m *member) mayRun() bool { return m.gate.Released || m.started() }

// waits: the pod told of late that it is parked.
func (m *member) waits() bool { return m.stands == PodParked && m.report.Fresh }

// idleOutdated: the pod was made from another template than is recorded, and nothing
// runs in it.
func (m *member) idleOutdated() bool {
	return m.pod.Source.Pod.Outdated && !m.pod.Terminating && m.idle()
}

// hasAddress: the pod has an address that its Service can lead to.
func (m *member) hasAddress() bool { return m.stands != PodGoing && m.pod.IP != "" }

// shut: the gate is closed, and the pod is parked before it, having read that.
func (m *member) shut() bool {
	return !m.gate.Released && m.stands == PodParked && m.report.Generation >= m.gate.Generation
}

// onHostAlone: the server runs on its host, behind its address, and nothing may start
// beside it.
func (m *member) onHostAlone() bool { return m.host == HostUp && m.atHost() && m.shut() }

// serves reports whether it was seen to take part in a quorum, through its address.
func (m *member) serves() bool { return m != nil && m.live.Serving() }

// onHost: it was not replaced yet.
func (m *member) onHost() bool { return m.Replaced == nil }

// there is what somebody is to do on its host.
func (m *member) there(act string) string { return "on host " + m.HostIP + ": " + act }

// stopAndMask is what ends a process on the host that must not run beside the pod.
func (m *member) stopAndMask() string { return m.there("stop the server and mask its unit") }

// anotherAnswers says whose Service leads to whom.
func (m *member) anotherAnswers() string {
	return fmt.Sprintf("the Service of server %d is answered by server %s", m.ID, m.live.ServerID)
}

// idle reports whether it is known that no ZooKeeper runs in the pod: its container
// does not run, or its gate's script still stands in ZooKeeper's place. A node that
// does not report tells nothing of its containers.
func (m *member) idle() bool {
	switch {
	case m.inPod.Serving(), m.serves() && m.address == AddressPod:
		return false
	case m.stands == PodNone:
		return true
	case m.pod.NodeLost, m.pod.Ready():
		return false
	case !m.pod.Running():
		// What a node last said may be old: where the address leads to the pod, it
		// refuses as well.
		return m.address != AddressPod || m.live.Sight() == vantage.SeenNotServing
	}
	return m.report.Fresh && !m.started()
}
