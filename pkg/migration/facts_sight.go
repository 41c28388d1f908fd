package migration

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Unseen lists the servers that this look did not see, or saw by half: nothing is
// known of whether they serve, or of who serves and with which list.
func (o Observation) Unseen() []ensemble.ID {
	var ids []ensemble.ID
	for _, v := range o.Servers {
		if v.Live.Hidden() {
			ids = append(ids, v.ID)
		}
	}
	return ids
}

// SeesNobody reports whether this look saw no server: what it was made from may be cut off.
func (o Observation) SeesNobody() bool { return len(o.Unseen()) == len(o.Servers) }

// NoQuorum reports whether this look proves that no quorum serves: the voters that
// did not themselves say so, by an answer, are too few to be one. A refused
// connection is not an answer.
func (o Observation) NoQuorum() bool { return derive(o).noQuorumWithout((*member).saysIdle) }

// noQuorumWithout reports whether the voters of which this does not hold are too
// few to be a quorum.
func (f *facts) noQuorumWithout(away func(*member) bool) bool {
	return !f.quorum().Has(f.ids(func(m *member) bool { return m.Voter() && !away(m) }))
}

// saysIdle reports whether the server answered that it does not serve, at each
// address where it may run.
func (m *member) saysIdle() bool {
	idle := func(s vantage.Sighting) bool {
		return s.Sight() == vantage.SeenNotServing && s.Reach != vantage.Refused
	}
	if m.inPod.Reach == vantage.NotAsked {
		return idle(m.live)
	}
	// The Service leads to the host, where nothing may run yet.
	return idle(m.inPod) && m.live.Sight() == vantage.SeenNotServing
}

// Says is what the server itself said, wherever it was asked.
func (v ServerView) Says() vantage.Sighting {
	if v.AtPod.Serving() {
		return v.AtPod
	}
	return v.Live
}

// AwayFromPod reports whether ZooKeeper may run in the pod while the Service leads
// elsewhere, so that only the pod's own address tells.
func (v ServerView) AwayFromPod() bool {
	pod := v.Cluster.Pod
	return pod.IP != "" && pod.Report.State == GateStarted && !same(v.Cluster.Endpoints.Union, pod.IP)
}

// isDown reports whether a server is known not to take part.
func (f *facts) isDown(s vantage.Sighting) bool {
	return s.Sight() == vantage.SeenNotServing && (s.Reach != vantage.Refused || f.othersAgree())
}

// OthersAgree reports whether what others say agrees with what was seen: that whoever
// refuses connections is down.
func OthersAgree(o Observation) bool { return derive(o).othersAgree() }

// othersAgree: the leader counts nobody whom we do not see, or, without a leader,
// somebody else says that there is none.
func (f *facts) othersAgree() bool {
	following, idle := 0, false
	for _, id := range f.participants() {
		s := f.of(id)
		if s.says.Serving() && !f.leads(id) {
			following++
		}
		idle = idle || s.saysIdle()
	}
	if f.leader == nil {
		// Who follows has a leader that we do not see.
		return idle && following == 0
	}
	counted := f.leader.says.SyncedFollowers
	if counted < 0 {
		// mntr is not allowed: then all the others must be there.
		return following+2 >= len(f.participants())
	}
	return counted <= following
}
