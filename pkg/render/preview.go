package render

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Everything is every object of an ensemble as it would be applied, but for the journal:
// generation is the one with which a gate would be made. Servers that are in their pods, or
// on their way, have no hand-made endpoints that could be told here. Of a finalized ensemble it
// is what that is left with.
func Everything(rec migration.Record, generation int) ([]Object, error) {
	if rec.Finalized != nil {
		return Left(rec)
	}
	wrap, err := Wrap(rec)
	if err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(wrap, func(o Object) bool {
		return pointsToHost(o) && slices.ContainsFunc(rec.Servers, func(s migration.ServerRecord) bool {
			moved := s.Replaced != nil || rec.Flight != nil && rec.Flight.ID == s.ID
			return moved && o.GetLabels()[IDLabel] == s.ID.String()
		})
	})
	if rec.Pods.ZooCfg == "" {
		return sortObjects(out), nil
	}
	pods, err := Pods(rec)
	if err != nil {
		return nil, err
	}
	out = append(append(out, Gate(rec, GateData{Generation: generation})), pods...)
	if rec.Pods.PrivateSecret != "" {
		out = append(out, hiddenSecret(rec, rec.Pods.PrivateSecret, zooCfgKey))
	}
	return sortObjects(out), nil
}

func pointsToHost(o Object) bool {
	switch o.(type) {
	case *discoveryv1.EndpointSlice, *corev1.Endpoints: //nolint:staticcheck // asked for by name
		return true
	}
	return false
}

// hiddenSecret stands for a Secret of ours. No API server takes it: what is hidden is not
// base64.
func hiddenSecret(rec migration.Record, name string, keys ...string) Object {
	data := map[string]any{}
	for _, key := range keys {
		data[key] = ensemble.Hidden
	}
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "immutable": true, "type": string(corev1.SecretTypeOpaque),
		"data": data,
	}}
	o.SetName(name)
	o.SetNamespace(rec.Namespace)
	o.SetLabels(Labels(rec.Name))
	return o
}

// gitAnnotations keep Argo CD and Flux from what they do by default.
//   - A Service that is pruned takes its address along, by which the other servers know the
//     server (I1), and pods use the ConfigMaps of former settings.
//   - Flux takes the fields of managers whose name begins with "kubectl" for its own
//     and removes those that Git does not have (fluxcd/pkg, ssa/patch.go,
//     matchFieldManager): a Service would lose the selector of its pod. "Merge" leaves
//     them alone.
//   - With client-side apply Argo CD would own no field.
func gitAnnotations() map[string]string {
	return map[string]string{
		"argocd.argoproj.io/sync-options":   "ServerSideApply=true,Prune=false,Delete=false",
		"kustomize.toolkit.fluxcd.io/prune": "disabled",
		"kustomize.toolkit.fluxcd.io/ssa":   "Merge",
	}
}

// ForGit leaves what may be applied from Git at any time, marked so that Argo CD and Flux
// remove nothing. The rest is written by the tool alone: the gate, the hand-made
// endpoints, Secrets.
func ForGit(objects []Object) []Object {
	var out []Object
	for _, o := range objects {
		if pointsToHost(o) || o.GetLabels()[RoleLabel] == RoleGate || o.GetObjectKind().GroupVersionKind().Kind == "Secret" {
			continue
		}
		annotations := gitAnnotations()
		for k, v := range o.GetAnnotations() {
			annotations[k] = v
		}
		o.SetAnnotations(annotations)
		out = append(out, o)
	}
	return out
}
