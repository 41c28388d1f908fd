// Package render turns the journal's record into Kubernetes objects: Services
// and hand-made endpoints that wrap the hosts, and everything the pods need.
// It is pure: same record, same objects, in the same order.
package render

import (
	"fmt"
	"net/netip"
	"strconv"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Labels and annotations on our objects.
const (
	// EnsembleLabel holds the ensemble's name on every object of ours.
	EnsembleLabel = "zkmigrate.io/ensemble"
	// IDLabel holds the server's id on its Service and hand-made endpoints.
	IDLabel = "zkmigrate.io/id"
	// RoleLabel tells our ConfigMaps apart; see RoleJournal.
	RoleLabel = "zkmigrate.io/role"
	// BridgeLabel marks a v1 Endpoints object as written by us. The Service
	// never has it: the endpoints controller replaces an object's labels by
	// those of its Service (endpoints_controller.go, syncService), so a missing
	// mark says that the controller has taken the object over.
	BridgeLabel = "zkmigrate.io/bridge"
	// IDAnnotation and HostIPAnnotation say on the Service whom it stands for;
	// a lost journal can be rebuilt from them.
	IDAnnotation     = "zkmigrate.io/id"
	HostIPAnnotation = "zkmigrate.io/host-ip"
	// FleetLabel holds the fleet's name on the object that keeps a run's state.
	FleetLabel = "zkmigrate.io/fleet"
	// HaltAnnotation on a fleet's object, or on an ensemble's journal, halts the fleet's run
	// before the next server. Its value says why.
	HaltAnnotation = "zkmigrate.io/halt"
	// KickAnnotation on a pod makes its kubelet refresh the volumes at once.
	KickAnnotation = "zkmigrate.io/kick"

	// RoleJournal, RoleGate and RoleConf are the values of RoleLabel.
	RoleJournal = "journal"
	// RoleJournalCopy marks the copy of a journal's last settled state.
	RoleJournalCopy = "journal-copy"
	RoleGate        = "gate"
	// RoleReports marks the host reports that are kept.
	RoleReports = "reports"
	// RoleClients marks what is remembered of clients' sessions.
	RoleClients = "clients"
	RoleConf    = "conf"
	// RoleFleet marks the state of a fleet's run.
	RoleFleet = "fleet"

	// Manager is the value of endpointslice.kubernetes.io/managed-by on our
	// slices. Both controllers list slices by their own value and leave others
	// alone (discovery/v1/well_known_labels.go).
	Manager = "zkmigrate.io"
	// PodNameLabel is set on every pod by the StatefulSet controller.
	PodNameLabel = "statefulset.kubernetes.io/pod-name"
)

// MaxNameLength bounds an ensemble's name. A Service's name has 63 characters,
// and the StatefulSet's revision label appends a dash and ten to "NAME-pod".
const MaxNameLength = 40

// Names of an ensemble's objects. Everything that names an object asks here.

// ServiceName is the Service of one server.
func ServiceName(name string, id ensemble.ID) string { return name + "-" + id.String() }

// BridgeName is the EndpointSlice with the hand-made endpoints of a server.
func BridgeName(name string, id ensemble.ID) string { return ServiceName(name, id) + "-bridge" }

// StatefulSetName is the StatefulSet of an ensemble's pods.
func StatefulSetName(name string) string { return name + "-pod" }

// PodName is the pod with that ordinal.
func PodName(name string, ordinal int) string {
	return StatefulSetName(name) + "-" + strconv.Itoa(ordinal)
}

// ClaimName is the PersistentVolumeClaim of the pod with that ordinal.
func ClaimName(name string, ordinal int) string { return dataVolume + "-" + PodName(name, ordinal) }

// HeadlessName is the headless Service of the StatefulSet and the name of its
// PodDisruptionBudget.
func HeadlessName(name string) string { return name + "-pods" }

// JournalName is the journal's ConfigMap and the Lease that guards it.
func JournalName(name string) string { return name + "-zkmigrate" }

// FleetName is the ConfigMap with the state of a fleet's run, and the Lease that guards it.
func FleetName(name string) string { return name + "-zkfleet" }

// FleetLabels are those of both.
func FleetLabels(name string) map[string]string {
	return map[string]string{"app.kubernetes.io/managed-by": "kubectl-zkmigrate", FleetLabel: name, RoleLabel: RoleFleet}
}

// JournalCopyName is the ConfigMap with the journal's copy.
func JournalCopyName(name string) string { return JournalName(name) + "-copy" }

// ReportName is the ConfigMap with the journal of a migration that is over.
func ReportName(name string) string { return name + "-migration-report" }

// ReportsName is the ConfigMap with the host reports.
func ReportsName(name string) string { return JournalName(name) + "-reports" }

// ClientsName is the ConfigMap with what is remembered of clients' sessions.
func ClientsName(name string) string { return JournalName(name) + "-clients" }

// GateName is the gate's ConfigMap.
func GateName(name string) string { return JournalName(name) + "-gate" }

// ConfName begins the name of each ConfigMap with zoo.cfg and scripts (Conf), and is
// that of the one an earlier release made.
func ConfName(name string) string { return JournalName(name) + "-conf" }

// PlainConfName begins the name of each ConfigMap with zoo.cfg for plain pods.
func PlainConfName(name string) string { return name + "-conf" }

// Labels are those of every object of an ensemble, as Kubernetes recommends them.
func Labels(name string) map[string]string {
	labels := claimLabels(name)
	labels["app.kubernetes.io/part-of"] = "zookeeper"
	return labels
}

// claimLabels are those of a volume claim. They never change: a StatefulSet's claims
// cannot be changed.
func claimLabels(name string) map[string]string {
	return map[string]string{
		"app.kubernetes.io/name":       "zookeeper",
		"app.kubernetes.io/instance":   name,
		"app.kubernetes.io/managed-by": "kubectl-zkmigrate",
		EnsembleLabel:                  name,
	}
}

// objectLabels are those of what serves: pods, what makes them, and their Services.
func objectLabels(rec migration.Record) map[string]string {
	labels := Labels(rec.Name)
	labels["app.kubernetes.io/component"] = "server"
	if v, err := ensemble.ParseVersion(rec.Settings.Version); err == nil {
		labels["app.kubernetes.io/version"] = v.String()
	}
	return labels
}

// ServerLabels are those of the objects of one server.
func ServerLabels(rec migration.Record, id ensemble.ID) map[string]string {
	labels := objectLabels(rec)
	labels[IDLabel] = id.String()
	return labels
}

// PodSelector matches the ensemble's pods.
func PodSelector(name string) map[string]string {
	return map[string]string{
		"app.kubernetes.io/name": "zookeeper",
		EnsembleLabel:            name,
	}
}

// ServiceSelector makes a server's Service select exactly its pod.
func ServiceSelector(name string, ordinal int) map[string]string {
	return map[string]string{PodNameLabel: PodName(name, ordinal)}
}

// ValidateName refuses a name from which no valid Service name can be made.
func ValidateName(name string) error {
	if len(name) > MaxNameLength {
		return fmt.Errorf("ensemble name %q has %d characters: at most %d leave room for the names of its objects",
			name, len(name), MaxNameLength)
	}
	if problems := validation.IsDNS1035Label(name); len(problems) > 0 {
		return fmt.Errorf("ensemble name %q: use lower-case letters, digits and dashes, "+
			"starting with a letter and not ending with a dash", name)
	}
	return nil
}

// validate refuses a record from which no working objects can be made.
func validate(rec migration.Record) error {
	if err := ValidateName(rec.Name); err != nil {
		return err
	}
	if rec.Namespace == "" {
		return fmt.Errorf("ensemble %s: the record names no namespace", rec.Name)
	}
	if len(rec.Servers) == 0 {
		return fmt.Errorf("ensemble %s: the record has no servers", rec.Name)
	}
	switch rec.EndpointsAPI {
	case "", migration.EndpointSlices, migration.LegacyEndpoints:
	default:
		return fmt.Errorf("ensemble %s: endpoints API %q is neither %q nor %q",
			rec.Name, rec.EndpointsAPI, migration.EndpointSlices, migration.LegacyEndpoints)
	}
	ids := map[ensemble.ID]bool{}
	for _, s := range rec.Servers {
		if ids[s.ID] {
			return fmt.Errorf("ensemble %s: server id %s stands twice in the record", rec.Name, s.ID)
		}
		ids[s.ID] = true
		if err := validateServer(s); err != nil {
			return fmt.Errorf("ensemble %s: %w", rec.Name, err)
		}
	}
	return nil
}

func validateServer(s migration.ServerRecord) error {
	if s.ID < ensemble.MinID || s.ID > ensemble.MaxID {
		return fmt.Errorf("server id %s: must be from %d to %d", s.ID, ensemble.MinID, ensemble.MaxID)
	}
	if _, err := HostAddr(s); err != nil {
		return err
	}
	if port, _ := s.AskedPort(); port == 0 {
		return fmt.Errorf("server %s has no client port: the Service and the gate need one", s.ID)
	}
	used := map[int]ensemble.PortName{}
	for _, p := range s.Ports() {
		if p.Number < 1 || p.Number > 65535 {
			return fmt.Errorf("server %s: %s port %d is out of range", s.ID, p.Name, p.Number)
		}
		if other, taken := used[p.Number]; taken {
			return fmt.Errorf("server %s: port %d is both its %s and its %s port", s.ID, p.Number, other, p.Name)
		}
		used[p.Number] = p.Name
	}
	return nil
}

// HostAddr returns the host's address in canonical form. Addresses that the
// API server refuses as endpoints (ValidateEndpointIP in
// pkg/apis/core/validation) are refused here, before anything is written.
func HostAddr(s migration.ServerRecord) (netip.Addr, error) {
	a, err := netip.ParseAddr(s.HostIP)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("server %s: host address %q is no IP address: resolve the name first", s.ID, s.HostIP)
	}
	a = a.Unmap()
	if a.Zone() != "" || a.IsUnspecified() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() {
		return netip.Addr{}, fmt.Errorf("server %s: host address %s cannot be an endpoint: "+
			"use the address under which other machines reach the host", s.ID, a)
	}
	return a, nil
}
