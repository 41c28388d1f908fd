package cluster

import (
	"context"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// objects is where the objects of an ensemble are read from: the API server, asked
// each time. A missing object is nil without an error, unless a method says otherwise.
type objects interface {
	// services and pods are those with the ensemble's label, by name.
	services(ctx context.Context, rec migration.Record) (map[string]*corev1.Service, error)
	pods(ctx context.Context, rec migration.Record) (map[string]*corev1.Pod, error)
	// service and pod are found by name, with the label or without it.
	service(ctx context.Context, rec migration.Record, s migration.ServerRecord) (*corev1.Service, error)
	pod(ctx context.Context, rec migration.Record, s migration.ServerRecord) (*corev1.Pod, error)
	// slices are those behind the named Services, by Service.
	slices(ctx context.Context, rec migration.Record, services ...string) (map[string][]discoveryv1.EndpointSlice, error)
	endpoints(ctx context.Context, rec migration.Record, service string) (*corev1.Endpoints, error) //nolint:staticcheck // see behind
	// configMap returns the API server's error as it is.
	configMap(ctx context.Context, rec migration.Record, name string) (*corev1.ConfigMap, error)
	// statefulSet returns the API server's error as it is.
	statefulSet(ctx context.Context, rec migration.Record) (*appsv1.StatefulSet, error)
	// budget returns the API server's error as it is.
	budget(ctx context.Context, rec migration.Record) (*policyv1.PodDisruptionBudget, error)
	// asksPod reports whether the pod's own report is asked for: whether it tells more than
	// Kubernetes does.
	asksPod(rec migration.Record, s migration.ServerRecord, v *migration.PodView) bool
}

// live asks the API server.
type live struct{ kube kubernetes.Interface }

func (l live) services(ctx context.Context, rec migration.Record) (map[string]*corev1.Service, error) {
	list, err := l.kube.CoreV1().Services(rec.Namespace).List(ctx, ofEnsemble(rec))
	if err != nil {
		return nil, failed(err, "list", "Services", rec.Namespace, rec.Name)
	}
	return byName(list.Items), nil
}

func (l live) pods(ctx context.Context, rec migration.Record) (map[string]*corev1.Pod, error) {
	list, err := l.kube.CoreV1().Pods(rec.Namespace).List(ctx, ofEnsemble(rec))
	if err != nil {
		return nil, failed(err, "list", "Pods", rec.Namespace, rec.Name)
	}
	return byName(list.Items), nil
}

// byName finds each object of a list by its name.
func byName[T any, P interface {
	*T
	metav1.Object
}](items []T) map[string]*T {
	out := map[string]*T{}
	for i := range items {
		out[P(&items[i]).GetName()] = &items[i]
	}
	return out
}

// orNone returns the object, nil if it is missing, or the API server's error with its name.
func orNone[T any](o *T, err error, kind, namespace, name string) (*T, error) {
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, failed(err, "get", kind, namespace, name)
	}
	return o, nil
}

func ofEnsemble(rec migration.Record) metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: labels.Set{render.EnsembleLabel: rec.Name}.String()}
}

func (l live) service(ctx context.Context, rec migration.Record, s migration.ServerRecord) (*corev1.Service, error) {
	name := render.ServiceName(rec.Name, s.ID)
	svc, err := l.kube.CoreV1().Services(rec.Namespace).Get(ctx, name, metav1.GetOptions{})
	return orNone(svc, err, "Service", rec.Namespace, name)
}

func (l live) pod(ctx context.Context, rec migration.Record, s migration.ServerRecord) (*corev1.Pod, error) {
	name := render.PodName(rec.Name, s.Ordinal)
	pod, err := l.kube.CoreV1().Pods(rec.Namespace).Get(ctx, name, metav1.GetOptions{})
	return orNone(pod, err, "Pod", rec.Namespace, name)
}

func (l live) slices(ctx context.Context, rec migration.Record, services ...string) (map[string][]discoveryv1.EndpointSlice, error) {
	selector := discoveryv1.LabelServiceName + " in (" + strings.Join(services, ",") + ")"
	list, err := l.kube.DiscoveryV1().EndpointSlices(rec.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, failed(err, "list", "EndpointSlices", rec.Namespace, rec.Name)
	}
	out := map[string][]discoveryv1.EndpointSlice{}
	for _, slice := range list.Items {
		name := slice.Labels[discoveryv1.LabelServiceName]
		out[name] = append(out[name], slice)
	}
	return out, nil
}

func (l live) endpoints(ctx context.Context, rec migration.Record, service string) (*corev1.Endpoints, error) { //nolint:staticcheck // see behind
	e, err := l.kube.CoreV1().Endpoints(rec.Namespace).Get(ctx, service, metav1.GetOptions{})
	return orNone(e, err, "Endpoints", rec.Namespace, service)
}

func (l live) configMap(ctx context.Context, rec migration.Record, name string) (*corev1.ConfigMap, error) {
	return l.kube.CoreV1().ConfigMaps(rec.Namespace).Get(ctx, name, metav1.GetOptions{})
}

func (l live) statefulSet(ctx context.Context, rec migration.Record) (*appsv1.StatefulSet, error) {
	return l.kube.AppsV1().StatefulSets(rec.Namespace).Get(ctx, render.StatefulSetName(rec.Name), metav1.GetOptions{})
}

func (l live) budget(ctx context.Context, rec migration.Record) (*policyv1.PodDisruptionBudget, error) {
	return l.kube.PolicyV1().PodDisruptionBudgets(rec.Namespace).Get(ctx, render.HeadlessName(rec.Name), metav1.GetOptions{})
}

func (l live) asksPod(migration.Record, migration.ServerRecord, *migration.PodView) bool { return true }
