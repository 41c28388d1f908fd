package migration

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Next is the one command, or act on a host, that helps in this state: what
// status, plan and a time-out print. It is empty at the end of the way.
func Next(o Observation) string { return derive(o).summarized().next() }

// GoesOn is what goes on with an intent that did not come to its end: the very
// command, unless what has begun meanwhile needs another one.
func GoesOn(in Intent, o Observation, again string) string {
	if f := o.Record.Flight; f == nil || f.Kind == Reconfigure && in.Kind == Reconfigure {
		return again
	}
	return Next(o)
}

func (c *context) next() string {
	if !c.complete {
		return c.cmd("status")
	}
	if c.flight != nil {
		return c.nextInFlight()
	}
	if c.rec.Removal != nil {
		return c.cmd(string(c.rec.Removal.Kind))
	}
	if first := c.putRight(); first != "" {
		return first
	}
	if back := c.comeBack(); back != "" {
		return back
	}
	if c.first((*member).stranded) != nil {
		return c.regate()
	}
	away := func(m *member) bool { return m.holds == HoldsHalf || m.live.Sight() == vantage.SeenNotServing }
	if s := c.first(func(m *member) bool { return !m.onHost() && away(m) }); s != nil {
		return c.cmd("replace --id=%d", s.ID)
	}
	if s := c.first(func(m *member) bool { return m.live.Sight() == vantage.Unseen }); s != nil {
		return c.about(s).notSeen().Next
	}
	if len(c.listsDiffer()) > 0 {
		return c.listsBack()
	}
	if len(c.notReconfigured()) > 0 {
		return c.cmd("reconfigure")
	}
	for _, p := range c.problems() {
		if p.hinders() {
			return p.Next
		}
	}
	order := c.order((*member).onHost)
	switch {
	case len(order) == 0 && c.rec.Pods.Plain && c.rec.Finalized == nil:
		return c.finalizeAgain()
	case len(order) == 0:
		return ""
	}
	if d := c.decide(Intent{Kind: Replace, ID: order[0], Since: c.now, AcceptLoss: sessions.Consent{Any: true}}); d.Kind == Stop && d.Next != "" {
		return d.Next
	}
	return c.cmd("replace --id=%d", order[0])
}

// putRight is what sets the first server right whose objects or address are not
// what the journal says. One that is wholly on the other side comes after those
// that are between the two: its revert would stop on them.
func (c *context) putRight() string {
	settled := ""
	for _, s := range c.members {
		wrong := c.about(s).misplaced()
		switch {
		case len(wrong) == 0:
		case !s.settledElsewhere():
			return wrong[0].Next
		case settled == "":
			settled = wrong[0].Next
		}
	}
	return settled
}

// nextInFlight: the operation under way goes on, unless its own command would
// stop, or wait for a quorum that another one brings back.
func (c *context) nextInFlight() string {
	f := c.flight
	d := c.inFlight()
	s := c.of(f.ID)
	if s == nil {
		return c.cmd("status")
	}
	first := f.Kind == Replace && s.Replaced == nil
	switch {
	case s.stranded():
		return c.regate()
	case c.misfits():
		return c.undo()
	case first && f.Aborted != "" && (d.Code == CodeUnseen || d.Step == StepCarryOn || d.Step == StepRestoreGate):
		// Its pod serves, or may.
		return c.goOn(f.Kind, f.ID)
	case d.Kind == Stop && d.Next == c.cmd("revert --id=%d", f.ID), first && f.Aborted != "":
		return c.toHost(d)
	case d.Kind == Stop && d.Next != "":
		return d.Next
	case d.Kind != Wait:
		return c.goOn(f.Kind, f.ID)
	}
	// Who was seen not to serve, by a refusal or an answer, is away; who was not seen
	// counts as serving.
	none := c.noQuorumWithout(func(m *member) bool { return m.live.Sight() == vantage.SeenNotServing })
	switch {
	case none && first && f.StopAsked != nil && f.Joined == nil && f.Returning == nil && (f.Released == nil || f.data() == DataEmpty):
		// Its host has everything up to its stop.
		return c.cmd("revert --id=%d", f.ID)
	case f.Kind == Revert && (none || len(c.needRenewal()) > 0) && c.decide(Intent{Kind: Replace, ID: f.ID, By: f.By, Since: c.now}).Kind == Do:
		// So has its pod.
		return c.cmd("replace --id=%d", f.ID)
	}
	if other := c.startOf(c.rec.Ensemble().IDs()); other != "" {
		return other
	}
	return c.goOn(f.Kind, f.ID)
}

// toHost is the revert of the server in flight, or what to do first if the revert
// itself would only stop. forth is what its replacement would do: no command
// sends to another one that only stops as well.
func (c *context) toHost(forth Decision) string {
	d := c.decide(Intent{Kind: Revert, ID: c.flight.ID, By: c.flight.By, Since: c.now})
	if d.Kind == Stop && d.Next != "" && (forth.Kind == Do || d.Next != c.cmd("replace --id=%d", c.flight.ID)) {
		return d.Next
	}
	return c.cmd("revert --id=%d", c.flight.ID)
}

// bringBack is what brings back a server that should serve from its host. Its
// unit may be masked by an operation that a journal that was put back does not
// know; the mask goes only where it is known that the pod holds nothing newer.
func (c *context) bringBack() string {
	if c.holds == HoldsMember {
		return c.cmd("revert --id=%d", c.ID)
	}
	start := c.there("start the server")
	if c.stands == PodParked || c.stands == PodNone && c.pod.Source.Missing {
		start += " (unmask its unit first if it is masked)"
	}
	return start
}

// startOf is how the first of these servers comes back that does not run on its
// host, beside an operation on another one: waiting alone does not start it. It is
// empty where nobody is missing in that way; who runs without a quorum is not.
func (c *context) startOf(ids []ensemble.ID) string {
	for _, id := range ensemble.Without(ids, c.flight.ID) {
		if s := c.of(id); s.onHost() && s.live.Reach == vantage.Refused && s.holds != HoldsMember {
			return c.about(s).bringBack()
		}
	}
	return ""
}
