package cluster

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// drift sees what was edited although the mark was kept. A pod is outdated by it
// only while its revision is not the one that the StatefulSet makes now: one that
// was made from the right template and differs was rewritten by admission (a
// registry mirror, say), and so would its successor be.
func drift(rec migration.Record, set *appsv1.StatefulSet, pod *corev1.Pod, v *migration.PodView) error {
	ofSet, err := render.SetDrift(rec, set.Spec)
	if err != nil {
		return &Error{Reason: Invalid, What: err.Error()}
	}
	v.Source.Set.Drift = texts(edited(set, ofSet))
	v.Source.Set.Outdated = len(v.Source.Set.Drift) > 0
	ofPod, err := render.TemplateDrift(rec, pod.Spec)
	if err != nil {
		return &Error{Reason: Invalid, What: err.Error()}
	}
	switch {
	case len(ofPod) == 0:
	case ofAnotherRevision(set, pod), v.Source.Set.Outdated: // or made from the edited template
		v.Source.Pod.Outdated, v.Source.Pod.Drift = true, texts(ofPod)
	default:
		v.Source.Pod.Drift = texts(slices.DeleteFunc(ofPod, func(d render.Difference) bool { return slices.Contains(d.Path, "f:image") }))
	}
	return nil
}

// edited leaves what somebody edited. What an apply of ours owns, and is another
// value all the same, was rewritten by an admission webhook on that very apply:
// the next one would be, too, and nobody would get anywhere.
func edited(set *appsv1.StatefulSet, all []render.Difference) []render.Difference {
	ours := appliedFields(set)
	return slices.DeleteFunc(all, func(d render.Difference) bool {
		return has(ours, append([]string{"f:spec"}, d.Path...))
	})
}

// appliedFields are those that we own by server-side apply.
func appliedFields(set *appsv1.StatefulSet) map[string]any {
	for _, m := range set.ManagedFields {
		if m.Manager != FieldManager || m.Operation != metav1.ManagedFieldsOperationApply || m.FieldsV1 == nil {
			continue
		}
		var out map[string]any
		if json.Unmarshal(m.FieldsV1.GetRawBytes(), &out) == nil {
			return out
		}
	}
	return nil
}

func has(fields map[string]any, path []string) bool {
	for _, key := range path {
		below, ok := fields[key].(map[string]any)
		if !ok {
			return false
		}
		fields = below
	}
	return true
}

// ofAnotherRevision: the StatefulSet would make the pod from another template now.
// Until its controller has seen the latest one, nobody knows.
func ofAnotherRevision(set *appsv1.StatefulSet, pod *corev1.Pod) bool {
	revision := pod.Labels[appsv1.ControllerRevisionHashLabelKey]
	return revision != "" && set.Status.UpdateRevision != "" &&
		(revision != set.Status.UpdateRevision || set.Status.ObservedGeneration < set.Generation)
}

// templateEdited: nothing but the spec of our StatefulSet's template, and its update
// strategy, is in the way of an apply. They belong to the journal, which replace changes
// by its flags; the size, and everything else, stays with whoever owns it.
func templateEdited(o render.Object, err error) bool {
	var status apierrors.APIStatus
	if _, ok := o.(*appsv1.StatefulSet); !ok || !apierrors.IsConflict(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return false
	}
	causes := status.Status().Details.Causes
	return len(causes) > 0 && !slices.ContainsFunc(causes, func(c metav1.StatusCause) bool {
		return c.Type != metav1.CauseTypeFieldManagerConflict || !strings.HasPrefix(c.Field, ".spec.template.spec.") && !strings.HasPrefix(c.Field, ".spec.updateStrategy")
	})
}

// texts are shown to people.
func texts(all []render.Difference) []string {
	var out []string
	for _, d := range all {
		out = append(out, quote.Line(d.Text))
	}
	return out
}
