package cluster

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	ktesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestSetDrift: what kubectl set changes keeps our mark. It is seen, and Park puts
// it back; what admission rewrites on every apply is nobody's edit.
func TestSetDrift(t *testing.T) {
	image := func(s *appsv1.StatefulSet) { s.Spec.Template.Spec.Containers[0].Image = "zk:other" }
	for name, tc := range map[string]struct {
		edit func(*appsv1.StatefulSet)
		// by is the manager of the edit; none: an admission webhook.
		by string
		// of is the revision of the pod, where that of the set is b.
		of string
		// unchanged: the pod is from before the edit; undone: the set is.
		unchanged, undone bool
		set, pod          string
		outdated          bool
	}{
		"as recorded": {of: "b"},
		"as the API server returns it": {of: "b", by: "kube-apiserver", edit: func(s *appsv1.StatefulSet) {
			mode := int32(420)
			s.Spec.Template.Spec.Volumes[0].ConfigMap.DefaultMode = &mode
			s.Spec.Template.Spec.Containers[0].TerminationMessagePath = "/dev/termination-log"
			s.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyAlways
		}},
		"another image":               {of: "b", by: "kubectl-set", edit: image, set: `container zookeeper: image is "zk:other"`, pod: `image is "zk:other"`, outdated: true},
		"and no pod is made of it":    {of: "a", by: "kubectl-set", edit: image, unchanged: true, set: `container zookeeper: image is "zk:other"`},
		"less memory":                 {of: "b", by: "kubectl-set", edit: less, set: "memory of limits is 256Mi, recorded is 1Gi", pod: "memory of limits is 256Mi", outdated: true},
		"the set is mended":           {of: "a", edit: image, undone: true, pod: `image is "zk:other"`, outdated: true},
		"a mirror rewrites the set":   {of: "b", edit: image},
		"a mirror rewrites the pod":   {of: "b", edit: image, undone: true},
		"a webhook has its own limit": {of: "b", edit: less, undone: true, pod: "memory of limits is 256Mi"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := recordWithPods()
			kube := fake.NewClientset()
			c := New(kube)
			if err := c.Park(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
			sets := kube.AppsV1().StatefulSets("zk")
			set, err := sets.Get(t.Context(), "main-pod", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			before := set.DeepCopy()
			if tc.edit != nil {
				tc.edit(set)
			}
			made := set.Spec.Template.Spec.DeepCopy()
			switch {
			case tc.unchanged:
				made = &before.Spec.Template.Spec
			case tc.undone:
				set = before
			}
			if tc.by != "" {
				if set, err = sets.Update(t.Context(), set, metav1.UpdateOptions{FieldManager: tc.by}); err != nil {
					t.Fatal(err)
				}
			}
			set.Status.UpdateRevision = "b"
			pod := podObject(func(p *corev1.Pod) {
				p.Spec = *made.DeepCopy()
				p.Labels[appsv1.ControllerRevisionHashLabelKey] = tc.of
				p.Annotations = map[string]string{render.TemplateAnnotation: markOf(t, rec)}
			})
			var v migration.PodView
			if err := drift(rec, set, pod, &v); err != nil {
				t.Fatal(err)
			}
			said := func(all []string, want string) bool {
				return (len(all) == 0) == (want == "") && strings.Contains(strings.Join(all, "\n"), want)
			}
			if !said(v.Source.Set.Drift, tc.set) || !said(v.Source.Pod.Drift, tc.pod) || v.Source.Set.Outdated != (tc.set != "") || v.Source.Pod.Outdated != tc.outdated {
				t.Errorf("%+v\n%s", v, set.ManagedFields)
			}
			seen := migration.PodView{}
			if tc.by == "" {
				// A webhook's value: the managed fields say that it is ours.
				kube.PrependReactor("get", "statefulsets", func(ktesting.Action) (bool, runtime.Object, error) { return true, set, nil })
			}
			if err := template(rec, pod, c.shared(t.Context(), rec, nil), &seen); err != nil || !slices.Equal(seen.Source.Set.Drift, v.Source.Set.Drift) {
				t.Errorf("in a look: %v, %v", seen, err)
			}
			if tc.set == "" {
				return
			}
			if err := c.Park(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
			if set, err = sets.Get(t.Context(), "main-pod", metav1.GetOptions{}); err != nil {
				t.Fatal(err)
			}
			if d, err := render.TemplateDrift(rec, set.Spec.Template.Spec); err != nil || len(d) > 0 {
				t.Errorf("after Park: %v, %v", d, err)
			}
		})
	}
}

func less(s *appsv1.StatefulSet) {
	s.Spec.Template.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")}
}
