package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// The keys of a fleet's ConfigMap.
const (
	PlanKey  = "plan.json"
	StateKey = "state.json"
)

// NoFleetError says that no run of that name was ever begun.
type NoFleetError struct{ Namespace, Name string }

func (e *NoFleetError) Error() string {
	return fmt.Sprintf("namespace %s has no run of a fleet %q", e.Namespace, e.Name)
}

// Permanent says that trying again does not help.
func (e *NoFleetError) Permanent() bool { return true }

// IsNoFleet reports whether err says that there is no such run.
func IsNoFleet(err error) bool {
	var e *NoFleetError
	return errors.As(err, &e)
}

// FleetRecord is what is kept of a run.
type FleetRecord struct {
	Plan  fleet.Plan
	State fleet.State
	// Halt is what the halt annotation says.
	Halt string
}

// Fleet keeps the plan and the state of a fleet's run in one ConfigMap, under an optimistic
// lock.
type Fleet struct {
	// Via is put into the commands that errors name.
	Via command.Via

	kube            kubernetes.Interface
	namespace, name string

	mu   sync.Mutex
	seen *corev1.ConfigMap
}

// NewFleet returns the record of that run, whether it exists or not.
func NewFleet(kube kubernetes.Interface, namespace, name string) *Fleet {
	return &Fleet{kube: kube, namespace: namespace, name: name}
}

func (f *Fleet) where() string { return f.namespace + "/" + render.FleetName(f.name) }

// Begin freezes a plan: it writes the first record, or in the place of one that was read.
func (f *Fleet) Begin(ctx context.Context, p fleet.Plan, s fleet.State) error {
	s.Digest = p.Digest()
	plan, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen != nil {
		return f.write(ctx, s, map[string]string{PlanKey: string(plan) + "\n"})
	}
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: render.FleetName(f.name), Namespace: f.namespace, Labels: render.FleetLabels(f.name)}}
	if cm.Data, err = f.data(s, map[string]string{PlanKey: string(plan) + "\n"}); err != nil {
		return err
	}
	made, err := f.kube.CoreV1().ConfigMaps(f.namespace).Create(ctx, cm, metav1.CreateOptions{FieldManager: FieldManager})
	switch {
	case apierrors.IsAlreadyExists(err):
		return f.stale(err)
	case err != nil:
		return fmt.Errorf("cannot create the fleet's state in ConfigMap %s: %w", f.where(), err)
	}
	f.seen = made
	return nil
}

func (f *Fleet) stale(err error) error {
	return &StaleError{Namespace: f.namespace, Name: f.name, Err: err}
}

func (f *Fleet) data(s fleet.State, more map[string]string) (map[string]string, error) {
	state, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return nil, err
	}
	more[StateKey] = string(state) + "\n"
	if n := len(more[StateKey]) + len(more[PlanKey]); n > maxRecord {
		return nil, fmt.Errorf("the state of fleet %s has %d bytes, a ConfigMap holds %d: make two fleets of it", f.name, n, maxRecord)
	}
	return more, nil
}

// Load reads a run's record; it fails with NoFleetError when there is none, and with
// FormatError when it is not what a run of this release has written.
func (f *Fleet) Load(ctx context.Context) (FleetRecord, error) {
	cm, err := f.kube.CoreV1().ConfigMaps(f.namespace).Get(ctx, render.FleetName(f.name), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return FleetRecord{}, &NoFleetError{Namespace: f.namespace, Name: f.name}
	}
	if err != nil {
		return FleetRecord{}, fmt.Errorf("cannot read the fleet's state in ConfigMap %s: %w", f.where(), err)
	}
	rec := FleetRecord{Halt: haltOf(cm)}
	if err := f.decode(cm, &rec); err != nil {
		return FleetRecord{}, &FormatError{Namespace: cm.Namespace, Name: cm.Name, Reason: "cannot be read", Err: err,
			Next: "restore what was there, or delete the ConfigMap and run the fleet again: what is reached already stays so"}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = cm
	return rec, nil
}

func (f *Fleet) decode(cm *corev1.ConfigMap, rec *FleetRecord) error {
	for key, into := range map[string]any{PlanKey: &rec.Plan, StateKey: &rec.State} {
		if err := strictly(cm.Data[key], into); err != nil {
			return fmt.Errorf("%s: %s", key, quote.Line(strings.TrimPrefix(err.Error(), "json: ")))
		}
	}
	p := rec.Plan
	if p.APIVersion != manifest.APIVersion || p.Kind != fleet.Kind || p.Name != f.name || p.Namespace != f.namespace {
		return fmt.Errorf("it is %s %s of fleet %s in namespace %s", quote.Text(p.APIVersion), quote.Text(p.Kind), quote.Text(p.Name), quote.Text(p.Namespace))
	}
	return rec.State.Validate(p)
}

// Save replaces the state; it fails with StaleError when somebody else wrote since the last
// Load, Begin or Save.
func (f *Fleet) Save(ctx context.Context, s fleet.State) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		return fmt.Errorf("the state of fleet %q must be read before it is written", f.name)
	}
	return f.write(ctx, s, map[string]string{PlanKey: f.seen.Data[PlanKey]})
}

