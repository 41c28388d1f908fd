//go:build integration

package integration

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// A namespace with the restricted pod security standard and room enough admits the pods and
// the probe pod; one with less refuses them, by what refuses, before anything is created.
func TestTightNamespace(t *testing.T) {
	cp, _ := plain(t)
	ns := cp.namespace(t, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	cp.publishedRole(t, ns)
	s := newSiteIn(t, cp, ns, migration.EndpointSlices)
	amounts := func(pairs ...string) corev1.ResourceList {
		out := corev1.ResourceList{}
		for i := 0; i < len(pairs); i += 2 {
			out[corev1.ResourceName(pairs[i])] = apiresource.MustParse(pairs[i+1])
		}
		return out
	}
	// Of CPU limits our pods have none, which this quota wants and the LimitRange gives.
	_, err := cp.admin.CoreV1().LimitRanges(ns).Create(s.ctx, &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: "tight"},
		Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer, Default: amounts("cpu", "1"), Max: amounts("memory", "1Gi")}}}}, metav1.CreateOptions{})
	s.must("LimitRange", err)
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "tight"}, Spec: corev1.ResourceQuotaSpec{Hard: amounts("limits.cpu", "10", "limits.memory", "2Gi", "requests.storage", "10Gi")}}
	counts := func() {
		eventually(t, "the quota counts", func() (bool, string) {
			q, err := cp.admin.CoreV1().ResourceQuotas(ns).Get(s.ctx, "tight", metav1.GetOptions{})
			if err == nil {
				quota = q
			}
			m := q.Status.Hard[corev1.ResourceLimitsMemory]
			return err == nil && m.Equal(q.Spec.Hard[corev1.ResourceLimitsMemory]), errText(err)
		})
	}
	_, err = cp.admin.CoreV1().ResourceQuotas(ns).Create(s.ctx, quota, metav1.CreateOptions{})
	s.must("ResourceQuota", err)
	counts()
	room := func() string {
		r, err := s.c.Room(s.ctx, s.rec)
		s.must("room", err)
		var lines []string
		for _, fd := range preflight.Failed(preflight.ForPods(preflight.Facts{Room: r})) {
			lines = append(lines, fd.ID+": "+strings.Join(fd.Detail, "; "))
		}
		return strings.Join(lines, "\n")
	}
	if wrong := room(); wrong != "" {
		t.Errorf("there is room, and it is refused:\n%s", wrong)
	}
	probe, err := render.ProbePod(s.rec, "main-probe-1", s.rec.Pods.Image)
	s.must("probe pod", err)
	_, err = s.kube.CoreV1().Pods(ns).Create(s.ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	s.must("the probe pod is admitted", err)

	quota.Spec.Hard = amounts("limits.cpu", "10", "limits.memory", "200Mi", "requests.storage", "1Gi")
	quota, err = cp.admin.CoreV1().ResourceQuotas(ns).Update(s.ctx, quota, metav1.UpdateOptions{})
	s.must("ResourceQuota", err)
	counts()
	wrong := room()
	for _, want := range []string{"K8S005: ResourceQuota tight: limits.memory: 0 used of 200Mi", "requests.storage: 0 used of 1Gi"} {
		if !strings.Contains(wrong, want) {
			t.Errorf("it does not say %q:\n%s", want, wrong)
		}
	}
	if _, _, err := s.c.ProbePod(s.ctx, s.rec, s.rec.Pods.Image, func(string) {}); err == nil || !strings.Contains(err.Error(), "have the quota raised") {
		t.Errorf("a probe pod beyond the quota: %v", err)
	}

	s.must("no quota", cp.admin.CoreV1().ResourceQuotas(ns).Delete(s.ctx, "tight", metav1.DeleteOptions{}))
	limits, err := cp.admin.CoreV1().LimitRanges(ns).Get(s.ctx, "tight", metav1.GetOptions{})
	s.must("LimitRange", err)
	limits.Spec.Limits = []corev1.LimitRangeItem{{Type: corev1.LimitTypeContainer, Max: amounts("memory", "100Mi")}}
	_, err = cp.admin.CoreV1().LimitRanges(ns).Update(s.ctx, limits, metav1.UpdateOptions{})
	s.must("LimitRange", err)
	eventually(t, "the LimitRange counts", func() (bool, string) {
		wrong := room()
		return strings.Contains(wrong, "K8S006: LimitRange tight: container zookeeper is limited to memory 256Mi, at most 100Mi is allowed"), wrong
	})
	eventually(t, "a probe pod beyond the LimitRange is refused by it", func() (bool, string) {
		_, _, err := s.c.ProbePod(s.ctx, s.rec, s.rec.Pods.Image, func(string) {})
		return err != nil && strings.Contains(err.Error(), "describe namespace "), errText(err)
	})
	if list, err := cp.admin.CoreV1().Pods(ns).List(s.ctx, metav1.ListOptions{}); err != nil || len(list.Items) != 0 {
		t.Errorf("%d pods were created (%v)", len(list.Items), err)
	}
}
