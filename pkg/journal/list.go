package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Listing is what the journals of one namespace, or of all, held at one moment.
type Listing struct {
	// Records are sorted by namespace and name.
	Records []migration.Record
	// Broken tells of the journals that cannot be read; they do not hide the others.
	Broken []error

	namespace string
	versions  map[types.NamespacedName]string
}

// List reads the journals of a namespace, or of all when it is empty. via is put into the
// commands that errors name.
func List(ctx context.Context, kube kubernetes.Interface, namespace string, via command.Via) (Listing, error) {
	out := Listing{namespace: namespace, versions: map[types.NamespacedName]string{}}
	list, err := kube.CoreV1().ConfigMaps(namespace).List(ctx, journals())
	if err != nil {
		return out, notListed(namespace, err)
	}
	records, errs := make([]migration.Record, len(list.Items)), make([]error, len(list.Items))
	var wg sync.WaitGroup
	for i := range list.Items {
		wg.Go(func() { records[i], errs[i] = decode(&list.Items[i], render.JournalName, via) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			out.Broken = append(out.Broken, err)
			continue
		}
		out.Records = append(out.Records, records[i])
		out.versions[named(&list.Items[i])] = list.Items[i].ResourceVersion
	}
	slices.SortFunc(out.Records, func(a, b migration.Record) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// Written are the indexes of the records whose journal was written, or deleted, since
// they were listed. It asks for the journals' metadata alone.
func (l Listing) Written(ctx context.Context, kube metadata.Interface) ([]int, error) {
	list, err := kube.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(l.namespace).List(ctx, journals())
	if err != nil {
		return nil, notListed(l.namespace, err)
	}
	now := map[types.NamespacedName]string{}
	for i := range list.Items {
		now[named(&list.Items[i])] = list.Items[i].ResourceVersion
	}
	var out []int
	for i, rec := range l.Records {
		name := types.NamespacedName{Namespace: rec.Namespace, Name: render.JournalName(rec.Name)}
		if version, found := now[name]; !found || version != l.versions[name] {
			out = append(out, i)
		}
	}
	return out, nil
}

func journals() metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: labels.Set{render.RoleLabel: render.RoleJournal}.String()}
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
