package cli

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// oneServer is behind every address.
type oneServer string

func (s oneServer) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, string(s))
}

// TestForetell: before the wrap, a manifest says how pods are made, so what they will find in the
// cluster is judged.
func TestForetell(t *testing.T) {
	s := wrapped(t, "3.8.0")
	s.name = "other" // which is not wrapped
	s.prober = newProber(oneServer(tcpfake.Words(t, func(conn net.Conn, word string) {
		text, err := os.ReadFile("../zkprobe/testdata/3.8.0/follower/" + word + ".txt")
		if err != nil {
			t.Error(err)
		}
		_, _ = conn.Write(text)
	})))
	if _, err := s.kube.client.StorageV1().StorageClasses().Create(t.Context(), &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "slow"}, Provisioner: "x"}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	hard := corev1.ResourceList{corev1.ResourcePods: resource.MustParse("2")}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "q", Namespace: "zk"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}, Status: corev1.ResourceQuotaStatus{Hard: hard}}
	if _, err := s.kube.client.CoreV1().ResourceQuotas("zk").Create(t.Context(), quota, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	kube, ok := s.kube.client.(*fake.Clientset)
	if !ok {
		t.Fatal("not a fake")
	}
	kube.PrependReactor("create", "selfsubjectaccessreviews", func(kubetesting.Action) (bool, runtime.Object, error) {
		return true, &authorizationv1.SelfSubjectAccessReview{Status: authorizationv1.SubjectAccessReviewStatus{Denied: true}}, nil
	})
	in := input{members: []string{"1=10.0.0.1:2888:3888", "2=10.0.0.2:2888:3888", "3=10.0.0.3:2888:3888"}}
	w := &WrapOptions{deps: s.deps, input: in, endpointsAPI: migration.EndpointSlices}
	o := &CheckOptions{deps: s.deps, pods: intake.PodFlags{Given: func(string) bool { return false }, Place: func(flag string) string { return flag }, Values: migration.PodOptions{
		StorageClass: "fast", StorageSize: "10Gi", Memory: "2Gi", CPU: "1", AntiAffinity: "required", RunAsUser: 1000,
	}}}
	rec, desc, err := o.describe(t.Context(), w, s.name, "zk", migration.Record{}, false)
	if err != nil {
		t.Fatal(err)
	}
	found := func(f preflight.Facts) map[string]string {
		out := map[string]string{}
		for _, fd := range preflight.ForPods(f) {
			out[fd.ID] = string(fd.Result) + " " + strings.Join(fd.Detail, " ")
		}
		return out
	}
	f := preflight.Facts{Servers: rec.Servers, Record: rec}
	o.foretell(t.Context(), s, rec, desc, &f)
	if got := found(f); !strings.Contains(got["K8S004"], "no server says which ZooKeeper it runs") {
		t.Errorf("nobody answers: %q", got)
	}
	f = preflight.Facts{Servers: rec.Servers, Record: rec, Direct: map[ensemble.ID]vantage.Sighting{2: {Version: ensemble.Version{Major: 3, Minor: 8}}}}
	o.foretell(t.Context(), s, rec, desc, &f)
	got := found(f)
	for id, want := range map[string]string{"K8S004": `fail StorageClass "fast" does not exist; the cluster has slow`, "K8S005": "fail", "K8S006": "ok", "K8S009": "ok"} {
		if !strings.HasPrefix(got[id], want) {
			t.Errorf("%s: %q", id, got[id])
		}
	}
}
