package migration

import "fmt"

// editedSet: somebody edited the template of the StatefulSet, so the next drain
// brings a pod up otherwise than recorded. One set makes all pods: it is told once,
// for a server whose replace applies the recorded template again. Where no server
// runs in its pod, the next replacement does so before it stops anything.
func (c *context) editedSet() (out findings) {
	var edited *context
	if c.rec.Finalized != nil {
		return nil // the set is the operator's
	}
	for _, s := range c.members {
		about := c.about(s)
		if len(s.pod.Source.Set.Drift) == 0 {
			continue
		}
		if s.Replaced != nil && !c.flying(s.ID) {
			d := stop(CodeSetEdited, c.cmd("replace --id=%d", s.ID), "%s; a pod that is recreated would come up with that", about.setEdited()).with(s.pod.Source.Set.Drift...)
			if len(InPods(c.rec)) == len(c.rec.Servers) && c.flight == nil {
				// The migration is over, and an upgrade edits the template (ADR 12).
				out.add(ClassNote, s.ID, d.with("replace undoes an edit that is meant to stay, such as an upgrade"))
				return out
			}
			out.add(ClassWrong, s.ID, d)
			return out
		}
		edited = about
	}
	if edited != nil {
		out.addOfAll(ClassNote, stop(CodeSetEdited, "", "%s; the next replacement applies the recorded template first", edited.setEdited()).with(edited.pod.Source.Set.Drift...))
	}
	return out
}

func (c *context) setEdited() string {
	return fmt.Sprintf("somebody edited StatefulSet %s, and its pods would not be made as recorded (%s)", c.set(), c.pod.Source.Set.Drift[0])
}

// otherTemplate: the pod of a replaced server serves, and is not what is recorded.
func (c *context) otherTemplate() Decision {
	what, next := "runs with other settings than those recorded now; it gets them when it is next made", ""
	switch {
	case c.rec.Finalized != nil:
		return Decision{}
	case c.pod.Source.Pod.Outdated && c.rec.Pods.Plain:
		// Every line of the gate's script differs, which diff shows.
		return stop(CodePodOutdated, c.finalizeAgain(), "pod %s of server %d has a gate still: it is made again without one", c.pod.Name, c.ID)
	case c.pod.Source.Pod.Outdated:
		next = c.cmd("apply")
	case len(c.pod.Source.Pod.Drift) > 0:
		what = "is not as recorded, although its StatefulSet is: an admission webhook or somebody changed the pod itself"
	default:
		return Decision{}
	}
	return stop(CodePodOutdated, next, "pod %s of server %d %s", c.pod.Name, c.ID, what).with(c.pod.Source.Pod.Drift...)
}
