package preflight

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// quota compares what is left with what all pods and claims that are not there
// yet need.
func quota(r Room) (wrong []string, skip string) {
	if skip := r.unknown(LookQuotas); skip != "" {
		return nil, skip
	}
	need := r.need()
	for _, q := range r.Quotas {
		if !r.applies(q) {
			continue
		}
		var names []string
		for name := range q.Status.Hard {
			names = append(names, string(name))
		}
		sort.Strings(names)
		for _, name := range names {
			wrong = append(wrong, short(q, corev1.ResourceName(name), need)...)
		}
		wrong = append(wrong, r.unset(q)...)
	}
	return wrong, ""
}

func short(q corev1.ResourceQuota, name corev1.ResourceName, need corev1.ResourceList) []string {
	more, counted := need[name]
	if !counted || more.Sign() <= 0 {
		return nil
	}
	hard, used := q.Status.Hard[name], q.Status.Used[name]
	after := used.DeepCopy()
	after.Add(more)
	if after.Cmp(hard) <= 0 {
		return nil
	}
	return []string{fmt.Sprintf("ResourceQuota %s: %s: %s used of %s, the pods need another %s", q.Name, name, used.String(), hard.String(), more.String())}
}

// unset: where a quota is on a request or limit, every container must have it.
func (r Room) unset(q corev1.ResourceQuota) (wrong []string) {
	for name := range q.Status.Hard {
		limit := strings.HasPrefix(string(name), "limits.")
		res := corev1.ResourceName(strings.TrimPrefix(strings.TrimPrefix(string(name), "limits."), "requests."))
		if res != corev1.ResourceCPU && res != corev1.ResourceMemory {
			continue
		}
		for _, c := range r.Set.Spec.Template.Spec.Containers {
			got := r.withDefaults(c)
			_, has := got.Requests[res]
			if limit {
				_, has = got.Limits[res]
			}
			if !has {
				wrong = append(wrong, fmt.Sprintf("ResourceQuota %s is on %s, and container %s has none (a LimitRange can give it a default)", q.Name, name, c.Name))
			}
		}
	}
	return wrong
}

// need is what is added to a quota's use, in its own words.
func (r Room) need() corev1.ResourceList {
	need := corev1.ResourceList{}
	add := func(name corev1.ResourceName, q resource.Quantity, times int) {
		sum := need[name]
		for range max(times, -times) {
			if times < 0 {
				sum.Sub(q)
			} else {
				sum.Add(q)
			}
		}
		need[name] = sum
	}
	one := resource.MustParse("1")
	pods := func(p corev1.PodSpec, times int) {
		for _, c := range p.Containers {
			got := r.withDefaults(c)
			for name, q := range got.Requests {
				add(name, q, times)
				add("requests."+name, q, times)
			}
			for name, q := range got.Limits {
				add("limits."+name, q, times)
			}
		}
		add(corev1.ResourcePods, one, times)
		add("count/pods", one, times)
	}
	pods(r.Set.Spec.Template.Spec, r.created())
	for _, p := range r.Leaving {
		pods(p.Spec, -1)
	}
	claim := r.claim()
	size, n := claim.Spec.Resources.Requests[corev1.ResourceStorage], r.newClaims()
	add(corev1.ResourceRequestsStorage, size, n)
	add(corev1.ResourcePersistentVolumeClaims, one, n)
	add("count/persistentvolumeclaims", one, n)
	if class := claim.Spec.StorageClassName; class != nil {
		add(corev1.ResourceName(*class+".storageclass.storage.k8s.io/requests.storage"), size, n)
		add(corev1.ResourceName(*class+".storageclass.storage.k8s.io/persistentvolumeclaims"), one, n)
	}
	return need
}

// applies reports whether a quota counts pods like ours: they have requests, no
// deadline, and a priority class where the pod template names one.
func (r Room) applies(q corev1.ResourceQuota) bool {
	others := []corev1.ResourceQuotaScope{corev1.ResourceQuotaScopeBestEffort, corev1.ResourceQuotaScopeTerminating}
	class := r.Set.Spec.Template.Spec.PriorityClassName
	if class == "" {
		others = append(others, corev1.ResourceQuotaScopePriorityClass)
	}
	if slices.ContainsFunc(q.Spec.Scopes, func(s corev1.ResourceQuotaScope) bool { return slices.Contains(others, s) }) {
		return false
	}
	return q.Spec.ScopeSelector == nil || !slices.ContainsFunc(q.Spec.ScopeSelector.MatchExpressions, func(e corev1.ScopedResourceSelectorRequirement) bool {
		if e.ScopeName == corev1.ResourceQuotaScopePriorityClass && class != "" {
			return otherClass(e, class)
		}
		in := e.Operator == corev1.ScopeSelectorOpIn || e.Operator == corev1.ScopeSelectorOpExists
		return in && slices.Contains(others, e.ScopeName)
	})
}

