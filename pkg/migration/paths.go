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

// Paths is what was tried of the paths to a parked pod, and from it, while its host serves.
type Paths struct {
	At time.Time `json:"at"`
	// PodUID is the pod's: another one is another machine.
	PodUID string `json:"podUID"`
	// Listened: something in the pod accepted connections, so a refusal was somebody else's.
	Listened bool   `json:"listened,omitempty"`
	Tried    []Path `json:"tried,omitempty"`
}

// Path is one connect from where one server is to where another one is or will be.
type Path struct {
	From  ensemble.ID       `json:"from"`
	To    ensemble.ID       `json:"to"`
	Port  int               `json:"port"`
	State vantage.PortState `json:"state,omitempty"`
	// Why nobody tried it.
	Why string `json:"why,omitempty"`
}

// PathsOf are the paths that have to be there before the server is stopped for its pod:
// to the pod from everybody who will speak to it, and from the pod to everybody's
// Service. Who does not lead listens at no peer port.
func PathsOf(r Record, id, leader ensemble.ID) []Path {
	var out []Path
	moved, ok := r.Server(id)
	if !ok {
		return nil
	}
	for i := range r.Servers {
		s := &r.Servers[i]
		if s.ID == id {
			continue
		}
		out = append(out, Path{From: s.ID, To: id, Port: moved.ElectionPort})
		if moved.Voter() {
			out = append(out, Path{From: s.ID, To: id, Port: moved.PeerPort})
		}
		if s.Voter() {
			out = append(out, Path{From: id, To: s.ID, Port: s.ElectionPort})
		}
		if s.ID == leader {
			out = append(out, Path{From: id, To: s.ID, Port: s.PeerPort})
		}
	}
	return out
}

// keepPaths keeps what was tried, and of which pod.
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
	w, pod := c.flight.Paths, c.pod
	tried := w != nil && w.PodUID == pod.UID
	var lost []string
	if tried {
		lost = c.missing(w)
	}
	switch again := !tried || len(lost) > 0 && c.due(w.At, TryAgain); {
	case again && pod.Listens == ListenUnknown && !c.due(c.flight.Started, ListenWait):
		return wait(CodePodNotParked, PhaseProve, "nothing listens in pod %s yet, so the paths to it cannot be tried; nothing has been stopped", pod.Name)
	case again:
		return do(StepTryPaths, nil, "a pod that the others do not reach would not join, with its host stopped")
	case len(lost) > 0:
		return wait(CodePodNotReached, PhaseProve, "paths between pod %s and the other servers are missing; nothing has been stopped", pod.Name).with(lost...).
			then("open these paths (a NetworkPolicy, a firewall, a route back to the pods' range), which this command waits for; or take it back: " + c.cmd("revert --id=%d", c.ID))
	}
	return Decision{}
}

// missing says which paths are not there. Where nothing listened in the pod, a refusal came
// from its machine, or from something on the way, and tells nothing.
func (c *context) missing(w *Paths) []string {
	var out []string
	for _, t := range w.Tried {
		refused := t.State == vantage.PortClosed && (t.From == c.ID && c.of(t.To).serves() || t.To == c.ID && w.Listened)
		if refused || t.State == vantage.PortSilent || t.State == vantage.PortUnreachable {
			out = append(out, fmt.Sprintf("%s: %s", c.path(t), t.State))
		}
	}
	return out
}

// unproven says which paths nobody tried, or only met a refusal on where nothing listens.
func (w *Paths) unproven(id ensemble.ID) (ids []ensemble.ID, why string) {
	if w == nil {
		return nil, ""
	}
	for _, t := range w.Tried {
		if other := t.From + t.To - id; t.State == vantage.PortUnknown || t.State == vantage.PortClosed && t.To == id && !w.Listened {
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
	ids, why := c.flight.Paths.unproven(c.ID)
	if len(ids) == 0 {
		return ""
	}
	if why == "" {
		why = "nothing listened in the pod"
	}
	return fmt.Sprintf("; not proved: the paths between pod %s and server %s (%s)", c.pod.Name, joinIDs(ids), why)
}

func (c *context) path(t Path) string {
	place := func(id ensemble.ID) string {
		switch s := c.of(id); {
		case id == c.ID:
			return "pod " + c.pod.Name
		case s.onHost():
			return fmt.Sprintf("host %s of server %d", s.HostIP, id)
		}
		return fmt.Sprintf("the pod of server %d", id)
	}
	return fmt.Sprintf("from %s to %s, port %d", place(t.From), place(t.To), t.Port)
}
