package cluster

import (
	"context"
	"fmt"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Snapshot holds the objects of all ensembles as one set of lists showed them. It is
// for showing: nothing can be written through it, and it is as old as its lists.
//
// What the lists do not hold is asked for by name where it should be there (an object
// that lost our label, say), and a pod's report where Kubernetes does not tell the
// same.
type Snapshot struct {
	live
	client *Client
	// slots bound how many logs are read at once: the client's own limit of requests would
	// use up the time that a node has to answer.
	slots chan struct{}

	serviceBy     map[key]*corev1.Service
	podBy         map[key]*corev1.Pod
	slicesOf      map[key][]discoveryv1.EndpointSlice // by Service
	endpointsBy   map[key]*corev1.Endpoints           //nolint:staticcheck // see behind
	configMapBy   map[key]*corev1.ConfigMap
	statefulSetBy map[key]*appsv1.StatefulSet
	budgetBy      map[key]*policyv1.PodDisruptionBudget
	// budgets is the error of listing those.
	budgets error
}

// logsAtOnce is how many pods are asked side by side.
const logsAtOnce = 50

// key is an object's namespace and name.
type key struct{ namespace, name string }

func keyOf(o metav1.Object) key { return key{o.GetNamespace(), o.GetName()} }

// Snapshot lists the objects of all ensembles of these namespaces, or of the cluster where none is
// named, seven kinds side by side, in pages of 500 as kubectl does. EndpointSlices are all that
// stand behind the Services of these records, whoever made them, and ours that a journal has left
// behind. It fails where the user may not list one of the kinds, but PodDisruptionBudgets.
func (c *Client) Snapshot(ctx context.Context, namespaces []string, of []migration.Record) (*Snapshot, error) {
	s := &Snapshot{live: live{c.kube}, client: c, slots: make(chan struct{}, logsAtOnce), slicesOf: map[key][]discoveryv1.EndpointSlice{}}
	wanted := map[key]bool{}
	for _, rec := range of {
		for _, server := range rec.Servers {
			wanted[key{rec.Namespace, render.ServiceName(rec.Name, server.ID)}] = true
		}
	}
	ours := render.EnsembleLabel
	files := ours + "," + render.RoleLabel + " in (" + render.RoleGate + "," + render.RoleConf + "," + render.RoleClients + ")"
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	in := where(namespaces)
	core := c.kube.CoreV1()
	lists := []func() error{
		func() (err error) {
			s.serviceBy, err = named[*corev1.Service](ctx, in, "Services", ours, func(ns string) lister[*corev1.ServiceList] { return core.Services(ns) })
			return err
		},
		func() (err error) {
			s.podBy, err = named[*corev1.Pod](ctx, in, "Pods", ours, func(ns string) lister[*corev1.PodList] { return core.Pods(ns) })
			return err
		},
		func() (err error) {
			s.configMapBy, err = named[*corev1.ConfigMap](ctx, in, "ConfigMaps", files, func(ns string) lister[*corev1.ConfigMapList] { return core.ConfigMaps(ns) })
			return err
		},
		func() (err error) {
			s.endpointsBy, err = named[*corev1.Endpoints](ctx, in, "Endpoints", ours, func(ns string) lister[*corev1.EndpointsList] { return core.Endpoints(ns) }) //nolint:staticcheck // see behind
			return err
		},
		func() (err error) {
			s.statefulSetBy, err = named[*appsv1.StatefulSet](ctx, in, "StatefulSets", ours, func(ns string) lister[*appsv1.StatefulSetList] { return c.kube.AppsV1().StatefulSets(ns) })
			return err
		},
		func() error {
			s.budgetBy, s.budgets = named[*policyv1.PodDisruptionBudget](ctx, in, "PodDisruptionBudgets", ours, func(ns string) lister[*policyv1.PodDisruptionBudgetList] {
				return c.kube.PolicyV1().PodDisruptionBudgets(ns)
			})
			if apierrors.IsForbidden(s.budgets) {
				return nil // then nothing is known of them
			}
			return s.budgets
		},
		func() error {
			slices := func(ns string) lister[*discoveryv1.EndpointSliceList] { return c.kube.DiscoveryV1().EndpointSlices(ns) }
			return every(ctx, in, "EndpointSlices", discoveryv1.LabelServiceName, slices, func(e *discoveryv1.EndpointSlice) {
				of := key{e.Namespace, e.Labels[discoveryv1.LabelServiceName]}
				if wanted[of] || e.Labels[discoveryv1.LabelManagedBy] == render.Manager {
					s.slicesOf[of] = append(s.slicesOf[of], *e)
				}
			})
		},
	}
	errs := make([]error, len(lists))
	var wg sync.WaitGroup
	for i, list := range lists {
		wg.Go(func() { errs[i] = list() })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// where are the namespaces that are listed: all are one, without a name.
type where []string

// named lists objects by namespace and name.
func named[T interface {
	runtime.Object
	metav1.Object
}, L runtime.Object](ctx context.Context, in where, kind, selector string, list func(namespace string) lister[L]) (map[key]T, error) {
	out := map[key]T{}
	err := every(ctx, in, kind, selector, list, func(o T) { out[keyOf(o)] = o })
	return out, err
}

// every lists objects, page by page.
func every[T, L runtime.Object](ctx context.Context, in where, kind, selector string, list func(namespace string) lister[L], add func(T)) error {
	for _, namespace := range in {
		get := list(namespace)
		pages := pager.New(func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return get.List(ctx, o) })
		err := pages.EachListItem(ctx, metav1.ListOptions{LabelSelector: selector}, func(o runtime.Object) error {
			t, ok := o.(T)
			if !ok {
				return fmt.Errorf("the API server listed a %T among them", o)
			}
			add(t)
			return nil
		})
		switch {
		case err != nil && namespace == metav1.NamespaceAll:
			return fmt.Errorf("cannot list %s in all namespaces: %w", kind, err)
		case err != nil:
			return fmt.Errorf("cannot list %s in namespace %s: %w", kind, namespace, err)
		}
	}
	return nil
}

// Observe is Client.Observe from what the lists held.
func (s *Snapshot) Observe(ctx context.Context, rec migration.Record) (map[ensemble.ID]migration.ClusterView, error) {
	c := *s.client
	c.read, c.slots = s, s.slots
	return c.Observe(ctx, rec)
}

// Claims is Client.Claims, of all namespaces.
func (s *Snapshot) Claims() []migration.Claim {
	var all []discoveryv1.EndpointSlice
	for _, slices := range s.slicesOf {
		all = append(all, slices...)
	}
	return claimsOf(all)
}

func (s *Snapshot) services(_ context.Context, rec migration.Record) (map[string]*corev1.Service, error) {
	out := ofServers(s.serviceBy, rec, func(server migration.ServerRecord) string { return render.ServiceName(rec.Name, server.ID) })
	if svc := s.serviceBy[key{rec.Namespace, render.HeadlessName(rec.Name)}]; svc != nil {
		out[svc.Name] = svc
	}
	return out, nil
}

func (s *Snapshot) pods(_ context.Context, rec migration.Record) (map[string]*corev1.Pod, error) {
	return ofServers(s.podBy, rec, func(server migration.ServerRecord) string { return render.PodName(rec.Name, server.Ordinal) }), nil
}

// ofServers picks the listed objects of a record's servers, by name.
func ofServers[T any](listed map[key]*T, rec migration.Record, name func(migration.ServerRecord) string) map[string]*T {
	out := map[string]*T{}
	for _, server := range rec.Servers {
		if o := listed[key{rec.Namespace, name(server)}]; o != nil {
			out[name(server)] = o
		}
	}
	return out
}

// pod asks for one without our label where there should be one.
func (s *Snapshot) pod(ctx context.Context, rec migration.Record, server migration.ServerRecord) (*corev1.Pod, error) {
	if s.begun(rec) {
		return s.live.pod(ctx, rec, server)
	}
	return nil, nil
}

// begun reports whether there may be pods: one is or was to run a server, or the
// StatefulSet is there.
func (s *Snapshot) begun(rec migration.Record) bool {
	return rec.Begun() || s.statefulSetBy[key{rec.Namespace, render.StatefulSetName(rec.Name)}] != nil
}

func (s *Snapshot) slices(_ context.Context, rec migration.Record, services ...string) (map[string][]discoveryv1.EndpointSlice, error) {
	out := map[string][]discoveryv1.EndpointSlice{}
	for _, name := range services {
		out[name] = s.slicesOf[key{rec.Namespace, name}]
	}
	return out, nil
}

// endpoints asks for some without our label only where they are what leads to a host: elsewhere
// controllers mirror them into a slice, which was seen.
func (s *Snapshot) endpoints(ctx context.Context, rec migration.Record, service string) (*corev1.Endpoints, error) { //nolint:staticcheck // see behind
	if e := s.endpointsBy[key{rec.Namespace, service}]; e != nil || rec.EndpointsAPI != migration.LegacyEndpoints {
		return e, nil
	}
	return s.live.endpoints(ctx, rec, service)
}

func (s *Snapshot) configMap(ctx context.Context, rec migration.Record, name string) (*corev1.ConfigMap, error) {
	if cm := s.configMapBy[key{rec.Namespace, name}]; cm != nil {
		return cm, nil
	}
	if !s.begun(rec) {
		return nil, apierrors.NewNotFound(corev1.Resource("configmaps"), name)
	}
	return s.live.configMap(ctx, rec, name)
}

// Clients is the object that keeps what was seen of clients; nil where there is none.
func (s *Snapshot) Clients(rec migration.Record) *corev1.ConfigMap {
	return s.configMapBy[key{rec.Namespace, render.ClientsName(rec.Name)}]
}

func (s *Snapshot) statefulSet(ctx context.Context, rec migration.Record) (*appsv1.StatefulSet, error) {
	name := render.StatefulSetName(rec.Name)
	if set := s.statefulSetBy[key{rec.Namespace, name}]; set != nil {
		return set, nil
	}
	if !s.begun(rec) {
		return nil, apierrors.NewNotFound(appsv1.Resource("statefulsets"), name)
	}
	return s.live.statefulSet(ctx, rec)
}

func (s *Snapshot) budget(_ context.Context, rec migration.Record) (*policyv1.PodDisruptionBudget, error) {
	name := render.HeadlessName(rec.Name)
	if budget := s.budgetBy[key{rec.Namespace, name}]; budget != nil || s.budgets != nil {
		return budget, s.budgets
	}
	return nil, apierrors.NewNotFound(policyv1.Resource("poddisruptionbudgets"), name)
}

// asksPod: a replaced server whose pod is ready was started by its gate.
func (s *Snapshot) asksPod(rec migration.Record, server migration.ServerRecord, v *migration.PodView) bool {
	return !v.Ready() || server.Replaced == nil || rec.Flight != nil && rec.Flight.ID == server.ID
}
