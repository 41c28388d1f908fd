package migration

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"

// Unseen lists the servers that this look did not see: nothing is known of
// whether they serve.
func (o Observation) Unseen() []ensemble.ID {
	var ids []ensemble.ID
	for _, v := range o.Servers {
		if v.Live.Sight() == Unseen {
			ids = append(ids, v.ID)
		}
	}
	return ids
}

// NoQuorum reports whether this look proves that no quorum serves: the voters that
// did not themselves say so, by an answer, are too few to be one. A refused
// connection is not an answer.
func (o Observation) NoQuorum() bool {
	rec := o.Record
	servers := rec.Ensemble()
	var silent []ensemble.ID
	for _, id := range servers.Voters() {
		v, _ := o.View(id)
		if !v.saysIdle() {
			silent = append(silent, id)
		}
	}
	return !ensemble.NewQuorum(servers.Servers).Has(silent)
}

// saysIdle reports whether the server answered that it does not serve, at each
// address where it may run.
func (v ServerView) saysIdle() bool {
	idle := func(s Sighting) bool { return s.Sight() == SeenNotServing && s.Reach != ReachRefused }
	if v.AtPod.Reach == ReachUnknown {
		return idle(v.Live)
	}
	// The Service leads to the host, where nothing may run yet.
	return idle(v.AtPod) && v.Live.Sight() == SeenNotServing
}

// AwayFromPod reports whether ZooKeeper may run in the pod while the Service leads
// elsewhere, so that only the pod's own address tells.
func (v ServerView) AwayFromPod() bool {
	pod := v.Cluster.Pod
	return pod.Found && pod.IP != "" && pod.Gate == GateStarted && !same(v.Cluster.Endpoints.Union, pod.IP)
}
