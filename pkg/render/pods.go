package render

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Keys of the configuration's ConfigMap.
const (
	zooCfgKey = "zoo.cfg"
	gateKey   = "gate.sh"
	probeKey  = "probe.sh"
	relayKey  = "relay.sh"
)

// Pods renders what the pods need besides the gate: configuration and scripts,
// headless Service, PodDisruptionBudget, StatefulSet. The gate is Gate: it
// holds what is decided later and must not be applied over.
func Pods(rec migration.Record) ([]Object, error) {
	if err := validate(rec); err != nil {
		return nil, err
	}
	if err := validateOrdinals(rec); err != nil {
		return nil, err
	}
	if err := validateZooCfg(rec); err != nil {
		return nil, err
	}
	if rec.Pods.Plain && NeedsPlainFiles(rec) && rec.Pods.PlainFiles == nil {
		return nil, fmt.Errorf("ensemble %s: the record does not say what pods without a gate mount", rec.Name)
	}
	set, err := statefulSet(rec)
	if err != nil {
		return nil, err
	}
	out := []Object{headless(rec), disruptionBudget(rec), set}
	if volume, secret := plainConfIn(rec); !rec.Pods.Plain || !volume && !secret {
		out = append(out, Conf(rec))
	}
	return sortObjects(out), nil
}

// validateOrdinals wants ordinals 0 to n-1 in the order of the ids: with them
// the record, the gate's map and the StatefulSet name the same pods.
func validateOrdinals(rec migration.Record) error {
	for i, s := range byID(rec) {
		if s.Ordinal != i {
			return fmt.Errorf("ensemble %s: server %s has ordinal %d, expected %d (ordinals follow the ids)",
				rec.Name, s.ID, s.Ordinal, i)
		}
	}
	return nil
}

// validateZooCfg makes sure that ZooKeeper uses the directories the gate looks
// after; elsewhere stale data and a wrong myid would go unnoticed.
func validateZooCfg(rec migration.Record) error {
	if strings.TrimSpace(rec.Pods.ZooCfg) == "" {
		return fmt.Errorf("ensemble %s: the record has no zoo.cfg for the pods", rec.Name)
	}
	file, err := ensemble.ReadPodFile(rec.Pods.ZooCfg)
	switch {
	case err != nil:
		return fmt.Errorf("ensemble %s: the pods' zoo.cfg: %w", rec.Name, err)
	case file.DataDir == "":
		return fmt.Errorf("ensemble %s: the pods' zoo.cfg has no line dataDir=%s", rec.Name, migration.PodDataDir)
	case file.DataDir != migration.PodDataDir:
		return fmt.Errorf("ensemble %s: the pods' zoo.cfg has dataDir=%s, expected %s", rec.Name, file.DataDir, migration.PodDataDir)
	case file.DataLogDir != "" && file.DataLogDir != migration.PodDataLogDir:
		return fmt.Errorf("ensemble %s: the pods' zoo.cfg has dataLogDir=%s, expected %s", rec.Name, file.DataLogDir, migration.PodDataLogDir)
	}
	return validateDynamic(rec, file.DynamicFile)
}

// validateDynamic makes sure that zoo.cfg names the dynamic file where the gate
// puts it, and that its name can be a key of the ConfigMap.
func validateDynamic(rec migration.Record, named string) error {
	name := rec.Pods.DynamicName
	if name == "" && named == "" {
		return nil
	}
	if want := migration.PodConfDir + "/" + name; named != want {
		return fmt.Errorf("ensemble %s: the pods' zoo.cfg has dynamicConfigFile=%s, expected %s", rec.Name, named, want)
	}
	if problems := validation.IsConfigMapKey(name); len(problems) > 0 || name == zooCfgKey || name == gateKey || name == probeKey || name == relayKey {
		return fmt.Errorf("ensemble %s: %q cannot be the name of the pods' dynamic file: %s", rec.Name, name, strings.Join(problems, "; "))
	}
	return nil
}

