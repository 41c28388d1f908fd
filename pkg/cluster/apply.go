package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Result is what applying an object did.
type Result string

// The results, in kubectl's words.
const (
	Created    Result = "created"
	Configured Result = "configured"
	Unchanged  Result = "unchanged"
	// NotNeeded and NotTouched are results for endpoints that are not there.
	NotNeeded  Result = "not needed, the Service selects its pod"
	NotTouched Result = "not there and not made, the server is not on its host"
)

// Park applies everything the pods need. The gate comes first and closed; one
// that exists keeps its lines.
func (c *Client) Park(ctx context.Context, rec migration.Record) error {
	objects, err := render.Pods(rec)
	if err != nil {
		return &Error{Reason: Invalid, What: err.Error()}
	}
	if err := c.parkGate(ctx, rec); err != nil {
		return err
	}
	return c.applyAll(ctx, rec, objects)
}

// Finalize applies what the pods are left with. Their template stays as it is, so that no
// pod is restarted by it.
func (c *Client) Finalize(ctx context.Context, rec migration.Record) error {
	objects, err := render.Final(rec)
	if err != nil {
		return &Error{Reason: Invalid, What: err.Error()}
	}
	return c.applyAll(ctx, rec, objects)
}

// TryFinalize has the API server try what Finalize would write, and returns only the conflict
// that would end it: a webhook that knows no dry run says nothing of the write itself. Who
// applies his fields (Argo CD, Flux) follows what is rendered for Git meanwhile; of others a
// conflict names the version "using" which they updated (structured-merge-diff's conflicts as
// apimachinery, managedfields/internal/conflict.go prints them).
func (c *Client) TryFinalize(ctx context.Context, rec migration.Record) error {
	objects, err := render.Final(rec)
	if err != nil {
		return &Error{Reason: Invalid, What: err.Error()}
	}
	for _, o := range objects {
		_, _, err := c.apply(ctx, rec, o, true)
		applied := err != nil && strings.Contains(err.Error(), "conflict with ") && !strings.Contains(err.Error(), " using ")
		if IsReason(err, Conflict) && !applied {
			return c.wayOut(err, o)
		}
	}
	return ctx.Err()
}

func (c *Client) applyAll(ctx context.Context, rec migration.Record, objects []render.Object) error {
	for _, o := range objects {
		if _, _, err := c.apply(ctx, rec, o, false); err != nil {
			return c.wayOut(err, o)
		}
	}
	return nil
}

// wayOut adds the way out to a refusal: who has edited the pods' files owns them; a
// StatefulSet's claims cannot be changed, and who has scaled it owns its size.
func (c *Client) wayOut(err error, o render.Object) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	if cm, ok := o.(*corev1.ConfigMap); ok && (e.Reason == Conflict && strings.Contains(e.What, ".data.") || apierrors.IsInvalid(e.Err)) {
		out := *e
		out.Next = "somebody replaced the pods' files: " + c.at(cm.Namespace).Kubectl("delete configmap %s", cm.Name) + ", then run the command again, which recreates it"
		return &out
	}
	set, ok := o.(*appsv1.StatefulSet)
	if !ok {
		return err
	}
	if e.Reason == Conflict && strings.Contains(e.What, ".spec.replicas") {
		out := *e
		out.Next = c.at(set.Namespace).Kubectl("scale statefulset %s --replicas=%d", set.Name, *set.Spec.Replicas) + ", then run the command again"
		return &out
	}
	if e.Reason == Conflict {
		out := *e
		if strings.Contains(e.What, ".spec.updateStrategy") {
			out.What += fmt.Sprintf("; its update strategy should be %s", set.Spec.UpdateStrategy.Type)
		}
		out.Next = "if Argo CD or Flux owns it: commit what " + c.at(set.Namespace).Ours("render %s --gitops", set.Labels[render.EnsembleLabel]) +
			" prints and let it be applied, then run the command again; otherwise " + out.Next
		return &out
	}
	if !apierrors.IsInvalid(e.Err) {
		return err
	}
	out := *e
	out.Next = "storage class and size cannot be changed in place: " + c.at(o.GetNamespace()).Kubectl("delete statefulset %s --cascade=orphan", o.GetName()) + ", " +
		"delete the pods and claims in which nothing was started, and run the command again"
	return &out
}

// apply writes one object by server-side apply, without force but for a
// StatefulSet's template that somebody edited. An object of that name that does not
// carry the ensemble's label is somebody else's.
func (c *Client) apply(ctx context.Context, rec migration.Record, o render.Object, dryRun bool) (Result, render.Object, error) {
	before, after, err := c.write(ctx, rec, o, dryRun)
	switch {
	case err != nil:
		return "", nil, err
	case before == nil:
		return Created, after, nil
	case sameContent(before, after):
		return Unchanged, after, nil
	}
	return Configured, after, nil
}

