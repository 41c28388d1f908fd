package preflight

import (
	"fmt"
	"slices"
	"sort"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
)

// nodes counts where the pods that are not there yet would fit, as the scheduler
// does: cordons, taints, nodeSelector, what other pods have reserved, and, where each
// server must have a node of its own, who is there already. It knows nothing of where
// volumes can be, nor of other affinities of a pod template; the scheduler has the last word while the pods are parked.
func nodes(r Room) (wrong []string, skip string) {
	if skip := r.unknown(LookNodes); skip != "" {
		return nil, skip
	}
	ask := r.sum().Requests
	apart := r.Set.Spec.Template.Spec.Affinity != nil && r.Set.Spec.Template.Spec.Affinity.PodAntiAffinity != nil &&
		len(r.Set.Spec.Template.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution) > 0
	fit := 0
	var why []string
	for _, n := range r.Nodes {
		reason := r.closed(n)
		room := 0
		if reason == "" {
			room, reason = r.roomOn(n, ask, apart)
		}
		if fit += room; room == 0 {
			why = append(why, fmt.Sprintf("node %s: %s", n.Name, reason))
		}
	}
	if need := r.created(); fit < need {
		sort.Strings(why)
		kind := "room for"
		if apart {
			kind = "nodes that may each take one of"
		}
		return append([]string{fmt.Sprintf("%d pods are to be created (%s each), and there are %d %s them", need, words(ask), fit, kind)}, why...), ""
	}
	return nil, r.unknown(LookNodePods)
}

// closed says why the scheduler puts none of our pods on a node.
func (r Room) closed(n corev1.Node) string {
	spec := r.Set.Spec.Template.Spec
	if n.Spec.Unschedulable {
		return "cordoned"
	}
	for _, t := range n.Spec.Taints {
		if (t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute) && !tolerated(spec.Tolerations, t) {
			return fmt.Sprintf("tainted %s=%s:%s", t.Key, t.Value, t.Effect)
		}
	}
	if !selected(spec.NodeSelector, n.Labels) {
		return fmt.Sprintf("not one of nodeSelector %s", labels.Set(spec.NodeSelector))
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue {
			return "not ready"
		}
	}
	return ""
}

// tolerated takes Lt and Gt at their word: an API server that has no such operators accepts
// no pod with them.
func tolerated(by []corev1.Toleration, t corev1.Taint) bool {
	return slices.ContainsFunc(by, func(tol corev1.Toleration) bool { return tol.ToleratesTaint(logr.Discard(), &t, true) })
}

// roomOn is how many of our pods fit on a node. What the user may not see counts
// as not there.
func (r Room) roomOn(n corev1.Node, ask corev1.ResourceList, apart bool) (int, string) {
	free := n.Status.Allocatable.DeepCopy()
	if free == nil {
		// A node whose kubelet has not reported yet.
		free = corev1.ResourceList{}
	}
	pods := r.NodePods
	if r.Unknown[LookNodePods] != "" {
		pods = r.Pods
	}
	for _, p := range pods {
		if p.Spec.NodeName != n.Name || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed || r.leaves(p) {
			continue
		}
		if apart && p.Namespace == r.Set.Namespace && selected(r.Set.Spec.Selector.MatchLabels, p.Labels) {
			return 0, "server's pod " + p.Name + " runs there"
		}
		for _, c := range p.Spec.Containers {
			for name, q := range c.Resources.Requests {
				left := free[name]
				left.Sub(q)
				free[name] = left
			}
		}
		left := free[corev1.ResourcePods]
		left.Sub(resource.MustParse("1"))
		free[corev1.ResourcePods] = left
	}
	room := r.created()
	if apart {
		room = 1
	}
	for name, q := range ask {
		left := free[name]
		fits := 0
		for times := q.DeepCopy(); fits < room && times.Cmp(left) <= 0; times.Add(q) {
			fits++
		}
		if room = fits; room == 0 {
			return 0, fmt.Sprintf("%s of %s is left", left.String(), name)
		}
	}
	if left := free[corev1.ResourcePods]; left.Value() < int64(room) {
		room = max(0, int(left.Value()))
	}
	if room == 0 {
		return 0, "it has as many pods as it may"
	}
	return room, ""
}

func (r Room) leaves(p corev1.Pod) bool {
	return slices.ContainsFunc(r.Leaving, func(l corev1.Pod) bool { return l.UID == p.UID })
}

func selected(selector, labels map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return true
}

// words is a list of quantities as people write them.
func words(list corev1.ResourceList) string {
	cpu, memory := list[corev1.ResourceCPU], list[corev1.ResourceMemory]
	return fmt.Sprintf("cpu %s, memory %s", cpu.String(), memory.String())
}
