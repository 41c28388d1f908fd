package cluster

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	ktesting "k8s.io/client-go/testing"
)

// TestTryFinalize: what would end the last write is known before it, and nothing is kept of the trial.
func TestTryFinalize(t *testing.T) {
	kube := fake.NewClientset()
	var owner string
	kube.PrependReactor("patch", "*", func(a ktesting.Action) (bool, runtime.Object, error) {
		if dry := a.(ktesting.PatchActionImpl).PatchOptions.DryRun; len(dry) != 1 || dry[0] != metav1.DryRunAll {
			t.Errorf("%s is written", a.GetResource().Resource)
		}
		if a.GetResource().Resource != "statefulsets" || owner == "" {
			return true, nil, apierrors.NewBadRequest("a webhook knows no dry run")
		}
		return true, nil, apierrors.NewApplyConflict([]metav1.StatusCause{{
			Type: metav1.CauseTypeFieldManagerConflict, Message: "conflict with " + owner, Field: ".spec.updateStrategy.type",
		}}, "Apply failed with 1 conflict")
	})
	rec := recordWithPods()
	if err := New(kube).TryFinalize(t.Context(), rec); err != nil {
		t.Errorf("what says nothing of the write ends it: %v", err)
	}
	owner = `"argocd-controller"`
	if err := New(kube).TryFinalize(t.Context(), rec); err != nil {
		t.Errorf("who applies what Git has ends it: %v", err)
	}
	owner = `"kubectl-patch" using apps/v1`
	err := New(kube).TryFinalize(t.Context(), rec)
	if !IsReason(err, Conflict) {
		t.Fatalf("it ends with %v", err)
	}
	for _, part := range []string{".spec.updateStrategy.type", "kubectl-patch", "should be RollingUpdate"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %s", err, part)
		}
	}
}
