package migration

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
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

// EnsembleStatus is one ensemble as status shows it; its JSON form is stable.
type EnsembleStatus struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Name       string         `json:"name"`
	Namespace  string         `json:"namespace"`
	At         time.Time      `json:"at"`
	Healthy    bool           `json:"healthy"`
	Problems   []string       `json:"problems,omitempty"`
	Leader     ensemble.ID    `json:"leader,omitempty"`
	Epoch      uint32         `json:"epoch,omitempty"`
	Version    string         `json:"version,omitempty"`
	Replaced   int            `json:"replaced"`
	Servers    []ServerStatus `json:"servers"`
	// Next is the command that goes on.
	Next string `json:"next,omitempty"`
}

// ServerStatus is one line of status.
type ServerStatus struct {
	ID        ensemble.ID   `json:"id"`
	Role      ensemble.Role `json:"role"`
	Place     Place         `json:"place"`
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
func Summarize(o Observation) EnsembleStatus {
	rec := o.Record
	st := EnsembleStatus{
		APIVersion: RecordVersion, Kind: "EnsembleStatus", Name: rec.Name, Namespace: rec.Namespace,
		At: o.At, Leader: o.Leader(), Version: rec.Settings.Version,
	}
	if v, ok := o.View(st.Leader); ok {
		st.Epoch = v.Live.Zxid.Epoch()
		st.Version = v.Live.Version.String()
	}
	c := &context{o: o, rec: rec, flight: rec.Flight}
	for _, s := range rec.Servers {
		v, _ := o.View(s.ID)
		c.in = Intent{ID: s.ID}
		st.Servers = append(st.Servers, c.serverStatus(s, v))
		if s.Replaced != nil {
			st.Replaced++
		}
		st.Problems = append(st.Problems, c.problems(s, v)...)
	}
	if st.Leader == 0 {
		st.Problems = append(st.Problems, "there is not exactly one leader")
	}
	st.Problems = append(st.Problems, c.wrongIDs()...)
	if v, ok := o.View(st.Leader); ok && v.Live.SyncedFollowers > followers(rec.Ensemble()) {
		st.Problems = append(st.Problems, fmt.Sprintf("the leader forwards to %d followers, %s has %d: an id runs twice, or there are servers that are not recorded",
			v.Live.SyncedFollowers, rec.Name, followers(rec.Ensemble())))
	}
	st.Healthy = len(st.Problems) == 0
	st.Next = c.nextCommand(st)
	return st
}

func (c *context) problems(s ServerRecord, v ServerView) []string {
	var out []string
	if !v.Live.Serving() {
		out = append(out, fmt.Sprintf("server %d does not serve: %s", s.ID, orUnknown(string(v.Live.Reach))))
	}
	if d, ok := c.checkAddress(s, v); !ok {
		out = append(out, d.Reason)
	}
	if d, ok := c.checkPlace(s, v); !ok {
		out = append(out, d.Reason)
	}
	if c.flight != nil && c.flight.ID == s.ID && v.Host.Open() && !same(v.Cluster.Endpoints.Union, s.HostIP) {
		out = append(out, fmt.Sprintf("something answers on host %s of server %d (client port %s, election port %s), while its address points to %s",
			s.HostIP, s.ID, v.Host.Client, v.Host.Election, orNone(v.Cluster.Endpoints.Union)))
	}
	if pod := v.Cluster.Pod; pod.NeedsRenewal(v.Cluster.Gate) {
		out = append(out, fmt.Sprintf("pod %s of server %d needs a new start from empty: %s", pod.Name, s.ID, pod.GateDetail))
	}
	return out
}

func (c *context) serverStatus(s ServerRecord, v ServerView) ServerStatus {
	st := ServerStatus{
		ID: s.ID, Role: s.Role, Service: s.Service, ClusterIP: s.ClusterIP, HostIP: s.HostIP,
		Pod: v.Cluster.Pod.Name, PodIP: v.Cluster.Pod.IP, Node: v.Cluster.Pod.Node, Mode: v.Live.Mode, Clients: v.Live.Connections,
	}
	if v.Live.Zxid != 0 {
		st.Zxid = v.Live.Zxid.String()
	}
	if !v.Live.Version.IsZero() {
		st.Version = v.Live.Version.String()
	}
	union := v.Cluster.Endpoints.Union
	switch {
	case c.flight != nil && c.flight.ID == s.ID:
		st.Place, st.Phase = PlaceMoving, string(c.flight.Kind)+": "+string(c.flight.phase())
		st.Next = string(c.flight.Kind)
	case same(union, s.HostIP):
		st.Place = PlaceHost
		st.Phase, st.Next = "wrapped", "reconfigure"
		if s.Reconfigured != nil {
			st.Phase, st.Next = "reconfigured", "replace"
		}
		if v.Cluster.Pod.Parked() && s.Reconfigured != nil {
			st.Phase = "parked"
		}
	case s.Replaced != nil:
		st.Place, st.Phase = PlacePod, "replaced"
	default:
		st.Place, st.Phase = PlaceBroken, "see problems"
	}
	return st
}

// phase tells how far a flight is, from what the journal holds.
func (f *Flight) phase() Phase {
	switch {
	case f.Aborted != "":
		return PhaseAborting
	case f.Joined != nil:
		return PhaseJoin
	case f.Released != nil && f.Kind == Revert:
		return PhaseStart
	case f.Released != nil:
		return PhaseRelease
	case f.After != nil && f.After.Complete:
		return PhaseFlip
	case f.DeadSince != nil:
		return PhaseReprove
	case f.StopAsked != nil:
		return PhaseStop
	}
	return PhaseProve
}

func (c *context) nextCommand(st EnsembleStatus) string {
	if f := c.flight; f != nil {
		return c.goOn(f.Kind, f.ID)
	}
	for _, s := range c.rec.Servers {
		v, _ := c.o.View(s.ID)
		c.in = Intent{ID: s.ID}
		if d, ok := c.checkAddress(s, v); !ok {
			return d.Next
		}
		if d, ok := c.checkPlace(s, v); !ok {
			return d.Next
		}
	}
	if back := c.comeBack(); back != "" {
		return back
	}
	if len(c.notReconfigured()) > 0 {
		return c.cmd("reconfigure")
	}
	for _, v := range c.o.Servers {
		if s, ok := c.rec.Server(v.ID); ok && s.Replaced != nil && (!v.Live.Serving() || v.Cluster.Pod.NeedsRenewal(v.Cluster.Gate)) {
			return c.cmd("replace --id=%d", v.ID)
		}
	}
	if st.Replaced == len(c.rec.Servers) {
		return ""
	}
	order := ReplacementOrder(c.o)
	if len(order) == 0 {
		return ""
	}
	return c.cmd("replace --id=%d", order[0])
}
