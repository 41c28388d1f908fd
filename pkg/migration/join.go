package migration

import (
	"fmt"
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// joinHold is how long a joined server is watched before the next one may go:
// a follower that falls out of sync is dropped after syncLimit ticks.
func (r Record) joinHold() time.Duration {
	return time.Duration(r.Settings.SyncLimit*r.Settings.TickTimeMillis) * time.Millisecond
}

// oneProcess: nothing answers at the old host beside the pod.
func (c *context) oneProcess() (Decision, bool) {
	if c.host != HostUp || c.pod.Gate != GateStarted {
		return Decision{}, true
	}
	if !c.joined() {
		// Either may have voted since: the pod is not to be started again.
		d := c.giveUp("the server on host %s came back while its pod was joining: two processes with one id", c.HostIP)
		d.Flight.Line = nil
		return d, false
	}
	return stop(CodeGhostHost, c.stopAndMask(),
		"server %d has joined in its pod, but its old host %s answers again: two processes with one id", c.ID, c.HostIP), false
}

// joined: all held a write that was committed with the server back.
func (c *context) joined() bool {
	f := c.flight
	return f.Joined != nil && f.Joined.Complete
}

// podStarts: the released pod starts ZooKeeper.
func (c *context) podStarts() (Decision, bool) {
	f, pod := c.flight, c.pod
	switch {
	case c.stands == PodNone, c.stands == PodGoing, c.stands == PodIdle:
		return wait(CodePodStarting, PhaseRelease, "pod %s does not run: %s", pod.Name, c.podState(pod)).then(c.look(pod)), false
	case c.holds == HoldsHalf:
		return c.renew(), false
	case c.stands == PodRefused && pod.GateCause == CauseNone:
		return wait(CodePodRefused, PhaseRelease, "pod %s refuses to start ZooKeeper: %s", pod.Name, pod.GateDetail).then(c.look(pod)), false
	case c.stands == PodVetoed:
		return wait(CodePodVetoed, PhaseRelease, "pod %s does not start ZooKeeper while host %s still answers: %s", pod.Name, c.HostIP, pod.GateDetail).
			then(c.stopAndMask()), false
	case c.stands == PodStarted:
		return Decision{}, true
	case f.Kicked == nil || c.due(*f.Kicked, KickEvery):
		g := c.copyFlight()
		at := c.now
		g.Kicked = &at
		return do(StepKick, g, "the gate is open, the pod has not seen it yet"), false
	}
	return wait(CodePodStarting, PhaseRelease, "the pod has not seen the open gate yet"), false
}

// selectsPod: the Service leads to the pod. Somebody may have deleted it, and wrap made
// it again.
func (c *context) selectsPod() (Decision, bool) {
	if c.selected {
		return Decision{}, true
	}
	d, _ := c.pointToPod(fmt.Sprintf("server %d was started in pod %s", c.ID, c.pod.Name))
	return d, false
}

// joinsAsItself: the server serves through its Service, as itself and in the ensemble's
// release.
func (c *context) joinsAsItself() (Decision, bool) {
	live := c.live
	switch {
	case live.Another(c.ID):
		return stop(CodeWrongServer, c.cmd("revert --id=%d", c.ID), "the Service of server %d is answered by server %d", c.ID, live.ServerID), false
	case live.Serving() && c.otherVersion() != "":
		return stop(CodeVersionDiffers, c.cmd("revert --id=%d", c.ID), "%s", c.otherVersion()).
			with("then wrap again with the right --image, and replace"), false
	case !live.Serving():
		return c.joinLasts(wait(CodeJoining, PhaseJoin, "ZooKeeper in pod %s has started and is not serving yet: %s", c.pod.Name, orUnknown(string(live.Reach))).
			then(c.logs(c.pod))), false
	}
	return Decision{}, true
}

// proveJoined: a canary committed with the server back reaches all that are expected to
// hold it, and the leader forwards to them.
func (c *context) proveJoined() (Decision, bool) {
	f := c.flight
	if c.leader == nil {
		return wait(CodeNoLeader, PhaseJoin, "there is no leader at the moment"), false
	}
	if f.Joined == nil || f.Joined.Zxid.Epoch() != c.epoch || f.Joined.At.After(c.now) {
		return do(StepProveJoined, nil, "server %d serves as %s", f.ID, c.live.Mode), false
	}
	all, expected := c.awaited()
	held, missing := c.holders(*f.Joined, all)
	if len(missing) > 0 {
		return wait(CodeProofPending, PhaseJoin, "not every server holds %s yet", f.Joined.Zxid).with(missing...).then(c.startOf(all)), false
	}
	if !f.Joined.Complete {
		g := c.copyFlight()
		p := *f.Joined
		p.Held, p.Complete, p.At = held, true, c.now
		g.Joined = &p
		return do(StepNoteJoined, g, "servers %s hold %s", joinIDs(held), p.Zxid), false
	}
	if forwards := c.leader.live.SyncedFollowers; forwards >= 0 && forwards < expected {
		return wait(CodeNotSynced, PhaseJoin, "the leader forwards to %d of %d followers", forwards, expected), false
	}
	return Decision{}, true
}

// awaited are the servers that must hold the canary, and how many the leader is to
// forward to. Whoever waits for the end of this operation is not waited for; nor is, on
// the way back to the host, anybody who is away, or whose Service leads to another
// server: that may be why it goes back.
func (c *context) awaited() (all []ensemble.ID, followed int) {
	f := c.flight
	all, followed = []ensemble.ID{f.ID}, followers(c.rec.Ensemble())
	lost := c.needRenewal()
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
func (c *context) watchJoined() (Decision, bool) {
	if left := c.rec.joinHold() - c.age(c.flight.Joined.At); left > 0 {
		return wait(CodeHold, PhaseJoin, "server %d is in sync; watched for another %.0f s (syncLimit)", c.ID, left.Seconds()), false
	}
	return Decision{}, true
}

// podReady: the pod's own probe sees it serve.
func (c *context) podReady() (Decision, bool) {
	if !c.pod.Ready {
		return wait(CodeJoining, PhaseJoin, "pod %s is not ready yet: its data is being flushed to disk", c.pod.Name), false
	}
	return Decision{}, true
}

// finish notes that the server is replaced.
func (c *context) finish() (Decision, bool) {
	if d, ok := c.sameLists(fmt.Sprintf("server %d runs in its pod and does not count as replaced yet", c.ID)); !ok {
		return d, false
	}
	// A tool that was overtaken may have written the endpoints once more.
	if d, ok := c.pointToPod("the pod has joined"); !ok {
		return d, false
	}
	d := do(StepFinish, nil, "server %d is in sync in pod %s", c.ID, c.pod.Name)
	d.Release = &Release{Generation: c.gate.ReleasedGeneration, Start: c.gate.Start}
	return d, false
}

// watchdog: ZooKeeper before 3.6 has no guard against an empty member that
// votes (ZOOKEEPER-261). While the new member has not synced, the loss of
// another voter closes the gate and stops the pod, before the survivors can
// elect with it.
func (c *context) watchdog() (Decision, bool) {
	if c.flight.Joined != nil {
		return Decision{}, true
	}
	if bad := c.barks(); len(bad) > 0 {
		return c.giveUp("another voter dropped while server %d was still empty, and this ZooKeeper lets an empty member vote", c.ID).with(bad...), false
	}
	return Decision{}, true
}

// barks lists the voters whose loss makes a pod that is still empty dangerous: this
// ZooKeeper lets it vote, it was seen not to have synced, and they were seen not
// to serve. What was not seen is no reason to stop anything.
func (c *context) barks() []string {
	pod := c.pod
	if !c.Voter() || pod.Gate != GateStarted || pod.Ready || c.flight.data() == DataCopy || c.flight.Returning != nil || c.guarded() {
		return nil
	}
	if !c.isDown(c.says) {
		return nil
	}
	return c.dropped(c.others())
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
	g.Aborted, g.Returning, g.Line = d.Reason, nil, c.line()
	g.PodUID = c.pod.UID
	return d
}

// carryOn takes a given-up start up again whose pod was seen to serve meanwhile: it
// has synced, so what was feared of an empty server is over, and the others may
// need it.
func (c *context) carryOn() (Decision, bool) {
	f := c.flight
	if f.Line == nil || f.Line.Generation == 0 || c.pod.Gate != GateStarted || c.pod.Terminating ||
		!c.serves() || c.live.Another(f.ID) || c.host.open() || !c.podsOwn() {
		return Decision{}, false
	}
	if c.live.Unread() {
		// It may have synced, and lead by now.
		return wait(CodeUnseen, PhaseReclaim, "server %d serves as %s in its pod, and was only partly seen: %s; the pod goes on until it is known who serves there", f.ID, c.live.Mode, c.live.Said()).
			then("open the way to it, or interrupt this command and run it on a machine that reaches it"), true
	}
	g := c.copyFlight()
	g.Aborted, g.PodUID = "", ""
	why := fmt.Sprintf("server %d has synced in its pod since: it serves as %s", f.ID, c.live.Mode)
	if c.gate.Released {
		return do(StepCarryOn, g, "%s", why), true
	}
	d := do(StepRestoreGate, g, "%s", why)
	d.Release = f.Line
	return d, true
}

// podsOwn: the Service's one address is the pod's.
func (c *context) podsOwn() bool {
	return same(c.endpoints.Union, c.pod.IP)
}

// abort closes the gate, stops the pod and hands over to revert.
func (c *context) abort() Decision {
	f := c.flight
	if d, ok := c.carryOn(); ok {
		return d
	}
	// Of two processes with one id the pod's may go without a proof only where it is
	// not the one that serves.
	if beside := c.host == HostUp; len(c.barks()) == 0 && (!beside || c.says.Serving()) {
		if d, ok := c.sparePod(PhaseReclaim); !ok {
			if beside {
				d = d.with(fmt.Sprintf("the server on host %s answers, too: two processes with one id", c.HostIP)).then(c.stopAndMask())
			}
			return d
		}
	}
	if d, ok := c.reclaim(); !ok {
		return d
	}
	if c.Replaced != nil {
		// Its host was left long ago: once the others are whole, it begins anew.
		return do(StepCancelRenewal, nil, "this start was given up: %s", f.Aborted)
	}
	return stop(CodeAborted, c.cmd("revert --id=%d", f.ID), "this replacement was given up: %s", f.Aborted).
		with("the gate is closed and the pod is parked again", "the host's data is complete up to its stop: revert starts the server there")
}
