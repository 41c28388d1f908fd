package migration

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// withoutProofs is the flight as before the first proof: what was asked for
// and proven holds for one stop only.
func (c *context) withoutProofs() *Flight {
	g := c.copyFlight()
	g.Before, g.After = nil, nil
	g.Stopping = Stopping{Fenced: g.Fenced}
	g.Seed, g.SeedAsked = "", nil
	return g
}

// proveAgain forgets what was proven, and that nothing can bring the host's server back.
func (c *context) proveAgain(why string, a ...any) Decision {
	g := c.withoutProofs()
	g.Fenced = nil
	return do(StepRestartProof, g, why, a...)
}

// proveBefore brings about a complete, fresh canary on all n in this epoch.
func (c *context) proveBefore() Decision {
	return c.proveOn(c.rec.Ensemble().IDs(), PhaseProve)
}

// current: the canary was committed of late, in this epoch.
func (c *context) current(p *Proof) bool {
	return p != nil && p.Zxid.Epoch() == c.epoch && c.young(p.At)
}

// proveOn brings about a fresh canary, in this epoch, that all of ids hold.
func (c *context) proveOn(ids []ensemble.ID, phase Phase) Decision {
	f := c.flight
	if d := c.sameLists("nothing has been stopped"); d.made() {
		return d
	}
	switch {
	case c.leader == nil:
		return wait(CodeNoLeader, phase, "there is no leader at the moment; nothing has been stopped")
	case !c.current(f.Before):
		who := "all servers"
		if len(ids) < len(c.rec.Servers) {
			who = "servers " + ensemble.JoinIDs(ids)
		}
		return do(StepProveBefore, nil, "%s take part in epoch %d", who, c.epoch)
	case f.Before.Complete:
		return Decision{}
	}
	held, missing := c.holders(*f.Before, ids)
	if len(missing) > 0 {
		return wait(CodeProofPending, phase, "not every server holds %s yet", f.Before.Zxid).with(missing...).then(c.startOf(ids))
	}
	g := c.copyFlight()
	g.Before = f.Before.heldBy(held, f.Before.At)
	return do(StepNoteBefore, g, "servers %s hold %s", ensemble.JoinIDs(held), f.Before.Zxid)
}

// watched: a host that was seen dead and left alone since may have been unmasked,
// started and stopped again by somebody who wanted the service back. What was
// proven for its last stop, and a copy of that time, do not hold for this one.
func (c *context) watched() Decision {
	f := c.flight
	if f.DeadSince == nil || c.watchedFrom(*f.DeadSince) {
		return Decision{}
	}
	g := c.copyFlight()
	g.Fenced, g.DeadSince, g.DeadReport, g.After, g.Seed, g.SeedAsked = nil, nil, nil, nil, "", nil
	report := c.report.At
	g.ReportAtStop = &report
	return do(StepRestartProof, g, "nobody watched host %s from %s on: it may have run since, so its end and its data are looked at anew",
		c.HostIP, moment(*f.DeadSince))
}

// watchedFrom reports whether somebody has looked at the host without a gap from
// that moment on: this very command, or the parked pod, which is refused at each
// of its looks. A moment of another machine's clock, ahead of ours, says nothing;
// where the pod's own report of that moment is kept, its node's clock alone counts.
func (c *context) watchedFrom(from time.Time) bool {
	age := c.age(from)
	switch {
	case age < 0:
		return false
	case !from.Before(c.in.Since):
		return true
	}
	if !c.waits() || !c.report.HostClosed() {
		return false
	}
	closed := *c.report.HostClosedFor
	if r := c.flight.DeadReport; r != nil && r.UID == c.pod.UID {
		return !c.report.At.Add(-closed).After(r.At.Add(WatchReport))
	}
	return closed+WatchBegin >= age
}

// podReport is when the parked pod reported last; nil when it is not parked.
func (c *context) podReport() *PodReport {
	if c.stands != PodParked {
		return nil
	}
	return &PodReport{UID: c.pod.UID, At: c.report.At}
}

