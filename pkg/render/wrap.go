package render

import (
	"sort"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Wrap renders, for every server, its Service and the hand-made endpoints that
// point to its host. The endpoints have no owner yet: the Service's uid is
// known only once it exists, and the cluster adds it then.
func Wrap(rec migration.Record) ([]Object, error) {
	if err := validate(rec); err != nil {
		return nil, err
	}
	var objects []Object
	for _, s := range byID(rec) {
		objects = append(objects, service(rec, s))
		target, err := ToHost(s)
		if err != nil {
			return nil, err
		}
		bridge, err := Bridge(rec, s, target)
		if err != nil {
			return nil, err
		}
		objects = append(objects, bridge)
	}
	return sortObjects(objects), nil
}

// service is the server's address for good: ClusterIP and uid never change, so
// nothing owns it and nothing of ours deletes it. It has no selector while its
// endpoints are hand-made; the selector is never rendered, so that applying a
// wrap again cannot take it away from a replaced server.
//
// publishNotReadyAddresses: a server must be reachable on its election port
// before it can become ready, and election links are dialled in both
// directions. internalTrafficPolicy Cluster: Local drops what comes from nodes
// without the endpoint (kube-proxy topology.go).
func service(rec migration.Record, s migration.ServerRecord) *corev1.Service {
	single := corev1.IPFamilyPolicySingleStack
	policy := corev1.ServiceInternalTrafficPolicyCluster
	family := corev1.IPv4Protocol
	// validate has accepted the address before.
	host, _ := HostAddr(s)
	if host.Is6() {
		family = corev1.IPv6Protocol
	}
	svc := &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{
			Name:      ServiceName(rec.Name, s.ID),
			Namespace: rec.Namespace,
			Labels:    ServerLabels(rec, s.ID),
			Annotations: map[string]string{
				IDAnnotation:     s.ID.String(),
				HostIPAnnotation: host.String(),
			},
		},
		Spec: corev1.ServiceSpec{
			Type:                     corev1.ServiceTypeClusterIP,
			ClusterIP:                s.ClusterIP,
			IPFamilyPolicy:           &single,
			IPFamilies:               []corev1.IPFamily{family},
			InternalTrafficPolicy:    &policy,
			SessionAffinity:          corev1.ServiceAffinityNone,
			PublishNotReadyAddresses: true,
			Ports:                    servicePorts(s.Ports()),
		},
	}
	return svc
}

func servicePorts(ports []ensemble.Port) []corev1.ServicePort {
	var out []corev1.ServicePort
	for _, p := range ports {
		out = append(out, corev1.ServicePort{
			Name:       string(p.Name),
			Port:       int32(p.Number),
			TargetPort: intstr.FromInt32(int32(p.Number)),
			Protocol:   corev1.ProtocolTCP,
		})
	}
	return out
}

// byID returns the servers in ascending order of their ids.
func byID(rec migration.Record) []migration.ServerRecord {
	out := append([]migration.ServerRecord(nil), rec.Servers...)
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}
