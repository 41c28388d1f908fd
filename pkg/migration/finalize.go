package migration

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// finalize decides the way of pods to their steady state: they are made again without a gate,
// one at a time, each by the restart under proof of apply, and then belong to whoever runs
// the cluster (ADR 27).
func (c *context) finalize() Decision {
	switch {
	case c.rec.Finalized != nil:
		return done("ensemble %s was finalized at %s by %s", c.rec.Name, moment(c.rec.Finalized.At), c.rec.Finalized.By)
	case !c.rec.Pods.Plain:
		if d := c.mayFinalize(); d.made() {
			return d
		}
		return do(StepUngate, nil, "all servers run in their pods and are in sync; %s gave up the way back to hosts", c.in.By)
	case c.in.GiveUp != c.rec.Name:
		return c.askName("pods are being made again without a gate")
	case c.flight == nil && c.first((*member).toFinalize) == nil:
		return c.end()
	}
	return Decision{}
}

// askName asks for the consent: the ensemble's name.
func (c *context) askName(why string) Decision {
	return stop(CodeWayBack, c.finalizeAgain(), "%s, and what only gates make possible ends: that needs the ensemble's name, --give-up-way-back=%s", why, c.rec.Name).
		with(GivesUp(c.rec)...)
}

// mayFinalize: nothing is left to do that needs a gate, and the operator gives up by name what
// goes with it.
func (c *context) mayFinalize() Decision {
	if c.flight != nil {
		return c.midway()
	}
	if onHosts := c.ids((*member).onHost); len(onHosts) > 0 {
		return stop(CodeNotReplaced, c.cmd("replace --all"), "servers %s run on their hosts", ensemble.JoinIDs(onHosts))
	}
	if old := c.ids((*member).toApply); len(old) > 0 || c.rec.PodsBefore != nil {
		return stop(CodePodOutdated, c.cmd("apply"), "not every pod was made with the recorded settings")
	}
	switch bad, blind := c.lacking(c.rec.Ensemble().IDs()); {
	case blind:
		return c.unseen(bad)
	case len(bad) > 0:
		return stop(CodeDegraded, c.cmd("status"), "not every server is in sync: the ensemble must be whole before its pods lose their gates").with(bad...)
	}
	if c.in.GiveUp != c.rec.Name {
		return c.askName("all servers are in sync in their pods")
	}
	return Decision{}
}

// GivesUp says what an ensemble has no longer once it is finalized.
func GivesUp(r Record) []string {
	lost := "a volume that is lost keeps its server away until somebody writes the server's id there by hand, after having seen that all others are in sync (docs/finalize.md); today replace proves that"
	if v, err := ensemble.ParseVersion(r.Settings.Version); err != nil || !v.HasAutocreateGuard() {
		lost += fmt.Sprintf(". ZooKeeper %s lets a server vote that was started so before it has synced: an acknowledged write can be lost then", r.Settings.Version)
	}
	return []string{
		"no server can go back to its host: revert refuses",
		lost,
		"a pod starts although its old host answers: hosts must stay stopped and masked",
		"a rolling update begins with the highest ordinal, not with the followers: it can force an election per server",
	}
}

// toFinalize: its pod has a gate, or is to be made again.
func (m *member) toFinalize() bool { return !m.pod.Source.Pod.Plain || m.pod.Source.Pod.Outdated }

// FinalizeOrder is the order in which pods lose their gates, as things stand now: followers,
// then the leader, then observers. It is empty where all have, and once the ensemble was
// finalized: what its StatefulSet makes from then on is its owner's affair.
func FinalizeOrder(o Observation) []ensemble.ID {
	if o.Record.Finalized != nil {
		return nil
	}
	return derive(o).restarts(Apply, (*member).toFinalize)
}

// RegateOrder is the same for pods that get their gates again. Those that crash go first: the
// others wait for them, and they need no proof.
func RegateOrder(o Observation) []ensemble.ID {
	f := derive(o)
	if f.flight != nil && f.flight.Kind == Apply {
		return []ensemble.ID{f.flight.ID}
	}
	left := (*member).toApply
	if f.rec.Pods.Plain {
		left = func(m *member) bool { return m.pod.Source.Pod.Plain }
	}
	order := f.order(func(m *member) bool { return left(m) && !m.stranded() })
	return append(f.ids(func(m *member) bool { return left(m) && m.stranded() }), order...)
}

// end is the point of no return: all pods are plain, and everybody is in sync.
func (c *context) end() Decision {
	switch bad, blind := c.lacking(c.rec.Ensemble().IDs()); {
	case blind:
		return c.unseen(bad)
	case len(bad) > 0:
		return wait(CodeDegraded, PhaseJoin, "not every server is in sync").with(bad...).then(c.cmd("status"))
	}
	for _, s := range c.members {
		if !s.pod.Ready() {
			return wait(CodeJoining, PhaseJoin, "pod %s is not ready yet", s.pod.Name)
		}
	}
	return do(StepFinalize, nil, "all servers are in sync in pods without a gate")
}

// ungated: the server's pod has no gate, or its successor would have none.
func (c *context) ungated() bool {
	return c.rec.Pods.Plain || c.pod.Source.Pod.Plain || c.pod.Source.Set.Plain
}

// regateFirst: what needs a gate waits until the pods have theirs again.
func (c *context) regateFirst() Decision {
	if c.rec.Finalized != nil {
		return c.finalized()
	}
	return stop(CodeUngated, c.regate(), "pod %s of server %d has no gate, or its successor would have none: it starts whenever it is made", c.pod.Name, c.ID)
}

// finalizeAgain is the command that goes on.
func (c *context) finalizeAgain() string {
	return c.cmd("finalize --give-up-way-back=%s", c.rec.Name)
}

// regate is the command that gives the pods their gates again.
func (c *context) regate() string { return c.cmd("finalize --undo") }

// finalized: the ensemble is no longer ours.
func (c *context) finalized() Decision {
	return stop(CodeFinalized, c.kubectl("rollout status statefulset %s", c.set()),
		"ensemble %s was finalized at %s: its StatefulSet is changed like any other", c.rec.Name, moment(c.rec.Finalized.At))
}

// plainPod decides for a server in a pod without a gate that is asked into its pod.
func (c *context) plainPod() Decision {
	switch {
	case c.flight != nil:
		return c.midway()
	case c.serves():
		return done("server %d runs in pod %s", c.ID, c.pod.Name)
	case c.live.Hidden() && c.stands == PodStarted:
		return c.podUnseen()
	case c.stranded():
		return stop(CodePodAway, c.regate(), "pod %s of server %d does not serve: %s", c.pod.Name, c.ID, c.podState()).
			with("with a gate again it says what is wrong with its volume, and replace gives it a new start under proof")
	}
	return wait(CodePodStarting, PhaseRelease, "pod %s of server %d does not serve yet: %s", c.pod.Name, c.ID, c.podState()).then(c.look())
}

// othersStranded are the other servers of which that holds.
func (c *context) othersStranded() []ensemble.ID {
	return c.ids(func(m *member) bool { return m.ID != c.in.ID && m.stranded() })
}

// stranded: a pod without a gate whose container ends again and again; its volume may be
// lost.
func (m *member) stranded() bool {
	return m.pod.Source.Pod.Plain && m.stands == PodIdle && m.pod.Container == ContainerDown && !m.pod.NodeLost && !m.serves()
}
