//go:build integration

package integration

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// ensembleRecord is an ensemble with ids 2, 5 and 9.
func ensembleRecord(ns string, api migration.EndpointsAPI) migration.Record {
	rec := migration.Record{
		APIVersion: migration.RecordVersion, Kind: "Record", Name: "main", Namespace: ns, EndpointsAPI: api,
		Pods: migration.PodOptions{
			Image: "registry.example.com/zookeeper:3.8.0", StorageSize: "1Gi", Memory: "256Mi", CPU: "100m",
			AntiAffinity: "required", RunAsUser: 1000, ZooCfg: "dataDir=/zookeeper/data\ndataLogDir=/zookeeper/datalog\n",
		},
	}
	for i, id := range []ensemble.ID{2, 5, 9} {
		rec.Servers = append(rec.Servers, migration.ServerRecord{
			Server: ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1, ClientPort: 2181,
				PeerAddress: ensemble.PeerAddress{Host: "zk" + id.String(), PeerPort: 2888, ElectionPort: 3888}},
			HostIP: "10.1.0." + id.String(), Ordinal: i, Service: render.ServiceName("main", id),
		})
	}
	return rec
}

// site is one namespace with its operator.
type site struct {
	t    *testing.T
	ctx  context.Context
	cp   *controlPlane
	ns   string
	rec  migration.Record
	kube kubernetes.Interface
	c    *cluster.Client
	used *calls
}

func newSite(t *testing.T, api migration.EndpointsAPI) *site {
	t.Helper()
	cp, ns := namespace(t)
	return newSiteIn(t, cp, ns, api)
}

// newSiteIn is a site in a namespace whose operator has some Role already.
func newSiteIn(t *testing.T, cp *controlPlane, ns string, api migration.EndpointsAPI) *site {
	t.Helper()
	s := &site{t: t, ctx: t.Context(), cp: cp, ns: ns, rec: ensembleRecord(ns, api), used: newCalls()}
	config := cp.config(operatorToken)
	config.Wrap(s.used.wrap)
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	s.kube, s.c = kube, cluster.New(kube)
	eventually(t, "the authorizer knows the Role", func() (bool, string) {
		lacking := s.lacking()
		return len(lacking) == 0, fmt.Sprint(lacking)
	})
	return s
}

// lacking asks for everything a migration needs.
func (s *site) lacking() []access.Lack {
	s.t.Helper()
	lacking, err := s.c.Lacking(s.ctx, access.Of(s.rec, true), access.For(append(access.Migration(), access.Seed)...))
	s.must("ask", err)
	return lacking
}

func (s *site) must(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

// patiently does again what is refused for the moment, as the engine does.
func (s *site) patiently(what string, f func() error) {
	s.t.Helper()
	eventually(s.t, what, func() (bool, string) {
		err := f()
		if err != nil && !cluster.IsReason(err, cluster.Precondition) && !cluster.IsReason(err, cluster.Stale) {
			s.t.Fatalf("%s: %v", what, err)
		}
		return err == nil, errText(err)
	})
}

// wrap wraps and takes the Services' uids and addresses into the record.
func (s *site) wrap() []cluster.Applied {
	s.t.Helper()
	applied, err := s.c.Wrap(s.ctx, s.rec, false)
	s.must("wrap", err)
	for _, a := range applied {
		if a.Kind != "Service" {
			continue
		}
		if r, ok := s.rec.Server(a.ID); ok {
			r.ServiceUID, r.ClusterIP = a.UID, a.ClusterIP
		}
	}
	return applied
}

// run plays the kubelet: the server's pod runs with that address.
func (s *site) run(id ensemble.ID, ip string) *corev1.Pod {
	s.t.Helper()
	r, _ := s.rec.Server(id)
	name := render.PodName(s.rec.Name, r.Ordinal)
	eventually(s.t, "the StatefulSet makes pod "+name, func() (bool, string) {
		pod, err := s.cp.admin.CoreV1().Pods(s.ns).Get(s.ctx, name, metav1.GetOptions{})
		return err == nil && pod.DeletionTimestamp == nil, fmt.Sprint(err)
	})
	pod, err := s.started(name, ip)
	s.must("run the pod", err)
	return pod
}

// started has a pod run with that address.
func (s *site) started(name, ip string) (*corev1.Pod, error) {
	pods := s.cp.admin.CoreV1().Pods(s.ns)
	pod, err := pods.Get(s.ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	// The controllers need the name of a node, and take any.
	if pod.Spec.NodeName == "" {
		to := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: name}, Target: corev1.ObjectReference{Kind: "Node", Name: "node1"}}
		if err := pods.Bind(s.ctx, to, metav1.CreateOptions{}); err != nil {
			return nil, err
		}
		if pod, err = pods.Get(s.ctx, name, metav1.GetOptions{}); err != nil {
			return nil, err
		}
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.PodIP, pod.Status.PodIPs = ip, []corev1.PodIP{{IP: ip}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: render.ContainerName, Image: "x", ImageID: "x",
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}}}
	return pods.UpdateStatus(s.ctx, pod, metav1.UpdateOptions{})
}

