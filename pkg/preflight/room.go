package preflight

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Room is what the pods that are not there yet would find. What the user may not
// look at stands in Unknown, with the reason: it is neither right nor wrong.
type Room struct {
	// Set is the StatefulSet as it would be applied.
	Set *appsv1.StatefulSet
	// Missing are the pods that would be created, by name; Leaving are those that
	// would be created again, or have no node yet.
	Missing []string
	Leaving []corev1.Pod
	// Pods are those of the namespace, Claims the claims of Missing that exist.
	Pods   []corev1.Pod
	Claims []corev1.PersistentVolumeClaim

	Classes  []storagev1.StorageClass
	Volumes  []corev1.PersistentVolume
	Quotas   []corev1.ResourceQuota
	Limits   []corev1.LimitRange
	Nodes    []corev1.Node
	NodePods []corev1.Pod
	// Refused is what the API server answered when a pod was created as a dry run.
	Refused string
	Unknown map[Look]string
}

// Look is one thing the API server is asked for.
type Look string

// What is looked at.
const (
	LookClasses  Look = "StorageClasses"
	LookVolumes  Look = "PersistentVolumes"
	LookQuotas   Look = "ResourceQuotas"
	LookLimits   Look = "LimitRanges"
	LookNodes    Look = "nodes"
	LookNodePods Look = "pods of all namespaces"
	LookDryRun   Look = "a pod created as a dry run"
)

// roomChecks are about what pods find that are not there yet. None of them is
// behind I1 to I5, and each foretells what only Kubernetes decides: all may be
// waived by name.
func roomChecks() []Check {
	return []Check{
		{ID: migration.WaiverImage, Title: "the pods' image tells which ZooKeeper it holds", Severity: Blocker, Waivable: true,
			Hint: "replace --image=IMAGE names the right one; if you know what it holds, and it does not tell: wrap --waive=" + migration.WaiverImage, Eval: images},
		{ID: "K8S004", Title: "the pods' volumes can be provisioned", Severity: Blocker, Waivable: true,
			Hint: "name one that exists: --storage-class=NAME", Eval: ofRoom(storageClass)},
		{ID: "K8S005", Title: "the namespace's quota has room for all pods and volumes", Severity: Blocker, Waivable: true,
			Hint: "have the ResourceQuota raised, or ask for less (--memory, --cpu, --storage-size)", Eval: ofRoom(quota)},
		{ID: "K8S006", Title: "the namespace's limits admit the pods", Severity: Blocker, Waivable: true,
			Hint: "change --memory, --cpu or --storage-size, or the LimitRange", Eval: ofRoom(limits)},
		{ID: "K8S007", Title: "the nodes have room for all pods", Severity: Blocker, Waivable: true,
			Hint: "add nodes or make room on them, ask for less (--memory, --cpu), or allow several servers per node (--anti-affinity=preferred)", Eval: ofRoom(nodes)},
		{ID: "K8S008", Title: "the API server admits the pods", Severity: Blocker, Waivable: true,
			Hint: "what refuses them is named; the pods meet the \"restricted\" pod security standard", Eval: ofRoom(admission)},
		{ID: "K8S009", Title: "volume claims that exist already fit the pods", Severity: Blocker, Waivable: true,
			Hint: "look at the listed claims (describe pvc) and delete those that hold nothing of use", Eval: ofRoom(claims)},
	}
}

// ForPods evaluates the checks about pods that are not there yet.
func ForPods(f Facts) []Finding {
	ids := map[string]bool{}
	for _, c := range roomChecks() {
		ids[c.ID] = true
	}
	var out []Finding
	for _, fd := range Run(f) {
		if ids[fd.ID] {
			out = append(out, fd)
		}
	}
	return out
}

// Only is the room as it is for one of the pods.
func (r Room) Only(pod string) *Room {
	r.Missing = slices.DeleteFunc(slices.Clone(r.Missing), func(name string) bool { return name != pod })
	r.Leaving = slices.DeleteFunc(slices.Clone(r.Leaving), func(p corev1.Pod) bool { return p.Name != pod })
	r.Claims = slices.DeleteFunc(slices.Clone(r.Claims), func(c corev1.PersistentVolumeClaim) bool { return !strings.HasSuffix(c.Name, "-"+pod) })
	return &r
}

// ofRoom skips a check where nobody knows yet how the pods are made.
func ofRoom(eval func(Room) ([]string, string)) func(Facts) ([]string, string) {
	return func(f Facts) ([]string, string) {
		switch {
		case f.RoomError != "":
			return nil, f.RoomError
		case f.Room == nil && f.PodsUnknown != "":
			return nil, "how the pods are made is not known: " + f.PodsUnknown
		case f.Room == nil:
			return nil, "how the pods are made is not known yet: before the wrap, an Ensemble manifest says it (-f, docs/ensemble.md)"
		case len(f.Room.Missing) == 0 && len(f.Room.Leaving) == 0:
			return nil, ""
		}
		return eval(*f.Room)
	}
}

// images: the parked pods tell what their image holds. One that holds another
// release is the matter of the check that all servers run the same.
func images(f Facts) (wrong []string, skip string) {
	if len(f.Images) == 0 {
		return nil, "no pod is parked"
	}
	for _, i := range f.Images {
		if i.Holds.IsZero() {
			wrong = append(wrong, fmt.Sprintf("pod %s: %s", i.Pod, i.Why))
		}
	}
	return wrong, ""
}

