//go:build e2e

package e2e

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

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
