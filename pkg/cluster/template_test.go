package cluster

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestOutdatedPods: a pod that was made before the record was changed says so,
// and so does a StatefulSet that would make the next one alike.
func TestOutdatedPods(t *testing.T) {
	rec := record()
	rec.Pods = migration.PodOptions{
		Image: "zk:3.8.0", StorageSize: "1Gi", Memory: "1Gi", CPU: "500m", AntiAffinity: "required", RunAsUser: 1000,
		ZooCfg: "dataDir=" + migration.PodDataDir + "\n",
	}
	mark := markOf(t, rec)
	old := rec
	old.Pods.Image = "zk:nosuch"
	oldSet := markOf(t, old)
	before := rec
	before.Pods.ZooCfg += "maxClientCnxns=60\n"
	for name, tc := range map[string]struct {
		mark     string
		set      migration.Record
		pod, all bool
	}{
		"as recorded":         {mark: mark, set: rec},
		"the image was wrong": {mark: oldSet, set: old, pod: true, all: true},
		"the set is mended":   {mark: oldSet, set: rec, pod: true},
		"another zoo.cfg":     {mark: markOf(t, before), set: before, pod: true, all: true},
		"of another release":  {mark: "", set: rec, pod: true},
	} {
		t.Run(name, func(t *testing.T) {
			pod := podObject(waiting("ImagePullBackOff", "no such image"), func(p *corev1.Pod) {
				p.Annotations = map[string]string{render.TemplateAnnotation: tc.mark}
			})
			objects, err := render.Pods(tc.set)
			if err != nil {
				t.Fatal(err)
			}
			kube := fake.NewClientset(pod)
			for _, o := range objects {
				if err := kube.Tracker().Add(o); err != nil {
					t.Fatal(err)
				}
			}
			v, err := New(kube).podView(t.Context(), rec, *mustServer(t, rec, 5), pod)
			if err != nil || v.Outdated != tc.pod || v.SetOutdated != tc.all {
				t.Errorf("outdated %t, the set %t, %v", v.Outdated, v.SetOutdated, err)
			}
		})
	}
}

func mustServer(t *testing.T, rec migration.Record, id ensemble.ID) *migration.ServerRecord {
	t.Helper()
	s, ok := rec.Server(id)
	if !ok {
		t.Fatalf("no server %s", id)
	}
	return s
}

// markOf is the mark of a record's pods.
func markOf(t *testing.T, rec migration.Record) string {
	t.Helper()
	mark, err := render.TemplateMark(rec)
	if err != nil {
		t.Fatal(err)
	}
	return mark
}
