//go:build integration

package integration

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

func deleteNow() metav1.DeleteOptions { return metav1.DeleteOptions{} }

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func results(applied []cluster.Applied) []string {
	var out []string
	for _, a := range applied {
		out = append(out, a.Kind+"/"+a.Name+" "+string(a.Result))
	}
	return out
}

func TestWrapTwice(t *testing.T) {
	for _, api := range []migration.EndpointsAPI{migration.EndpointSlices, migration.LegacyEndpoints} {
		t.Run(string(api), func(t *testing.T) {
			s := newSite(t, api)
			kind, suffix := "EndpointSlice", "-bridge"
			if api == migration.LegacyEndpoints {
				kind, suffix = "Endpoints", ""
			}
			want := func(r cluster.Result) []string {
				var out []string
				for _, k := range []string{"Service", kind} {
					for _, id := range []string{"2", "5", "9"} {
						name := "main-" + id
						if k != "Service" {
							name += suffix
						}
						out = append(out, k+"/"+name+" "+string(r))
					}
				}
				return out
			}
			dry, err := s.c.Wrap(s.ctx, s.rec, true)
			s.must("dry run", err)
			if diff := cmp.Diff(want(cluster.Created), results(dry)); diff != "" {
				t.Errorf("dry run: %s", diff)
			}
			if v := s.view(5); v.Service.Found || v.Endpoints.BridgeFound {
				t.Errorf("the dry run wrote: %+v", v)
			}
			if diff := cmp.Diff(want(cluster.Created), results(s.wrap())); diff != "" {
				t.Error(diff)
			}
			eventually(t, "the Service points to its host", func() (bool, string) {
				return only(s.view(5).Endpoints.Union, "10.1.0.5"), ""
			})
			v := s.view(5)
			if !v.Service.Found || v.Service.ClusterIP == "" || v.Service.Selector != "" || len(v.Endpoints.Leftovers)+len(v.Endpoints.Foreign) > 0 {
				t.Errorf("view %+v", v)
			}
			if diff := cmp.Diff(want(cluster.Unchanged), results(s.wrap())); diff != "" {
				t.Errorf("second time: %s", diff)
			}
		})
	}
}

// A wrap repeated later must not move what has been moved.
func TestWrapLeavesAFlippedServerAlone(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	pod := s.run(5, "10.244.4.1")
	s.must("flip", s.c.PointToPod(s.ctx, s.rec, 5, string(pod.UID), "10.244.4.1"))
	services, uid := s.cp.admin.CoreV1().Services(s.ns), s.rec.Servers[1].ServiceUID
	// Ports that were not recorded when it was wrapped.
	for i := range s.rec.Servers {
		s.rec.Servers[i].SecureClientPort = 2281
	}
	want := []string{"Service/main-2 configured", "Service/main-5 configured", "Service/main-9 configured",
		"EndpointSlice/main-2-bridge configured", "EndpointSlice/main-5-bridge configured", "EndpointSlice/main-9-bridge configured"}
	if diff := cmp.Diff(want, results(s.wrap())); diff != "" {
		t.Error(diff)
	}
	svc, err := services.Get(s.ctx, "main-5", metav1.GetOptions{})
	s.must("Service", err)
	if len(svc.Spec.Ports) != 4 || string(svc.UID) != uid || svc.Spec.ClusterIP != s.rec.Servers[1].ClusterIP {
		t.Errorf("the Service is %+v", svc)
	}
	if v := s.view(5); !only(v.Endpoints.Union, "10.244.4.1") || v.Endpoints.BridgePodUID != string(pod.UID) || len(v.Service.Changed) > 0 {
		t.Errorf("after flip and wrap: %+v", v)
	}
	s.must("adopt", s.c.SetSelector(s.ctx, s.rec, 5))
	s.waitView(5, "adopted", func(v migration.ClusterView) bool { return only(v.Endpoints.Controller, "10.244.4.1") })
	s.must("drop", s.c.DropBridge(s.ctx, s.rec, 5))
	if got := results(s.wrap()); !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, string(cluster.NotNeeded)) }) {
		t.Errorf("endpoints that are not there: %q", got)
	}
	if v := s.view(5); !only(v.Endpoints.Union, "10.244.4.1") || v.Endpoints.BridgeFound || v.Service.Selector != "main-pod-1" {
		t.Errorf("after adopt and wrap: %+v", v)
	}
}

func TestWrapRefusesWhatIsNotOurs(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	services := s.cp.admin.CoreV1().Services(s.ns)
	foreign := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "main-9"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
	_, err := services.Create(s.ctx, foreign, metav1.CreateOptions{})
	s.must("foreign Service", err)
	if _, err = s.c.Wrap(s.ctx, s.rec, false); !cluster.IsReason(err, cluster.Conflict) || !strings.Contains(err.Error(), "not part of ensemble main") {
		t.Errorf("got %v", err)
	}
	if v := s.view(2); v.Service.Found {
		t.Error("something was written although the wrap was refused")
	}
}

