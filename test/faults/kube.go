package faults

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

func idOf(id int) ensemble.ID { return ensemble.ID(id) }

// Unpark deletes the StatefulSet and waits until its pods are gone; their
// claims and the gate stay.
func (g *Stage) Unpark() {
	g.T.Helper()
	g.Kubectl("delete", "statefulset", render.StatefulSetName(g.Name), "--ignore-not-found")
	scene.Eventually(g.T, "the pods are gone", func() error {
		pods, err := g.Kube.CoreV1().Pods(g.Name).List(g.T.Context(), metav1.ListOptions{})
		if err == nil && len(pods.Items) > 0 {
			return fmt.Errorf("%d are left", len(pods.Items))
		}
		return err
	})
}

// Quota keeps the namespace to so much, until Unquota, once Kubernetes counts.
func (g *Stage) Quota(hard string) {
	g.T.Helper()
	g.T.Cleanup(func() {
		if g.T.Failed() {
			g.Unquota()
		}
	})
	g.Kubectl("create", "quota", "fault", "--hard="+hard)
	scene.Eventually(g.T, "the quota counts", func() error {
		q, err := g.Kube.CoreV1().ResourceQuotas(g.Name).Get(g.T.Context(), "fault", metav1.GetOptions{})
		if err == nil && len(q.Status.Hard) == 0 {
			return errors.New("not yet")
		}
		return err
	})
}

// Unquota ends Quota.
func (g *Stage) Unquota() {
	g.T.Helper()
	if err := g.Kube.CoreV1().ResourceQuotas(g.Name).Delete(afterwards(g.T), "fault", metav1.DeleteOptions{}); err != nil {
		g.T.Errorf("the quota is not taken away: %v", err)
	}
}

// Unclaim deletes the pods' claims and empties their volumes.
func (g *Stage) Unclaim() {
	g.T.Helper()
	g.Kubectl("delete", "pvc", "--all")
	scene.Eventually(g.T, "the volumes are free", func() error {
		g.Zklab("ensemble", "recycle", g.Name)
		volumes, err := g.Kube.CoreV1().PersistentVolumes().List(g.T.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, v := range volumes.Items {
			if v.Spec.StorageClassName == "zklab-"+g.Name && v.Spec.ClaimRef != nil {
				return fmt.Errorf("%s is not", v.Name)
			}
		}
		return nil
	})
}

// LoseVolume deletes the pod with its volume, and waits until its successor on
// another volume has looked at it.
func (g *Stage) LoseVolume() {
	g.T.Helper()
	g.Kubectl("delete", "pvc", render.ClaimName(g.Name, g.ordinal()), "--wait=false")
	g.Kubectl("delete", "pod", g.PodName())
	g.GateSays("state=refused")
}

// InVolume runs a shell script in the folder of the pod's volume.
func (g *Stage) InVolume(script string) {
	g.T.Helper()
	ctx := afterwards(g.T)
	claim, err := g.Kube.CoreV1().PersistentVolumeClaims(g.Name).Get(ctx, render.ClaimName(g.Name, g.ordinal()), metav1.GetOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	volume, err := g.Kube.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Dir = volume.Spec.Local.Path
	if out, err := cmd.CombinedOutput(); err != nil {
		g.T.Fatalf("%s: %v: %s", script, err, out)
	}
}

// Contaminate puts another server's id into the pod's volume and waits until
// its gate has seen it; Clean takes it away.
func (g *Stage) Contaminate() {
	g.T.Helper()
	g.Parked()
	g.T.Cleanup(func() {
		if g.T.Failed() {
			g.Clean()
		}
	})
	g.InVolume("mkdir -p data && echo 99 >data/myid && chown -R 1000:1000 data")
	g.GateSays("belongs to another server")
}

// Clean ends Contaminate.
func (g *Stage) Clean() { g.T.Helper(); g.InVolume("rm -rf data") }

// BigZnode writes a znode of that many bytes, with a client in the parked pod;
// 3.4's client does not run on the image's Java.
func (g *Stage) BigZnode(size int) {
	g.T.Helper()
	g.Parked()
	main := "java -cp '/opt/zookeeper/lib/*' org.apache.zookeeper.ZooKeeperMain -waitforconnection -server " + labkit.Connect([]labkit.Host{g.Host(g.Leader)})
	out := g.Kubectl("exec", g.PodName(), "--", "sh", "-c", fmt.Sprintf("%s create /big $(head -c %d /dev/zero | tr '\\0' x) 2>&1; %s stat /big 2>&1", main, size, main))
	if want := fmt.Sprintf("dataLength = %d", size); !strings.Contains(out, want) {
		g.T.Fatalf("no %q in:\n%s", want, out)
	}
}

// Throttle slows down what reaches the pod; Unthrottle ends that. The rate is
// tc's, such as 64kbit.
func (g *Stage) Throttle(rate string) {
	g.T.Helper()
	g.onLink("tc qdisc add dev $dev root tbf rate " + rate + " burst 4kb latency 60s")
}

// Unthrottle ends Throttle.
func (g *Stage) Unthrottle() {
	g.T.Helper()
	g.onLink("tc qdisc del dev $dev root")
}

// onLink runs a command on the node's end of the pod's cable.
func (g *Stage) onLink(command string) {
	g.T.Helper()
	pod := g.Pod()
	script := "dev=$(ip -o route get " + pod.Status.PodIP + " | sed 's/.* dev \\([^ ]*\\).*/\\1/') && " + command
	g.Must(g.Lab.Zklab(g.T.Context(), "exec", pod.Spec.NodeName, "--", "sh", "-c", script))
}

// asOperator runs a printed kubectl command with the operator's own rights.
func (g *Stage) asOperator(command string) {
	g.T.Helper()
	g.Must(g.Lab.OnClient(g.T.Context(), "sh", "-c", command))
}

// hasPod reports whether the server's pod exists.
func (g *Stage) hasPod() bool {
	g.T.Helper()
	_, err := g.Kube.CoreV1().Pods(g.Name).Get(g.T.Context(), g.PodName(), metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		g.T.Fatal(err)
	}
	return err == nil
}

// Parked makes sure that the pod exists and waits at its gate; a fault that is
// played alone finds none.
func (g *Stage) Parked() {
	g.T.Helper()
	if !g.hasPod() {
		g.Begin("replace", g.Name, g.fill("--id={id}"))
		g.sees("mask the server's unit")
		g.interrupt()
		g.Begin("revert", g.Name, g.fill("--id={id}"))
		g.Ends()
		g.tool = nil
	}
	g.GateSays("state=parked")
}
