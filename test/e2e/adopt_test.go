//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestAdopted hands a finalized ensemble over to another StatefulSet, laid out as public charts lay
// out theirs, by the commands of docs/finalize.md, with a client that writes throughout.
func TestAdopted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, version string }{{"adopt380", "3.8.0"}, {"adopt3413", "3.4.13"}} {
		t.Run(c.version, func(t *testing.T) {
			t.Parallel()
			s := scene.New(t, c.name, c.version, []int{1, 2, 3})
			s.Ready()
			s.Replace(0, "--all")
			s.Zkmigrate(0, "finalize", s.Name, "--yes", "--give-up-way-back="+s.Name, "--timeout", "6m")
			verdict := s.WatchRestarts()

			how := page(s, "Another StatefulSet, a chart, an operator")
			if len(how) != 6 {
				t.Fatalf("docs/finalize.md has %d blocks", len(how))
			}
			configure, claims, orphan, inSync, move, rest := how[0], how[1], how[2], how[3], how[4], how[5]
			shell(s, configure)
			shell(s, claims)
			install(s)
			shell(s, orphan)
			first, leader := modes(s, "pod="+s.Name+"-pod-0\n"+inSync)
			moved := ""
			for i, id := range append(first, leader) {
				n := id - 1
				shell(s, fmt.Sprintf("id=%d n=%d\n", id, n)+move)
				moved = fmt.Sprintf("zk-zookeeper-%d", n)
				_, leads := modes(s, "pod="+moved+"\n"+inSync)
				if i < len(first) && leads != leader {
					t.Errorf("server %d leads after server %d was moved, and %d led before", leads, id, leader)
				}
			}
			shell(s, rest)
			verdict()
			adopted(s)

			// From now on the chart restarts them.
			s.Kubectl("rollout", "restart", "statefulset/zk-zookeeper")
			s.Kubectl("rollout", "status", "statefulset/zk-zookeeper", "--timeout=8m")
			modes(s, "pod="+moved+"\n"+inSync)
			s.NothingLost()
		})
	}
}

// install applies what charts install: everything by their own names and labels, an id by the
// ordinal, a probe that asks whether the server runs.
func install(s *scene.Scene) {
	s.T.Helper()
	text, err := os.ReadFile("testdata/chart.yaml")
	if err != nil {
		s.T.Fatal(err)
	}
	file := s.File("chart.yaml")
	chart := strings.NewReplacer("VERSION", s.Version, "CLASS", "zklab-"+s.Name).Replace(string(text))
	if err := os.WriteFile(file, []byte(chart), 0o600); err != nil {
		s.T.Fatal(err)
	}
	s.Kubectl("apply", "-f", file)
	scene.Eventually(s.T, "the chart's pods wait for their volumes", func() error {
		for n := range s.IDs {
			pod, err := s.Kube.CoreV1().Pods(s.Name).Get(s.T.Context(), fmt.Sprintf("zk-zookeeper-%d", n), metav1.GetOptions{})
			if err != nil {
				return err
			}
			if pod.Status.Phase != corev1.PodPending || len(pod.Status.Conditions) == 0 {
				return fmt.Errorf("pod %s is %s", pod.Name, pod.Status.Phase)
			}
			if err := scene.Contains(pod.Status.Conditions[0].Message, "unbound immediate PersistentVolumeClaims"); err != nil {
				return err
			}
		}
		return nil
	})
}

// modes waits until all servers are in sync, and tells who follows and who leads.
func modes(s *scene.Scene, script string) (followers []int, leader int) {
	s.T.Helper()
	scene.Eventually(s.T, "all servers are in sync", func() error {
		followers, leader = nil, 0
		told := shell(s, script)
		for _, id := range s.IDs {
			_, of, _ := strings.Cut(told, fmt.Sprintf("service/%s-%d ", s.Name, id))
			line, _, _ := strings.Cut(of, "\n")
			switch {
			case strings.Contains(line, "Mode: leader") && leader == 0:
				leader = id
			case strings.Contains(line, "Mode: follower"):
				followers = append(followers, id)
			}
		}
		if leader == 0 || len(followers) != len(s.IDs)-1 {
			return errors.New(told)
		}
		return nil
	})
	return followers, leader
}

// adopted wants the chart's pods and claims, and nothing of the old set.
func adopted(s *scene.Scene) {
	s.T.Helper()
	pods := s.Kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.name}")
	if pods != "zk-zookeeper-0 zk-zookeeper-1 zk-zookeeper-2" {
		s.T.Errorf("pods: %s", pods)
	}
	claims := s.Kubectl("get", "pvc", "-o", "jsonpath={.items[*].metadata.name}")
	if claims != "data-zk-zookeeper-0 data-zk-zookeeper-1 data-zk-zookeeper-2" {
		s.T.Errorf("claims: %s", claims)
	}
}
