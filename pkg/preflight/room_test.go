package preflight

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func list(pairs ...string) corev1.ResourceList {
	out := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		out[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return out
}

func machine(name string) corev1.Node {
	return corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{Allocatable: list("cpu", "2", "memory", "4Gi", "pods", "10")}}
}

// spacious is a room where three pods park.
func spacious() Room {
	labels := map[string]string{"app": "zk"}
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "demo-pod", Namespace: "zk"}}
	set.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	set.Spec.Template.Spec = corev1.PodSpec{
		Containers: []corev1.Container{{Name: "zookeeper", Resources: corev1.ResourceRequirements{Requests: list("cpu", "500m", "memory", "2Gi"), Limits: list("memory", "2Gi")}}},
		Affinity:   &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{}}}},
	}
	set.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: "data"},
		Spec: corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{Requests: list("storage", "20Gi")}}}}
	return Room{
		Set: set, Missing: []string{"demo-pod-0", "demo-pod-1", "demo-pod-2"}, Unknown: map[Look]string{},
		Classes: []storagev1.StorageClass{{ObjectMeta: metav1.ObjectMeta{Name: "fast", Annotations: map[string]string{defaultClassAnnotation: "true"}}, Provisioner: "csi"}},
		Nodes:   []corev1.Node{machine("a"), machine("b"), machine("c")},
	}
}

func quotaOf(used, hard corev1.ResourceList) []corev1.ResourceQuota {
	return []corev1.ResourceQuota{{ObjectMeta: metav1.ObjectMeta{Name: "team"}, Status: corev1.ResourceQuotaStatus{Hard: hard, Used: used}}}
}

func limitOf(item corev1.LimitRangeItem) []corev1.LimitRange {
	return []corev1.LimitRange{{ObjectMeta: metav1.ObjectMeta{Name: "house"}, Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{item}}}}
}

