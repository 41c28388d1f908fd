package faults

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Untouched notes what runs where, and returns what wants all of it as it was:
// no process ended or started, no pod deleted, no address moved, no gate
// changed. A unit may have been masked and the journal written.
func (g *Stage) Untouched() func() {
	g.T.Helper()
	before := g.standing()
	return func() {
		g.T.Helper()
		after := g.standing()
		keys := slices.Sorted(maps.Keys(before))
		for k := range after {
			if _, ok := before[k]; !ok {
				keys = append(keys, k)
			}
		}
		for _, k := range keys {
			if before[k] != after[k] {
				g.T.Errorf("%s: %q before, %q now", k, before[k], after[k])
			}
		}
	}
}

func (g *Stage) standing() map[string]string {
	g.T.Helper()
	ctx, out := g.T.Context(), map[string]string{}
	hosts, err := g.Lab.Hosts(ctx, g.Name)
	if err != nil {
		g.T.Fatal(err)
	}
	for _, h := range hosts {
		out["process on host "+h.Name] = fmt.Sprint(h.PID)
	}
	pods, err := g.Kube.CoreV1().Pods(g.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	for _, p := range pods.Items {
		restarts := int32(0)
		for _, c := range p.Status.ContainerStatuses {
			restarts += c.RestartCount
		}
		out["pod "+p.Name] = fmt.Sprintf("%s, %d restarts, terminating %t", p.UID, restarts, p.DeletionTimestamp != nil)
	}
	maps, err := g.Kube.CoreV1().ConfigMaps(g.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	for _, m := range maps.Items {
		if m.Name == render.GateName(g.Name) {
			out["gate"] = fmt.Sprint(m.Data)
		}
	}
	services, err := g.Kube.CoreV1().Services(g.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	for _, s := range services.Items {
		out["selector of Service "+s.Name] = fmt.Sprint(s.Spec.Selector)
	}
	endpoints, err := g.Kube.DiscoveryV1().EndpointSlices(g.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	addresses := map[string][]string{}
	for _, s := range endpoints.Items {
		for _, e := range s.Endpoints {
			name := s.Labels[discoveryv1.LabelServiceName]
			addresses[name] = append(addresses[name], e.Addresses...)
		}
	}
	for name, list := range addresses {
		sort.Strings(list)
		out["addresses of Service "+name] = strings.Join(slices.Compact(list), " ")
	}
	return out
}
