package migration

import (
	"fmt"
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// JoinHold is how long a joined server is watched before the next one may go:
// a follower that falls out of sync is dropped after syncLimit ticks.
func (r Record) JoinHold() time.Duration {
	return time.Duration(r.Settings.SyncLimit*r.Settings.TickTimeMillis) * time.Millisecond
}

// oneProcess: nothing answers at the old host beside the pod.
func (c *context) oneProcess() Decision {
	switch {
	case c.host != HostUp || !c.started():
		return Decision{}
	case c.flight.Joined.complete():
		return stop(CodeGhostHost, c.stopAndMask(),
			"server %d has joined in its pod, but its old host %s answers again: two processes with one id", c.ID, c.HostIP)
	}
	d := c.giveUp("the server on host %s came back while its pod was joining: two processes with one id", c.HostIP)
	// Either may have voted since: the pod is not to be started again.
	d.Flight.Line = nil
	return d
}

// podStarts: the released pod starts ZooKeeper.
func (c *context) podStarts() Decision {
	pod := c.pod
	switch {
	case c.stands.away():
		return wait(CodePodStarting, PhaseRelease, "pod %s does not run: %s", pod.Name, c.podState()).then(c.look())
	case c.holds == HoldsHalf:
		return c.renew()
	case c.stands == PodRefused && c.report.Cause == CauseNone:
		return wait(CodePodRefused, PhaseRelease, "pod %s refuses to start ZooKeeper: %s", pod.Name, c.report.Detail).then(c.look())
	case c.stands == PodVetoed:
		return wait(CodePodVetoed, PhaseRelease, "pod %s does not start ZooKeeper while host %s still answers: %s", pod.Name, c.HostIP, c.report.Detail).
			then(c.stopAndMask())
	case c.stands == PodStarted:
		return Decision{}
	case c.kickDue():
		return c.kick("the gate is open, the pod has not seen it yet")
	}
	return wait(CodePodStarting, PhaseRelease, "the pod has not seen the open gate yet")
}

// selectsPod: the Service leads to the pod. Somebody may have deleted it, and wrap made
// it again.
func (c *context) selectsPod() Decision {
	if c.selected {
		return Decision{}
	}
	return c.pointToPod(fmt.Sprintf("server %d was started in pod %s", c.ID, c.pod.Name))
}

// joinsAsItself: the server serves through its Service, as itself and in the ensemble's
// release.
func (c *context) joinsAsItself() Decision {
	live := c.live
	switch {
	case live.Another(c.ID):
		return stop(CodeWrongServer, c.cmd("revert --id=%d", c.ID), "%s", c.anotherAnswers())
	case live.Serving() && c.otherVersion() != "":
		return stop(CodeVersionDiffers, c.cmd("revert --id=%d", c.ID), "%s", c.otherVersion()).
			with("then wrap again with the right --image, and replace")
	case !live.Serving():
		return c.joinLasts(wait(CodeJoining, PhaseJoin, "ZooKeeper in pod %s has started and is not serving yet: %s", c.pod.Name, orUnknown(string(live.Reach))).
			then(c.logs()))
	}
	return Decision{}
}

// proveJoined: a canary committed with the server back reaches all that are expected to
// hold it, and the leader forwards to them.
func (c *context) proveJoined() Decision {
	f := c.flight
	switch {
	case c.leader == nil:
		return wait(CodeNoLeader, PhaseJoin, "there is no leader at the moment")
	case f.Joined == nil || f.Joined.Zxid.Epoch() != c.epoch || f.Joined.At.After(c.now):
		return do(StepProveJoined, nil, "server %d serves as %s", f.ID, c.live.Mode)
	}
	all, expected := c.awaited()
	held, missing := c.holders(*f.Joined, all)
	forwards := c.leader.live.SyncedFollowers
	switch {
	case len(missing) > 0:
		return wait(CodeProofPending, PhaseJoin, "not every server holds %s yet", f.Joined.Zxid).with(missing...).then(c.startOf(all))
	case !f.Joined.Complete:
		g := c.copyFlight()
		g.Joined = f.Joined.heldBy(held, c.now)
		return do(StepNoteJoined, g, "servers %s hold %s", ensemble.JoinIDs(held), f.Joined.Zxid)
	case forwards >= 0 && forwards < expected:
		return wait(CodeNotSynced, PhaseJoin, "the leader forwards to %d of %d followers", forwards, expected)
	}
	return Decision{}
}

// awaited are the servers that must hold the canary, and how many the leader is to
// forward to. Whoever waits for the end of this operation is not waited for; nor is, on
// the way back to the host, anybody who is away, or whose Service leads to another
// server: that may be why it goes back.
func (c *context) awaited() (all []ensemble.ID, followed int) {
	f := c.flight
	all, followed = []ensemble.ID{f.ID}, c.followers()
	lost := append(c.needRenewal(), c.othersStranded()...)
	for _, id := range ensemble.Without(c.participants(), f.ID) {
		s := c.of(id)
		if slices.Contains(lost, id) || f.Kind == Revert && (!s.serves() || s.live.Unread() || s.live.Another(id)) {
			followed--
		} else if s.Voter() {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all, followed
}

// watchJoined: it has been in sync for as long as a leader needs to drop a follower.
func (c *context) watchJoined() Decision {
	if left := c.rec.JoinHold() - c.age(c.flight.Joined.At); left > 0 {
		return wait(CodeHold, PhaseJoin, "server %d is in sync; watched for another %.0f s (syncLimit)", c.ID, left.Seconds())
	}
	return Decision{}
}

// podReady: the pod's own probe sees it serve.
func (c *context) podReady() Decision {
	if !c.pod.Ready() {
		return wait(CodeJoining, PhaseJoin, "pod %s is not ready yet: its data is being flushed to disk", c.pod.Name)
	}
	return Decision{}
}

// finish notes that the server is replaced.
func (c *context) finish() Decision {
	if d := c.sameLists(fmt.Sprintf("server %d runs in its pod and does not count as replaced yet", c.ID)); d.made() {
		return d
	}
	// A tool that was overtaken may have written the endpoints once more.
	if d := c.pointToPod("the pod has joined"); d.made() {
		return d
	}
	d := do(StepFinish, nil, "server %d is in sync in pod %s", c.ID, c.pod.Name)
	d.Release = &Release{Generation: c.gate.ReleasedGeneration, Start: c.gate.Start}
	return d
}

// watchdog: ZooKeeper before 3.6 has no guard against an empty member that
// votes (ZOOKEEPER-261). While the new member has not synced, the loss of
// another voter closes the gate and stops the pod, before the survivors can
// elect with it.
func (c *context) watchdog() Decision {
	if c.flight.Joined != nil {
		return Decision{}
	}
	if bad := c.barks(); len(bad) > 0 {
		return c.giveUp("another voter dropped while server %d was still empty, and this ZooKeeper lets an empty member vote", c.ID).with(bad...)
	}
	return Decision{}
}

// barks lists the voters whose loss makes a pod that is still empty dangerous: this
// ZooKeeper lets it vote, it was seen not to have synced, and they were seen not
// to serve. What was not seen is no reason to stop anything.
func (c *context) barks() []string {
	empty := c.started() && !c.pod.Ready() && c.flight.data() != DataCopy && c.flight.Returning == nil && c.isDown(c.says)
	if !c.Voter() || c.guarded() || !empty {
		return nil
	}
	var bad []string
	for _, id := range c.others() {
		// A refused connection counts only where what others say agrees with it:
		// something in between may refuse in the name of a live server.
		if s := c.of(id); c.isDown(s.says) {
			bad = append(bad, fmt.Sprintf("server %d: %s", id, s.says.Said()))
		}
	}
	return bad
}

// otherVersion says that the pod runs another release than its leader.
func (c *context) otherVersion() string {
	if c.leader == nil {
		return ""
	}
	mine, theirs := c.live.Version, c.leader.live.Version
	if mine.IsZero() || theirs.IsZero() || mine.Compare(theirs) == 0 || c.rec.Waived(WaiverOneVersion) {
		return ""
	}
	return fmt.Sprintf("pod %s runs ZooKeeper %s, its leader %s: the image is another release's", c.pod.Name, mine, theirs)
}

// guarded reports whether the ensemble's version has db.autocreate. An unknown
// version has not.
func (c *context) guarded() bool {
	v, err := ensemble.ParseVersion(c.rec.Settings.Version)
	return err == nil && v.HasAutocreateGuard()
}

// giveUp begins the abort of a replacement.
func (c *context) giveUp(format string, a ...any) Decision {
	g := c.copyFlight()
	d := do(StepAbort, g, format, a...)
	g.Aborted, g.Returning, g.Line, g.PodUID = d.Reason, nil, c.line(), c.pod.UID
	return d
}

// carryOn takes a given-up start up again whose pod was seen to serve meanwhile: it
// has synced, so what was feared of an empty server is over, and the others may
// need it.
func (c *context) carryOn() Decision {
	f := c.flight
	serves := c.serves() && !c.live.Another(f.ID) && same(c.endpoints.Union, c.pod.IP)
	if !serves || !f.Line.known() || c.stands != PodStarted || c.host.open() {
		return Decision{}
	}
	if c.live.Unread() {
		// It may have synced, and lead by now.
		return wait(CodeUnseen, PhaseReclaim, "server %d serves as %s in its pod, and was only partly seen: %s; the pod goes on until it is known who serves there", f.ID, c.live.Mode, c.live.Said()).
			then("open the way to it, or interrupt this command and run it on a machine that reaches it")
	}
	g := c.copyFlight()
	g.Aborted, g.PodUID = "", ""
	why := fmt.Sprintf("server %d has synced in its pod since: it serves as %s", f.ID, c.live.Mode)
	if c.gate.Released {
		return do(StepCarryOn, g, "%s", why)
	}
	return c.restoreGate(f.Line, g, "%s", why)
}

// abort closes the gate, stops the pod and hands over to revert.
func (c *context) abort() Decision {
	f := c.flight
	if d := c.carryOn(); d.made() {
		return d
	}
	// Of two processes with one id the pod's may go without a proof only where it is
	// not the one that serves.
	if beside := c.host == HostUp; len(c.barks()) == 0 && (!beside || c.says.Serving()) {
		if d := c.sparePod(PhaseReclaim); d.made() {
			if beside {
				d = d.with(fmt.Sprintf("the server on host %s answers, too: two processes with one id", c.HostIP)).then(c.stopAndMask())
			}
			return d
		}
	}
	if d := c.reclaim(); d.made() {
		return d
	}
	if c.Replaced != nil {
		// Its host was left long ago: once the others are whole, it begins anew.
		return do(StepCancelRenewal, nil, "this start was given up: %s", f.Aborted)
	}
	return stop(CodeAborted, c.cmd("revert --id=%d", f.ID), "this replacement was given up: %s", f.Aborted).
		with("the gate is closed and the pod is parked again", "the host's data is complete up to its stop: revert starts the server there")
}
