package cluster

import (
	"context"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestOutdatedPods: a pod that was made before the record was changed says so,
// and so does a StatefulSet that would make the next one alike.
func TestOutdatedPods(t *testing.T) {
	rec := recordWithPods()
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
			c := New(kube)
			v, err := c.podView(t.Context(), rec, *mustServer(t, rec, 5), pod, c.shared(t.Context(), rec, nil))
			if err != nil || v.Source.Pod.Outdated != tc.pod || v.Source.Set.Outdated != tc.all {
				t.Errorf("outdated %t, the set %t, %v", v.Source.Pod.Outdated, v.Source.Set.Outdated, err)
			}
		})
	}
}

// TestPodsThatCannotReport: an earlier release made pods without a relay, and so
// would its StatefulSet; the command that goes on applies a new one.
func TestPodsThatCannotReport(t *testing.T) {
	rec := recordWithPods()
	for name, old := range map[string]bool{"and a set that would make the next one alike": true, "the set is a new one": false} {
		t.Run(name, func(t *testing.T) {
			pod := podObject(withoutRelay)
			kube := fake.NewClientset(pod)
			objects, err := render.Pods(rec)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range objects {
				if set, ok := o.(*appsv1.StatefulSet); ok && old {
					set.Spec.Template.Spec.Containers = set.Spec.Template.Spec.Containers[:1]
					set.Spec.Template.Annotations[render.TemplateAnnotation] = "earlier"
				}
				if err := kube.Tracker().Add(o); err != nil {
					t.Fatal(err)
				}
			}
			c := New(kube)
			v, err := c.podView(t.Context(), rec, *mustServer(t, rec, 5), pod, c.shared(t.Context(), rec, nil))
			if err != nil || !v.Source.Pod.Outdated || v.Source.Missing != old || v.Report.State != migration.GateUnknown || v.Problem == "" {
				t.Errorf("%+v, %v", v, err)
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

const refusedLine = `zkmigrate-gate pod=u1 at=0 state=refused ordinal=1 id=5 generation=8 host-client=closed host-election=closed closed=0 cause=- seed=- synced=yes data=0 since=- version=- listens=- detail="the pods' zoo.cfg has dataLogDir=x"`

// TestUnmadePods: what makes the pods can be deleted, and a StatefulSet scaled.
func TestUnmadePods(t *testing.T) {
	rec := recordWithPods()
	creating := podObject(waiting("ContainerCreating", ""))
	for name, tc := range map[string]struct {
		pod      *corev1.Pod
		without  string
		replicas int32
		unmade   bool
		log      string
		edited   bool
		files    string
		owner    bool
	}{
		"not made yet":                {replicas: 3},
		"no StatefulSet":              {replicas: 3, without: "StatefulSet", unmade: true},
		"too few":                     {replicas: 1, unmade: true},
		"as many as it takes":         {replicas: 2},
		"it is being prepared":        {pod: creating, replicas: 3},
		"and waits for its files":     {pod: creating, replicas: 3, without: "ConfigMap", unmade: true, files: "is gone"},
		"running, orphaned: it runs":  {pod: podObject(), replicas: 3, without: "StatefulSet"},
		"its gate refuses":            {pod: podObject(), replicas: 3, log: refusedLine},
		"another one of that name":    {pod: podObject(), replicas: 3, log: parkedLine, edited: true, unmade: true, files: "was replaced by another one of that name"},
		"finalized, its owner's own":  {pod: podObject(readyPod), replicas: 3, log: parkedLine, edited: true, owner: true},
		"it runs, its files are gone": {pod: podObject(readyPod), replicas: 3, without: "ConfigMap", unmade: true, files: "is gone"},
		"of an earlier release, gone": {pod: podObject(readyPod, func(p *corev1.Pod) { p.Spec.Volumes = []corev1.Volume{volume("main-zkmigrate-conf")} }),
			replicas: 3, without: "ConfigMap", files: "main-zkmigrate-conf, which holds its zoo.cfg and scripts, is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := render.Pods(rec)
			if err != nil {
				t.Fatal(err)
			}
			kube := fake.NewClientset()
			for _, o := range objects {
				if o.GetObjectKind().GroupVersionKind().Kind == tc.without {
					continue
				}
				if set, ok := o.(*appsv1.StatefulSet); ok {
					set.Spec.Replicas = &tc.replicas
				}
				if cm, ok := o.(*corev1.ConfigMap); ok && tc.edited {
					cm.Data["zoo.cfg"] += "dataLogDir=/zookeeper/datalog\n"
				}
				if err := kube.Tracker().Add(o); err != nil {
					t.Fatal(err)
				}
			}
			c := New(kube)
			c.logs = func(context.Context, string, string, *corev1.PodLogOptions) ([]byte, error) {
				return []byte(reportAt(3, tc.log)), nil
			}
			pods := map[string]*corev1.Pod{}
			if tc.pod != nil {
				if len(tc.pod.Spec.Volumes) == 0 {
					tc.pod.Spec.Volumes = []corev1.Volume{volume(render.Conf(rec).Name)}
				}
				pods[tc.pod.Name] = tc.pod
			}
			rec := rec
			if tc.owner {
				rec.Finalized = &migration.Confirmation{}
			}
			files, err := c.files(t.Context(), rec, pods)
			if err != nil {
				t.Fatal(err)
			}
			v, err := c.podView(t.Context(), rec, *mustServer(t, rec, 5), tc.pod, c.shared(t.Context(), rec, files))
			if err != nil || v.Source.Missing != tc.unmade || !strings.Contains(v.Source.Files, tc.files) || (v.Source.Files == "") != (tc.files == "") || (v.Source.ForeignFiles != "") != (tc.edited && !tc.owner) {
				t.Errorf("unmade %t, files %q, foreign %q, %v", v.Source.Missing, v.Source.Files, v.Source.ForeignFiles, err)
			}
		})
	}
}

// volume is the one that the pods have their files from.
func volume(configMap string) corev1.Volume {
	return corev1.Volume{Name: "conf", VolumeSource: corev1.VolumeSource{
		ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: configMap}},
	}}
}

// TestScaledByHand: whoever scaled the StatefulSet owns its size, and an apply
// of ours without force cannot take it back.
func TestScaledByHand(t *testing.T) {
	three := int32(3)
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "main-pod", Namespace: "zk", Labels: render.Labels("main")}, Spec: appsv1.StatefulSetSpec{Replicas: &three}}
	err := (&Client{}).wayOut(&Error{Reason: Conflict, What: "cannot apply StatefulSet zk/main-pod: .spec.replicas: conflict with \"kubectl\"", Next: "let it"}, set)
	if !strings.Contains(err.Error(), "kubectl scale statefulset main-pod --replicas=3 -n zk") {
		t.Error(err)
	}
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "main-zkmigrate-conf", Namespace: "zk"}}
	err = (&Client{}).wayOut(&Error{Reason: Conflict, What: "cannot apply ConfigMap zk/main-zkmigrate-conf: .data.zoo.cfg: conflict", Next: "let it"}, cm)
	if !strings.Contains(err.Error(), "kubectl delete configmap main-zkmigrate-conf -n zk") {
		t.Error(err)
	}
	other := &Error{Reason: Conflict, What: "cannot apply StatefulSet zk/main-pod: .spec.template", Next: "let it"}
	if got := (&Client{}).wayOut(other, set); !strings.Contains(got.Error(), "kubectl zkmigrate render main --gitops -n zk") || !strings.Contains(got.Error(), "otherwise let it") {
		t.Error(got)
	}
	budget := &policyv1.PodDisruptionBudget{}
	if got := (&Client{}).wayOut(other, budget); got.Error() != other.Error() {
		t.Error(got)
	}
}

