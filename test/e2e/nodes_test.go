//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
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
	parked := pods(s)[s.Name+"-pod-0"]
	held(s, parked.Spec.NodeName)
	s.Kubectl("delete", "pod", parked.Name)
	drain(s, parked.Spec.NodeName)
	if st := s.Status(); st.Servers[0].Place != "host" || st.Servers[0].Mode == "" {
		t.Errorf("server 1, whose parked pod was deleted: %+v", st.Servers[0])
	}
	s.Kubectl("uncordon", parked.Spec.NodeName)

	// A node with a server in its pod, while others are on hosts.
	s.Replace(0, "--id=1")
	held(s, pods(s)[s.Name+"-pod-0"].Spec.NodeName)
	s.Kubectl("uncordon", parked.Spec.NodeName)

	// A cordoned node to which a pod must go.
	waits := pods(s)[s.Name+"-pod-1"]
	s.Kubectl("cordon", waits.Spec.NodeName)
	s.Kubectl("delete", "pod", waits.Name)
	if r := s.Replace(124, "--id=2", "--timeout", "25s"); !strings.Contains(r.Stderr, waits.Name) || !strings.Contains(r.Stderr, "unschedulable") {
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
	r := s.Zkmigrate(0, "status", s.Name)
	if want := "scale statefulset " + s.Name + "-pod --replicas=3"; !strings.Contains(r.Stdout, want) {
		t.Errorf("%s is not named:\n%s", want, r.Stdout)
	}
	s.Kubectl("scale", set, "--replicas=3")
	healthy(s)
	s.NothingLost()
}

// drained runs the drain of a node, for as long at most.
func drained(s *scene.Scene, node, limit string) labkit.Result {
	s.T.Helper()
	admin := *s.Lab
	admin.Kubeconfig = ""
	r, err := admin.OnClient(s.T.Context(), "kubectl", "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout="+limit)
	if err != nil {
		s.T.Fatal(err)
	}
	return r
}

func drain(s *scene.Scene, node string) {
	s.T.Helper()
	if r := drained(s, node, "5m"); r.Code != 0 {
		s.T.Fatalf("drain of node %s: %s", node, r.Stderr)
	}
}

// held wants a drain that the budget refuses, and pods that are the same after it. The node stays
// cordoned.
func held(s *scene.Scene, node string) {
	s.T.Helper()
	before := uids(pods(s))
	r := drained(s, node, "8s")
	if r.Code == 0 || !strings.Contains(r.Stderr, "would violate the pod's disruption budget") {
		s.T.Errorf("the drain of node %s was not refused: %d\n%s", node, r.Code, r.Stderr)
	}
	if after := uids(pods(s)); fmt.Sprint(after) != fmt.Sprint(before) {
		s.T.Errorf("the drain of node %s took a pod: %v, %v", node, before, after)
	}
}

func uids(pods map[string]corev1.Pod) map[string]types.UID {
	out := map[string]types.UID{}
	for name, pod := range pods {
		out[name] = pod.UID
	}
	return out
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
