package migration_test

import (
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

func startRules() []rule {
	five := []ensemble.ID{1, 2, 3, 4, 5}
	return []rule{
		{name: "all well, begin", want: do, step: migration.StepBegin},
		{name: "gaps in the ids", ids: []ensemble.ID{2, 5, 9}, id: 5, want: do, step: migration.StepBegin},
		{name: "five servers", ids: five, id: 4, want: do, step: migration.StepBegin},
		{name: "on 3.4 alike", version: "3.4.13", want: do, step: migration.StepBegin},
		{
			name: "the pods are to be made differently", set: func(s *scene) {
				p := &s.view(1).Cluster.Pod
				p.Container, p.Problem, p.Source.Pod.Outdated, p.Source.Set.Outdated = migration.ContainerDown, "image cannot be pulled", true, true
			},
			want: do, step: migration.StepPark,
		},
		{
			name: "and a pod from before that goes", set: func(s *scene) { s.view(1).Cluster.Pod.Source.Pod.Outdated = true },
			want: do, step: migration.StepRemakePods,
		},
		{
			name: "unless it has not reported of late: ZooKeeper may run in it", set: func(s *scene) {
				s.view(1).Cluster.Pod.Source.Pod.Outdated, s.view(1).Cluster.Pod.Report.Fresh = true, false
			},
			want: wait, code: migration.CodePodNotParked,
		},
		{
			name: "it is going", set: func(s *scene) {
				s.view(1).Cluster.Pod.Source.Pod.Outdated, s.view(1).Cluster.Pod.Terminating = true, true
			},
			want: wait, code: migration.CodePodNotParked,
		},
		{name: "already replaced", set: func(s *scene) { s.replaced(1) }, want: done, code: migration.CodeDone},
		{
			name: "a server was not seen with the new list", set: func(s *scene) { s.server(2).Reconfigured = nil },
			want: stop, code: migration.CodeNotReconfigured, says: "reconfigure demo --verify",
		},
		{name: "another server is down: its host", set: func(s *scene) { s.down(2); s.view(2).Cluster.Pod.Report.Volume.State = migration.VolumeUnused }, want: stop, code: migration.CodeDegraded, says: "on host 10.0.0.2: start the server"},
		{name: "another server is down, and runs on its host since", set: func(s *scene) { s.down(2); s.view(2).Cluster.Pod.Report.Volume.State = migration.VolumeOutlived }, want: stop, code: migration.CodeDegraded, says: "on host 10.0.0.2: start the server"},
		{name: "another server is down, and its pod has data", set: func(s *scene) { s.down(2) }, want: stop, code: migration.CodeDegraded, says: "revert demo --id=2"},
		{name: "another server is down", set: func(s *scene) { s.down(2) }, want: stop, code: migration.CodeDegraded, says: "server 2"},
		{
			name: "another server answers without a quorum",
			set:  func(s *scene) { s.view(2).Live = vantage.Sighting{Reach: vantage.NotServing} },
			want: stop, code: migration.CodeDegraded, says: "takes part in no quorum",
		},
		{
			name: "another server is read-only", set: func(s *scene) { s.view(2).Live.Mode = ensemble.ReadOnly },
			want: stop, code: migration.CodeDegraded,
		},
		{
			name: "two Services swapped", set: func(s *scene) {
				s.view(1).Live.ServerID, s.view(2).Live.ServerID = ensemble.ID(2).Known(), ensemble.ID(1).Known()
			},
			want: stop, code: migration.CodeWrongServer, says: "the Service of server 1 is answered by server 2",
		},
		{name: "nobody leads", set: func(s *scene) { s.view(3).Live.Mode = ensemble.Follower }, want: stop, code: migration.CodeNoLeader},
		{name: "two lead", set: func(s *scene) { s.view(2).Live.Mode = ensemble.Leader }, want: stop, code: migration.CodeNoLeader},
		{name: "a refused version", version: "3.9.3", want: stop, code: migration.CodeVersionRefused, says: "ZOOKEEPER-4925"},
		{name: "3.5.8", version: "3.5.8", want: stop, code: migration.CodeVersionRefused, says: "3.5.9"},
		{name: "3.5.9", version: "3.5.9", want: do, step: migration.StepBegin},
		{
			name: "a refused version, waived by name", version: "3.9.3",
			set:  func(s *scene) { s.o.Record.Waivers = []migration.Waiver{{Check: migration.WaiverVersion}} },
			want: do, step: migration.StepBegin,
		},
		{
			name: "a waiver does not waive a proof", version: "3.9.3",
			set: func(s *scene) {
				s.o.Record.Waivers = []migration.Waiver{{Check: migration.WaiverVersion}}
				s.down(2)
			},
			want: stop, code: migration.CodeDegraded,
		},
		{
			name: "the leader forwards to too few", set: func(s *scene) { s.view(3).Live.SyncedFollowers = 1 },
			want: stop, code: migration.CodeNotSynced, says: "1 of 2",
		},
		{
			name: "the leader does not say", set: func(s *scene) { s.view(3).Live.SyncedFollowers = -1 }, want: do, step: migration.StepBegin,
		},
		{name: "two voters", ids: []ensemble.ID{1, 2}, want: stop, code: migration.CodeQuorumAtRisk},
		{
			name: "one group too small without it", ids: five,
			set: func(s *scene) {
				for _, id := range five {
					s.server(id).Group = int(id) % 2
				}
				s.server(1).Weight = 3
			},
			want: stop, code: migration.CodeQuorumAtRisk,
		},
		{
			name: "a server without weight is no loss", ids: five, set: func(s *scene) { s.server(1).Weight = 0 },
			want: do, step: migration.StepBegin,
		},
		{name: "the leader goes last", id: 3, want: stop, code: migration.CodeLeaderLast, says: "replace demo --id=1"},
		{
			name: "the leader goes when the others have gone", id: 3,
			set: func(s *scene) {
				s.replaced(1)
				s.replaced(2)
				s.leader(3)
			},
			want: do, step: migration.StepBegin,
		},
		{
			name: "observers do not hold the leader up", ids: []ensemble.ID{1, 2, 3, 4}, id: 3,
			set: func(s *scene) {
				s.observer(4, 3)
				s.replaced(1)
				s.replaced(2)
				s.leader(3)
			},
			want: do, step: migration.StepBegin,
		},
		{name: "an observer goes alike", ids: []ensemble.ID{1, 2, 3, 4}, id: 4, set: func(s *scene) { s.observer(4, 3) }, want: do, step: migration.StepBegin},
		{
			name: "the counter is near its end",
			set: func(s *scene) {
				for i := range s.o.Servers {
					s.o.Servers[i].Live.Zxid = zxid(epoch, 0xfffffff0)
				}
			},
			want: stop, code: migration.CodeZxidOverflowNear,
		},
		{name: "no pods yet", set: func(s *scene) { s.view(1).Cluster.Pod = migration.PodView{Source: migration.Source{Missing: true}} }, want: do, step: migration.StepPark},
		{
			name: "the StatefulSet makes no pod (a quota)", set: func(s *scene) { s.view(1).Cluster.Pod = migration.PodView{Name: "demo-pod-0"} },
			want: wait, code: migration.CodePodNotParked, says: "kubectl describe statefulset demo-pod -n zk",
		},
		{name: "no gate yet", set: func(s *scene) { s.view(1).Cluster.Gate = migration.GateView{} }, want: do, step: migration.StepPark},
		{
			name: "the pod cannot be scheduled",
			set: func(s *scene) {
				p := &s.view(1).Cluster.Pod
				p.Container, p.Report.State, p.Problem = migration.ContainerDown, migration.GateUnknown, "0/3 nodes are available"
			},
			want: wait, code: migration.CodePodNotParked, says: "0/3 nodes",
		},
		{
			name: "the pod has not reported of late", set: func(s *scene) { s.view(1).Cluster.Pod.Report.Fresh = false },
			want: wait, code: migration.CodePodNotParked,
		},
		{
			name: "the pod cannot reach the host", set: func(s *scene) { s.view(1).Cluster.Pod.Report.HostClosedFor = closedFor(0) },
			want: stop, code: migration.CodePodCannotReachHost,
		},
	}
}

func TestStart(t *testing.T) { checkAll(t, startRules()) }
