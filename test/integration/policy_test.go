//go:build integration

package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// as is a client of another user, who may do everything in the namespace.
func (s *site) as(user string) kubernetes.Interface {
	s.t.Helper()
	s.cp.bind(s.t, s.ns, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"}, user)
	config := s.cp.config(adminToken)
	config.Impersonate = rest.ImpersonationConfig{UserName: user}
	kube, err := kubernetes.NewForConfig(config)
	s.must("client", err)
	eventually(s.t, "the authorizer knows "+user, func() (bool, string) {
		_, err := kube.CoreV1().Secrets(s.ns).List(s.ctx, metav1.ListOptions{})
		return err == nil, errText(err)
	})
	return kube
}

// attempts are writes of somebody else, all as dry runs: policies look at those
// as well.
func (s *site) attempts(kube kubernetes.Interface) map[string]func() error {
	dry := []string{metav1.DryRunAll}
	patch := metav1.PatchOptions{DryRun: dry}
	note := []byte(`{"metadata":{"annotations":{"a":"b"}}}`)
	maps, services := kube.CoreV1().ConfigMaps(s.ns), kube.CoreV1().Services(s.ns)
	annotate := func(name string) func() error {
		return func() error {
			_, err := maps.Patch(s.ctx, name, types.MergePatchType, note, patch)
			return err
		}
	}
	pod := func(labels map[string]string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "ghost", Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "i"}}}}
	}
	slice := func(name string, labels map[string]string) *discoveryv1.EndpointSlice {
		return &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.9.9.9"}}}}
	}
	return map[string]func() error{
		"change the journal": annotate(render.JournalName("main")),
		"change its copy":    annotate(render.JournalCopyName("main")),
		"change the gate":    annotate(render.GateName("main")),
		"delete the journal": func() error { return maps.Delete(s.ctx, render.JournalName("main"), metav1.DeleteOptions{DryRun: dry}) },
		"delete all maps": func() error {
			return maps.DeleteCollection(s.ctx, metav1.DeleteOptions{DryRun: dry}, metav1.ListOptions{})
		},
		"delete a Service": func() error { return services.Delete(s.ctx, "main-5", metav1.DeleteOptions{DryRun: dry}) },
		"change a Service": func() error { _, err := services.Patch(s.ctx, "main-5", types.MergePatchType, note, patch); return err },
		"a map with our label": func() error {
			_, err := maps.Create(s.ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "x", Labels: render.Labels("main")}}, metav1.CreateOptions{DryRun: dry})
			return err
		},
		"change a bridge": func() error {
			_, err := kube.DiscoveryV1().EndpointSlices(s.ns).Patch(s.ctx, render.BridgeName("main", 5), types.MergePatchType, note, patch)
			return err
		},
		"another slice behind a Service": func() error {
			_, err := kube.DiscoveryV1().EndpointSlices(s.ns).Create(s.ctx, slice("ghost", map[string]string{discoveryv1.LabelServiceName: "main-5"}), metav1.CreateOptions{DryRun: dry})
			return err
		},
		"a pod behind a Service": func() error {
			_, err := kube.CoreV1().Pods(s.ns).Create(s.ctx, pod(map[string]string{render.PodNameLabel: render.PodName("main", 1)}), metav1.CreateOptions{DryRun: dry})
			return err
		},
		"scale the pods": func() error {
			_, err := kube.AppsV1().StatefulSets(s.ns).Patch(s.ctx, render.StatefulSetName("main"), types.MergePatchType, []byte(`{"spec":{"replicas":1}}`), patch, "scale")
			return err
		},
		"another image": func() error {
			_, err := kube.AppsV1().StatefulSets(s.ns).Patch(s.ctx, render.StatefulSetName("main"), types.MergePatchType, note, patch)
			return err
		},
		"take the lock": func() error {
			return kube.CoordinationV1().Leases(s.ns).Delete(s.ctx, render.JournalName("main"), metav1.DeleteOptions{DryRun: dry})
		},
	}
}

// What others may not write any more, what they still may, and that neither the
// operator nor a controller is in the way of the policy: a whole replacement and
// back, while the policy is in force.
func TestThePolicyKeepsOthersOff(t *testing.T) {
	s := newNarrowSite(t, migration.EndpointSlices)
	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	s.must("journal", journal.New(s.kube, s.ns, "main").Create(s.ctx, s.rec))
	lock, err := journal.Lease{Kube: s.kube, Namespace: s.ns, Name: "main", Holder: "alice@laptop/1/a"}.Acquire(s.ctx)
	s.must("lock", err)
	s.must("release", lock.Release(s.ctx))
	mallory := s.as("mallory")
	for what, try := range s.attempts(mallory) {
		if err := try(); err != nil {
			t.Errorf("without the policy: %s: %v", what, err)
		}
	}

	scope := access.Of(s.rec, true)
	to := access.Subjects{Users: []string{operatorUser}}
	api := s.cp.admin.AdmissionregistrationV1()
	_, err = api.ValidatingAdmissionPolicies().Create(s.ctx, scope.Policy(to), metav1.CreateOptions{})
	if apierrors.IsNotFound(err) {
		t.Skip("this Kubernetes has no such policies; 1.30 and later do")
	}
	s.must("policy", err)
	_, err = api.ValidatingAdmissionPolicyBindings().Create(s.ctx, scope.PolicyBinding(), metav1.CreateOptions{})
	s.must("binding", err)
	t.Cleanup(func() {
		_ = s.cp.admin.AdmissionregistrationV1().ValidatingAdmissionPolicyBindings().Delete(context.WithoutCancel(s.ctx), scope.PolicyName(), deleteNow())
	})
	for what, try := range s.attempts(mallory) {
		eventually(t, what, func() (bool, string) {
			err := try()
			return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "belongs to ZooKeeper ensemble main"), errText(err)
		})
	}
	if d, denied := access.DenialIn(s.attempts(mallory)["change the gate"]()); !denied || d.Policy == "" {
		t.Errorf("told as %+v", d)
	}
	_, err = mallory.CoreV1().ConfigMaps(s.ns).Create(s.ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "somebody-elses"}}, metav1.CreateOptions{})
	s.must("a map of his own", err)

	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	w := follow(t, s.cp, s.ns, "main-5")
	t.Cleanup(w.stop)
	w.waitFor("10.1.0.5")
	for round := range 3 {
		s.replaceAndRevert(w, "10.1.0.5", fmt.Sprintf("10.244.8.%d", 2*round+1), fmt.Sprintf("10.244.8.%d", 2*round+2))
	}
	s.must("namespace", s.cp.admin.CoreV1().Namespaces().Delete(s.ctx, s.ns, metav1.DeleteOptions{}))
	eventually(t, "the namespace can be deleted", func() (bool, string) {
		// Pods go before everything else (OrderedNamespaceDeletion), and no kubelet is
		// here to end them.
		if err := s.cp.admin.CoreV1().Pods(s.ns).DeleteCollection(s.ctx, metav1.DeleteOptions{GracePeriodSeconds: new(int64)}, metav1.ListOptions{}); err != nil {
			return false, err.Error()
		}
		_, err := s.cp.admin.CoreV1().ConfigMaps(s.ns).Get(s.ctx, render.JournalName("main"), metav1.GetOptions{})
		return apierrors.IsNotFound(err), errText(err)
	})
}
