package render

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TrialName names a Service and its v1 Endpoints, with which it is tried whether the
// cluster follows such objects.
func TrialName(name string) string { return JournalName(name) + "-trial" }

// trialAddress is nobody's (RFC 5737).
const trialAddress = "192.0.2.1"

// TrialEndpoints lead nowhere.
//
//nolint:staticcheck // v1 Endpoints is deprecated and asked for by name
func TrialEndpoints(rec migration.Record) *corev1.Endpoints {
	return &corev1.Endpoints{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Endpoints"},
		ObjectMeta: metav1.ObjectMeta{Name: TrialName(rec.Name), Namespace: rec.Namespace, Labels: Labels(rec.Name)},
		Subsets:    []corev1.EndpointSubset{{Addresses: []corev1.EndpointAddress{{IP: trialAddress}}, Ports: EndpointsPorts(rec.Servers[0])}},
	}
}

// TrialService has no address of its own. Its Endpoints own it: they are deleted at the
// end, and the garbage collector deletes it then, which we have no permission for.
//
// One family: without a selector a headless Service is made for both, wherever it is, and
// gets none in a cluster of one.
func TrialService(rec migration.Record, endpoints types.UID) *corev1.Service {
	single := corev1.IPFamilyPolicySingleStack
	return &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{
			Name: TrialName(rec.Name), Namespace: rec.Namespace, Labels: Labels(rec.Name),
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Endpoints", Name: TrialName(rec.Name), UID: endpoints}},
		},
		Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, IPFamilyPolicy: &single, Ports: servicePorts(rec.Servers[0].Ports())},
	}
}

// TrialSelector selects no pod.
func TrialSelector(name string) map[string]string {
	return map[string]string{PodNameLabel: TrialName(name)}
}