// headless gives the StatefulSet its governing Service. Its ports inform; they
// are left out where servers differ. It has every IP family of the cluster: servers find
// each other's names by reverse look-ups of the pods' addresses, of either.
func headless(rec migration.Record) *corev1.Service {
	families := corev1.IPFamilyPolicyPreferDualStack
	svc := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: HeadlessName(rec.Name), Namespace: rec.Namespace, Labels: objectLabels(rec)},
		Spec: corev1.ServiceSpec{
			Type:                     corev1.ServiceTypeClusterIP,
			ClusterIP:                corev1.ClusterIPNone,
			IPFamilyPolicy:           &families,
			PublishNotReadyAddresses: true,
			Selector:                 PodSelector(rec.Name),
		},
	}
	svc.Spec.Ports = servicePorts(podPorts(rec))
	return svc
}

// allPorts are those at which one or another of the servers listens in its pod.
func allPorts(rec migration.Record) []ensemble.Port {
	var out []ensemble.Port
	for _, s := range rec.Servers {
		out = append(out, s.Ports()...)
	}
	if port := localPort(rec); port != 0 {
		out = append(out, ensemble.Port{Number: port})
	}
	return out
}

// podPorts are the ports of all pods, which one template serves; none where servers
// differ. What an observer never binds counts, for the template of an ensemble with
// observers is the same as ever.
func podPorts(rec migration.Record) []ensemble.Port {
	all := func(s ensemble.Server) []ensemble.Port {
		s.Role = ensemble.Participant
		return s.Ports()
	}
	first := all(rec.Servers[0].Server)
	for _, s := range rec.Servers {
		if !slices.Equal(all(s.Server), first) {
			return nil
		}
	}
	return first
}

// disruptionBudget lets one pod go at a time. Parked pods are not ready and
// use the budget up, so that drains of nodes wait until the migration is over.
func disruptionBudget(rec migration.Record) *policyv1.PodDisruptionBudget {
	one := intstr.FromInt32(1)
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: metav1.ObjectMeta{Name: HeadlessName(rec.Name), Namespace: rec.Namespace, Labels: objectLabels(rec)},
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: &one,
			Selector:       &metav1.LabelSelector{MatchLabels: PodSelector(rec.Name)},
		},
	}
}

// statefulSet is Parallel, for a parked pod is never ready and OrderedReady
// would create no second one; and OnDelete, for a rolling update stops at the
// first pod that is not ready (stateful_set_control.go) and nothing but a person
// may restart a server during the migration.
func statefulSet(rec migration.Record) (*appsv1.StatefulSet, error) {
	template, err := podTemplate(rec)
	if err != nil {
		return nil, err
	}
	claim, err := dataClaim(rec)
	if err != nil {
		return nil, err
	}
	mark, err := templateMark(template)
	if err != nil {
		return nil, err
	}
	template.Annotations[TemplateAnnotation] = mark
	replicas := int32(len(rec.Servers))
	set := &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: metav1.ObjectMeta{Name: StatefulSetName(rec.Name), Namespace: rec.Namespace, Labels: objectLabels(rec)},
		Spec: appsv1.StatefulSetSpec{
			Replicas:             &replicas,
			ServiceName:          HeadlessName(rec.Name),
			PodManagementPolicy:  appsv1.ParallelPodManagement,
			UpdateStrategy:       appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType},
			Selector:             &metav1.LabelSelector{MatchLabels: PodSelector(rec.Name)},
			Template:             template,
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{claim},
		},
	}
	if rec.Finalized != nil {
		rolling(rec, set)
	}
	return set, nil
}

// dataClaim has no owner and the StatefulSet no retention policy: data stays
// when everything else is deleted. The list of claims has one owner as a whole, so the
// API server's defaults are written out: else two managers who apply the same would be
// in conflict.
func dataClaim(rec migration.Record) (corev1.PersistentVolumeClaim, error) {
	size, err := quantity(rec, "storage size", rec.Pods.StorageSize)
	if err != nil {
		return corev1.PersistentVolumeClaim{}, err
	}
	mode := corev1.PersistentVolumeFilesystem
	claim := corev1.PersistentVolumeClaim{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: metav1.ObjectMeta{Name: dataVolume, Labels: claimLabels(rec.Name)},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			VolumeMode:  &mode,
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: size}},
		},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending},
	}
	if rec.Pods.StorageClass != "" {
		claim.Spec.StorageClassName = &rec.Pods.StorageClass
	}
	return claim, nil
}

func quantity(rec migration.Record, what, text string) (resource.Quantity, error) {
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() <= 0 {
		return q, fmt.Errorf("ensemble %s: %s %q is no Kubernetes quantity above zero (such as 20Gi)", rec.Name, what, text)
	}
	return q, nil
}
