package render

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func TestDrift(t *testing.T) {
	local := corev1.ServiceInternalTrafficPolicyLocal
	ours := ServiceSelector("main", 0)
	for _, c := range []struct {
		name    string
		inPod   bool
		edit    func(*corev1.Service)
		changed []string
		patch   string
	}{
		{name: "as it was made", edit: func(*corev1.Service) {}},
		{name: "our selector is nobody's change", edit: func(s *corev1.Service) { s.Spec.Selector = ours }},
		{name: "what does no harm", edit: func(s *corev1.Service) {
			s.Labels["team"] = "storage"
			s.Spec.Type = corev1.ServiceTypeNodePort
			s.Spec.Ports[0].NodePort = 30000
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "metrics", Port: 7000})
		}},
		{
			name: "a pod that is not ready is not published", edit: func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = false },
			changed: []string{"publishNotReadyAddresses is false"},
			patch:   `{"spec":{"publishNotReadyAddresses":true}}`,
		},
		{
			name: "other nodes are not served", edit: func(s *corev1.Service) { s.Spec.InternalTrafficPolicy = &local },
			changed: []string{"internalTrafficPolicy is Local"},
			patch:   `{"spec":{"internalTrafficPolicy":"Cluster"}}`,
		},
		{
			name: "clients are kept at an address", edit: func(s *corev1.Service) { s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP },
			changed: []string{"sessionAffinity is ClientIP"},
			patch:   `{"spec":{"sessionAffinity":"None","sessionAffinityConfig":null}}`,
		},
		{
			name: "a port leads elsewhere, another is gone", edit: func(s *corev1.Service) {
				s.Spec.Ports[0].TargetPort = intstr.FromInt32(2182)
				s.Spec.Ports = s.Spec.Ports[:2]
			},
			changed: []string{"port client 2181 is missing or changed", "port election 3888 is missing or changed"},
			patch: `{"spec":{"ports":[{"name":"client","protocol":"TCP","port":2181,"targetPort":2181},` +
				`{"name":"peer","protocol":"TCP","port":2888,"targetPort":2888},{"name":"election","protocol":"TCP","port":3888,"targetPort":3888}]}}`,
		},
		{
			name: "somebody's selector, the server is on its host", edit: func(s *corev1.Service) { s.Spec.Selector = map[string]string{"app": "zk"} },
			changed: []string{"its selector is map[app:zk]"},
			patch:   `{"spec":{"selector":null}}`,
		},
		{
			name: "somebody's selector, the server is in its pod", inPod: true, edit: func(s *corev1.Service) { s.Spec.Selector = map[string]string{"app": "zk"} },
			changed: []string{"its selector is map[app:zk]"},
			patch:   `{"spec":{"selector":{"app":null,"statefulset.kubernetes.io/pod-name":"main-pod-0"}}}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := record()
			s := rec.Servers[0]
			if c.inPod {
				s.Replaced = &time.Time{}
			}
			live := service(rec, s)
			c.edit(live)
			changed, patch := Drift(rec, s, live)
			if diff := cmp.Diff(c.changed, changed); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.patch, patch); diff != "" {
				t.Errorf("patch (-want +got):\n%s", diff)
			}
			if patch == "" || live.Spec.Selector != nil {
				return
			}
			if err := json.Unmarshal([]byte(patch), live); err != nil {
				t.Fatal(err)
			}
			if changed, _ := Drift(rec, s, live); changed != nil {
				t.Errorf("after the patch: %v", changed)
			}
		})
	}
}

func TestSelectedPod(t *testing.T) {
	rec := record()
	for want, selector := range map[string]map[string]string{
		"":                        nil,
		"main-pod-0":              ServiceSelector("main", 0),
		migration.ForeignSelector: ServiceSelector("main", 1),
	} {
		live := service(rec, rec.Servers[0])
		live.Spec.Selector = selector
		if got := SelectedPod(rec, rec.Servers[0], live); got != want {
			t.Errorf("selector %v: %q, want %q", selector, got, want)
		}
	}
}

// TestObjectsOfAnEarlierRelease: an observer's Service had its peer port, which is no drift.
func TestObjectsOfAnEarlierRelease(t *testing.T) {
	rec := record()
	was := service(rec, rec.Servers[0])
	rec.Servers[0].Role = ensemble.Observer
	if changed, patch := Drift(rec, rec.Servers[0], was); len(changed) > 0 || patch != "" {
		t.Errorf("%q, %s", changed, patch)
	}
}
