//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// git applies objects as Argo CD (ServerSideApply=true) and Flux do.
type git struct {
	manager string
	// takesOver: as Flux, it takes what managers own whose name begins with "kubectl",
	// unless the object says "Merge" (kustomize-controller, fluxcd/pkg ssa/patch.go).
	takesOver bool
	client    dynamic.Interface
	objects   []*unstructured.Unstructured
}

const fluxMode = "kustomize.toolkit.fluxcd.io/ssa"

func newGit(s *site, manager string, text []byte) *git {
	s.t.Helper()
	client, err := dynamic.NewForConfig(s.cp.config(adminToken))
	s.must("client", err)
	g := &git{manager: manager, takesOver: manager == "kustomize-controller", client: client}
	for _, doc := range strings.Split(string(text), "\n---\n") {
		o := &unstructured.Unstructured{}
		s.must("parse", yaml.Unmarshal([]byte(doc), &o.Object))
		g.objects = append(g.objects, o)
	}
	return g
}

// rendered is what render --gitops prints.
func (s *site) rendered() []byte {
	s.t.Helper()
	objects, err := render.Everything(s.rec, 1)
	s.must("render", err)
	text, err := render.YAML(render.ForGit(objects))
	s.must("print", err)
	return text
}

func resource(o *unstructured.Unstructured) schema.GroupVersionResource {
	gvk := o.GroupVersionKind()
	return gvk.GroupVersion().WithResource(strings.ToLower(gvk.Kind) + "s")
}

// sync applies everything once, with force.
func (g *git) sync(ctx context.Context, namespace string) error {
	for _, o := range g.objects {
		api := g.client.Resource(resource(o)).Namespace(namespace)
		if have, err := api.Get(ctx, o.GetName(), metav1.GetOptions{}); err == nil && g.takesOver && o.GetAnnotations()[fluxMode] != "Merge" {
			if err := g.takeOver(ctx, api, have); err != nil {
				return err
			}
		}
		if _, err := api.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: g.manager, Force: true}); err != nil {
			return fmt.Errorf("%s: %w", o.GetName(), err)
		}
	}
	return nil
}

// takeOver makes the fields of managers called kubectl... its own.
func (g *git) takeOver(ctx context.Context, api dynamic.ResourceInterface, have *unstructured.Unstructured) error {
	own := metav1.ManagedFieldsEntry{Manager: g.manager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: have.GetAPIVersion(), FieldsType: "FieldsV1"}
	fields := map[string]any{}
	var out []metav1.ManagedFieldsEntry
	for _, m := range have.GetManagedFields() {
		mine := m.Manager == g.manager && m.Operation == metav1.ManagedFieldsOperationApply
		if !mine && !(strings.HasPrefix(m.Manager, "kubectl") && m.Subresource == "") {
			out = append(out, m)
			continue
		}
		var more map[string]any
		if err := json.Unmarshal(m.FieldsV1.GetRawBytes(), &more); err != nil {
			return err
		}
		union(fields, more)
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	own.FieldsV1 = &metav1.FieldsV1{Raw: raw}
	patch, err := json.Marshal([]map[string]any{{"op": "replace", "path": "/metadata/managedFields", "value": append(out, own)}})
	if err != nil {
		return err
	}
	_, err = api.Patch(ctx, have.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: g.manager})
	return err
}

func union(into, from map[string]any) {
	for k, v := range from {
		below, ok := into[k].(map[string]any)
		more, deeper := v.(map[string]any)
		if ok && deeper {
			union(below, more)
			continue
		}
		into[k] = v
	}
}

// selector is that of a server's Service.
func (s *site) selector(name string) map[string]string {
	s.t.Helper()
	svc, err := s.cp.admin.CoreV1().Services(s.ns).Get(s.ctx, name, metav1.GetOptions{})
	s.must("get", err)
	return svc.Spec.Selector
}