// Another manager's value is reported with its owner, never overwritten.
func TestWrapReportsConflicts(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	s.wrap()
	patch := []byte(`{"apiVersion":"v1","kind":"Service","metadata":{"name":"main-2"},"spec":{"publishNotReadyAddresses":false}}`)
	force := true
	_, err := s.cp.admin.CoreV1().Services(s.ns).Patch(s.ctx, "main-2", types.ApplyPatchType, patch, metav1.PatchOptions{FieldManager: "gitops", Force: &force})
	s.must("another manager", err)
	_, err = s.c.Wrap(s.ctx, s.rec, false)
	if !cluster.IsReason(err, cluster.Conflict) || !strings.Contains(err.Error(), "gitops") || !strings.Contains(err.Error(), ".spec.publishNotReadyAddresses") {
		t.Errorf("got %v", err)
	}
}

// What the client dry run prints is what `kubectl apply` takes, and a flip must
// not fail because another manager created the objects.
func TestObjectsCreatedByAnotherManager(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	objects, err := render.Wrap(s.rec)
	s.must("render", err)
	for _, o := range objects {
		data, err := render.JSON(o)
		s.must("json", err)
		path := "/api/v1/namespaces/" + s.ns + "/services/" + o.GetName()
		if o.GetObjectKind().GroupVersionKind().Kind == "EndpointSlice" {
			path = "/apis/discovery.k8s.io/v1/namespaces/" + s.ns + "/endpointslices/" + o.GetName()
		}
		_, err = s.cp.admin.CoreV1().RESTClient().Patch(types.ApplyPatchType).AbsPath(path).
			Param("fieldManager", "kubectl").Body(data).DoRaw(s.ctx)
		s.must(path, err)
	}
	for _, r := range results(s.wrap()) {
		if strings.HasSuffix(r, "created") {
			t.Error(r)
		}
	}
	s.must("park", s.c.Park(s.ctx, s.rec))
	pod := s.run(5, "10.244.5.1")
	s.must("flip", s.c.PointToPod(s.ctx, s.rec, 5, string(pod.UID), "10.244.5.1"))
	if v := s.view(5); !only(v.Endpoints.Union, "10.244.5.1") {
		t.Errorf("%+v", v.Endpoints)
	}
}

func TestParkTwiceKeepsTheGate(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	first := s.view(5).Gate
	if !first.Found || first.Released || first.Generation < 1 {
		t.Fatalf("%+v", first)
	}
	pod := s.run(5, "10.244.5.1")
	// What the API server fills in is nobody's edit.
	if p := s.view(5).Pod; p.Source.Pod.Outdated || p.Source.Set.Outdated || len(p.Source.Set.Drift)+len(p.Source.Pod.Drift) > 0 {
		t.Errorf("just made, and not as recorded: %+v", p)
	}
	if err := s.c.OpenGate(s.ctx, s.rec, 5, "empty:u"); !cluster.IsReason(err, cluster.Precondition) {
		t.Errorf("the gate opens while the Service points to the host: %v", err)
	}
	s.must("flip", s.c.PointToPod(s.ctx, s.rec, 5, string(pod.UID), "10.244.5.1"))
	s.must("adopt", s.c.SetSelector(s.ctx, s.rec, 5))
	s.waitView(5, "the controller's slice holds the pod", func(v migration.ClusterView) bool { return only(v.Endpoints.Controller, "10.244.5.1") })
	s.must("open", s.c.OpenGate(s.ctx, s.rec, 5, "empty:u"))
	s.must("open again", s.c.OpenGate(s.ctx, s.rec, 5, "empty:u"))
	s.must("park again", s.c.Park(s.ctx, s.rec))
	if g := s.view(5).Gate; !g.Released || g.Generation != first.Generation+1 || g.ReleasedGeneration != g.Generation {
		t.Errorf("%+v", g)
	}
	if g := s.view(2).Gate; g.Released {
		t.Error("server 2 was released, too")
	}
	s.must("close", s.c.CloseGate(s.ctx, s.rec, 5))
	s.must("close again", s.c.CloseGate(s.ctx, s.rec, 5))
	if g := s.view(5).Gate; g.Released || g.Generation != first.Generation+2 {
		t.Errorf("%+v", g)
	}
	set, err := s.cp.admin.AppsV1().StatefulSets(s.ns).Get(s.ctx, "main-pod", metav1.GetOptions{})
	s.must("set", err)
	if set.Generation != 1 {
		t.Errorf("parking twice changed the StatefulSet: generation %d", set.Generation)
	}
	// The controller may write its status in between.
	s.must("kubectl set image", retry.RetryOnConflict(retry.DefaultRetry, func() error {
		set, err := s.cp.admin.AppsV1().StatefulSets(s.ns).Get(s.ctx, "main-pod", metav1.GetOptions{})
		if err != nil {
			return err
		}
		set.Spec.Template.Spec.Containers[0].Image = "zk:edited"
		_, err = s.cp.admin.AppsV1().StatefulSets(s.ns).Update(s.ctx, set, metav1.UpdateOptions{FieldManager: "kubectl-set"})
		return err
	}))
	if p := s.view(5).Pod; !p.Source.Set.Outdated || len(p.Source.Set.Drift) != 1 {
		t.Errorf("the edit was not seen: %+v", p)
	}
	s.must("park the edited set", s.c.Park(s.ctx, s.rec))
	if p := s.view(5).Pod; p.Source.Set.Outdated || len(p.Source.Set.Drift) > 0 {
		t.Errorf("the edit is still there: %+v", p)
	}
}
