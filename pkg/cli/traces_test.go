package cli

import (
	"bytes"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestEnsemblesWithoutAJournal: NAME may be left out where the journal is gone and something of
// one ensemble is left.
func TestEnsemblesWithoutAJournal(t *testing.T) {
	meta := func(name, ensemble string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: "zk", Labels: map[string]string{render.EnsembleLabel: ensemble}}
	}
	service, kept := &corev1.Service{ObjectMeta: meta("two-1", "two")}, &corev1.ConfigMap{ObjectMeta: meta("two-zkmigrate-copy", "two")}
	other := &corev1.Service{ObjectMeta: meta("one-1", "one")}
	for name, c := range map[string]struct {
		objects []runtime.Object
		want    string
		says    string
	}{
		"Services":     {objects: []runtime.Object{service}, want: "two"},
		"a copy":       {objects: []runtime.Object{kept}, want: "two"},
		"both of both": {objects: []runtime.Object{service, kept, other}, says: "name one of one, two"},
		"nothing":      {objects: []runtime.Object{&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "zk"}}}, says: "holds no wrapped ensemble"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := (kube{client: fake.NewClientset(c.objects...), namespace: "zk", warn: &bytes.Buffer{}}).pick(t.Context(), nil)
			if got != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// TestUnparkedSaysWhatStays: volumes may outlive their claims, and there is a next command.
func TestUnparkedSaysWhatStays(t *testing.T) {
	var out, errOut bytes.Buffer
	d := &deps{streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut}, flags: genericclioptions.NewConfigFlags(true)}
	o := &RemoveOptions{MoveOptions: MoveOptions{deps: d}}
	s := d.session(kube{client: fake.NewClientset(), namespace: "zk"}, "demo")
	if err := o.unparked(s, migration.Belongings{Claims: []migration.ClaimView{{ID: 1, Volume: "pv-a"}, {ID: 2}, {ID: 3, Volume: "pv-b"}}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "kubectl get pv pv-a pv-b") || !strings.Contains(errOut.String(), "next: kubectl zkmigrate park demo -n zk") {
		t.Errorf("%s%s", out.String(), errOut.String())
	}
	out.Reset()
	if err := o.unparked(s, migration.Belongings{}); err != nil || out.Len() > 0 {
		t.Errorf("%q, %v", out.String(), err)
	}
}