func moment(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05Z") }

// proveDead is I3: refused on both ports, from here and from the pod, after
// the stop was asked for, and fenced.
func (c *context) proveDead() Decision {
	f, pod := c.flight, c.pod
	bad := c.aliveAfterAll()
	switch {
	case c.host != HostRefuses:
		return wait(CodeHostSilent, PhaseStop, "host %s is silent (%s): a dead machine and a broken network look alike", c.HostIP, c.ports.said()).
			then("bring the machine or the network back, or start the server again and revert: " + c.cmd("revert --id=%d", f.ID))
	case f.Fenced == nil:
		return do(StepMaskHost, nil, "the host's server is down but could come back")
	case f.DeadSince == nil:
		return c.noteDead(c.podReport())
	case bad != "":
		return wait(CodeHostStillUp, PhaseStop, "host %s refuses on client and election port, but %s", c.HostIP, bad).then(c.inBetween())
	case c.from.IsPod() && c.from.Node == pod.Node:
		return c.oneVantage(PhaseStop, "host "+c.HostIP+" is seen dead from node "+c.from.Node+" alone")
	case !c.report.HostClosed() || !c.report.Fresh || f.ReportAtStop == nil || !c.report.At.After(*f.ReportAtStop):
		return wait(CodeSecondVantage, PhaseStop, "waiting for pod %s to see the host dead, too: %s", pod.Name, orUnknown(c.report.Detail)).
			then(c.logs() + "; or take it back: " + c.cmd("revert --id=%d", f.ID))
	}
	return Decision{}
}

// noteDead notes that a host that was asked to stop its server refuses, and when its
// parked pod had reported last.
func (c *context) noteDead(report *PodReport) Decision {
	g := c.copyFlight()
	g.DeadSince, g.DeadReport = c.stamp(), report
	return do(StepNoteDead, g, "host %s refuses on client and election port", c.HostIP)
}

// inBetween is what to look for where a host looks dead and others say that it is
// not.
func (c *context) inBetween() string {
	return "look at host " + c.HostIP + ": is something in between refusing our connections?"
}

// aliveAfterAll says what contradicts a dead host: an answer at the Service's
// address, which takes another way through the network, or a leader that still
// counts the server among its followers. mntr's zk_synced_followers holds
// participants only (Leader.startForwarding); a leader drops a silent follower
// after syncLimit ticks.
func (c *context) aliveAfterAll() string {
	if c.serves() && c.address == AddressHost {
		return "server " + c.in.ID.String() + " answers at its Service's address " + c.ClusterIP
	}
	if counted, left := c.counted(); counted > left {
		return fmt.Sprintf("the leader still forwards to %d followers, and without it there are %d", counted, left)
	}
	return ""
}

// counted is how many followers the leader forwards to, and how many there are
// without this server. Where the leader's count says nothing of it (it leads
// itself, or observes), or there is no leader, it is none more.
func (c *context) counted() (counted, left int) {
	left = c.followers() - 1
	if c.leader == nil || c.leads(c.in.ID) || c.Role == ensemble.Observer {
		return left, left
	}
	return c.leader.says.SyncedFollowers, left
}

// proveAfter is the second half of I4: with the server dead, a canary on all
// other voters; sameEpoch asks that no election happened since the first one.
func (c *context) proveAfter(sameEpoch bool) Decision {
	f := c.flight
	others := c.others()
	back := "start the server on its host again: " + c.cmd("revert --id=%d", f.ID)
	other := c.mendable()
	switch {
	case other != nil:
		back = c.cmd("replace --id=%d", other.ID)
	case f.Kind == Revert:
		back = c.wayBack()
	case c.Replaced != nil:
		back = "wait for them, or bring their hosts or pods back"
	}
	bad, blind := c.lacking(others)
	diff := c.listsDiffer()
	switch {
	case blind:
		return wait(CodeUnseen, PhaseReprove, "not every other voter is seen from here; nothing is released").with(bad...).then(back)
	case len(bad) > 0 && f.WasLeader && f.After == nil && f.StopAsked != nil && c.age(*f.StopAsked) < ElectionGrace:
		return wait(CodeElecting, PhaseReprove, "server %d led: the others elect a new leader", f.ID)
	case len(bad) > 0:
		return wait(CodeDegraded, PhaseReprove, "not every other voter is in sync; nothing is released").with(bad...).then(back)
	case len(diff) > 0:
		return wait(CodeListDiffers, PhaseReprove, "the servers do not run with the list that this migration counts on; nothing is released").
			with(diff...).with("or go back: " + back).then(c.listsBack())
	case c.leader == nil:
		return wait(CodeNoLeader, PhaseReprove, "there is no leader at the moment; nothing is released").then(back)
	case sameEpoch && f.Before != nil && f.Before.Zxid.Epoch() != c.epoch:
		return stop(CodeElectionSinceProof, c.cmd("revert --id=%d", f.ID),
			"an election happened between the proofs (epoch %d, now %d): the first proof no longer counts; the gate is closed, nothing is lost", f.Before.Zxid.Epoch(), c.epoch).
			with("revert starts the server on its host, with its data; then begin again")
	case !c.current(f.After):
		return do(StepProveAfter, nil, "server %d is dead, %d others are in sync", f.ID, len(others))
	}
	held, missing := c.holders(*f.After, others)
	switch {
	case len(missing) > 0:
		return wait(CodeProofPending, PhaseReprove, "not every other voter holds %s yet", f.After.Zxid).with(missing...).then(c.startOf(others))
	case f.After.Complete:
		return Decision{}
	}
	g := c.copyFlight()
	// Their disks get their time from now on, not from the write.
	g.After = f.After.heldBy(held, c.now)
	return do(StepNoteAfter, g, "servers %s hold %s", ensemble.JoinIDs(held), f.After.Zxid)
}

// holders returns which of ids hold the proof's write, in its epoch.
func (c *context) holders(p Proof, ids []ensemble.ID) (held []ensemble.ID, missing []string) {
	for _, id := range ids {
		switch s := c.of(id); {
		case s.live.Another(id):
			// A kube-proxy that is late: what another one holds proves nothing of this one.
			missing = append(missing, s.anotherAnswers())
		case !s.says.Serving() || s.says.Unread():
			missing = append(missing, fmt.Sprintf("server %d: %s", id, s.says.Said()))
		case s.says.Zxid < p.Zxid || s.says.Zxid.Epoch() != p.Zxid.Epoch():
			missing = append(missing, fmt.Sprintf("server %d is at %s", id, s.says.Zxid))
		default:
			held = append(held, id)
		}
	}
	return held, missing
}
