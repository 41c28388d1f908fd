package migration

import (
	"fmt"
	"slices"
	"strings"
)

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

// lostObjects: somebody deleted what the pods share. It is told once, with the command that
// makes it again.
func (c *context) lostObjects() (out findings) {
	if len(c.members) == 0 {
		return nil
	}
	source := c.members[0].pod.Source
	if len(source.Unknown) > 0 {
		out.addOfAll(ClassNote, stop(CodePodObjectGone, "", "whether %s is there is not known: you may not look", strings.Join(source.Unknown, " and ")))
	}
	if len(source.Lost) == 0 {
		return out
	}
	d := stop(CodePodObjectGone, c.cmd("park"), "%s", c.members[0].lost())
	if s := c.first(func(m *member) bool { return m.Replaced != nil }); s != nil {
		out.addOfAll(ClassWrong, d.then(c.cmd("replace --id=%d", s.ID)))
		return out
	}
	out.addOfAll(ClassNote, d)
	return out
}

// lost says what somebody deleted of what the pods share, and what it was for.
func (m *member) lost() string {
	all := m.pod.Source.Lost
	text := strings.Join(all, " and ")
	if len(all) == 1 {
		text += " is gone"
	} else {
		text += " are gone"
	}
	if slices.ContainsFunc(all, func(name string) bool { return strings.HasPrefix(name, "PodDisruptionBudget ") }) {
		text += ": a drain of nodes could stop two servers at once"
	}
	return text
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
