package migration

import (
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Place is where a server runs.
type Place string

// The places a server can be seen at.
const (
	PlaceHost   Place = "host"
	PlacePod    Place = "pod"
	PlaceMoving Place = "moving"
	PlaceBroken Place = "?"
)

// Health is what a look at an ensemble adds up to.
type Health string

const (
	// Healthy: everybody was seen to serve, where it should.
	Healthy Health = "healthy"
	// Changing: one server is away because of the operation under way, and nothing
	// else is wrong.
	Changing Health = "changing"
	// Degraded: something was seen to be wrong.
	Degraded Health = "degraded"
	// Unknown: not everything could be seen; nothing was seen to be wrong.
	Unknown Health = "unknown"
)

// State is where a server is on its way, and whether it was seen to serve there, in one word.
type State string

// The states of a server, in the order of the way.
const (
	StateWrapped      State = "wrapped"
	StateReconfigured State = "reconfigured"
	// StateParked: its pod waits, and it serves on its host.
	StateParked State = "parked"
	// StateAway: the operation under way has taken it away.
	StateAway State = "away"
	StatePod  State = "pod"
	// StateDown: it was seen not to serve. StateUnseen: nothing is known of it.
	StateDown   State = "down"
	StateUnseen State = "unseen"
)

// EnsembleStatus is one ensemble as status shows it; its JSON form is stable.
type EnsembleStatus struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
	// Context is the kubeconfig context of its cluster, where several were asked for.
	Context string    `json:"context,omitempty"`
	At      time.Time `json:"at"`
	// Wrapped is when its journal was made; status of one ensemble does not tell it.
	Wrapped time.Time `json:"wrapped,omitzero"`
	// Healthy is Health == healthy.
	Healthy  bool      `json:"healthy"`
	Health   Health    `json:"health"`
	Problems []Problem `json:"problems,omitempty"`
	// Leader is none when no server, or more than one, says that it leads.
	Leader ensemble.MaybeID `json:"leader,omitzero"`
	Epoch  uint32           `json:"epoch,omitempty"`
	// Elections is how many leaders were elected since the wrap, forced or not; none where the
	// epoch of then or of now is not known.
	Elections *uint32        `json:"elections,omitempty"`
	Version   string         `json:"version,omitempty"`
	Replaced  int            `json:"replaced"`
	Servers   []ServerStatus `json:"servers"`
	// Clients is who is connected, and who has only ever been seen at hosts; nil where
	// nobody was asked.
	Clients *sessions.View `json:"clients,omitempty"`
	// Next is the command that goes on.
	Next string `json:"next,omitempty"`
}

// PhaseFinalized is the phase of every server of an ensemble that is finalized.
const PhaseFinalized = "finalized"

// ServerStatus is one line of status.
type ServerStatus struct {
	ID        ensemble.ID   `json:"id"`
	Role      ensemble.Role `json:"role"`
	Place     Place         `json:"place"`
	State     State         `json:"state"`
	Phase     string        `json:"phase"`
	Mode      ensemble.Mode `json:"mode,omitempty"`
	Zxid      string        `json:"zxid,omitempty"`
	Service   string        `json:"service"`
	ClusterIP string        `json:"clusterIP"`
	HostIP    string        `json:"hostIP"`
	Pod       string        `json:"pod,omitempty"`
	PodIP     string        `json:"podIP,omitempty"`
	Node      string        `json:"node,omitempty"`
	Version   string        `json:"version,omitempty"`
	Clients   int           `json:"clients"`
	Next      string        `json:"next,omitempty"`
}

// Summarize turns an observation into a status.
func Summarize(o Observation) EnsembleStatus { return derive(o).summarized().summary() }

func (c *context) summary() EnsembleStatus {
	st := EnsembleStatus{
		APIVersion: RecordVersion, Kind: "EnsembleStatus", Name: c.rec.Name, Namespace: c.rec.Namespace,
		At: c.now, Version: c.rec.Settings.Version, Clients: c.clients,
	}
	if c.leader != nil {
		st.Leader, st.Epoch, st.Version = c.leader.ID.Known(), c.leader.live.Zxid.Epoch(), c.leader.live.Version.String()
		if since := c.rec.Elections.AtWrap; since != 0 && st.Epoch >= since {
			n := st.Epoch - since
			st.Elections = &n
		}
	}
	for _, s := range c.members {
		st.Servers = append(st.Servers, c.serverStatus(s))
		if s.Replaced != nil {
			st.Replaced++
		}
	}
	st.Problems = c.problems()
	st.Health = c.health(st.Problems)
	st.Healthy = st.Health == Healthy
	st.Next = c.next()
	return st
}

// health is what the problems add up to.
func (c *context) health(problems []Problem) Health {
	has := func(class Class) bool {
		return slices.ContainsFunc(problems, func(p Problem) bool { return p.Class == class })
	}
	switch {
	case has(ClassWrong):
		return Degraded
	case has(ClassUnseen):
		return Unknown
	case c.flight != nil && c.takenAway():
		return Changing
	}
	return Healthy
}

func (c *context) serverStatus(s *member) ServerStatus {
	st := ServerStatus{
		ID: s.ID, Role: s.Role, Service: s.Service, ClusterIP: s.ClusterIP, HostIP: s.HostIP,
		Pod: s.pod.Name, PodIP: s.pod.IP, Node: s.pod.Node, Mode: s.live.Mode, Clients: s.live.Connections,
	}
	if s.live.Zxid != 0 {
		st.Zxid = s.live.Zxid.String()
	}
	if !s.live.Version.IsZero() {
		st.Version = s.live.Version.String()
	}
	switch {
	case c.flying(s.ID):
		st.Place, st.Phase = PlaceMoving, c.doing()+": "+string(c.flight.phase())
		st.Next = c.doing()
	case s.address == AddressHost:
		st.Place = PlaceHost
		st.Phase, st.Next = "wrapped", "reconfigure"
		if s.Reconfigured != nil {
			st.Phase, st.Next = "reconfigured", "replace"
		}
		switch {
		case s.stands == PodParked && s.Reconfigured != nil:
			st.Phase = "parked"
		case s.stands == PodParked:
			st.Phase += ", parked"
		}
	case s.Replaced != nil:
		st.Place, st.Phase = PlacePod, "replaced"
		switch {
		case c.rec.Finalized != nil:
			st.Phase = PhaseFinalized
		case s.pod.Source.Pod.Plain:
			st.Phase = "ungated"
		}
	default:
		st.Place, st.Phase = PlaceBroken, "see problems"
	}
	st.State = c.state(s)
	return st
}

func (c *context) state(m *member) State {
	switch {
	case c.flying(m.ID) && c.flight.TakenAway() && !m.serves():
		return StateAway
	case m.says.Sight() == vantage.SeenNotServing:
		return StateDown
	case !m.says.Serving():
		return StateUnseen
	case m.address == AddressPod:
		return StatePod
	case m.stands == PodParked:
		return StateParked
	case m.Reconfigured != nil:
		return StateReconfigured
	}
	return StateWrapped
}
