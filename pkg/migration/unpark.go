package migration

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// unparking is unpark's order: what was proved is noted, pods go before their volumes, and
// both before the gate, without which no gate is open.
func unparking() []stage {
	return []stage{{
		phase: PhaseRemove, steps: []StepID{StepBeginUnpark, StepShrinkSet, StepDeleteClaims, StepDeletePodObjects, StepFinishUnpark},
		rules: []rule{
			(*context).nobodyMoves, (*context).looked, (*context).podsToldOf, (*context).beginUnpark, (*context).shrinkSet, (*context).podsGone,
			(*context).deleteClaims, (*context).deletePodObjects, (*context).finishUnpark, (*context).unparked,
		},
	}}
}

// bound is why a server's pod cannot go; empty where it can.
func (m *member) bound() string {
	switch {
	case m.Replaced != nil:
		return fmt.Sprintf("server %d runs in pod %s", m.ID, m.pod.Name)
	case m.gate.Released:
		return fmt.Sprintf("the gate of server %d is open", m.ID)
	case m.started():
		return fmt.Sprintf("ZooKeeper was started in pod %s of server %d", m.pod.Name, m.ID)
	case m.stands != PodGoing && !m.idle():
		return fmt.Sprintf("pod %s of server %d does not say what it is at", m.pod.Name, m.ID)
	}
	return ""
}

// podsToldOf: pods that have just been made have their time to say what they are at.
func (c *context) podsToldOf() Decision {
	if c.rec.Removal != nil || !c.patient() {
		return Decision{}
	}
	for _, s := range c.members {
		starts := s.onHost() && !s.gate.Released && (s.stands == PodUntold || s.pod.Container == ContainerPreparing && s.stands == PodIdle)
		if starts {
			return wait(CodePodNotParked, PhaseRemove, "pod %s of server %d has just been created: what is on its volume is not known yet", s.pod.Name, s.ID)
		}
	}
	return Decision{}
}

// stay is how many pods must stay: a StatefulSet numbers them from 0, so those below one
// that must stay do, too.
func (c *context) stay() int {
	n := 0
	for _, s := range c.members {
		if s.bound() != "" {
			n = max(n, s.Ordinal+1)
		}
	}
	return n
}

// leaving are the servers whose pods go.
func (c *context) leaving() []*member {
	var out []*member
	stay := c.stay()
	for _, s := range c.members {
		if s.Ordinal >= stay {
			out = append(out, s)
		}
	}
	return out
}

// volumeKey names a server's volume, for the operator who answers for it.
func volumeKey(id ensemble.ID) string { return "volume-" + id.String() }

// used is why the volume of a server's claim cannot go; empty where ZooKeeper was never
// started on it.
func (c *context) used(s *member, claim ClaimView) string {
	told := s.report.Fresh && s.report.Volume.State != VolumeUnknown
	switch {
	case !claim.Bound:
		return "" // there is no volume
	case told && s.report.Volume.State == VolumeUnused && s.report.Volume.Seed == "":
		return ""
	case told && s.report.Volume.Seed != "":
		return fmt.Sprintf("volume claim %s of server %d holds a copy of its host's data", claim.Name, s.ID)
	case told, s.Release != nil:
		return fmt.Sprintf("volume claim %s of server %d holds data: ZooKeeper was started on it", claim.Name, s.ID)
	case c.assumed(volumeKey(s.ID)):
		return ""
	}
	return fmt.Sprintf("volume claim %s of server %d: no pod says what is on it (%s)", claim.Name, s.ID, c.about(s).podState())
}

// beginUnpark notes what was seen of the volumes while their pods could tell.
func (c *context) beginUnpark() Decision {
	if c.rec.Removal != nil {
		return Decision{}
	}
	r := &Removal{Kind: Unpark, Started: c.now, By: c.in.By, Assumed: c.in.Assumed}
	for _, s := range c.leaving() {
		if claim := c.belongings.of(s.ID); claim != nil && !claim.Going && c.used(s, *claim) == "" {
			r.Claims = append(r.Claims, ClaimRef{ID: s.ID, UID: claim.UID})
		}
	}
	stay, b := c.stay(), c.belongings
	if len(r.Claims) == 0 && !(b.Set && b.Replicas > stay) && !(stay == 0 && (b.Set || len(b.Objects) > 0)) {
		return Decision{}
	}
	d := do(StepBeginUnpark, nil, "nothing was ever started in the pods that go")
	d.Removal = r
	return d
}

func (c *context) shrinkSet() Decision {
	stay := c.stay()
	if !c.belongings.Set || c.belongings.Replicas <= stay {
		return Decision{}
	}
	d := do(StepShrinkSet, nil, "%d of %d pods go", c.belongings.Replicas-stay, c.belongings.Replicas)
	d.Replicas = stay
	return d
}

func (c *context) podsGone() Decision {
	for _, s := range c.leaving() {
		if s.stands != PodNone {
			return wait(CodePodStopping, PhaseRemove, "pod %s of server %d is still there", s.pod.Name, s.ID).
				then(c.kubectl("describe pod %s", s.pod.Name))
		}
	}
	return Decision{}
}

func (c *context) deleteClaims() Decision {
	if c.rec.Removal == nil {
		return Decision{}
	}
	var gone []ClaimRef
	for _, ref := range c.rec.Removal.Claims {
		claim := c.belongings.of(ref.ID)
		switch {
		case claim == nil || claim.UID != ref.UID || c.of(ref.ID).bound() != "":
		case claim.Going:
			return wait(CodePodStopping, PhaseRemove, "volume claim %s is being deleted", claim.Name)
		default:
			gone = append(gone, ref)
		}
	}
	if len(gone) == 0 {
		return Decision{}
	}
	d := do(StepDeleteClaims, nil, "ZooKeeper was never started on these volumes")
	d.Claims = gone
	return d
}

func (c *context) deletePodObjects() Decision {
	if c.stay() > 0 || !c.belongings.Set && len(c.belongings.Objects) == 0 {
		return Decision{}
	}
	return do(StepDeletePodObjects, nil, "there are no pods any more")
}

func (c *context) finishUnpark() Decision {
	if c.rec.Removal == nil {
		return Decision{}
	}
	return do(StepFinishUnpark, nil, "what nobody used is gone")
}

// unparked says what is left.
func (c *context) unparked() Decision {
	var kept []string
	next := ""
	stay := c.stay()
	for _, s := range c.members {
		why := s.bound()
		claim := c.belongings.of(s.ID)
		switch {
		case why != "":
			kept = append(kept, why+": it stays")
		case s.Ordinal < stay:
			kept = append(kept, fmt.Sprintf("pod %s of server %d stays: a StatefulSet numbers its pods from 0, and one with a higher number is in use", s.pod.Name, s.ID))
		case claim != nil && !claim.Going:
			why = c.used(s, *claim)
			kept = append(kept, why+": it stays")
			if next == "" && s.Release == nil {
				next = "if nothing but an unused volume is behind it: " + c.cmd("unpark --assume-unused=%s", volumeKey(s.ID))
			}
		}
	}
	if len(kept) == 0 {
		return done("nothing of the pods of %s is left", c.rec.Name)
	}
	if next == "" {
		next = "a server comes back to its host with revert; data that is not needed any more is deleted by hand: " + c.kubectl("delete pvc NAME")
	}
	return stop(CodeInUse, next, "not all pods and volumes can be taken back").with(kept...)
}
