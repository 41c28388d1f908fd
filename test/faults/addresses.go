package faults

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// The lab's ranges.
const (
	podRange     = "10.78.0.0/16"
	serviceRange = "10.79.0.0/16"
)

func nodeOf(p *corev1.Pod) string { return p.Status.HostIP }
func podOf(p *corev1.Pod) string  { return p.Status.PodIP }

// masquerade has nodes send with their own addresses what matches of what their pods send, until
// unmasquerade.
func (g *Stage) masquerade(match ...string) {
	g.T.Helper()
	g.masqueraded = match
	g.T.Cleanup(g.unmasquerade)
	g.onNodes("-A", match)
}

// unmasquerade ends what masquerade began.
func (g *Stage) unmasquerade() {
	g.T.Helper()
	if g.masqueraded != nil {
		g.onNodes("-D", g.masqueraded)
	}
	g.masqueraded = nil
}

func (g *Stage) onNodes(how string, match []string) {
	g.T.Helper()
	ctx := afterwards(g.T)
	nodes, err := g.Kube.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	for _, n := range nodes.Items {
		rule := append([]string{"exec", n.Name, "--", "iptables", "-t", "nat", how, "POSTROUTING", "-s", podRange}, match...)
		g.Must(g.Lab.Zklab(ctx, append(rule, "-j", "MASQUERADE")...))
	}
}

// seenAs waits until ZooKeeper at an address sees the parked pod as whom it should.
func (g *Stage) seenAs(address string, whom func(*corev1.Pod) string) {
	g.T.Helper()
	pod := g.Pod()
	ask := fmt.Sprintf("exec 3<>/dev/tcp/%s/%d && printf cons >&3 && cat <&3", address, g.Host(g.ID).ClientPort)
	scene.Eventually(g.T, "ZooKeeper sees the pod as "+whom(pod), func() error {
		return scene.Contains(g.Kubectl("exec", pod.Name, "--", "bash", "-c", ask), "/"+whom(pod)+":")
	})
}

func (g *Stage) clusterIP(id int) string {
	g.T.Helper()
	return g.Kubectl("get", "service", fmt.Sprintf("%s-%d", g.Name, id), "-o", "jsonpath={.spec.clusterIP}")
}

// isolate loses everything between the server's pod and others, until Heal.
func (g *Stage) isolate() {
	g.T.Helper()
	pod := g.Pod()
	g.disturb("drop", pod.Spec.NodeName, "--from", pod.Status.PodIP)
	g.disturb("drop", pod.Spec.NodeName, "--to", pod.Status.PodIP)
}

// misname has the host of one server resolve the Service of another to that one's host, until
// zklab net heal.
func (g *Stage) misname(on, id int) {
	g.T.Helper()
	name := fmt.Sprintf("%s-%d.%s.svc.cluster.local", g.Name, id, g.Name)
	g.disturb("misname", fmt.Sprintf("%s/%d", g.Name, on), name+"="+g.Host(id).Address)
	scene.Eventually(g.T, "the name leads to the old address", func() error {
		r, err := g.Lab.Zklab(g.T.Context(), "exec", fmt.Sprintf("%s/%d", g.Name, on), "--", "getent", "hosts", name)
		if err != nil {
			return err
		}
		if fields := strings.Fields(r.Stdout); len(fields) == 0 || fields[0] != g.Host(id).Address {
			return fmt.Errorf("%q", r.Stdout)
		}
		return nil
	})
}

// asksHosts has hosts report; what they say is kept for the commands of an hour.
func (g *Stage) asksHosts() []string {
	return []string{"check", g.Name, "--host-hook", g.Lab.HookCommand()}
}