// end deletes the pod as the tool does, and plays the kubelet that finds its
// container ended.
func (s *site) end(id ensemble.ID, pod *corev1.Pod) {
	s.t.Helper()
	s.must("delete pod", s.c.DeletePod(s.ctx, s.rec, id, string(pod.UID)))
	now := int64(0)
	s.must("end pod", s.cp.admin.CoreV1().Pods(s.ns).Delete(s.ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID},
	}))
}

func (s *site) view(id ensemble.ID) migration.ClusterView {
	s.t.Helper()
	views, err := s.c.Observe(s.ctx, s.rec)
	s.must("observe", err)
	return views[id]
}

// waitView looks until the view is as wanted.
func (s *site) waitView(id ensemble.ID, what string, ok func(migration.ClusterView) bool) {
	s.t.Helper()
	eventually(s.t, what, func() (bool, string) {
		v := s.view(id)
		return ok(v), fmt.Sprintf("%+v", v.Endpoints)
	})
}

func only(addresses []string, want string) bool { return slices.Equal(addresses, []string{want}) }

// replaceAndRevert takes server 5 into its pod and back. It does what the
// rules do, in their order.
func (s *site) replaceAndRevert(w *watcher, host, first, second string) {
	const id = ensemble.ID(5)
	slicesMode := s.rec.EndpointsAPI != migration.LegacyEndpoints
	pod := s.run(id, first)
	s.must("flip", s.c.PointToPod(s.ctx, s.rec, id, string(pod.UID), first))
	w.waitFor(first)
	s.must("adopt", s.c.SetSelector(s.ctx, s.rec, id))
	s.waitView(id, "the controller's slice holds the pod", func(v migration.ClusterView) bool { return only(v.Endpoints.Controller, first) })
	s.must("drop bridge", s.c.DropBridge(s.ctx, s.rec, id))
	s.waitView(id, "the bridge is gone", func(v migration.ClusterView) bool {
		return only(v.Endpoints.Union, first) && (!slicesMode || !v.Endpoints.BridgeFound)
	})
	s.must("release", s.c.OpenGate(s.ctx, s.rec, id, migration.EmptyStart(string(pod.UID))))
	s.must("kick", s.c.Kick(s.ctx, s.rec, id))
	s.must("close", s.c.CloseGate(s.ctx, s.rec, id))
	w.podAway(true)
	s.end(id, pod)
	pod = s.run(id, second)
	w.waitFor(second)
	w.podAway(false)
	s.waitView(id, "the controller follows the pod", func(v migration.ClusterView) bool { return only(v.Endpoints.Controller, second) })
	if slicesMode {
		s.must("bridge", s.c.PointToPod(s.ctx, s.rec, id, string(pod.UID), second))
	}
	s.patiently("clear selector", func() error { return s.c.ClearSelector(s.ctx, s.rec, id) })
	if !slicesMode {
		// The mirroring controller makes its slice of what was left behind.
		s.waitView(id, "the left-over Endpoints are mirrored", func(v migration.ClusterView) bool { return only(v.Endpoints.Bridge, second) })
	}
	clean := 0
	s.waitView(id, "no leftovers", func(v migration.ClusterView) bool {
		if len(v.Endpoints.Leftovers) > 0 {
			clean = 0
			s.must("delete leftovers", s.c.DeleteLeftovers(s.ctx, s.rec, id))
			return false
		}
		clean++
		return clean >= 10
	})
	s.must("flip back", s.c.PointToHost(s.ctx, s.rec, id))
	w.waitFor(host)
}

// rounds is how often the whole road is gone.
const rounds = 20

// A watcher that computes what kube-proxy does sees exactly one address at
// every event, through flip, adopt, and all the way back (I2).
func TestOneAddressAtEveryEvent(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	w := follow(t, s.cp, s.ns, "main-5")
	defer w.stop()
	before := s.view(5).Service
	for round := range rounds {
		s.replaceAndRevert(w, "10.1.0.5", fmt.Sprintf("10.244.0.%d", 2*round+1), fmt.Sprintf("10.244.0.%d", 2*round+2))
	}
	several, empty, _, events := w.wrong()
	t.Logf("%d rounds, %d events", rounds, events)
	for _, in := range append(several, empty...) {
		t.Errorf("not one address: %s", in)
	}
	if t.Failed() {
		t.Log(w.dump())
	}
	if diff := cmp.Diff(before, s.view(5).Service); diff != "" {
		t.Errorf("the Service changed (-before +now):\n%s", diff)
	}
}

