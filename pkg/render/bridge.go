package render

import (
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Target is where a server's hand-made endpoints point.
type Target struct {
	// IP is the one address.
	IP netip.Addr
	// Owner is deleted together with the endpoints: the Service while they
	// point to the host; the pod, and it alone, while they point to the pod, so
	// that a pod that is deleted takes its address along (the garbage collector
	// waits until all owners are gone). Nil leaves them without owner.
	Owner *metav1.OwnerReference
	// Pod and Node are set while the target is a pod.
	Pod  *corev1.ObjectReference
	Node string
}

// ToHost points to the server's host.
func ToHost(s migration.ServerRecord) (Target, error) {
	ip, err := HostAddr(s)
	if err != nil {
		return Target{}, err
	}
	t := Target{IP: ip}
	if s.ServiceUID != "" {
		t.Owner = OwnedByService(s.Service, types.UID(s.ServiceUID))
	}
	return t, nil
}

// OwnedByService is the owner of endpoints that point to a host.
func OwnedByService(name string, uid types.UID) *metav1.OwnerReference {
	return &metav1.OwnerReference{APIVersion: "v1", Kind: "Service", Name: name, UID: uid}
}

// ToPod points to the server's pod.
func ToPod(rec migration.Record, s migration.ServerRecord, podUID, podIP, node string) (Target, error) {
	name := PodName(rec.Name, s.Ordinal)
	ip, err := netip.ParseAddr(podIP)
	if err != nil {
		return Target{}, fmt.Errorf("server %s: pod %s has address %q, which is no IP address", s.ID, name, podIP)
	}
	return Target{
		IP:    ip.Unmap(),
		Owner: &metav1.OwnerReference{APIVersion: "v1", Kind: "Pod", Name: name, UID: types.UID(podUID)},
		Pod:   &corev1.ObjectReference{Kind: "Pod", Namespace: rec.Namespace, Name: name, UID: types.UID(podUID)},
		Node:  node,
	}, nil
}

// Bridge renders the hand-made endpoints of one server: an EndpointSlice, or a
// v1 Endpoints object where the record asks for it. Ports and address stand in
// one object, so that a change of target is one write.
//
// A v1 Endpoints object reaches kube-proxy only through the mirroring
// controller: it is slower (milliseconds, up to 100 s when that controller
// backs off), and not there at all in clusters that run without the controller
// (KEP-4974).
func Bridge(rec migration.Record, s migration.ServerRecord, t Target) (Object, error) {
	if !t.IP.IsValid() {
		return nil, fmt.Errorf("server %s: no address to point its Service to", s.ID)
	}
	host, err := HostAddr(s)
	if err != nil {
		return nil, err
	}
	if host.Is4() != t.IP.Is4() {
		return nil, fmt.Errorf("server %s: host %s and target %s are of different IP families: "+
			"a Service of one family cannot serve both", s.ID, host, t.IP)
	}
	if rec.EndpointsAPI == migration.LegacyEndpoints {
		return endpoints(rec, s, t), nil
	}
	return slice(rec, s, t), nil
}

// SlicePorts are the ports of a server's hand-made EndpointSlice.
func SlicePorts(s migration.ServerRecord) []discoveryv1.EndpointPort {
	var out []discoveryv1.EndpointPort
	for _, p := range s.Ports() {
		name, number, tcp := string(p.Name), int32(p.Number), corev1.ProtocolTCP
		out = append(out, discoveryv1.EndpointPort{Name: &name, Port: &number, Protocol: &tcp})
	}
	return out
}

// EndpointsPorts are those of its v1 Endpoints.
func EndpointsPorts(s migration.ServerRecord) []corev1.EndpointPort {
	var out []corev1.EndpointPort
	for _, p := range s.Ports() {
		out = append(out, corev1.EndpointPort{Name: string(p.Name), Port: int32(p.Number), Protocol: corev1.ProtocolTCP})
	}
	return out
}

func slice(rec migration.Record, s migration.ServerRecord, t Target) *discoveryv1.EndpointSlice {
	yes, no := true, false
	endpoint := discoveryv1.Endpoint{
		Addresses: []string{t.IP.String()},
		// ready is said outright: this endpoint counts whatever probes say.
		Conditions: discoveryv1.EndpointConditions{Ready: &yes, Serving: &yes, Terminating: &no},
		TargetRef:  t.Pod,
	}
	if t.Node != "" {
		endpoint.NodeName = &t.Node
	}
	out := &discoveryv1.EndpointSlice{
		TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta: metav1.ObjectMeta{
			Name:      BridgeName(rec.Name, s.ID),
			Namespace: rec.Namespace,
			Labels:    ServerLabels(rec, s.ID),
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{endpoint},
	}
	out.Labels[discoveryv1.LabelServiceName] = ServiceName(rec.Name, s.ID)
	out.Labels[discoveryv1.LabelManagedBy] = Manager
	if t.IP.Is6() {
		out.AddressType = discoveryv1.AddressTypeIPv6
	}
	if t.Owner != nil {
		out.OwnerReferences = []metav1.OwnerReference{*t.Owner}
	}
	out.Ports = SlicePorts(s)
	return out
}

// endpoints is named like the Service: that is how the two belong together.
//
//nolint:staticcheck // v1 Endpoints is deprecated and asked for by name
func endpoints(rec migration.Record, s migration.ServerRecord, t Target) *corev1.Endpoints {
	address := corev1.EndpointAddress{IP: t.IP.String(), TargetRef: t.Pod}
	if t.Node != "" {
		address.NodeName = &t.Node
	}
	subset := corev1.EndpointSubset{Addresses: []corev1.EndpointAddress{address}, Ports: EndpointsPorts(s)}
	out := &corev1.Endpoints{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Endpoints"},
		ObjectMeta: metav1.ObjectMeta{
			Name:      ServiceName(rec.Name, s.ID),
			Namespace: rec.Namespace,
			Labels:    ServerLabels(rec, s.ID),
		},
		Subsets: []corev1.EndpointSubset{subset},
	}
	out.Labels[BridgeLabel] = "true"
	if t.Owner != nil {
		out.OwnerReferences = []metav1.OwnerReference{*t.Owner}
	}
	return out
}