// TestSidecarsBeforeOurs: a webhook may put containers before ours; what is said of them is not said
// of ZooKeeper, and its log is the one that is read.
func TestSidecarsBeforeOurs(t *testing.T) {
	sidecar := func(p *corev1.Pod) {
		p.Spec.Containers = append([]corev1.Container{{Name: "proxy", Image: "proxy:1"}}, p.Spec.Containers...)
		crashed := corev1.ContainerStatus{Name: "proxy", RestartCount: 7, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: oomKilled}}}
		p.Status.ContainerStatuses = append([]corev1.ContainerStatus{crashed}, p.Status.ContainerStatuses...)
	}
	rec := record()
	var read []string
	c := New(fake.NewClientset())
	c.logs = func(_ context.Context, _, _ string, o *corev1.PodLogOptions) ([]byte, error) {
		read = append(read, o.Container)
		return []byte(reportAt(3, parkedLine)), nil
	}
	v, err := c.podView(t.Context(), rec, *mustServer(t, rec, 5), podObject(sidecar), c.shared(t.Context(), rec, nil))
	if err != nil || v.Container != migration.ContainerRunning || v.Restarts != 0 || v.OutOfMemory || v.Problem != "" || v.Report.State != migration.GateParked {
		t.Errorf("%+v, %v", v, err)
	}
	if len(read) != 1 || read[0] != render.RelayName {
		t.Errorf("read the logs of %v", read)
	}
	pending := podObject(waiting("ImagePullBackOff", "no such image"), sidecar)
	if v, err = c.podView(t.Context(), rec, *mustServer(t, rec, 5), pending, c.shared(t.Context(), rec, nil)); err != nil || !strings.Contains(v.Problem, "image zk:3.8.0 cannot be pulled") {
		t.Errorf("%+v, %v", v, err)
	}
}
