package journal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// adds is a merge that adds a line.
func adds(line string) func([]byte) ([]byte, error) {
	return func(old []byte) ([]byte, error) { return append(bytes.Clone(old), line+"\n"...), nil }
}

// TestReportsAreKept: what is kept is read again, by whoever comes next, and two who write at
// the same time both keep theirs.
func TestReportsAreKept(t *testing.T) {
	kube := versioned(t)
	j := New(kube, "zk", "main")
	if data, err := j.Reports(t.Context()); err != nil || data != nil {
		t.Errorf("before any was kept: %q, %v", data, err)
	}
	if err := j.KeepReports(t.Context(), adds("one")); err != nil {
		t.Fatal(err)
	}
	other := false
	err := j.KeepReports(t.Context(), func(old []byte) ([]byte, error) {
		if !other {
			other = true
			if err := New(kube, "zk", "main").KeepReports(t.Context(), adds("two")); err != nil {
				t.Error(err)
			}
		}
		return adds("three")(old)
	})
	data, readErr := New(kube, "zk", "main").Reports(t.Context())
	if want := "one\ntwo\nthree\n"; err != nil || readErr != nil || string(data) != want {
		t.Errorf("%q, want %q (%v, %v)", data, want, err, readErr)
	}
	cm, err := kube.CoreV1().ConfigMaps("zk").Get(t.Context(), "main-zkmigrate-reports", metav1.GetOptions{})
	if err != nil || cm.Labels[render.RoleLabel] != render.RoleReports || cm.Labels[render.EnsembleLabel] != "main" {
		t.Errorf("labels %v, %v", cm.Labels, err)
	}
}

// TestForeignReports: what somebody else wrote there is refused within bounds, and written over.
func TestForeignReports(t *testing.T) {
	zeros, err := pack(make([]byte, maxBesideRead+1))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"not compressed": {[]byte("{}"), "cannot be read"},
		"cut off":        {zeros[:len(zeros)/2], "cannot be read"},
		"a bomb":         {zeros, "more than 8388608 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			kube := versioned(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "main-zkmigrate-reports", Namespace: "zk"}, BinaryData: map[string][]byte{"reports.jsonl.gz": c.data}})
			j := New(kube, "zk", "main")
			if data, err := j.Reports(t.Context()); err == nil || data != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d bytes, %v", len(data), err)
			}
			err := j.KeepReports(t.Context(), adds("one"))
			if data, readErr := j.Reports(t.Context()); err != nil || readErr != nil || string(data) != "one\n" {
				t.Errorf("%q, %v, %v", data, err, readErr)
			}
		})
	}
}

// TestReportsThatDoNotFit: nothing is written that the API server would refuse.
func TestReportsThatDoNotFit(t *testing.T) {
	kube := versioned(t)
	kube.PrependReactor("create", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		t.Error("it is written")
		return false, nil, nil
	})
	noise := make([]byte, maxBeside+1)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	err := New(kube, "zk", "main").KeepReports(t.Context(), func([]byte) ([]byte, error) { return noise, nil })
	if !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}