// TestRoom: what keeps pods from parking is found before they exist; what may not
// be looked at is never ok.
func TestRoom(t *testing.T) {
	class := func(name string) *string { return &name }
	for name, c := range map[string]struct {
		change func(*Room)
		id     string
		result Result
		says   string
	}{
		"no class, and no default":    {func(r *Room) { r.Classes[0].Annotations = nil }, "K8S004", Fail, "none is the cluster's default; the cluster has fast"},
		"a class that does not exist": {func(r *Room) { r.claims0().StorageClassName = class("slow") }, "K8S004", Fail, `"slow" does not exist; the cluster has fast`},
		"classes may not be listed":   {func(r *Room) { r.Unknown[LookClasses] = "you may not list them" }, "K8S004", Skip, "unknown: StorageClasses: you may not"},
		"volumes by hand, too few":    {func(r *Room) { r.Classes[0].Provisioner = "kubernetes.io/no-provisioner" }, "K8S004", Fail, "0 large enough are free, 3 are needed"},
		"memory over quota":           {func(r *Room) { r.Quotas = quotaOf(list("requests.memory", "3Gi"), list("requests.memory", "8Gi")) }, "K8S005", Fail, "ResourceQuota team: requests.memory: 3Gi used of 8Gi, the pods need another 6Gi"},
		"exactly the quota":           {func(r *Room) { r.Quotas = quotaOf(list("requests.memory", "2Gi"), list("requests.memory", "8Gi")) }, "", OK, ""},
		"pods over quota":             {func(r *Room) { r.Quotas = quotaOf(list("pods", "0"), list("pods", "2")) }, "K8S005", Fail, "0 used of 2"},
		"claims over quota":           {func(r *Room) { r.Quotas = quotaOf(list(), list("requests.storage", "50Gi")) }, "K8S005", Fail, "need another 60Gi"},
		"a quota on what is not set":  {func(r *Room) { r.Quotas = quotaOf(list(), list("limits.cpu", "50")) }, "K8S005", Fail, "container zookeeper has none"},
		"which a default sets": {func(r *Room) {
			r.Quotas = quotaOf(list(), list("limits.cpu", "50"))
			r.Limits = limitOf(corev1.LimitRangeItem{Type: corev1.LimitTypeContainer, Default: list("cpu", "1")})
		}, "", OK, ""},
		"quotas may not be listed": {func(r *Room) { r.Unknown[LookQuotas] = "you may not list them" }, "K8S005", Skip, "unknown"},
		"more than the house allows": {func(r *Room) {
			r.Limits = limitOf(corev1.LimitRangeItem{Type: corev1.LimitTypeContainer, Max: list("memory", "1Gi")})
		}, "K8S006", Fail, "limited to memory 2Gi, at most 1Gi is allowed"},
		"less than the house wants": {func(r *Room) {
			r.Limits = limitOf(corev1.LimitRangeItem{Type: corev1.LimitTypeContainer, Min: list("cpu", "1")})
		}, "K8S006", Fail, "asks for cpu 500m, at least 1 is allowed"},
		"a claim too large": {func(r *Room) {
			r.Limits = limitOf(corev1.LimitRangeItem{Type: corev1.LimitTypePersistentVolumeClaim, Max: list("storage", "10Gi")})
		}, "K8S006", Fail, "a volume claim is limited to storage 20Gi"},
		"a default below what it asks": {func(r *Room) {
			r.Limits = limitOf(corev1.LimitRangeItem{Type: corev1.LimitTypeContainer, Default: list("cpu", "200m")})
		}, "K8S006", Fail, "a LimitRange would limit it to 200m"},
		"too few nodes":   {func(r *Room) { r.Nodes = r.Nodes[:2] }, "K8S007", Fail, "3 pods are to be created (cpu 500m, memory 2Gi each), and there are 2 nodes that may each take one of them"},
		"a cordoned node": {func(r *Room) { r.Nodes[1].Spec.Unschedulable = true }, "K8S007", Fail, "node b: cordoned"},
		"a tainted node": {func(r *Room) {
			r.Nodes[1].Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}
		}, "K8S007", Fail, "node b: tainted gpu"},
		"a taint that the template tolerates": {func(r *Room) {
			r.Nodes[1].Spec.Taints = []corev1.Taint{{Key: "gpu", Effect: corev1.TaintEffectNoSchedule}}
			r.Set.Spec.Template.Spec.Tolerations = []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}}
		}, "", OK, ""},
		"a node without the template's label": {func(r *Room) {
			r.Nodes[0].Labels, r.Nodes[1].Labels = map[string]string{"disk": "ssd"}, map[string]string{"disk": "ssd"}
			r.Set.Spec.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"}
		}, "K8S007", Fail, "node c: not one of nodeSelector disk=ssd"},
		"a quota for the template's priority": {ofPriority("high", corev1.ScopeSelectorOpIn), "K8S005", Fail, "pods: 0 used of 2"},
		"a quota for another priority":        {ofPriority("low", corev1.ScopeSelectorOpIn), "", OK, ""},
		"a quota for all but this priority":   {ofPriority("high", corev1.ScopeSelectorOpNotIn), "", OK, ""},
		"a quota for pods without priority":   {ofPriority("", corev1.ScopeSelectorOpDoesNotExist), "", OK, ""},
		"a full node":                         {func(r *Room) { r.NodePods = []corev1.Pod{onNode("x", "c", "3Gi", nil)} }, "K8S007", Fail, "node c: 1Gi of memory is left"},
		"a node that has not reported yet": {func(r *Room) {
			r.Nodes[2].Status.Allocatable, r.NodePods = nil, []corev1.Pod{onNode("x", "c", "1Gi", nil)}
		}, "K8S007", Fail, "node c: "},
		"a node with one of ours": {func(r *Room) {
			r.NodePods = []corev1.Pod{onNode("demo-pod-3", "c", "0", map[string]string{"app": "zk"})}
		}, "K8S007", Fail, "demo-pod-3 runs there"},
		"two on one node, if they may":     {func(r *Room) { r.Nodes = r.Nodes[:2]; r.Set.Spec.Template.Spec.Affinity = nil }, "", OK, ""},
		"pods elsewhere may not be listed": {func(r *Room) { r.Unknown[LookNodePods] = "you may not list them" }, "K8S007", Skip, "unknown"},
		"refused as a dry run":             {func(r *Room) { r.Refused = "violates PodSecurity" }, "K8S008", Fail, "PodSecurity"},
		"a dry run nobody may make":        {func(r *Room) { r.Unknown[LookDryRun] = "you may not create pods" }, "K8S008", Skip, "unknown"},
		"a claim of another class": {func(r *Room) {
			r.claims0().StorageClassName = class("fast")
			r.Claims = []corev1.PersistentVolumeClaim{older("data-demo-pod-0", "slow", "20Gi")}
		}, "K8S009", Fail, `exists with StorageClass "slow"`},
		"a claim too small": {func(r *Room) { r.Claims = []corev1.PersistentVolumeClaim{older("data-demo-pod-0", "fast", "1Gi")} }, "K8S009", Fail, "exists with 1Gi"},
		"a claim in use": {func(r *Room) {
			r.Claims = []corev1.PersistentVolumeClaim{older("data-demo-pod-0", "fast", "20Gi")}
			r.Pods = []corev1.Pod{user("other", "data-demo-pod-0")}
		}, "K8S009", Fail, "in use by pod other"},
	} {
		t.Run(name, func(t *testing.T) {
			r := spacious()
			c.change(&r)
			for _, got := range ForPods(Facts{Room: &r}) {
				want := OK
				if got.ID == c.id {
					want = c.result
				}
				if got.Result != want && got.ID != "ZK030" {
					t.Errorf("%s: %s, want %s (%v)", got.ID, got.Result, want, got.Detail)
				}
				if got.ID == c.id && !strings.Contains(strings.Join(got.Detail, "\n"), c.says) {
					t.Errorf("%s says %v, nothing of %q", got.ID, got.Detail, c.says)
				}
			}
		})
	}
}

