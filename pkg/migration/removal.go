package migration

import (
	"fmt"
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Park makes the pods and proves them; Unpark and Unwrap take back what park and wrap have
// made and nobody uses. None of them takes a server away, so none is ever a Flight.
const (
	Park   FlightKind = "park"
	Unpark FlightKind = "unpark"
	Unwrap FlightKind = "unwrap"
)

// StartPatience is how long a pod that has just been made has to say what it is at.
const StartPatience = 30 * time.Second

// Removal is what is being taken back. It is written before the first object goes: what was
// proved of a pod cannot be seen any more once the pod is gone.
type Removal struct {
	// Kind is Unpark or Unwrap.
	Kind    FlightKind `json:"kind"`
	Started time.Time  `json:"started"`
	By      string     `json:"by"`
	// Claims are those on whose volumes ZooKeeper was never started. They are void once
	// an operation begins.
	Claims []ClaimRef `json:"claims,omitempty"`
	// Assumed are the keys of what nobody saw and the operator answers for.
	Assumed []string `json:"assumed,omitempty"`
}

// ClaimRef names one volume claim, by its uid: one of the same name may hold anything.
type ClaimRef struct {
	ID  ensemble.ID `json:"id"`
	UID string      `json:"uid"`
}

// Belongings are the objects of an ensemble's pods, beside the pods themselves. Only
// those are here that carry its label.
type Belongings struct {
	// Set: there is a StatefulSet, which makes so many pods.
	Set      bool `json:"set,omitempty"`
	Replicas int  `json:"replicas,omitempty"`
	// Objects are the others that all pods share, as "ConfigMap/demo-zkmigrate-gate".
	Objects []string    `json:"objects,omitempty"`
	Claims  []ClaimView `json:"claims,omitempty"`
}

// ClaimView is the volume claim of a server's pod.
type ClaimView struct {
	ID   ensemble.ID `json:"id"`
	Name string      `json:"name"`
	UID  string      `json:"uid"`
	// Bound: it has a volume. Going: it is being deleted.
	Bound bool `json:"bound,omitempty"`
	Going bool `json:"going,omitempty"`
	// Volume is its PersistentVolume, empty where there is none.
	Volume string `json:"volume,omitempty"`
	// Short says, in words, how its volume falls short of the recorded size.
	Short string `json:"short,omitempty"`
}

// of is the claim of a server; nil where it has none.
func (b *Belongings) of(id ensemble.ID) *ClaimView {
	if i := slices.IndexFunc(b.Claims, func(v ClaimView) bool { return v.ID == id }); i >= 0 {
		return &b.Claims[i]
	}
	return nil
}

// keepWanted drops a removal: the pods are wanted again.
func keepWanted(r *Record, _ brought) bool {
	if r.Removal == nil || r.Removal.Kind != Unpark {
		return false
	}
	r.Removal = nil
	return true
}

// keepRemoved ends a removal.
func keepRemoved(r *Record, _ brought) bool {
	r.Removal = nil
	return true
}

// beingRemoved keeps everything else from an ensemble whose Services are being deleted. Pods
// that are taken back are in nobody's way: who wants them makes them again.
func (c *context) beingRemoved() Decision {
	r := c.rec.Removal
	if r == nil || r.Kind != Unwrap || c.in.Kind == Unwrap {
		return Decision{}
	}
	return stop(CodeRemoval, c.cmd("wrap"), "%s is being unwrapped, begun by %s at %s; wrap makes its Services again, with the same addresses, and ends that", c.rec.Name, r.By, moment(r.Started)).
		with("or finish it: " + c.cmd("unwrap"))
}

// removing is the removal under way, for people.
func (c *context) removing() Problem {
	r := c.rec.Removal
	p := Problem{Code: CodeRemoval, Class: ClassPlanned, Next: c.cmd(string(r.Kind)),
		Text: fmt.Sprintf("%s is under way, begun by %s at %s", r.Kind, r.By, moment(r.Started))}
	if removed := c.removed(); len(removed) > 0 {
		p.Evidence = []string{fmt.Sprintf("that the Services of servers %s are gone is planned; to take it back: %s", ensemble.JoinIDs(removed), c.cmd("wrap"))}
	}
	return p
}

// removed are the servers whose Services an unwrap under way has taken away, as planned.
func (c *context) removed() []ensemble.ID {
	if c.rec.Removal == nil || c.rec.Removal.Kind != Unwrap {
		return nil
	}
	return c.ids(func(m *member) bool { return !m.service.Found })
}

// nobodyMoves: nothing is taken back beside an operation.
func (c *context) nobodyMoves() Decision {
	f := c.flight
	if f == nil {
		return Decision{}
	}
	return stop(CodeOneAtATime, c.goOn(f.Kind, f.ID), "%s is in the middle of %s of server %d, begun by %s at %s", c.rec.Name, f.Kind, f.ID, f.By, moment(f.Started))
}

// looked: the objects were looked at.
func (c *context) looked() Decision {
	if c.belongings == nil {
		return wait(CodeAPIIncomplete, PhaseRemove, "the objects of the pods have not been looked at")
	}
	return Decision{}
}

// parking is park's order.
func parking() []stage {
	return []stage{{
		phase: PhaseParked, steps: []StepID{StepPark},
		rules: []rule{(*context).nobodyMoves, (*context).looked, (*context).provePods, (*context).proveVolumes, (*context).listening, (*context).parked},
	}}
}

// proveVolumes: the volume of each pod is as large as recorded, and nothing is on it but what
// an earlier replacement has left.
func (c *context) proveVolumes() Decision {
	for _, s := range c.moving() {
		claim := c.belongings.of(s.ID)
		switch {
		case claim == nil || !claim.Bound:
			return wait(CodePodNotParked, PhaseParked, "the volume claim of pod %s is not bound", s.pod.Name)
		case claim.Short != "":
			return stop(CodePodOutdated, c.kubectl("describe pvc %s", claim.Name), "volume claim %s falls short: %s", claim.Name, claim.Short).
				with("pods are parked; it is an older claim, or its class gave less than it was asked for")
		case s.report.Volume.State == VolumeUnknown:
			return wait(CodePodNotParked, PhaseParked, "pod %s has not said what is on its volume", s.pod.Name)
		}
	}
	return Decision{}
}

// listening: the pods listen at their servers' ports, where their hosts serve. One that cannot
// is told of by parked.
func (c *context) listening() Decision {
	for _, s := range c.moving() {
		if s.host == HostUp && s.report.Listens == ListenUnknown && c.patient() {
			return wait(CodePodNotParked, PhaseParked, "pod %s does not listen at the ports of server %d yet, so the paths to it cannot be tried", s.pod.Name, s.ID)
		}
	}
	return Decision{}
}

// patient: this command has not waited for what a pod says for long.
func (c *context) patient() bool { return !c.in.Began.IsZero() && !c.due(c.in.Began, StartPatience) }

// parked says what was proved.
func (c *context) parked() Decision {
	moving := c.moving()
	d := done("%s parked: scheduled, image with ZooKeeper %s, volume bound", podsOf(moving), c.rec.Settings.Version)
	for _, s := range moving {
		says := fmt.Sprintf("pod %s of server %d on node %s: ZooKeeper %s", s.pod.Name, s.ID, s.pod.Node, s.report.Version)
		if s.report.Volume.State == VolumeUnused {
			says += ", volume never used"
		} else {
			says += fmt.Sprintf(", volume with data of an earlier start (generation %d), which is put aside at the next one", s.report.Volume.Generation)
		}
		switch {
		case s.report.Listens == Listens:
			says += ", listens at its server's ports"
		case s.host != HostUp:
			says += ", does not listen (its host was not seen to serve)"
		default:
			says += ", does not listen: paths to it cannot be tried"
		}
		d = d.with(says)
	}
	return d
}

func podsOf(list []*context) string {
	if len(list) == 1 {
		return fmt.Sprintf("the pod of server %d is", list[0].ID)
	}
	ids := make([]ensemble.ID, len(list))
	for i, s := range list {
		ids[i] = s.ID
	}
	return fmt.Sprintf("the pods of servers %s are", ensemble.JoinIDs(ids))
}
