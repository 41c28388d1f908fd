package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Scope is where ensembles are looked for.
type Scope struct {
	// Namespaces are those to look in; without any, all.
	Namespaces []string
	// Selector picks ensembles by the labels of their journals; nil picks all.
	Selector labels.Selector
}

// In is the scope of one namespace, or of all where it is empty.
func In(namespace string) Scope {
	if namespace == "" {
		return Scope{}
	}
	return Scope{Namespaces: []string{namespace}}
}

// each are the namespaces as the API names them: all are one, without a name.
func (s Scope) each() []string {
	if len(s.Namespaces) == 0 {
		return []string{metav1.NamespaceAll}
	}
	return s.Namespaces
}

func (s Scope) options() metav1.ListOptions {
	selector := labels.Set{render.RoleLabel: render.RoleJournal}.String()
	if s.Selector != nil && !s.Selector.Empty() {
		selector += "," + s.Selector.String()
	}
	return metav1.ListOptions{LabelSelector: selector}
}

// Listing is what the journals of some namespaces, or of all, held at one moment.
type Listing struct {
	// Records are sorted by namespace and name.
	Records []migration.Record
	// Broken tells of the journals that cannot be read; they do not hide the others.
	Broken []error
	// Denied tells, namespace by namespace, why its journals could not be listed; it does not hide
	// the others'.
	Denied []error

	scope   Scope
	objects map[types.NamespacedName]listed
}

// listed is a journal's object when it was listed.
type listed struct {
	version string
	made    time.Time
}

// List reads the journals of the scope. Of several namespaces, one whose journals cannot be
// listed is Denied; of one, that is the error. via is put into the commands that errors name.
func List(ctx context.Context, kube kubernetes.Interface, scope Scope, via command.Via) (Listing, error) {
	out := Listing{scope: scope, objects: map[types.NamespacedName]listed{}}
	namespaces := scope.each()
	var items []corev1.ConfigMap
	for _, namespace := range namespaces {
		list, err := kube.CoreV1().ConfigMaps(namespace).List(ctx, scope.options())
		switch {
		case err != nil && (ctx.Err() != nil || len(namespaces) == 1):
			return out, notListed(namespace, err)
		case err != nil:
			out.Denied = append(out.Denied, notListed(namespace, err))
		default:
			items = append(items, list.Items...)
		}
	}
	records, errs := make([]migration.Record, len(items)), make([]error, len(items))
	var wg sync.WaitGroup
	for i := range items {
		wg.Go(func() { records[i], errs[i] = decode(&items[i], render.JournalName, via) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			out.Broken = append(out.Broken, err)
			continue
		}
		out.Records = append(out.Records, records[i])
		out.objects[named(&items[i])] = listed{items[i].ResourceVersion, items[i].CreationTimestamp.Time}
	}
	slices.SortFunc(out.Records, func(a, b migration.Record) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// Only leaves in the listing the ensembles of which keep says so.
func (l Listing) Only(keep func(migration.Record) bool) Listing {
	l.Records = slices.DeleteFunc(slices.Clone(l.Records), func(r migration.Record) bool { return !keep(r) })
	return l
}

// Namespaces are those that have the listing's ensembles, none where all were looked at.
func (l Listing) Namespaces() []string {
	if len(l.scope.Namespaces) == 0 {
		return nil
	}
	var out []string
	for _, r := range l.Records {
		out = append(out, r.Namespace)
	}
	return slices.Compact(out) // they are sorted
}

// Made is when the journal of a record was made: when its ensemble was wrapped.
func (l Listing) Made(rec migration.Record) time.Time { return l.objects[keyOf(rec)].made }

func keyOf(rec migration.Record) types.NamespacedName {
	return types.NamespacedName{Namespace: rec.Namespace, Name: render.JournalName(rec.Name)}
}

// Written are the indexes of the records whose journal was written, or deleted, since
// they were listed. It asks for the journals' metadata alone.
func (l Listing) Written(ctx context.Context, kube metadata.Interface) ([]int, error) {
	now := map[types.NamespacedName]string{}
	for _, namespace := range l.scope.each() {
		list, err := kube.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(namespace).List(ctx, l.scope.options())
		if apierrors.IsForbidden(err) {
			continue // as when they were listed; where that has changed, its journals look deleted
		}
		if err != nil {
			return nil, notListed(namespace, err)
		}
		for i := range list.Items {
			now[named(&list.Items[i])] = list.Items[i].ResourceVersion
		}
	}
	var out []int
	for i, rec := range l.Records {
		if version, found := now[keyOf(rec)]; !found || version != l.objects[keyOf(rec)].version {
			out = append(out, i)
		}
	}
	return out, nil
}

func named(o metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
}

func notListed(namespace string, err error) error {
	where := "in all namespaces"
	if namespace != "" {
		where = "in namespace " + namespace
	}
	return fmt.Errorf("cannot list journals %s: %w", where, err)
}