// ofPriority has a quota of two pods of some priorities, and pods with that of a template.
func ofPriority(name string, op corev1.ScopeSelectorOperator) func(*Room) {
	return func(r *Room) {
		r.Set.Spec.Template.Spec.PriorityClassName = "high"
		r.Quotas = quotaOf(list("pods", "0"), list("pods", "2"))
		scope := corev1.ScopedResourceSelectorRequirement{ScopeName: corev1.ResourceQuotaScopePriorityClass, Operator: op}
		if name != "" {
			scope.Values = []string{name}
		}
		r.Quotas[0].Spec.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{scope}}
	}
}

// TestRoomForPodsThatAreThere: those that are created again give back what they
// have, and one pod is judged for itself.
func TestRoomForPodsThatAreThere(t *testing.T) {
	r := spacious()
	r.Quotas = quotaOf(list("pods", "3"), list("pods", "3"))
	old := onNode("demo-pod-0", "a", "2Gi", map[string]string{"app": "zk"})
	r.Missing, r.Leaving, r.NodePods = nil, []corev1.Pod{old}, []corev1.Pod{old}
	r.Nodes = r.Nodes[:1]
	if failed := Failed(ForPods(Facts{Room: &r})); len(failed) > 0 {
		t.Errorf("%v", failed)
	}
	r = spacious()
	r.Nodes = r.Nodes[:1]
	if failed := Failed(ForPods(Facts{Room: r.Only("demo-pod-1")})); len(failed) > 0 {
		t.Errorf("one pod has room: %v", failed)
	}
}

func (r *Room) claims0() *corev1.PersistentVolumeClaimSpec {
	return &r.Set.Spec.VolumeClaimTemplates[0].Spec
}

func onNode(name, node, memory string, labels map[string]string) corev1.Pod {
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "zk", Labels: labels}, Spec: corev1.PodSpec{NodeName: node}}
	p.Spec.Containers = []corev1.Container{{Resources: corev1.ResourceRequirements{Requests: list("memory", memory)}}}
	return p
}

func older(name, class, size string) corev1.PersistentVolumeClaim {
	return corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{StorageClassName: &class, Resources: corev1.VolumeResourceRequirements{Requests: list("storage", size)}}}
}

func user(name, claim string) corev1.Pod {
	return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{Volumes: []corev1.Volume{{
		VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}}}}
}
