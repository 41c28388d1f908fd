package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	ktesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// three are servers 1 to 3, with the pods demo-pod-0 to 2.
func three() migration.Record {
	rec := migration.Record{Name: "demo", Namespace: "zk"}
	for id := ensemble.ID(1); id <= 3; id++ {
		rec.Servers = append(rec.Servers, migration.ServerRecord{Server: ensemble.Server{ID: id}, Ordinal: int(id) - 1})
	}
	return rec
}

func podOn(name, node string, change func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "zk", Labels: render.Labels("demo")},
		Spec:       corev1.PodSpec{NodeName: node},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: render.ContainerName, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		}}},
	}
	if change != nil {
		change(p)
	}
	return p
}

func serving(p *corev1.Pod) { p.Status.ContainerStatuses[0].Ready = true }

// TestPoints: who may be asked from, in which order, beside a server that is moved.
func TestPoints(t *testing.T) {
	going := func(p *corev1.Pod) { p.DeletionTimestamp, p.Finalizers = &metav1.Time{Time: time.Now()}, []string{"x"} }
	waiting := func(p *corev1.Pod) { p.Status.ContainerStatuses[0].State.Running = nil }
	for name, c := range map[string]struct {
		pods  []runtime.Object
		moved ensemble.MaybeID
		want  string
	}{
		"none":                                  {nil, ensemble.MaybeID{}, ""},
		"those that wait first":                 {[]runtime.Object{podOn("demo-pod-0", "a", serving), podOn("demo-pod-1", "b", nil), podOn("demo-pod-2", "c", serving)}, ensemble.MaybeID{}, "demo-pod-1 demo-pod-0 demo-pod-2"},
		"not the moved one's":                   {[]runtime.Object{podOn("demo-pod-0", "a", nil), podOn("demo-pod-1", "b", serving)}, ensemble.ID(1).Known(), "demo-pod-1"},
		"not beside it, where there is another": {[]runtime.Object{podOn("demo-pod-0", "a", nil), podOn("demo-pod-1", "a", nil), podOn("demo-pod-2", "b", serving)}, ensemble.ID(1).Known(), "demo-pod-2"},
		"beside it, where there is no other":    {[]runtime.Object{podOn("demo-pod-0", "a", nil), podOn("demo-pod-1", "a", nil)}, ensemble.ID(1).Known(), "demo-pod-1"},
		"not its own, alone":                    {[]runtime.Object{podOn("demo-pod-0", "a", nil)}, ensemble.ID(1).Known(), ""},
		"nothing can be run in these":           {[]runtime.Object{podOn("demo-pod-0", "a", going), podOn("demo-pod-1", "", nil), podOn("demo-pod-2", "c", waiting)}, ensemble.MaybeID{}, ""},
		"none of ours":                          {[]runtime.Object{podOn("demo-probe-1", "a", nil), podOn("demo-pod-9", "b", nil)}, ensemble.MaybeID{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			points, err := New(fake.NewClientset(c.pods...)).Points(t.Context(), three(), c.moved)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, p := range points {
				names = append(names, p.Pod)
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// running lets every pod that is made run at once, or be as change wants it.
func running(kube *fake.Clientset, change func(*corev1.Pod)) {
	kube.PrependReactor("create", "pods", func(a ktesting.Action) (bool, runtime.Object, error) {
		pod := a.(ktesting.CreateAction).GetObject().(*corev1.Pod)
		from := podOn(pod.Name, "a", change)
		pod.UID, pod.Spec.NodeName, pod.Status = "uid-new", from.Spec.NodeName, from.Status
		return false, nil, nil
	})
}

func probePodsOf(t *testing.T, kube *fake.Clientset) []string {
	t.Helper()
	list, err := kube.CoreV1().Pods("zk").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range list.Items {
		names = append(names, p.Name)
	}
	return names
}

// TestProbePod: the first free name; one that is over is cleared away; one that does not
// start says why, and does not stay.
func TestProbePod(t *testing.T) {
	over := func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodSucceeded
		p.Labels[render.RoleLabel] = render.RoleProbe
	}
	t.Run("made and dropped", func(t *testing.T) {
		kube := fake.NewClientset(podOn("demo-probe-1", "b", nil), podOn("demo-probe-2", "b", over))
		running(kube, nil)
		p, drop, err := New(kube).ProbePod(t.Context(), three(), "zookeeper:3.8.4", func(string) {})
		if err != nil || p != (vantage.Point{Pod: "demo-probe-2", Node: "a", UID: "uid-new"}) {
			t.Fatalf("%v, %v", p, err)
		}
		if err := drop(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"demo-probe-1"}, probePodsOf(t, kube)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("all in use, until a command's pod is over", func(t *testing.T) {
		kube := fake.NewClientset()
		for _, name := range render.ProbePodNames("demo") {
			if err := kube.Tracker().Add(podOn(name, "b", nil)); err != nil {
				t.Fatal(err)
			}
		}
		running(kube, nil)
		waiting := 0
		p, _, err := New(kube).ProbePod(t.Context(), three(), "zookeeper:3.8.4", func(text string) {
			if waiting++; !strings.Contains(text, "demo-probe-4") {
				t.Error(text)
			}
			if err := kube.Tracker().Update(corev1.SchemeGroupVersion.WithResource("pods"), podOn("demo-probe-3", "b", over), "zk"); err != nil {
				t.Error(err)
			}
		})
		if err != nil || p.Pod != "demo-probe-3" || waiting != 1 {
			t.Errorf("%v, %v, told %d times", p, err, waiting)
		}
	})
	t.Run("all in use, and the command is given up", func(t *testing.T) {
		var objects []runtime.Object
		for _, name := range render.ProbePodNames("demo") {
			objects = append(objects, podOn(name, "b", nil))
		}
		ctx, cancel := context.WithCancel(t.Context())
		_, _, err := New(fake.NewClientset(objects...)).ProbePod(ctx, three(), "zookeeper:3.8.4", func(string) { cancel() })
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("it ends at once", func(t *testing.T) {
		kube := fake.NewClientset()
		running(kube, func(p *corev1.Pod) {
			p.Status.Phase = corev1.PodFailed
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "StartError", Message: "exec: \"bash\": not found\x1b[2J"}}
		})
		_, _, err := New(kube).ProbePod(t.Context(), three(), "busybox", func(string) {})
		if err == nil || !strings.Contains(err.Error(), "StartError") || !strings.Contains(err.Error(), "busybox") || strings.Contains(err.Error(), "\x1b") {
			t.Error(err)
		}
		if left := probePodsOf(t, kube); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	})
	t.Run("it may not be deleted", func(t *testing.T) {
		kube := fake.NewClientset()
		running(kube, nil)
		kube.PrependReactor("delete", "pods", func(ktesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(corev1.Resource("pods"), "demo-probe-1", errors.New("not you"))
		})
		_, drop, err := New(kube).ProbePod(t.Context(), three(), "zookeeper:3.8.4", func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		if err := drop(); !IsReason(err, Forbidden) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("somebody else has deleted it", func(t *testing.T) {
		kube := fake.NewClientset()
		running(kube, nil)
		at, drop, err := New(kube).ProbePod(t.Context(), three(), "zookeeper:3.8.4", func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		if err := kube.CoreV1().Pods("zk").Delete(t.Context(), at.Pod, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := drop(); err != nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the command is given up", func(t *testing.T) {
		kube := fake.NewClientset()
		ctx, cancel := context.WithCancel(t.Context())
		running(kube, func(p *corev1.Pod) {
			p.Status.ContainerStatuses = nil
			cancel()
		})
		if _, _, err := New(kube).ProbePod(ctx, three(), "zookeeper:3.8.4", func(string) {}); err == nil {
			t.Error("no error")
		}
		if left := probePodsOf(t, kube); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	})
}
