package cluster

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestLeftOver: what a record, a pod or the StatefulSet refers to is in use, and what is not named
// as ours is nobody's concern.
func TestLeftOver(t *testing.T) {
	rec := record()
	rec.Pods = migration.PodOptions{Image: "zookeeper:3.8.0", ZooCfg: "tickTime=2000\n", PrivateSecret: "main-zkmigrate-private-now", PlainFiles: &migration.PlainFiles{Secret: "main-conf-now"}}
	rec.PodsBefore = &migration.PodOptions{Image: "zookeeper:3.8.0", ZooCfg: "tickTime=3000\n", PrivateSecret: "main-zkmigrate-private-before"}
	before := rec
	before.Pods = *rec.PodsBefore
	object := func(kind, name string) *metav1.PartialObjectMetadata {
		return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: kind}, ObjectMeta: metav1.ObjectMeta{Namespace: "zk", Name: name, Labels: render.Labels("main")}}
	}
	others := object("ConfigMap", "main-zkmigrate-conf-theirs")
	others.Labels = nil
	scheme := metadatafake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	meta := metadatafake.NewSimpleMetadataClient(scheme,
		object("ConfigMap", "main-zkmigrate"), object("ConfigMap", render.Conf(rec).Name), object("ConfigMap", render.Conf(before).Name),
		object("ConfigMap", "main-zkmigrate-conf-old"), object("ConfigMap", "main-zkmigrate-conf-pod"), object("ConfigMap", "main-zkmigrate-conf-set"), others,
		object("Secret", "main-zkmigrate-private-now"), object("Secret", "main-zkmigrate-private-before"), object("Secret", "main-zkmigrate-private-old"),
		object("Secret", "main-zkmigrate-private-pod"), object("Secret", "main-files"),
		object("Secret", "main-conf-now"), object("Secret", "main-conf-pod"), object("Secret", "main-conf-old"),
	)
	config := func(name string) corev1.Volume {
		v := corev1.Volume{Name: "conf"}
		v.ConfigMap = &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}
		return v
	}
	secret := corev1.Volume{Name: "private", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "main-zkmigrate-private-pod"}}}
	files := corev1.Volume{Name: "files", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
		{ConfigMap: &corev1.ConfigMapProjection{}}, {Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "main-conf-pod"}}},
	}}}}
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "zk", Name: render.StatefulSetName("main")}}
	set.Spec.Template.Spec.Volumes = []corev1.Volume{config("main-zkmigrate-conf-set")}
	pod := podObject(func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{config("main-zkmigrate-conf-pod"), secret, files}
	})

	got, err := New(fake.NewClientset(pod, set)).LeftOver(t.Context(), meta, rec)
	slices.Sort(got)
	if want := []string{"configmap/main-zkmigrate-conf-old", "secret/main-conf-old", "secret/main-zkmigrate-private-old"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("left over are %q, want %q (%v)", got, want, err)
	}
	meta.PrependReactor("list", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "", nil)
	})
	if got, err := New(fake.NewClientset(pod, set)).LeftOver(t.Context(), meta, rec); err == nil || got != nil {
		t.Errorf("where Secrets may not be listed: %q, %v", got, err)
	}
}
