//go:build e2e

package e2e

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestSteady lives with a finalized ensemble as docs/finalize.md says, with a client that writes
// throughout: drains, other memory, another release of ZooKeeper. Drains take nodes from others,
// so nothing runs beside it.
func TestSteady(t *testing.T) {
	for _, c := range []struct{ name, version, next string }{{"steady380", "3.8.0", "3.9.3"}, {"steady3413", "3.4.13", "3.8.0"}} {
		t.Run(c.version, func(t *testing.T) {
			s := scene.New(t, c.name, c.version, []int{1, 2, 3})
			s.Ready()
			s.Replace(0, "--all")
			s.Zkmigrate(0, "finalize", s.Name, "--yes", "--give-up-way-back="+s.Name, "--timeout", "6m")

			drainEach(s)
			shell(s, "memory=640Mi flags=-Xmx160m\n"+page(s, "Memory, CPU, JVM flags")[0])
			inPods(s, `{.items[*].spec.containers[0].resources.limits.memory}`, "640Mi 640Mi 640Mi")
			inPods(s, `{.items[*].spec.containers[0].env[?(@.name=="SERVER_JVMFLAGS")].value}`, "-Xmx160m -Xmx160m -Xmx160m")
			takeBack(s)
			upgrade := page(s, "Another release of ZooKeeper")
			shell(s, upgrade[0])
			image := "zklab.local/zookeeper:" + c.next
			s.Image(c.next)
			shell(s, "image="+image+"\n"+upgrade[1])
			if c.version == "3.4.13" {
				shell(s, "line=db.autocreate=false change=guard\n"+page(s, "zoo.cfg")[0])
			}
			inPods(s, `{.items[*].spec.containers[0].image}`, strings.Join([]string{image, image, image}, " "))
			plain(s)
			s.NothingLost()
		})
	}
}

// takeBack has an update stop at its first pod, and takes it back.
func takeBack(s *scene.Scene) {
	s.T.Helper()
	first, before := s.Name+"-pod-2", uids(pods(s))
	s.Kubectl("set", "image", "statefulset/"+s.Name+"-pod", "zookeeper=zklab.local/none:1")
	scene.Eventually(s.T, "the first pod does not run", func() error {
		return scene.Contains(s.Kubectl("get", "pod", first, "-o", "jsonpath={..waiting.reason}"), "ImagePull")
	})
	shell(s, "pod="+first+"\n"+page(s, "Take a change back")[0])
	for name, uid := range uids(pods(s)) {
		if same := uid == before[name]; same == (name == first) {
			s.T.Errorf("pod %s is the same: %t", name, same)
		}
	}
	plain(s)
}

// inPods wants that of the ensemble's pods.
func inPods(s *scene.Scene, jsonpath, want string) {
	s.T.Helper()
	if got := s.Kubectl("get", "pods", "-l", "zkmigrate.io/ensemble="+s.Name, "-o", "jsonpath="+jsonpath); got != want {
		s.T.Errorf("%s of the pods: %s, want %s", jsonpath, got, want)
	}
}

// pods are the ensemble's, by name.
func pods(s *scene.Scene) map[string]corev1.Pod {
	s.T.Helper()
	list, err := s.Kube.CoreV1().Pods(s.Name).List(s.T.Context(), metav1.ListOptions{LabelSelector: "zkmigrate.io/ensemble=" + s.Name})
	if err != nil {
		s.T.Fatal(err)
	}
	out := map[string]corev1.Pod{}
	for _, p := range list.Items {
		out[p.Name] = p
	}
	return out
}

// drainEach drains each node in turn; then two at once, of which the budget holds one.
func drainEach(s *scene.Scene) {
	s.T.Helper()
	script := page(s, "Drain a node")[0]
	before := pods(s)
	for name, pod := range before {
		shell(s, "node="+pod.Spec.NodeName+"\n"+script)
		for other, now := range pods(s) {
			if again := now.UID != before[other].UID; again != (other == name) {
				s.T.Errorf("node %s of pod %s was drained: pod %s was made again: %t", pod.Spec.NodeName, name, other, again)
			}
		}
		before = pods(s)
	}
	var nodes []string
	for _, pod := range before {
		nodes = append(nodes, pod.Spec.NodeName)
	}
	drain(s, nodes[0])
	held(s, nodes[1])
	for _, node := range nodes {
		s.Kubectl("uncordon", node)
	}
	s.Kubectl("rollout", "status", "statefulset/"+s.Name+"-pod", "--timeout=5m")
	plain(s)
}