// otherClass reports whether a quota's scope leaves out pods of a priority class.
func otherClass(e corev1.ScopedResourceSelectorRequirement, class string) bool {
	switch e.Operator {
	case corev1.ScopeSelectorOpIn:
		return !slices.Contains(e.Values, class)
	case corev1.ScopeSelectorOpNotIn:
		return slices.Contains(e.Values, class)
	default:
		return e.Operator == corev1.ScopeSelectorOpDoesNotExist
	}
}

// withDefaults is what a container has once the namespace's LimitRanges have
// filled in what it leaves open (plugin/pkg/admission/limitranger).
func (r Room) withDefaults(c corev1.Container) corev1.ResourceRequirements {
	out := corev1.ResourceRequirements{Requests: corev1.ResourceList{}, Limits: corev1.ResourceList{}}
	for _, l := range r.Limits {
		for _, item := range l.Spec.Limits {
			if item.Type != corev1.LimitTypeContainer {
				continue
			}
			for name, q := range item.DefaultRequest {
				out.Requests[name] = q
			}
			for name, q := range item.Default {
				out.Limits[name] = q
			}
		}
	}
	for name, q := range c.Resources.Limits {
		out.Limits[name] = q
		if _, own := c.Resources.Requests[name]; !own {
			out.Requests[name] = q
		}
	}
	for name, q := range c.Resources.Requests {
		out.Requests[name] = q
	}
	return out
}

// limits holds the pods and their claims against the namespace's LimitRanges.
func limits(r Room) (wrong []string, skip string) {
	if skip := r.unknown(LookLimits); skip != "" {
		return nil, skip
	}
	for _, l := range r.Limits {
		for _, item := range l.Spec.Limits {
			switch item.Type {
			case corev1.LimitTypeContainer:
				for _, c := range r.Set.Spec.Template.Spec.Containers {
					wrong = append(wrong, outside(l.Name, "container "+c.Name, item, r.withDefaults(c))...)
				}
			case corev1.LimitTypePod:
				wrong = append(wrong, outside(l.Name, "a pod", item, r.sum())...)
			case corev1.LimitTypePersistentVolumeClaim:
				requests := r.claim().Spec.Resources.Requests
				if r.newClaims() > 0 {
					wrong = append(wrong, outside(l.Name, "a volume claim", item, corev1.ResourceRequirements{Requests: requests, Limits: requests})...)
				}
			}
		}
	}
	for _, c := range r.Set.Spec.Template.Spec.Containers {
		wrong = append(wrong, changed(c, r.withDefaults(c))...)
	}
	return wrong, ""
}

// changed: a default limit that is put on a container without one.
func changed(c corev1.Container, got corev1.ResourceRequirements) (wrong []string) {
	for name, limit := range got.Limits {
		if _, own := c.Resources.Limits[name]; own {
			continue
		}
		if request, ok := got.Requests[name]; ok && limit.Cmp(request) < 0 {
			wrong = append(wrong, fmt.Sprintf("container %s asks for %s %s, and a LimitRange would limit it to %s", c.Name, name, request.String(), limit.String()))
		}
	}
	return wrong
}

// sum is what a whole pod has.
func (r Room) sum() corev1.ResourceRequirements {
	out := corev1.ResourceRequirements{Requests: corev1.ResourceList{}, Limits: corev1.ResourceList{}}
	for _, c := range r.Set.Spec.Template.Spec.Containers {
		got := r.withDefaults(c)
		for name, q := range got.Requests {
			sum := out.Requests[name]
			sum.Add(q)
			out.Requests[name] = sum
		}
		for name, q := range got.Limits {
			sum := out.Limits[name]
			sum.Add(q)
			out.Limits[name] = sum
		}
	}
	return out
}

func outside(name, what string, item corev1.LimitRangeItem, got corev1.ResourceRequirements) (wrong []string) {
	say := func(format string, a ...any) {
		wrong = append(wrong, "LimitRange "+name+": "+fmt.Sprintf(format, a...))
	}
	for res, least := range item.Min {
		if request, ok := got.Requests[res]; ok && request.Cmp(least) < 0 {
			say("%s asks for %s %s, at least %s is allowed", what, res, request.String(), least.String())
		} else if !ok {
			say("%s must ask for %s, at least %s", what, res, least.String())
		}
	}
	for res, most := range item.Max {
		if limit, ok := got.Limits[res]; ok && limit.Cmp(most) > 0 {
			say("%s is limited to %s %s, at most %s is allowed", what, res, limit.String(), most.String())
		} else if !ok {
			say("%s must have a limit of %s, at most %s", what, res, most.String())
		}
	}
	for res, ratio := range item.MaxLimitRequestRatio {
		request, asked := got.Requests[res]
		limit, limited := got.Limits[res]
		if !asked || !limited || request.IsZero() {
			say("%s must ask for %s and have a limit of it", what, res)
		} else if limit.AsApproximateFloat64()/request.AsApproximateFloat64() > ratio.AsApproximateFloat64() {
			say("%s: the limit of %s is more than %s times what it asks for", what, res, ratio.String())
		}
	}
	return wrong
}
