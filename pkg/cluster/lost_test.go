package cluster

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestLostObjects: what stands beside the StatefulSet is missed, by one look and by one of many,
// once the StatefulSet is there; what nobody may look at is not known.
func TestLostObjects(t *testing.T) {
	for name, tc := range map[string]struct {
		without       []string
		forbidden     bool
		lost, unknown []string
	}{
		"all is there":           {},
		"no budget":              {without: []string{"PodDisruptionBudget"}, lost: []string{"PodDisruptionBudget main-pods"}},
		"neither":                {without: []string{"PodDisruptionBudget", "Service"}, lost: []string{"Service main-pods", "PodDisruptionBudget main-pods"}},
		"not parked yet":         {without: []string{"PodDisruptionBudget", "Service", "StatefulSet"}},
		"nobody may look at one": {without: []string{"Service"}, forbidden: true, lost: []string{"Service main-pods"}, unknown: []string{"PodDisruptionBudget main-pods"}},
	} {
		t.Run(name, func(t *testing.T) {
			rec := recordWithPods()
			objects, err := render.Pods(rec)
			if err != nil {
				t.Fatal(err)
			}
			kube := fake.NewClientset()
			for _, o := range objects {
				if slices.Contains(tc.without, o.GetObjectKind().GroupVersionKind().Kind) {
					continue
				}
				if err := kube.Tracker().Add(o); err != nil {
					t.Fatal(err)
				}
			}
			if tc.forbidden {
				kube.PrependReactor("*", "poddisruptionbudgets", func(clienttesting.Action) (bool, runtime.Object, error) {
					return true, nil, apierrors.NewForbidden(policyv1.Resource("poddisruptionbudgets"), "", nil)
				})
			}
			one := New(kube)
			many, err := one.Snapshot(t.Context(), nil, []migration.Record{rec})
			if err != nil {
				t.Fatal(err)
			}
			for who, look := range map[string]func() (migration.Source, error){
				"one": func() (migration.Source, error) { v, err := one.Observe(t.Context(), rec); return v[5].Pod.Source, err },
				"many": func() (migration.Source, error) {
					v, err := many.Observe(t.Context(), rec)
					return v[5].Pod.Source, err
				},
			} {
				kube.ClearActions()
				got, err := look()
				if err != nil || !slices.Equal(got.Lost, tc.lost) || !slices.Equal(got.Unknown, tc.unknown) {
					t.Errorf("%s: lost %q, unknown %q, %v", who, got.Lost, got.Unknown, err)
				}
				if who == "many" && slices.ContainsFunc(kube.Actions(), func(a clienttesting.Action) bool { return a.GetResource().Resource == "poddisruptionbudgets" }) {
					t.Error("the budget of one ensemble was asked for beside the list")
				}
			}
		})
	}
}

// TestRollingIsCleared: the parameters of a rolling update that somebody asked for go before
// the recorded strategy is applied.
func TestRollingIsCleared(t *testing.T) {
	rec := recordWithPods()
	objects, err := render.Pods(rec)
	if err != nil {
		t.Fatal(err)
	}
	set := setAmong(t, objects)
	live := set.DeepCopy()
	live.Spec.UpdateStrategy = rollingUpdate()
	kube := fake.NewClientset(live)
	if _, _, err := New(kube).apply(t.Context(), rec, set, false); err != nil {
		t.Fatal(err)
	}
	after, err := kube.AppsV1().StatefulSets(rec.Namespace).Get(t.Context(), set.Name, metav1.GetOptions{})
	if err != nil || after.Spec.UpdateStrategy.Type != set.Spec.UpdateStrategy.Type || after.Spec.UpdateStrategy.RollingUpdate != nil {
		t.Errorf("%+v, %v", after.Spec.UpdateStrategy, err)
	}
	// A look sees both edits that matter outside the containers.
	short := int64(0)
	live.Spec.Template.Spec.TerminationGracePeriodSeconds = &short
	v := migration.PodView{}
	if err := drift(rec, live, &corev1.Pod{Spec: set.Spec.Template.Spec}, &v); err != nil || len(v.Source.Set.Drift) != 2 || v.Source.Pod.Outdated {
		t.Errorf("%+v, %v", v.Source, err)
	}
}

func setAmong(t *testing.T, objects []render.Object) *appsv1.StatefulSet {
	t.Helper()
	for _, o := range objects {
		if set, ok := o.(*appsv1.StatefulSet); ok {
			return set
		}
	}
	t.Fatal("no StatefulSet")
	return nil
}

func rollingUpdate() appsv1.StatefulSetUpdateStrategy {
	partition := int32(0)
	return appsv1.StatefulSetUpdateStrategy{
		Type: appsv1.RollingUpdateStatefulSetStrategyType, RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: &partition},
	}
}

// TestNothingDiffersOnceFinalized: what finalize has left is compared with what finalize leaves.
func TestNothingDiffersOnceFinalized(t *testing.T) {
	rec := recordWithPods()
	rec.Pods.Plain = true
	rec.Finalized = &migration.Confirmation{}
	for i := range rec.Servers {
		rec.Servers[i].Replaced = &rec.Finalized.At
	}
	c := New(fake.NewClientset())
	if err := c.Finalize(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	all, err := c.PreviewWrap(t.Context(), rec)
	if err != nil || len(all) != len(rec.Servers) {
		t.Fatalf("%d objects, %v", len(all), err)
	}
	for _, p := range all {
		if p.Result != Unchanged {
			t.Errorf("%s: %s", p.Want.GetName(), p.Result)
		}
	}
}
