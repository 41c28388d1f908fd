package migration_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestWhatHelpsAPod: what is printed can be run as it stands.
func TestWhatHelpsAPod(t *testing.T) {
	const right = "; image, memory, CPU and the like are corrected by the same command with the right flag (--image, --memory, --cpu)"
	const memory = "kubectl zkmigrate replace demo --id=1 -n zk --memory=..., more than the heap (-Xmx) plus 512Mi"
	pod := func(s *scene, id ensemble.ID) *migration.PodView { return &s.view(id).Cluster.Pod }
	unbound := func(s *scene, ids ...ensemble.ID) {
		for _, id := range ids {
			p := pod(s, id)
			*p = migration.PodView{UID: "u", Name: p.Name, Problem: "no node takes the pod", Unbound: true}
		}
	}
	lost := func(s *scene, node bool) {
		s.replaced(1)
		s.down(1)
		p := pod(s, 1)
		p.Node, p.NodeLost, p.Problem = "node2", node, "something is wrong"
	}
	volume := []string{
		"where its volume is gone for good, or cannot follow it to another node, also:",
		"kubectl delete pvc data-demo-pod-0 --wait=false -n zk",
		"kubectl delete pod demo-pod-0 -n zk",
		"the next pod then refuses to start from nothing, until the others have proved that they hold everything: kubectl zkmigrate replace demo --id=1 -n zk",
	}
	tests := map[string]struct {
		id       ensemble.ID
		set      func(*scene)
		code     migration.Code
		evidence []string
		next     string
	}{
		"does not run": {
			set: func(s *scene) {
				pod(s, 1).Container, pod(s, 1).Problem = migration.ContainerDown, "image x cannot be pulled"
			},
			code: migration.CodePodNotParked, next: "kubectl describe pod demo-pod-0 -n zk" + right,
		},
		"runs, and its gate refuses": {
			set:  func(s *scene) { pod(s, 1).Report.State, pod(s, 1).Report.Detail = migration.GateRefused, "myid is '9'" },
			code: migration.CodePodNotParked, next: "kubectl logs demo-pod-0 -c gate -n zk",
		},
		"no volume": {
			set:  func(s *scene) { unbound(s, 1) },
			code: migration.CodePodNotParked,
			evidence: []string{
				"where the class is the wrong one: interrupt this command; somebody who may delete the StatefulSet then runs, in this order, and nothing that serves is touched:",
				"kubectl delete statefulset demo-pod --cascade=orphan -n zk",
				"kubectl delete pod demo-pod-0 -n zk",
				"kubectl delete pvc data-demo-pod-0 -n zk",
			},
			next: "kubectl describe pvc data-demo-pod-0 -n zk; after those commands kubectl zkmigrate replace demo --id=1 -n zk --storage-class=CLASS",
		},
		"no volume for two, a server runs in the third": {
			id: 2, set: func(s *scene) { s.replaced(1); unbound(s, 2, 3); s.leader(1) },
			code: migration.CodePodNotParked,
			evidence: []string{
				"where the class is the wrong one: interrupt this command; somebody who may delete the StatefulSet then runs, in this order, and nothing that serves is touched:",
				"kubectl delete statefulset demo-pod --cascade=orphan -n zk",
				"kubectl delete pod demo-pod-1 demo-pod-2 -n zk",
				"kubectl delete pvc data-demo-pod-1 data-demo-pod-2 -n zk",
			},
			next: "kubectl describe pvc data-demo-pod-1 -n zk; after those commands kubectl zkmigrate replace demo --id=2 -n zk --storage-class=CLASS",
		},
		"too little memory to park": {
			set:  func(s *scene) { pod(s, 1).Container, pod(s, 1).OutOfMemory = migration.ContainerDown, true },
			code: migration.CodePodNotParked, next: memory + right,
		},
		"too little memory to start": {
			set: func(s *scene) {
				s.released(1)
				pod(s, 1).Container, pod(s, 1).OutOfMemory = migration.ContainerDown, true
			},
			code: migration.CodePodStarting, next: "kubectl zkmigrate revert demo --id=1 -n zk, then " + memory,
		},
		"too little memory to sync, three times": {
			set: func(s *scene) {
				s.refused(1, migration.CauseInterrupted).Renewals = migration.RenewalsMax
				pod(s, 1).OutOfMemory = true
			},
			code: migration.CodeKeepsFailing,
			next: "kubectl zkmigrate revert demo --id=1 -n zk, then " + memory,
		},
		"the same, and Kubernetes has forgotten the container": {
			set: func(s *scene) {
				f := s.refused(1, migration.CauseInterrupted)
				f.Renewals, f.OutOfMemory = migration.RenewalsMax, true
			},
			code: migration.CodeKeepsFailing,
			next: "kubectl zkmigrate revert demo --id=1 -n zk, then " + memory,
		},
		"its node has gone": {
			set: func(s *scene) { lost(s, true) }, code: migration.CodePodAway,
			evidence: append([]string{
				"bring node2 back, and the pod serves again with its data, by itself",
				"or, where that machine is gone for good: make sure that it is off, for the pod may still run there; then somebody who may runs, in this order:",
				"kubectl delete node node2",
			}, volume...),
			next: "kubectl describe pod demo-pod-0 -n zk",
		},
		"it has gone, its node has not": {
			set: func(s *scene) { lost(s, false) }, code: migration.CodePodAway,
			evidence: volume, next: "kubectl describe pod demo-pod-0 -n zk",
		},
		"another one's node has gone": {
			id: 2, set: func(s *scene) { lost(s, true) }, code: migration.CodeDegraded,
			evidence: []string{"server 1: connections to it are refused", "pod demo-pod-0 of server 1: something is wrong"},
			next:     "kubectl zkmigrate replace demo --id=1 -n zk",
		},
		"joining, as long as initLimit allows": {
			set:  func(s *scene) { s.started(1).Released = ago(25 * time.Second) },
			code: migration.CodeJoining, next: "kubectl logs demo-pod-0 -n zk",
		},
		"joining for longer": {
			set:  func(s *scene) { s.started(1).Released = ago(26 * time.Second) },
			code: migration.CodeJoining,
			evidence: []string{
				"it was released 26 s ago, and initLimit gives a new server 20s (10 ticks of 2000 ms) to get the snapshot, load it and write it",
				`if its log repeats "Getting a snapshot from leader", that is too short: kubectl zkmigrate revert demo --id=1 -n zk, then kubectl zkmigrate replace demo --id=1 -n zk --data=copy`,
				"or, after the revert, raise initLimit on every host: kubectl zkmigrate reconfigure demo -f FILE -n zk and its rolling restart, then kubectl zkmigrate replace demo --id=1 -n zk",
				"if its log never shows that, look there for a refused certificate (SSLHandshakeException), a missing keystore or file (FileNotFoundException) or a full volume (No space left on device)",
			},
			next: "kubectl logs demo-pod-0 -n zk",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			tc.set(s)
			if tc.id == 0 {
				tc.id = 1
			}
			d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: tc.id, By: "bob"}, s.o)
			if d.Code != tc.code {
				t.Errorf("code %s, want %s: %s", d.Code, tc.code, d.Reason)
			}
			if diff := cmp.Diff(tc.evidence, d.Evidence); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.next, d.Next); diff != "" {
				t.Error(diff)
			}
		})
	}
}