// write is apply with the object as it was, nil where there was none.
func (c *Client) write(ctx context.Context, rec migration.Record, o render.Object, dryRun bool) (before, after render.Object, err error) {
	kind, name := o.GetObjectKind().GroupVersionKind().Kind, o.GetName()
	api, err := c.api(o)
	if err != nil {
		return nil, nil, err
	}
	switch before, err = api.get(ctx, name); {
	case apierrors.IsNotFound(err):
		before = nil
	case err != nil:
		return nil, nil, failed(err, "get", kind, rec.Namespace, name)
	case before.GetLabels()[render.EnsembleLabel] != rec.Name:
		return nil, nil, &Error{Reason: Conflict,
			What: fmt.Sprintf("%s %s/%s exists and is not part of ensemble %s", kind, rec.Namespace, name, rec.Name),
			Next: fmt.Sprintf("choose another name for the ensemble, or, if it is meant to be used, label it %s=%s", render.EnsembleLabel, rec.Name)}
	}
	data, err := render.JSON(o)
	if err != nil {
		return nil, nil, &Error{Reason: Invalid, What: err.Error()}
	}
	force := false
	options := metav1.PatchOptions{FieldManager: FieldManager, Force: &force}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	if set := rolls(before, o); set != nil {
		if dryRun {
			after, err = c.tryOnDelete(ctx, set, data)
			return before, after, c.notWritten(err, "apply", kind, rec.Namespace, name)
		}
		if err := c.clearRolling(ctx, set); err != nil {
			return nil, nil, err
		}
	}
	after, err = api.patch(ctx, name, data, options)
	if templateEdited(o, err) {
		force = true
		after, err = api.patch(ctx, name, data, options)
	}
	return before, after, c.notWritten(err, "apply", kind, rec.Namespace, name)
}

// rolls is the wanted StatefulSet, if the one in the cluster has parameters of a rolling
// update and is to have none: an apply leaves them to whoever has set them, and the API
// server refuses them beside OnDelete (pkg/apis/apps/validation, ValidateStatefulSetSpec).
func rolls(before, o render.Object) *appsv1.StatefulSet {
	was, _ := before.(*appsv1.StatefulSet)
	to, _ := o.(*appsv1.StatefulSet)
	if was == nil || to == nil || was.Spec.UpdateStrategy.RollingUpdate == nil || to.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType {
		return nil
	}
	return to
}

// clearRolling takes the parameters of a rolling update out of the StatefulSet.
func (c *Client) clearRolling(ctx context.Context, set *appsv1.StatefulSet) error {
	patch := []byte(`{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}`)
	_, err := c.kube.AppsV1().StatefulSets(set.Namespace).Patch(ctx, set.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	return c.notWritten(err, "patch", "StatefulSet", set.Namespace, set.Name)
}

// tryOnDelete is what clearRolling and an apply together would make of the StatefulSet, in one
// request: the second of two would not see what the first has not kept, and an apply has no
// way to take out a field of another manager.
func (c *Client) tryOnDelete(ctx context.Context, set *appsv1.StatefulSet, data []byte) (render.Object, error) {
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	if err := unstructured.SetNestedField(fields, nil, "spec", "updateStrategy", "rollingUpdate"); err != nil {
		return nil, err
	}
	patch, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	return c.kube.AppsV1().StatefulSets(set.Namespace).Patch(ctx, set.Name, types.StrategicMergePatchType, patch,
		metav1.PatchOptions{FieldManager: FieldManager, DryRun: []string{metav1.DryRunAll}})
}

// sameContent compares without what every write changes.
func sameContent(a, b render.Object) bool {
	strip := func(o render.Object) map[string]any {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			return nil
		}
		if m, ok := fields["metadata"].(map[string]any); ok {
			for _, key := range []string{"managedFields", "resourceVersion", "generation"} {
				delete(m, key)
			}
		}
		for _, key := range []string{"status", "kind", "apiVersion"} {
			delete(fields, key)
		}
		return fields
	}
	return apiequality.Semantic.DeepEqual(strip(a), strip(b))
}

// kindAPI reads and applies objects of one kind in one namespace.
type kindAPI struct {
	get   func(ctx context.Context, name string) (render.Object, error)
	patch func(ctx context.Context, name string, data []byte, o metav1.PatchOptions) (render.Object, error)
}

// typed is the part of a typed client that applying needs.
type typed[T render.Object] interface {
	Get(ctx context.Context, name string, o metav1.GetOptions) (T, error)
	Patch(ctx context.Context, name string, pt types.PatchType, data []byte, o metav1.PatchOptions, sub ...string) (T, error)
}

func of[T render.Object](t typed[T]) kindAPI {
	return kindAPI{
		get: func(ctx context.Context, name string) (render.Object, error) {
			return t.Get(ctx, name, metav1.GetOptions{})
		},
		patch: func(ctx context.Context, name string, data []byte, o metav1.PatchOptions) (render.Object, error) {
			return t.Patch(ctx, name, types.ApplyPatchType, data, o)
		},
	}
}

func (c *Client) api(o render.Object) (kindAPI, error) {
	ns := o.GetNamespace()
	switch o.(type) {
	case *corev1.Service:
		return of(c.kube.CoreV1().Services(ns)), nil
	case *corev1.ConfigMap:
		return of(c.kube.CoreV1().ConfigMaps(ns)), nil
	case *appsv1.StatefulSet:
		return of(c.kube.AppsV1().StatefulSets(ns)), nil
	case *policyv1.PodDisruptionBudget:
		return of(c.kube.PolicyV1().PodDisruptionBudgets(ns)), nil
	}
	return kindAPI{}, &Error{Reason: Invalid, What: fmt.Sprintf("no way to apply a %T", o)}
}