func (f *Fleet) write(ctx context.Context, s fleet.State, more map[string]string) error {
	next := f.seen.DeepCopy()
	var err error
	if next.Data, err = f.data(s, more); err != nil {
		return err
	}
	written, err := f.kube.CoreV1().ConfigMaps(f.namespace).Update(ctx, next, metav1.UpdateOptions{FieldManager: FieldManager})
	switch {
	case apierrors.IsConflict(err):
		return f.stale(err)
	case apierrors.IsNotFound(err):
		return &NoFleetError{Namespace: f.namespace, Name: f.name}
	case err != nil:
		return fmt.Errorf("cannot write the fleet's state in ConfigMap %s: %w", f.where(), err)
	}
	f.seen = written
	return nil
}

// changeTries bounds how often a change is tried again over somebody else's.
const changeTries = 20

// Change loads, changes and saves the state; over somebody else's write it begins again.
func (f *Fleet) Change(ctx context.Context, change func(fleet.Plan, *fleet.State) error) error {
	var err error
	for range changeTries {
		rec, loadErr := f.Load(ctx)
		if loadErr != nil {
			return loadErr
		}
		if err := change(rec.Plan, &rec.State); err != nil {
			return err
		}
		if err = f.Save(ctx, rec.State); !IsStale(err) {
			return err
		}
	}
	return err
}

// Fleets are the names of the runs in a namespace.
func Fleets(ctx context.Context, kube kubernetes.Interface, namespace string) ([]string, error) {
	list, err := kube.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.Set{render.RoleLabel: render.RoleFleet}.String()})
	if err != nil {
		return nil, fmt.Errorf("cannot list fleets in namespace %s: %w", namespace, err)
	}
	var out []string
	for _, cm := range list.Items {
		if name := cm.Labels[render.FleetLabel]; render.FleetName(name) == cm.Name {
			out = append(out, name)
		}
	}
	return out, nil
}

// Kept is what is said of an ensemble on its journal's object.
type Kept struct {
	Labels map[string]string
	// Halt is what the halt annotation says.
	Halt string
}

// Journals are the journals of a namespace by ensemble, without reading them.
func Journals(ctx context.Context, kube metadata.Interface, namespace string) (map[string]Kept, error) {
	list, err := kube.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(namespace).List(ctx, Scope{}.options())
	if err != nil {
		return nil, notListed(namespace, err)
	}
	out := map[string]Kept{}
	for i := range list.Items {
		item := &list.Items[i]
		if name := item.Labels[render.EnsembleLabel]; render.JournalName(name) == item.Name {
			out[name] = Kept{Labels: item.Labels, Halt: haltOf(item)}
		}
	}
	return out, nil
}

// JournalOf is what is said of one ensemble on its journal's object, nothing where there is
// none: for who may not list.
func JournalOf(ctx context.Context, kube metadata.Interface, namespace, name string) (Kept, error) {
	o, err := kube.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(namespace).Get(ctx, render.JournalName(name), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Kept{}, nil
	}
	if err != nil {
		return Kept{}, fmt.Errorf("cannot look at ConfigMap %s/%s: %w", namespace, render.JournalName(name), err)
	}
	return Kept{Labels: o.Labels, Halt: haltOf(o)}, nil
}

// haltOf is why an object halts runs: what its annotation says, or that it has one.
func haltOf(o metav1.Object) string {
	why, halted := o.GetAnnotations()[render.HaltAnnotation]
	switch {
	case !halted:
		return ""
	case strings.TrimSpace(why) == "":
		return "by the annotation " + render.HaltAnnotation
	}
	return quote.Short(quote.Line(why), 200)
}
