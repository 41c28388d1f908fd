package cluster

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// TestPlainSources: what the record names is read, and nothing else; what cannot be read is an
// error, never taken for empty.
func TestPlainSources(t *testing.T) {
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name, Namespace: "zk"} }
	kube := fake.NewClientset(
		&corev1.Secret{ObjectMeta: meta("private"), Data: map[string][]byte{"zoo.cfg": []byte("a=b")}},
		&corev1.Secret{ObjectMeta: meta("files"), Data: map[string][]byte{"k": []byte("key")}},
		&corev1.ConfigMap{ObjectMeta: meta("public"), Data: map[string]string{"t": "text"}, BinaryData: map[string][]byte{"b": {0}}},
	)
	c := New(kube)
	rec := record()
	rec.Namespace = "zk"
	rec.Pods.PrivateSecret, rec.Pods.FilesSecret, rec.Pods.FilesConfigMap = "private", "files", "public"
	from, err := c.PlainSources(t.Context(), rec)
	if err != nil || string(from.Private["zoo.cfg"]) != "a=b" || string(from.Secret["k"]) != "key" || string(from.ConfigMap["t"]) != "text" || len(from.ConfigMap["b"]) != 1 {
		t.Errorf("%+v, %v", from, err)
	}

	// ZooKeeper has the passwords on its volume.
	dynamic := rec
	dynamic.Pods.ZooCfg += "reconfigEnabled=true\n"
	kube.ClearActions()
	if from, err := c.PlainSources(t.Context(), dynamic); err != nil || from.Private != nil || len(kube.Actions()) != 2 {
		t.Errorf("%+v, %v, %v", from, err, kube.Actions())
	}

	for _, name := range []string{"private", "files", "public"} {
		kube.PrependReactor("get", "*", func(a clienttesting.Action) (bool, runtime.Object, error) {
			get, _ := a.(clienttesting.GetAction)
			return get.GetName() == name, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, name, nil)
		})
		if _, err := c.PlainSources(t.Context(), rec); !IsReason(err, Forbidden) {
			t.Errorf("%s may not be read: %v", name, err)
		}
		kube.ReactionChain = kube.ReactionChain[1:]
	}
}
