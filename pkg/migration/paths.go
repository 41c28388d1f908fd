package migration

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

const (
	// ListenWait is how long a parked pod has to listen before the paths to it are tried
	// all the same; a JVM starts meanwhile.
	ListenWait = 15 * time.Second
	// TryAgain is how often paths that were missing are tried again.
	TryAgain = 15 * time.Second
)

// Paths is what was tried of the paths that a server will need, before it is stopped.
type Paths struct {
	At time.Time `json:"at"`
	// PodUID is that of the pod it goes to: another one is another machine. It is empty in
	// a restart.
	PodUID string `json:"podUID,omitempty"`
	// Listened: something accepted connections where the paths lead, so a refusal was
	// somebody else's.
	Listened bool   `json:"listened,omitempty"`
	Tried    []Path `json:"tried,omitempty"`
}

// Path is one connect from where one server is to where another one is or will be.
type Path struct {
	From  ensemble.ID       `json:"from"`
	To    ensemble.ID       `json:"to"`
	Port  int               `json:"port"`
	State vantage.PortState `json:"state,omitempty"`
	// Why nobody tried it, or more about why it is not there.
	Why string `json:"why,omitempty"`
}

// PathsOf are the paths that have to be there before the server is stopped: from everybody
// who will speak to it, and from where it will run to everybody's Service. They lead to
// its pod where it moves there, and in a restart to its Service, which it uses itself,
// too. Who does not lead listens at no peer port, but for the pod.
func PathsOf(r Record, kind FlightKind, id ensemble.ID, leader ensemble.MaybeID) []Path {
	var out []Path
	moved, ok := r.Server(id)
	if !ok {
		return nil
	}
	if kind != Replace {
		out = append(out, Path{From: id, To: id, Port: moved.ElectionPort})
	}
	for i := range r.Servers {
		s := &r.Servers[i]
		if s.ID == id {
			continue
		}
		out = append(out, Path{From: s.ID, To: id, Port: moved.ElectionPort})
		if kind == Replace && moved.Voter() || leader.Is(id) {
			out = append(out, Path{From: s.ID, To: id, Port: moved.PeerPort})
		}
		if s.Voter() {
			out = append(out, Path{From: id, To: s.ID, Port: s.ElectionPort})
		}
		if leader.Is(s.ID) {
			out = append(out, Path{From: id, To: s.ID, Port: s.PeerPort})
		}
	}
	return out
}

// keepPaths keeps what was tried.
func keepPaths(r *Record, b brought) bool {
	if r.Flight == nil || b.o.Paths == nil {
		return false
	}
	r.Flight.Paths = b.o.Paths
	return true
}

// reachable: the others reach the parked pod at the ports of its server, and it reaches
// them. Nobody else can know before its host is stopped.
func (c *context) reachable() Decision {
	pod := c.pod
	if c.report.Listens == ListenUnknown && c.pathsDue(pod.UID) && !c.due(c.flight.Started, ListenWait) {
		return wait(CodePodNotParked, PhaseProve, "nothing listens in pod %s yet, so the paths to it cannot be tried; nothing has been stopped", pod.Name)
	}
	return c.pathsThere(pod.UID, "a pod that the others do not reach would not join, with its host stopped", "pod "+pod.Name,
		"open these paths (a NetworkPolicy, a firewall, a route back to the pods' range), which this command waits for; or take it back: "+c.cmd("revert --id=%d", c.ID))
}

// reachesServices: the host reaches the Services, and the others its own, with which it
// runs from its restart on.
func (c *context) reachesServices() Decision {
	if c.flight.StopAsked != nil {
		return Decision{}
	}
	return c.pathsThere("", "a server that does not reach the Services would not come back from its restart", "host "+c.HostIP,
		"open these paths (is kube-proxy running on that host, or the Services' range routed? a firewall?), which this command waits for; no file has been changed")
}

// pathsDue: they are to be tried, for the first time or again.
func (c *context) pathsDue(podUID string) bool {
	w := c.flight.Paths
	return w == nil || w.PodUID != podUID || len(c.missing(w)) > 0 && c.due(w.At, TryAgain)
}

// pathsThere has them tried, and wants all that somebody could try.
func (c *context) pathsThere(podUID, why, who, next string) Decision {
	if c.pathsDue(podUID) {
		return do(StepTryPaths, nil, "%s", why)
	}
	if lost := c.missing(c.flight.Paths); len(lost) > 0 {
		return wait(CodePathMissing, PhaseProve, "paths between %s and the other servers are missing; nothing has been stopped", who).with(lost...).then(next)
	}
	return Decision{}
}

// missing says which paths are not there. Where nothing listened at their end, a refusal
// came from its machine, or from something on the way, and tells nothing.
func (c *context) missing(w *Paths) []string {
	var out []string
	for _, t := range w.Tried {
		refused := t.State == vantage.PortClosed && (t.To == c.ID && w.Listened || t.To != c.ID && c.of(t.To).serves())
		if refused || t.State == vantage.PortSilent || t.State == vantage.PortUnreachable {
			text := fmt.Sprintf("%s: %s", c.path(t), t.State)
			if t.Why != "" {
				text += ": " + t.Why
			}
			out = append(out, text)
		}
	}
	return out
}

// Missing says which of the paths that were tried for a server are not there.
func (w *Paths) Missing(o Observation, id ensemble.ID) []string {
	f := derive(o)
	return f.about(f.of(id)).missing(w)
}

// Unproven says which paths nobody tried, or only met a refusal on where nothing listens.
func (w *Paths) Unproven(id ensemble.ID) (ids []ensemble.ID, why string) {
	if w == nil {
		return nil, ""
	}
	for _, t := range w.Tried {
		if other := t.From + t.To - id; other != id && (t.State == vantage.PortUnknown || t.State == vantage.PortClosed && t.To == id && !w.Listened) {
			if len(ids) == 0 || ids[len(ids)-1] != other {
				ids = append(ids, other)
			}
			if why == "" {
				why = t.Why
			}
		}
	}
	return ids, why
}

// notTried is added to what is said of the stop.
func (c *context) notTried() string {
	ids, why := c.flight.Paths.Unproven(c.ID)
	if len(ids) == 0 {
		return ""
	}
	if why == "" {
		why = "nothing listened in the pod"
	}
	who := "pod " + c.pod.Name
	if c.flight.Kind != Replace {
		who = "host " + c.HostIP
	}
	return fmt.Sprintf("; not proved: the paths between %s and server %s (%s)", who, ensemble.JoinIDs(ids), why)
}

func (c *context) path(t Path) string {
	place := func(id ensemble.ID) string {
		switch s := c.of(id); {
		case id == c.ID && c.flight.Kind == Replace:
			return "pod " + c.pod.Name
		case s.onHost():
			return fmt.Sprintf("host %s of server %d", s.HostIP, id)
		}
		return fmt.Sprintf("the pod of server %d", id)
	}
	return fmt.Sprintf("from %s to %s, port %d", place(t.From), place(t.To), t.Port)
}