// previews is what wrap and park would do, in short.
func (s *site) previews() string {
	s.t.Helper()
	wrap, err := s.c.PreviewWrap(s.ctx, s.rec)
	s.must("preview of the wrap", err)
	pods, err := s.c.PreviewPods(s.ctx, s.rec)
	s.must("preview of the pods", err)
	var out []string
	for _, p := range slices.Concat(wrap, pods) {
		if word := string(p.Result); !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

// TestPreview: with the Role it says what would be made, and writes nothing.
func TestPreview(t *testing.T) {
	for _, api := range []migration.EndpointsAPI{migration.EndpointSlices, migration.LegacyEndpoints} {
		s := newSite(t, api)
		if got := s.previews(); got != "created" {
			t.Errorf("%s: before anything: %s", api, got)
		}
		list, err := s.cp.admin.CoreV1().Services(s.ns).List(s.ctx, metav1.ListOptions{})
		s.must("list", err)
		if len(list.Items) != 0 {
			t.Errorf("%s: a preview has made %d Services", api, len(list.Items))
		}
		s.wrap()
		s.must("park", s.c.Park(s.ctx, s.rec))
		if got := s.previews(); got != "unchanged" {
			t.Errorf("%s: after all is made: %s", api, got)
		}
		s.rec.Pods.Template = `{"spec":{"priorityClassName":"system-cluster-critical"}}`
		if got := s.previews(); got != "configured,unchanged" {
			t.Errorf("%s: with a template: %s", api, got)
		}
		s.must("park again", s.c.Park(s.ctx, s.rec))
		if got := s.previews(); got != "unchanged" {
			t.Errorf("%s: after the change: %s", api, got)
		}
	}
}

// TestPreviewOfAnEditedStrategy: what diff shows is what wrap and park then do, also where
// somebody has asked for a rolling update.
func TestPreviewOfAnEditedStrategy(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	sets, err := s.cp.admin.AppsV1().StatefulSets(s.ns).List(s.ctx, metav1.ListOptions{})
	s.must("list", err)
	edit := []byte(`{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":0}}}}`)
	_, err = s.cp.admin.AppsV1().StatefulSets(s.ns).Patch(s.ctx, sets.Items[0].Name, types.MergePatchType, edit, metav1.PatchOptions{FieldManager: "kubectl-edit"})
	s.must("edit", err)
	if got := s.previews(); got != "configured,unchanged" {
		t.Errorf("of the edit: %s", got)
	}
	set, err := s.cp.admin.AppsV1().StatefulSets(s.ns).Get(s.ctx, sets.Items[0].Name, metav1.GetOptions{})
	s.must("get", err)
	if set.Spec.UpdateStrategy.RollingUpdate == nil {
		t.Error("a preview has written")
	}
	s.must("park again", s.c.Park(s.ctx, s.rec))
	if got := s.previews(); got != "unchanged" {
		t.Errorf("after park: %s", got)
	}
}

// TestGitOwnsTheObjects: another manager applies what render --gitops prints, over and
// over, while a server goes into its pod and back. Neither reverts the other.
func TestGitOwnsTheObjects(t *testing.T) {
	for _, manager := range []string{"argocd-controller", "kustomize-controller"} {
		t.Run(manager, func(t *testing.T) {
			s := newSite(t, migration.EndpointSlices)
			// A list with one owner, into which the API server writes a default.
			s.rec.Pods.Template = `{"spec":{"volumes":[{"name":"me","projected":{"sources":[{"downwardAPI":{"items":[{"path":"name","fieldRef":{"fieldPath":"metadata.name"}}]}}]}}]}}`
			s.wrap()
			g := newGit(s, manager, s.rendered())
			s.must("Git before the park", g.sync(s.ctx, s.ns))
			s.must("park", s.c.Park(s.ctx, s.rec))
			s.must("Git after the park", g.sync(s.ctx, s.ns))
			if got := s.previews(); got != "unchanged" {
				t.Errorf("Git and the tool want something else: %s", got)
			}
			w := follow(t, s.cp, s.ns, "main-5")
			defer w.stop()
			ctx, cancel := context.WithCancel(s.ctx)
			done, synced := make(chan error, 1), 0
			go func() {
				for {
					switch err := g.sync(ctx, s.ns); {
					case ctx.Err() != nil:
						done <- nil
						return
					case err != nil:
						done <- err
						return
					}
					synced++
				}
			}()
			for round := range 3 {
				s.replaceAndRevert(w, "10.1.0.5", fmt.Sprintf("10.244.5.%d", 2*round+1), fmt.Sprintf("10.244.5.%d", 2*round+2))
			}
			cancel()
			s.must("Git", <-done)
			several, empty, _, events := w.wrong()
			t.Logf("%d syncs, %d events", synced, events)
			for _, in := range append(several, empty...) {
				t.Errorf("not one address: %s", in)
			}
			if synced < 3 {
				t.Errorf("Git was applied %d times in three rounds", synced)
			}
			if got := s.previews(); got != "unchanged" {
				t.Errorf("at the end: %s", got)
			}
		})
	}
}

// TestGitChangesASetting: what Git owns is not changed behind its back.
func TestGitChangesASetting(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	s.must("Git", newGit(s, "argocd-controller", s.rendered()).sync(s.ctx, s.ns))
	s.rec.Pods.Memory = "512Mi"
	err := s.c.Park(s.ctx, s.rec)
	var conflict *cluster.Error
	if !errors.As(err, &conflict) || conflict.Reason != cluster.Conflict || !strings.Contains(err.Error(), "argocd-controller") || !strings.Contains(conflict.Next, "render main --gitops") {
		t.Fatalf("a setting that Git does not have: %v", err)
	}
	s.must("Git with the new setting", newGit(s, "argocd-controller", s.rendered()).sync(s.ctx, s.ns))
	s.must("park", s.c.Park(s.ctx, s.rec))
}

// TestFluxWithoutTheMark is why objects for Git say "Merge": without it the selector of a
// server in its pod is gone after the next sync.
func TestFluxWithoutTheMark(t *testing.T) {
	for _, mark := range []bool{false, true} {
		s := newSite(t, migration.EndpointSlices)
		s.wrap()
		s.must("park", s.c.Park(s.ctx, s.rec))
		pod := s.run(5, "10.244.6.1")
		s.must("flip", s.c.PointToPod(s.ctx, s.rec, 5, string(pod.UID), "10.244.6.1"))
		s.must("adopt", s.c.SetSelector(s.ctx, s.rec, 5))
		text := string(s.rendered())
		if !mark {
			text = strings.ReplaceAll(text, fluxMode+": Merge", fluxMode+": Override")
		}
		s.must("Git", newGit(s, "kustomize-controller", []byte(text)).sync(s.ctx, s.ns))
		if got := len(s.selector("main-5")) > 0; got != mark {
			t.Errorf("with the mark %t the Service has a selector: %t", mark, got)
		}
	}
}

// TestEarlierObjects: what an earlier release has made is wrapped and parked over.
func TestEarlierObjects(t *testing.T) {
	s := newSite(t, migration.EndpointSlices)
	for _, file := range []string{"wrap-slices.yaml", "pods-default.yaml"} {
		text, err := os.ReadFile("../../pkg/render/testdata/earlier/" + file)
		s.must("read", err)
		s.must("apply", newGit(s, cluster.FieldManager, []byte(strings.ReplaceAll(string(text), "namespace: zk\n", "namespace: "+s.ns+"\n"))).sync(s.ctx, s.ns))
	}
	s.rec.Pods.StorageSize = "20Gi"
	s.wrap()
	s.must("park", s.c.Park(s.ctx, s.rec))
	set, err := s.cp.admin.AppsV1().StatefulSets(s.ns).Get(s.ctx, "main-pod", metav1.GetOptions{})
	s.must("get", err)
	if set.Spec.Template.Labels["app.kubernetes.io/component"] != "server" {
		t.Errorf("labels of the pods: %v", set.Spec.Template.Labels)
	}
	old := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app.kubernetes.io/name": "zookeeper", render.EnsembleLabel: "main"}}}
	selector, err := metav1.LabelSelectorAsSelector(set.Spec.Selector)
	s.must("selector", err)
	if !selector.Matches(labels.Set(old.Labels)) || !selector.Matches(labels.Set(set.Spec.Template.Labels)) {
		t.Errorf("the selector %s misses pods of before, or of now", selector)
	}
}
