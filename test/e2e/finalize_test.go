//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestFinalize ends a migration with a client that writes and a command that is killed at
// random moments; then Kubernetes restarts the pods by itself, from a template in which
// nothing of ours is left.
func TestFinalize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, version string }{{"finalize380", "3.8.0"}, {"finalize3413", "3.4.13"}} {
		t.Run(c.version, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && c.version == "3.4.13" {
				t.Skip("-short: the other release shows the same")
			}
			s := scene.New(t, c.name, c.version, []int{1, 2, 3})
			s.Ready()
			s.Replace(0, "--all")
			before := s.Status()
			if r := s.Zkmigrate(3, "finalize", s.Name, "--yes"); !strings.Contains(r.Stderr, "--give-up-way-back="+s.Name) {
				t.Errorf("the name is not asked for:\n%s", r.Stderr)
			}
			args := []string{"finalize", s.Name, "--yes", "--give-up-way-back=" + s.Name, "--timeout", "6m"}
			t.Logf("%d kills", killed(s, 20, 300*time.Millisecond, 3*time.Second, args...))
			after := s.Status()
			if !after.Healthy || after.Replaced != 3 || after.Epoch != before.Epoch+1 || after.Next != "" {
				t.Errorf("at the end: %+v; want one election (epoch %d before)", after, before.Epoch)
			}
			beginsNothing(s)
			plain(s)

			shell(s, "memory=640Mi flags=-Xmx160m\n"+page(s, "Memory, CPU, JVM flags")[0])
			inPods(s, `{.items[*].spec.containers[0].resources.limits.memory}`, "640Mi 640Mi 640Mi")
			inPods(s, `{.items[*].spec.containers[0].env[?(@.name=="SERVER_JVMFLAGS")].value}`, "-Xmx160m -Xmx160m -Xmx160m")
			plain(s)
			lostVolume(s)
			plain(s)
			s.NothingLost()

			mayRemove(s)
			t.Logf("%d kills", killed(s, 20, 50*time.Millisecond, 2*time.Second, append(args, "--delete-helpers")...))
			maps, err := s.Kube.CoreV1().ConfigMaps(s.Name).List(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, cm := range maps.Items {
				if cm.Name != "kube-root-ca.crt" {
					names = append(names, cm.Name)
				}
			}
			if len(names) != 2 || !strings.HasPrefix(names[0], s.Name+"-conf-") || names[1] != s.Name+"-migration-report" {
				t.Errorf("ConfigMaps that are left: %v", names)
			}
			if leases := s.Kubectl("get", "leases", "-o", "name"); leases != "" {
				t.Errorf("Leases that are left: %s", leases)
			}
			beginsNothing(s)
			shell(s, page(s, "Restart")[0])
			plain(s)
		})
	}
}

// beginsNothing: commands that would begin again, or change what is no longer ours, are refused
// and change nothing.
func beginsNothing(s *scene.Scene) {
	s.T.Helper()
	before := s.Kubectl("get", "services,endpointslices,statefulsets,pods", "-o", "jsonpath={.items[*].metadata.uid}")
	hook := []string{"--host-hook", s.Lab.HookCommand(), "--yes"}
	for _, args := range [][]string{
		{"wrap", s.Name},
		append([]string{"wrap", s.Name}, s.Files()...),
		append(append([]string{"reconfigure", s.Name}, s.Files()...), hook...),
		{"park", s.Name},
		append([]string{"replace", s.Name, "--all"}, hook...),
		append([]string{"revert", s.Name, "--id=1"}, hook...),
		{"apply", s.Name, "--memory=1Gi", "--yes"},
		{"retire", s.Name, "--id=1", "--host-gone=" + s.Host(1).Address},
		{"unwrap", s.Name},
	} {
		if r := s.Zkmigrate(3, args...); !strings.Contains(r.Stderr, "[Finalized]") {
			s.T.Errorf("%s is refused otherwise:\n%s", args[0], r.Stderr)
		}
	}
	if after := s.Kubectl("get", "services,endpointslices,statefulsets,pods", "-o", "jsonpath={.items[*].metadata.uid}"); after != before {
		s.T.Errorf("objects before: %s; after: %s", before, after)
	}
}