// otherImages are the parked pods that hold another release than the ensemble runs.
func otherImages(f Facts) (wrong []string) {
	for _, i := range f.Images {
		if !i.Holds.IsZero() && !i.Wants.IsZero() && i.Holds.Compare(i.Wants) != 0 {
			wrong = append(wrong, fmt.Sprintf("the image of pod %s holds ZooKeeper %s, the ensemble runs %s", i.Pod, i.Holds, i.Wants))
		}
	}
	return wrong
}

// Image is what a parked pod says of its image.
type Image struct {
	Pod          string
	Holds, Wants ensemble.Version
	Why          string
}

func (r Room) unknown(l Look) string {
	if why := r.Unknown[l]; why != "" {
		return fmt.Sprintf("unknown: %s: %s", l, why)
	}
	return ""
}

// created counts the pods that will be created.
func (r Room) created() int { return len(r.Missing) + len(r.Leaving) }

func (r Room) claim() corev1.PersistentVolumeClaim { return r.Set.Spec.VolumeClaimTemplates[0] }

// newClaims counts the claims that will be created.
func (r Room) newClaims() int { return max(0, r.created()-len(r.Claims)) }

// defaultClassAnnotation marks the class of claims that name none; of several the
// newest counts (plugin/pkg/admission/storage/storageclass/setdefault).
const defaultClassAnnotation = "storageclass.kubernetes.io/is-default-class"

func storageClass(r Room) (wrong []string, skip string) {
	if r.newClaims() == 0 {
		return nil, ""
	}
	if skip := r.unknown(LookClasses); skip != "" {
		return nil, skip
	}
	var names []string
	var class *storagev1.StorageClass
	want := r.claim().Spec.StorageClassName
	for i, c := range r.Classes {
		names = append(names, c.Name)
		if want != nil && c.Name == *want || want == nil && c.Annotations[defaultClassAnnotation] == "true" {
			class = &r.Classes[i]
		}
	}
	sort.Strings(names)
	there := "the cluster has none"
	if len(names) > 0 {
		there = "the cluster has " + strings.Join(names, ", ")
	}
	switch {
	case class == nil && want == nil:
		return []string{"no StorageClass is named, and none is the cluster's default; " + there}, ""
	case class == nil && r.free(*want) < r.newClaims():
		return []string{fmt.Sprintf("StorageClass %q does not exist; %s", *want, there)}, r.unknown(LookVolumes)
	case class == nil || class.Provisioner != "kubernetes.io/no-provisioner":
		return nil, ""
	}
	// Nothing makes volumes of this class: they must be there.
	if skip := r.unknown(LookVolumes); skip != "" {
		return nil, skip
	}
	if free := r.free(class.Name); free < r.newClaims() {
		wrong = append(wrong, fmt.Sprintf("nothing provisions volumes of StorageClass %q: %d large enough are free, %d are needed", class.Name, free, r.newClaims()))
	}
	return wrong, ""
}

// free counts the volumes of a class that a new claim could have.
func (r Room) free(class string) int {
	size := r.claim().Spec.Resources.Requests[corev1.ResourceStorage]
	n := 0
	for _, v := range r.Volumes {
		have := v.Spec.Capacity[corev1.ResourceStorage]
		if v.Spec.StorageClassName == class && v.Status.Phase == corev1.VolumeAvailable && v.Spec.ClaimRef == nil && have.Cmp(size) >= 0 {
			n++
		}
	}
	return n
}

// claims judges those that are there from an earlier time.
func claims(r Room) (wrong []string, _ string) {
	want := r.claim().Spec
	size := want.Resources.Requests[corev1.ResourceStorage]
	for _, c := range r.Claims {
		switch have := c.Spec.Resources.Requests[corev1.ResourceStorage]; {
		case c.DeletionTimestamp != nil:
			wrong = append(wrong, fmt.Sprintf("claim %s is being deleted", c.Name))
		case c.Status.Phase == corev1.ClaimLost:
			wrong = append(wrong, fmt.Sprintf("claim %s has lost its volume %s", c.Name, c.Spec.VolumeName))
		case want.StorageClassName != nil && c.Spec.StorageClassName != nil && *c.Spec.StorageClassName != *want.StorageClassName:
			wrong = append(wrong, fmt.Sprintf("claim %s exists with StorageClass %q, the pods are to have %q", c.Name, *c.Spec.StorageClassName, *want.StorageClassName))
		case have.Cmp(size) < 0:
			wrong = append(wrong, fmt.Sprintf("claim %s exists with %s, the pods are to have %s", c.Name, have.String(), size.String()))
		}
		for _, p := range r.Pods {
			if !strings.HasSuffix(c.Name, "-"+p.Name) && mounts(p, c.Name) && p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed {
				wrong = append(wrong, fmt.Sprintf("claim %s is in use by pod %s", c.Name, p.Name))
			}
		}
	}
	return wrong, ""
}

func mounts(p corev1.Pod, claim string) bool {
	return slices.ContainsFunc(p.Spec.Volumes, func(v corev1.Volume) bool {
		return v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claim
	})
}

// admission: the pods meet the strictest level, so a namespace's level alone
// refuses none; webhooks and policies tell in a dry run only.
func admission(r Room) (wrong []string, skip string) {
	if r.Refused != "" {
		return []string{r.Refused}, ""
	}
	return nil, r.unknown(LookDryRun)
}