// With v1 Endpoints the road is the same and ends in the same place; instants
// without an address are allowed at the change of controllers, two addresses
// are not.
func TestLegacyEndpointsRoad(t *testing.T) {
	s := newSite(t, migration.LegacyEndpoints)
	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	w := follow(t, s.cp, s.ns, "main-5")
	defer w.stop()
	w.waitFor("10.1.0.5")
	for round := range 5 {
		s.replaceAndRevert(w, "10.1.0.5", fmt.Sprintf("10.244.1.%d", 2*round+1), fmt.Sprintf("10.244.1.%d", 2*round+2))
	}
	several, empty, none, events := w.wrong()
	t.Logf("%d events, %d instants without an address, the longest %s", events, len(empty), none)
	for _, in := range several {
		t.Errorf("several addresses: %s", in)
	}
	if t.Failed() {
		t.Log(w.dump())
	}
}

// The known trap, to show that the watcher sees it: a selector set without a
// bridge, and leftovers that stay for ever (kubernetes#118376).
func TestTheWatcherSeesANaiveRollback(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	pod := s.run(5, "10.244.2.1")
	w := follow(t, s.cp, s.ns, "main-5")
	defer w.stop()
	services := s.cp.admin.CoreV1().Services(s.ns)
	svc, err := services.Get(s.ctx, "main-5", metav1.GetOptions{})
	s.must("get", err)
	svc.Spec.Selector = render.ServiceSelector("main", 1)
	_, err = services.Update(s.ctx, svc, metav1.UpdateOptions{})
	s.must("naive selector", err)
	eventually(t, "host and pod at once", func() (bool, string) { return len(w.union()) == 2, fmt.Sprint(w.union()) })

	t.Log("our own writes refuse in this state")
	if err := s.c.ClearSelector(s.ctx, s.rec, 5); !cluster.IsReason(err, cluster.Precondition) {
		t.Errorf("ClearSelector: %v", err)
	}
	if err := s.c.DropBridge(s.ctx, s.rec, 5); !cluster.IsReason(err, cluster.Precondition) {
		t.Errorf("DropBridge: %v", err)
	}
	if err := s.c.PointToHost(s.ctx, s.rec, 5); !cluster.IsReason(err, cluster.Precondition) {
		t.Errorf("PointToHost: %v", err)
	}
	if err := s.c.DeleteLeftovers(s.ctx, s.rec, 5); !cluster.IsReason(err, cluster.Precondition) {
		t.Errorf("DeleteLeftovers: %v", err)
	}

	t.Log("and find the way out")
	s.must("bridge", s.c.PointToPod(s.ctx, s.rec, 5, string(pod.UID), "10.244.2.1"))
	s.must("clear", s.c.ClearSelector(s.ctx, s.rec, 5))
	s.waitView(5, "clean", func(v migration.ClusterView) bool {
		if len(v.Endpoints.Leftovers) > 0 {
			s.must("leftovers", s.c.DeleteLeftovers(s.ctx, s.rec, 5))
			return false
		}
		return true
	})
	s.must("host", s.c.PointToHost(s.ctx, s.rec, 5))
	w.waitFor("10.1.0.5")
}

// A pod that goes away between flip and adopt takes its address along.
func TestBridgeGoesWithItsPod(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	pod := s.run(2, "10.244.3.1")
	if err := s.c.SetSelector(s.ctx, s.rec, 2); !cluster.IsReason(err, cluster.Precondition) {
		t.Errorf("selecting the pod before the flip: %v", err)
	}
	s.must("flip", s.c.PointToPod(s.ctx, s.rec, 2, string(pod.UID), "10.244.3.1"))
	looks := 0
	s.waitView(2, "the bridge stays as long as its pod", func(v migration.ClusterView) bool {
		if !v.Endpoints.BridgeFound {
			t.Fatal("the bridge was collected while its pod lives")
		}
		looks++
		return looks == 60
	})
	s.end(2, pod)
	s.waitView(2, "the bridge is collected", func(v migration.ClusterView) bool { return !v.Endpoints.BridgeFound })
	again := s.run(2, "10.244.3.2")
	if err := s.c.PointToPod(s.ctx, s.rec, 2, string(pod.UID), "10.244.3.1"); !cluster.IsReason(err, cluster.Precondition) {
		t.Errorf("flip to a pod that is gone: %v", err)
	}
	s.must("delete of a pod that is gone", s.c.DeletePod(s.ctx, s.rec, 2, string(pod.UID)))
	s.must("flip", s.c.PointToPod(s.ctx, s.rec, 2, string(again.UID), "10.244.3.2"))
	if live, err := s.cp.admin.CoreV1().Pods(s.ns).Get(s.ctx, again.Name, metav1.GetOptions{}); err != nil || live.UID != again.UID {
		t.Errorf("the new pod was deleted, too: %v", err)
	}
}