// lostVolume has the pod of server 1 come up on an empty volume, where it must not start, and
// follows docs/finalize.md.
func lostVolume(s *scene.Scene) {
	s.T.Helper()
	ctx, pod, claim := s.T.Context(), s.Name+"-pod-0", "data-"+s.Name+"-pod-0"
	s.Kubectl("delete", "pvc", claim, "--wait=false")
	s.Kubectl("delete", "pod", pod)
	scene.Eventually(s.T, "the pod ends without an id, twice", func() error {
		got, err := s.Kube.CoreV1().Pods(s.Name).Get(ctx, pod, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, c := range got.Status.ContainerStatuses {
			if c.Ready {
				s.T.Fatal("a server started on an empty volume")
			}
			if c.RestartCount >= 2 {
				return nil
			}
		}
		return fmt.Errorf("%+v", got.Status.ContainerStatuses)
	})
	bound, err := s.Kube.CoreV1().PersistentVolumeClaims(s.Name).Get(ctx, claim, metav1.GetOptions{})
	if err != nil {
		s.T.Fatal(err)
	}
	volume, err := s.Kube.CoreV1().PersistentVolumes().Get(ctx, bound.Spec.VolumeName, metav1.GetOptions{})
	if err != nil {
		s.T.Fatal(err)
	}
	put := exec.CommandContext(ctx, "sh", "-c", "mkdir -p data && echo 1 >data/myid && chown -R 1000:1000 data")
	put.Dir = volume.Spec.Local.Path
	if out, err := put.CombinedOutput(); err != nil {
		s.T.Fatalf("%v: %s", err, out)
	}
	s.Kubectl("delete", "pod", pod)
	s.Kubectl("rollout", "status", "statefulset/"+s.Name+"-pod", "--timeout=5m")
}

// plain wants pods that run what the image says, and nothing else.
func plain(s *scene.Scene) {
	s.T.Helper()
	pods, err := s.Kube.CoreV1().Pods(s.Name).List(s.T.Context(), metav1.ListOptions{})
	if err != nil {
		s.T.Fatal(err)
	}
	ready := 0
	for _, pod := range pods.Items {
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				ready++
			}
		}
		c := pod.Spec.Containers[0]
		if len(pod.Spec.Containers) != 1 || len(pod.Spec.InitContainers) != 0 || len(c.Command) != 0 || strings.Join(c.Args, " ") != "zkServer.sh start-foreground /conf/zoo.cfg" {
			s.T.Errorf("pod %s runs %q %q, of %d containers", pod.Name, c.Command, c.Args, len(pod.Spec.Containers))
		}
		for _, v := range pod.Spec.Volumes {
			if v.ConfigMap != nil && !strings.HasPrefix(v.ConfigMap.Name, s.Name+"-conf-") {
				s.T.Errorf("pod %s mounts ConfigMap %s", pod.Name, v.ConfigMap.Name)
			}
		}
	}
	if ready != len(s.IDs) {
		s.T.Errorf("%d pods are ready", ready)
	}
}

// TestFinalizeUndone: finalize is killed once a pod has no gate; --undo, which is killed at random
// moments, gives all pods theirs again, and a server can go back to its host.
func TestFinalizeUndone(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "finalizeundo", "3.8.0", []int{1, 2, 3})
	s.Ready()
	s.Replace(0, "--all")
	p := s.Start("finalize.log", "finalize", s.Name, "--yes", "--give-up-way-back="+s.Name, "--timeout", "6m")
	scene.Eventually(t, "a server runs in a pod without a gate", func() error {
		for _, server := range s.Status().Servers {
			if server.Phase == "ungated" {
				return nil
			}
		}
		return fmt.Errorf("not yet:\n%s", p.Log())
	})
	p.Kill()
	t.Logf("%d kills", killed(s, 20, 300*time.Millisecond, 2*time.Second, "finalize", s.Name, "--undo", "--yes", "--timeout", "6m"))
	for _, server := range s.Status().Servers {
		if server.Phase != "replaced" {
			t.Errorf("server %d is %s", server.ID, server.Phase)
		}
	}
	s.Revert(1)
	if st := s.Status(); !st.Healthy || st.Replaced != 2 {
		t.Errorf("at the end: %+v", st)
	}
	s.NothingLost()
}
