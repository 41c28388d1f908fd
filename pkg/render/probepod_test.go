package render

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestProbePod: what selects the ensemble's pods does not select it; it meets the restricted
// standard, and it ends.
func TestProbePod(t *testing.T) {
	rec := migration.Record{Name: "demo", Namespace: "zk"}
	pod, err := ProbePod(rec, ProbePodNames("demo")[0], "zookeeper:3.8.4")
	if err != nil {
		t.Fatal(err)
	}
	selected := true
	for k, v := range PodSelector("demo") {
		selected = selected && pod.Labels[k] == v
	}
	if selected || pod.Labels[EnsembleLabel] != "demo" || pod.Labels["app.kubernetes.io/instance"] != "demo" {
		t.Errorf("labels %v", pod.Labels)
	}
	s, c := pod.Spec, pod.Spec.Containers[0]
	switch {
	case !*s.SecurityContext.RunAsNonRoot, s.SecurityContext.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault,
		*c.SecurityContext.AllowPrivilegeEscalation, len(c.SecurityContext.Capabilities.Drop) != 1, !*c.SecurityContext.ReadOnlyRootFilesystem:
		t.Error("it does not meet the restricted standard")
	case s.ActiveDeadlineSeconds == nil, s.RestartPolicy != corev1.RestartPolicyNever, *s.AutomountServiceAccountToken:
		t.Error("it may stay, be started again, or ask the API server")
	}
	if _, err := ProbePod(rec, "demo-probe-1", ""); err == nil {
		t.Error("made without an image")
	}
}
