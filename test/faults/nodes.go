package faults

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// nodes are faults of the machines that pods run on.
func nodes() []Fault {
	lost := func(name, what, way string, recover func(*Stage)) Fault {
		return Fault{
			Name: name, What: what,
			Version: Guarded, From: InPod, Command: []string{"replace", "{name}", "--id={other}"}, Alone: true,
			Trigger: func(g *Stage) { g.PowerOff(g.Pod().Spec.NodeName) },
			Verdict: Verdict{Code: migration.CodeDegraded, Exit: 3, Says: "pod {pod} of server {id}: node", Next: "replace {name} --id={id}"},
			Way:     way,
			Recover: func(g *Stage) {
				g.Follow()
				g.Stopped(3, migration.CodePodAway)
				recover(g)
			},
			After: InPod, NoAddress: podGone,
		}
	}
	back := lost("node-lost", "The node of a replaced server loses its power.",
		"Nothing is stopped meanwhile. `replace` of that server, as printed, says what is wrong and both ways out; here the machine comes back, and the pod serves again with its data.",
		func(g *Stage) { g.PowerOn() })
	back.NoAddress = "a node that has booted tells of the pod before it has given it an address again"
	forGood := lost("node-lost-for-good", "The same, and the machine does not come back: the pod's volume goes with it.",
		"`replace` of that server, as printed, says it: make sure that the machine is off, then an administrator deletes the node, and the claim and the pod with it. The next pod, on another node, refuses to start from nothing; `replace` of it again has the others prove that they hold everything.",
		func(g *Stage) {
			g.Administrate()
			g.GateSays("state=refused")
			g.Begin("replace", g.Name, g.fill("--id={id}"))
			g.Ends()
		})
	few := Fault{
		Name: "too-few-nodes", What: "`replace --all` where fewer nodes than servers take pods, and the operator may not see nodes.",
		Version: Guarded, From: OnHost, Command: []string{"replace", "{name}", "--all"}, Alone: true,
		Trigger: func(g *Stage) { g.Cordon(len(g.IDs) - 1); g.Unpark() },
		Verdict: Verdict{Code: migration.CodePodNotParked, Exit: Waits, Says: "no node takes the pod", Next: "kubectl describe pod {name}-pod-"},
		Way:     "No server has been stopped: all pods park first. Make room, and the command goes on.",
		Recover: func(g *Stage) {
			g.Never(migration.StepStopHost)
			g.Uncordon()
			g.Ends()
		},
		After: InPod,
	}
	return []Fault{back, forGood, few}
}

// Cordon leaves so many nodes that take pods, until Uncordon.
func (g *Stage) Cordon(left int) {
	g.T.Helper()
	nodes, err := g.Kube.CoreV1().Nodes().List(g.T.Context(), metav1.ListOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	g.T.Cleanup(g.Uncordon)
	for _, n := range nodes.Items[left:] {
		g.cordoned = append(g.cordoned, n.Name)
		g.Kubectl("cordon", n.Name)
	}
}

// Uncordon ends what Cordon began.
func (g *Stage) Uncordon() {
	g.T.Helper()
	for _, node := range g.cordoned {
		g.Kubectl("uncordon", node)
	}
	g.cordoned = nil
}

// Never fails where the command has done the step.
func (g *Stage) Never(step migration.StepID) {
	g.T.Helper()
	if log := g.tool.Log(); strings.Contains(log, okay(step)) {
		g.T.Errorf("it has done %s:\n%s", step, log)
	}
}

// PowerOff cuts a node's power and waits until Kubernetes has noticed, which
// takes some 40 s.
func (g *Stage) PowerOff(node string) {
	g.T.Helper()
	g.off = node
	g.T.Cleanup(func() {
		if g.off != "" {
			g.PowerOn()
		}
	})
	// A node that has just booted serves before Kubernetes knows that it is back.
	scene.Within(g.T, patience, "the node is ready", func() error { return g.nodeIs(node, true) })
	g.Zklab("node", "kill", node)
	scene.Within(g.T, patience, "the node is not ready", func() error { return g.nodeIs(node, false) })
	scene.Within(g.T, patience, "its pod is not ready", func() error {
		for _, c := range g.Pod().Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return errors.New("it is")
			}
		}
		return nil
	})
}

// nodeIs is an error while Kubernetes takes the node for something else.
func (g *Stage) nodeIs(node string, ready bool) error {
	n, err := g.Kube.CoreV1().Nodes().Get(g.T.Context(), node, metav1.GetOptions{})
	if err != nil {
		return err
	}
	is := slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
	if is != ready {
		return fmt.Errorf("ready: %t", is)
	}
	return nil
}

// PowerOn boots the node that is off.
func (g *Stage) PowerOn() {
	g.T.Helper()
	g.Must(g.Lab.Zklab(afterwards(g.T), "node", "start", g.off))
	g.off = ""
}

// Evict evicts the pod as a drain does. The budget refuses; then it is deleted,
// and it works.
func (g *Stage) Evict() {
	g.T.Helper()
	evict := func() error {
		return g.Kube.PolicyV1().Evictions(g.Name).Evict(g.T.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: g.PodName(), Namespace: g.Name}})
	}
	if err := evict(); !apierrors.IsTooManyRequests(err) {
		g.T.Errorf("evicted beside a budget: %v", err)
	}
	budgets := g.Kube.PolicyV1().PodDisruptionBudgets(g.Name)
	budget, err := budgets.Get(g.T.Context(), render.HeadlessName(g.Name), metav1.GetOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	g.T.Cleanup(func() {
		budget.ResourceVersion, budget.UID = "", ""
		if _, err := budgets.Create(afterwards(g.T), budget, metav1.CreateOptions{}); err != nil {
			g.T.Errorf("the budget is not put back: %v", err)
		}
	})
	g.Kubectl("delete", "poddisruptionbudget", budget.Name)
	if err := evict(); err != nil {
		g.T.Fatal(err)
	}
}
