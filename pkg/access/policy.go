package access

import (
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// PolicyName is the ValidatingAdmissionPolicy's, which belongs to no namespace.
func (s Scope) PolicyName() string { return "zkmigrate." + s.Namespace + "." + s.Name }

// controllers are the parts of Kubernetes that write the guarded objects: by
// their own service accounts (kube-controller-manager with
// --use-service-account-credentials, as kubeadm and the large providers run it)
// or all under one name.
func controllers() []string {
	out := []string{"system:kube-controller-manager"}
	for _, name := range []string{
		"endpoint-controller", "endpointslice-controller", "endpointslicemirroring-controller",
		"generic-garbage-collector", "namespace-controller", "statefulset-controller",
		"storage-version-migrator-controller",
	} {
		out = append(out, "system:serviceaccount:kube-system:"+name)
	}
	return out
}

// Policy keeps everyone but those subjects and Kubernetes' own controllers from
// writing the objects of the ensemble. An object is the ensemble's by its name or
// by its label, before the write or after it; behind a Service stands what names
// it, whoever wrote it.
func (s Scope) Policy(to Subjects) *admissionv1.ValidatingAdmissionPolicy {
	fail := admissionv1.Fail
	forbidden := metav1.StatusReasonForbidden
	return &admissionv1.ValidatingAdmissionPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "ValidatingAdmissionPolicy"},
		ObjectMeta: metav1.ObjectMeta{Name: s.PolicyName()},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			FailurePolicy: &fail,
			MatchConstraints: &admissionv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": s.Namespace}},
				ResourceRules:     s.guardedKinds(),
			},
			MatchConditions: []admissionv1.MatchCondition{
				{Name: "not-an-operator", Expression: "!(request.userInfo.username in " + celList(to.names()) + ")"},
				{Name: "not-of-an-operators-group", Expression: "!has(request.userInfo.groups) || !request.userInfo.groups.exists(g, g in " + celList(to.Groups) + ")"},
				{Name: "not-a-controller", Expression: "!(request.userInfo.username in " + celList(controllers()) + ")"},
			},
			Variables: []admissionv1.Variable{
				{Name: "objects", Expression: "[object, oldObject].filter(o, o != null)"},
				{Name: "guarded", Expression: s.guardedNames()},
				{Name: "named", Expression: "request.resource.resource in variables.guarded && " +
					"variables.objects.exists(o, has(o.metadata.name) && o.metadata.name in variables.guarded[request.resource.resource])"},
				// A pod may be deleted, and evicted: its successor is the same one.
				{Name: "labeled", Expression: "request.resource.resource != 'pods' && " + labeled(render.EnsembleLabel, []string{s.Name})},
				{Name: "behindAService", Expression: "request.resource.resource == 'endpointslices' && " + labeled(discoveryv1.LabelServiceName, s.services())},
				{Name: "selected", Expression: "request.resource.resource == 'pods' && (" +
					labeled(render.PodNameLabel, s.each(func(_ ensemble.ID, ordinal int) string { return render.PodName(s.Name, ordinal) })) + ")"},
			},
			Validations: []admissionv1.Validation{{
				Expression: "!(variables.named || variables.labeled || variables.behindAService || variables.selected)",
				MessageExpression: celString(fmt.Sprintf("this object belongs to ZooKeeper ensemble %s, which is being migrated: only its operators may write it (ValidatingAdmissionPolicy %s); user ", s.Name, s.PolicyName())) +
					" + request.userInfo.username + ' is not one of them'",
				Reason: &forbidden,
			}},
		},
	}
}

// guardedKinds are the requests that are looked at. Status is left to those who
// may write it anyway, and so is the deletion of pods.
func (s Scope) guardedKinds() []admissionv1.NamedRuleWithOperations {
	all := []admissionv1.OperationType{admissionv1.Create, admissionv1.Update, admissionv1.Delete}
	kinds := func(group string, operations []admissionv1.OperationType, resources ...string) admissionv1.NamedRuleWithOperations {
		return admissionv1.NamedRuleWithOperations{RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: operations, Rule: admissionv1.Rule{APIGroups: []string{group}, APIVersions: []string{"v1"}, Resources: resources},
		}}
	}
	return []admissionv1.NamedRuleWithOperations{
		kinds("", all, "configmaps", "secrets", "services", "endpoints"),
		kinds("discovery.k8s.io", all, "endpointslices"),
		kinds("coordination.k8s.io", all, "leases"),
		kinds("apps", all, "statefulsets", "statefulsets/scale"),
		kinds("policy", all, "poddisruptionbudgets"),
		kinds("", all[:2], "pods"),
	}
}

// guardedNames is a map of resource to names. The names are guarded also where
// nothing has them yet, or something without our label: another's object with one
// of our names is as bad.
func (s Scope) guardedNames() string {
	names := map[string][]string{}
	var order []string
	for _, r := range Resources() {
		if r.Name == "pods" || strings.Contains(r.Name, "/") || r.Name == "persistentvolumeclaims" {
			continue
		}
		for _, n := range r.Needs {
			if n.When == Entries {
				continue // those are an operator's, and renewed by others
			}
			for _, name := range s.Names(n) {
				if !slices.Contains(names[r.Name], name) {
					names[r.Name] = append(names[r.Name], name)
				}
			}
		}
		order = append(order, r.Name)
	}
	var out []string
	for _, resource := range order {
		out = append(out, celString(resource)+": "+celList(names[resource]))
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// labeled is true where the label has one of the values, before or after.
func labeled(label string, values []string) string {
	key := celString(label)
	return "variables.objects.exists(o, has(o.metadata.labels) && " + key + " in o.metadata.labels && o.metadata.labels[" + key + "] in " + celList(values) + ")"
}

// PolicyBinding puts the policy into force.
func (s Scope) PolicyBinding() *admissionv1.ValidatingAdmissionPolicyBinding {
	return &admissionv1.ValidatingAdmissionPolicyBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: admissionv1.SchemeGroupVersion.String(), Kind: "ValidatingAdmissionPolicyBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: s.PolicyName()},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: s.PolicyName(), ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}
}

func celList(words []string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		quoted = append(quoted, celString(w))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// celString quotes for CEL: every character that could mean something is written
// as its code point, so that nothing breaks out.
func celString(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		if r < ' ' || r == '\'' || r == '\\' || r == '"' || r == 0x7f || r > 0x7e {
			fmt.Fprintf(&b, `\U%08x`, r)
			continue
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String()
}
