//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestLaptop is the whole road from a machine that reaches the API server and nothing else
// of the lab: not a host, not a Service, not a pod. ZooKeeper is asked through pods, with
// the published Role.
func TestLaptop(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, version string }{{"laptop380", "3.8.0"}, {"laptop3413", "3.4.13"}} {
		t.Run(c.version, func(t *testing.T) {
			t.Parallel()
			s := scene.New(t, c.name, c.version, []int{1, 2, 3})
			s.ToLaptop()
			image := "--probe-image=zklab.local/zookeeper:" + c.version
			if r := s.Zkmigrate(3, append([]string{"check", s.Name, "--timeout", "1m"}, s.Files()...)...); !strings.Contains(r.Stdout, "was not seen from here") {
				t.Fatalf("this machine sees the servers, and the test shows nothing:\n%s", r.Stdout)
			}
			s.Zkmigrate(0, append([]string{"check", s.Name, "--probe-via=pod", image}, s.Files()...)...)
			s.Wrap("--probe-via=pod", image)
			s.StartLoad()
			s.Zkmigrate(0, "clients", s.Name, "--probe-via=pod")
			s.Reconfigure("--probe-via=pod")
			s.Zkmigrate(0, "reconfigure", s.Name, "--verify", "--timeout", "1m", "--probe-via=pod")
			verdict := s.WatchSlices()
			r := s.Replace(0, "--all", "--probe-via=pod")
			for _, id := range s.IDs {
				if want := fmt.Sprintf("server %d runs in pod", id); !strings.Contains(r.Stderr+r.Stdout, want) {
					t.Errorf("%s is not said:\n%s", want, r.Stderr)
				}
			}
			// By now there are pods to ask through, and nothing has to be said or made.
			if st := s.Status(); !st.Healthy || st.Replaced != 3 {
				t.Errorf("after replace --all: %+v", st)
			}
			leader := s.Status().Leader
			s.Revert(scene.But(s.IDs, leader)[0])
			s.Revert(leader)
			verdict()
			if st := s.Status(); !st.Healthy || st.Replaced != 1 {
				t.Errorf("after two reverts: %+v", st)
			}
			s.NothingLost()
			pods, err := s.Kube.CoreV1().Pods(s.Name).List(t.Context(), metav1.ListOptions{LabelSelector: "zkmigrate.io/role=probe"})
			if err != nil || len(pods.Items) != 0 {
				t.Errorf("%d probe pods are left (%v)", len(pods.Items), err)
			}
		})
	}
}

// TestLaptopKilled kills the command on such a machine 20 times, at random moments, on the
// way into the pod and back. The same command goes on; the pods that were made to ask
// through end by themselves, and no more than four are there at once.
func TestLaptopKilled(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "laptopkilled", "3.8.0", []int{1, 2, 3})
	s.Ready()
	id := scene.But(s.IDs, s.Status().Leader)[0]
	s.ToLaptop()
	verdict := s.WatchSlices()
	kills := 0
	for _, verb := range []string{"replace", "revert"} {
		args := []string{verb, s.Name, fmt.Sprintf("--id=%d", id), "--yes", "--host-hook", s.Lab.HookCommand(), "--timeout", "4m", "--probe-via=pod"}
		kills += killed(s, 10, 300*time.Millisecond, 4*time.Second, args...)
	}
	verdict()
	t.Logf("%d kills", kills)
	if st := s.Status(); !st.Healthy || st.Replaced != 0 {
		t.Errorf("at the end: %+v", st)
	}
	s.NothingLost()
	scene.Eventually(t, "the pods that were made for it have ended", func() error {
		pods, err := s.Kube.CoreV1().Pods(s.Name).List(t.Context(), metav1.ListOptions{LabelSelector: "zkmigrate.io/role=probe", FieldSelector: "status.phase=Running"})
		if err == nil && len(pods.Items) > 0 {
			err = fmt.Errorf("%d still run", len(pods.Items))
		}
		return err
	})
}
