package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Drift says in words what somebody changed in a server's Service so that it no
// longer carries the server's traffic, and returns the merge patch that sets it
// right; both are empty when nothing was. A selector of ours, or none, is left
// alone: which of them is right depends on where the server is. So are labels,
// annotations, more ports and fields that do no harm.
//
// Without publishNotReadyAddresses the endpointslice controller lists a parked
// pod as not ready, and no traffic reaches it
// (staging/src/k8s.io/endpointslice/utils.go, podToEndpoint). With an
// internalTrafficPolicy of Local it reaches only clients of the same node.
func Drift(rec migration.Record, s migration.ServerRecord, live *corev1.Service) (changed []string, patch string) {
	want := service(rec, s).Spec
	spec := map[string]any{}
	if !live.Spec.PublishNotReadyAddresses {
		changed = append(changed, "publishNotReadyAddresses is false")
		spec["publishNotReadyAddresses"] = true
	}
	if p := live.Spec.InternalTrafficPolicy; p != nil && *p != *want.InternalTrafficPolicy {
		changed = append(changed, fmt.Sprintf("internalTrafficPolicy is %s", *p))
		spec["internalTrafficPolicy"] = *want.InternalTrafficPolicy
	}
	if a := live.Spec.SessionAffinity; a != "" && a != want.SessionAffinity {
		changed = append(changed, fmt.Sprintf("sessionAffinity is %s", a))
		spec["sessionAffinity"] = want.SessionAffinity
		// The API server refuses this one without the other.
		spec["sessionAffinityConfig"] = nil
	}
	if missing := missingPorts(want.Ports, live.Spec.Ports); len(missing) > 0 {
		changed = append(changed, missing...)
		spec["ports"] = want.Ports
	}
	if SelectedPod(rec, s, live) == migration.ForeignSelector {
		changed = append(changed, fmt.Sprintf("its selector is %v", live.Spec.Selector))
		spec["selector"] = rightSelector(rec, s, live.Spec.Selector)
	}
	if len(changed) == 0 {
		return nil, ""
	}
	data, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return changed, ""
	}
	return changed, string(data)
}

// SelectedPod is the name of the pod that the server's Service selects: empty
// without a selector, migration.ForeignSelector when it is none of ours.
func SelectedPod(rec migration.Record, s migration.ServerRecord, svc *corev1.Service) string {
	switch want := ServiceSelector(rec.Name, s.Ordinal); {
	case len(svc.Spec.Selector) == 0:
		return ""
	case maps.Equal(svc.Spec.Selector, want):
		return PodName(rec.Name, s.Ordinal)
	}
	return migration.ForeignSelector
}

// rightSelector is the merge patch from somebody's selector to ours, for a
// server in its pod, and to none for any other.
func rightSelector(rec migration.Record, s migration.ServerRecord, live map[string]string) any {
	if s.Replaced == nil {
		return nil
	}
	out := map[string]any{}
	for key := range live {
		out[key] = nil
	}
	for key, value := range ServiceSelector(rec.Name, s.Ordinal) {
		out[key] = value
	}
	return out
}

func missingPorts(want, live []corev1.ServicePort) []string {
	var out []string
	for _, w := range want {
		if !slices.ContainsFunc(live, func(l corev1.ServicePort) bool {
			return l.Name == w.Name && l.Port == w.Port && l.TargetPort == w.TargetPort && l.Protocol == w.Protocol
		}) {
			out = append(out, fmt.Sprintf("port %s %d is missing or changed", w.Name, w.Port))
		}
	}
	return out
}
