package migration

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// onDisks: whoever starts from nothing, or from stale data, leans on the others' disks:
// what they were seen to hold in memory is there, too. Where that is not known they are
// given time for it.
func (c *context) onDisks() Decision {
	f := c.flight
	phase := PhaseRelease
	switch {
	case f.data() == DataCopy:
		return Decision{}
	case f.Kind == Revert && (!f.Served || f.After == nil || f.Released != nil || f.Unmasking != nil):
		return Decision{}
	case f.Kind == Revert:
		phase = PhaseStart
	}
	left := DurabilityHold - c.age(f.After.At)
	if left <= 0 || c.allAcknowledged() {
		return Decision{}
	}
	return wait(CodeHold, phase, "%.1f s left for the other servers' disks", left.Seconds())
}

// allAcknowledged: the second proof, committed while this server had no process, was
// acknowledged by every other voter, because none of them can be missing from a quorum
// without it. Each acknowledges a write only once it is on its disk, with all that
// came before (SyncRequestProcessor stands before AckRequestProcessor on the leader and
// before SendAckRequestProcessor on the others).
func (c *context) allAcknowledged() bool {
	quorum := c.quorum()
	others := ensemble.Without(c.voters(), c.flight.ID)
	for _, id := range others {
		if quorum.Has(ensemble.Without(others, id)) {
			return false
		}
	}
	return true
}
