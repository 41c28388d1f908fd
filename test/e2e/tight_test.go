//go:build e2e

package e2e

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestTightNamespace is the whole road, and back for one server, in a namespace with the
// restricted pod security standard, a quota and a LimitRange, with pods from an image that is
// laid out as the official one.
func TestTightNamespace(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "tight", "3.8.0", []int{1, 2, 3})
	s.Kubectl("label", "namespace", s.Name, "pod-security.kubernetes.io/enforce=restricted")
	tighten(s, "400Mi", "512Mi")
	// A pod asks for more; what stands in the way is told before anything is stopped.
	s.Zkmigrate(0, append([]string{"check", s.Name, "--probe-via=pod", "--probe-image=" + official}, s.Files()...)...)
	s.Ready("--image", official)
	r := s.Replace(3, "--id=1")
	for _, want := range []string{"K8S005", "K8S006", "Nothing was changed"} {
		if !strings.Contains(r.Stderr, want) {
			t.Errorf("it does not say %q:\n%s", want, r.Stderr)
		}
	}
	tighten(s, "4Gi", "2Gi")
	s.Replace(0, "--all")
	s.Revert(2)
	s.Replace(0, "--id=2")
	if st := s.Status(); !st.Healthy || st.Replaced != 3 {
		t.Errorf("at the end: %+v", st)
	}
	s.NothingLost()
}

const official = "zklab.local/official-zookeeper:3.8.0"

// tighten has the namespace's pods together, and a claim, ask for so much at most; what
// containers leave open is filled in.
func tighten(s *scene.Scene, memory, claim string) {
	s.T.Helper()
	cpu := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}
	limits := &corev1.LimitRange{
		ObjectMeta: metav1.ObjectMeta{Name: "tight"},
		Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
			{Type: corev1.LimitTypeContainer, Default: cpu, DefaultRequest: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m")}, Max: cpu},
			{Type: corev1.LimitTypePersistentVolumeClaim, Max: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(claim)}},
		}},
	}
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "tight"},
		Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{
			corev1.ResourceLimitsMemory: resource.MustParse(memory), corev1.ResourceLimitsCPU: resource.MustParse("16"), corev1.ResourcePods: resource.MustParse("6"),
		}},
	}
	_ = s.Kube.CoreV1().LimitRanges(s.Name).Delete(s.T.Context(), "tight", metav1.DeleteOptions{})
	_ = s.Kube.CoreV1().ResourceQuotas(s.Name).Delete(s.T.Context(), "tight", metav1.DeleteOptions{})
	if _, err := s.Kube.CoreV1().LimitRanges(s.Name).Create(s.T.Context(), limits, metav1.CreateOptions{}); err != nil {
		s.T.Fatal(err)
	}
	if _, err := s.Kube.CoreV1().ResourceQuotas(s.Name).Create(s.T.Context(), quota, metav1.CreateOptions{}); err != nil {
		s.T.Fatal(err)
	}
	scene.Eventually(s.T, "the quota counts", func() error {
		q, err := s.Kube.CoreV1().ResourceQuotas(s.Name).Get(s.T.Context(), "tight", metav1.GetOptions{})
		if err == nil && len(q.Status.Hard) == 0 {
			err = errors.New("not yet")
		}
		return err
	})
}
