//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestNodes does to the pods of an ensemble under way what docs/nodes.md has rows for: drains,
// cordons, a rollout restart, a scale. Drains take nodes from others, so nothing runs beside it.
func TestNodes(t *testing.T) {
	s := scene.New(t, "nodes", "3.8.0", []int{1, 2, 3})
	s.Ready()
	s.Zkmigrate(0, "park", s.Name)
	set := "statefulset/" + s.Name + "-pod"

	// A node with an idle pod: its drain is refused, and goes on once the pod was deleted.
	first := follower(s)
	pod := func(id int) string { return fmt.Sprintf("%s-pod-%d", s.Name, id-1) }
	parked := pods(s)[pod(first)]
	held(s, parked.Spec.NodeName)
	s.Kubectl("delete", "pod", parked.Name)
	drain(s, parked.Spec.NodeName)
	if server := s.Status().Servers[first-1]; server.Place != "host" || server.Mode == "" {
		t.Errorf("server %d, whose parked pod was deleted: %+v", first, server)
	}
	s.Kubectl("uncordon", parked.Spec.NodeName)

	// A node with a server in its pod, while others are on hosts.
	s.Replace(0, fmt.Sprintf("--id=%d", first))
	node := pods(s)[pod(first)].Spec.NodeName
	held(s, node)
	s.Kubectl("uncordon", node)

	// A cordoned node to which a pod must go.
	next := follower(s)
	waits := pods(s)[pod(next)]
	s.Kubectl("cordon", waits.Spec.NodeName)
	s.Kubectl("delete", "pod", waits.Name)
	if r := s.Replace(124, fmt.Sprintf("--id=%d", next), "--timeout=25s"); !strings.Contains(r.Stderr, waits.Name) || !strings.Contains(r.Stderr, "unschedulable") {
		t.Errorf("the pod cannot be scheduled, and is not named:\n%s", r.Stderr)
	}
	s.Kubectl("uncordon", waits.Spec.NodeName)
	s.Replace(0, "--all")

	// All servers in their pods: each node in turn, and two at once.
	healthy(s)
	before := pods(s)
	for name, pod := range before {
		drain(s, pod.Spec.NodeName)
		for other, now := range before {
			if other != name {
				held(s, now.Spec.NodeName)
				s.Kubectl("uncordon", now.Spec.NodeName)
			}
		}
		s.Kubectl("uncordon", pod.Spec.NodeName)
		healthy(s)
	}
	for name, now := range pods(s) {
		if now.UID == before[name].UID {
			t.Errorf("the node of pod %s was drained, and the pod is the same", name)
		}
	}

	// A restart of the set restarts nothing; a smaller one is named with its number.
	same := uids(pods(s))
	s.Kubectl("rollout", "restart", set)
	healthy(s)
	if now := uids(pods(s)); fmt.Sprint(now) != fmt.Sprint(same) {
		t.Errorf("a rollout restart restarted pods: %v, %v", same, now)
	}
	s.Kubectl("scale", set, "--replicas=2")
	s.Kubectl("wait", "pod/"+s.Name+"-pod-2", "--for=delete", "--timeout=3m")
	if said := s.Zkmigrate(0, "status", s.Name).Stdout; !strings.Contains(said, "its StatefulSet is gone, or was scaled down") {
		t.Errorf("status does not say what is wrong:\n%s", said)
	}
	want := "scale statefulset " + s.Name + "-pod --replicas=3"
	if r := s.Replace(1, "--id=3", "--timeout=30s"); !strings.Contains(r.Stderr, want) {
		t.Errorf("%s is not named:\n%s", want, r.Stderr)
	}
	s.Kubectl("scale", set, "--replicas=3")
	healthy(s)
	s.NothingLost()
}

// follower returns a server on a host that does not lead: the leader goes last.
func follower(s *scene.Scene) int {
	s.T.Helper()
	for _, server := range s.Status().Servers {
		if server.Place == "host" && server.Mode == "follower" {
			return server.ID
		}
	}
	s.T.Fatal("no follower on a host")
	return 0
}

// healthy waits until all servers serve in their pods, and the budget lets one go again.
func healthy(s *scene.Scene) {
	s.T.Helper()
	scene.Eventually(s.T, "all servers serve in their pods", func() error {
		allowed := s.Kubectl("get", "poddisruptionbudget", s.Name+"-pods", "-o", "jsonpath={.status.disruptionsAllowed}")
		if st := s.Status(); !st.Healthy || st.Replaced != len(s.IDs) || allowed != "1" {
			return fmt.Errorf("%s may go; %+v", allowed, st)
		}
		return nil
	})
}
