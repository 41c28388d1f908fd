package cluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

func readyPod(p *corev1.Pod) { p.Status.ContainerStatuses[0].Ready = true }

func startedAt(sec int) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].State.Running.StartedAt = metav1.NewTime(when(sec))
	}
}

func both(first, second func(*corev1.Pod)) func(*corev1.Pod) {
	return func(p *corev1.Pod) { first(p); second(p) }
}

func withoutRelay(p *corev1.Pod) {
	p.Spec.Containers, p.Status.ContainerStatuses = p.Spec.Containers[:1], p.Status.ContainerStatuses[:1]
}

// TestReportsThatDoNotCount: a report is one of this pod, of this run of its
// container, of this server, and nothing Kubernetes says speaks against it.
func TestReportsThatDoNotCount(t *testing.T) {
	edit := func(line, old, new string) string { return strings.Replace(line, old, new, 1) }
	ahead := edit(parkedLine, "at=0", fmt.Sprintf("at=%d", when(60).Unix()))
	tests := map[string]struct {
		change func(*corev1.Pod)
		log    string
		gate   migration.GateState
		stale  bool
		says   string
	}{
		"it counts":                         {log: reportAt(5, parkedLine), gate: migration.GateParked},
		"of another pod of that name":       {log: reportAt(5, edit(parkedLine, "pod=u1", "pod=u0"))},
		"of the run before":                 {change: startedAt(6), log: reportAt(5, parkedLine), says: "older than this run"},
		"of the second in which it started": {change: startedAt(5), log: reportAt(5, parkedLine), says: "older than this run"},
		"started in that second, and ready": {change: both(startedAt(5), readyPod), log: reportAt(5, startedLine), gate: migration.GateStarted, stale: true},
		"started in that second":            {change: startedAt(5), log: reportAt(5, startedLine), says: "older than this run"},
		"parked in that second, and ready":  {change: both(startedAt(5), readyPod), log: reportAt(5, parkedLine), says: "older than this run"},
		"of nobody knows which run": {
			change: func(p *corev1.Pod) {
				p.Status.ContainerStatuses[0].State.Running.StartedAt = metav1.Time{}
			},
			log: reportAt(5, parkedLine), says: "since when",
		},
		"parked, and ready":              {change: readyPod, log: reportAt(5, parkedLine), says: "Kubernetes says that the server is ready"},
		"vetoed, and ready":              {change: readyPod, log: reportAt(5, edit(parkedLine, "parked", "vetoed")), says: "ready"},
		"refused, and ready":             {change: readyPod, log: reportAt(5, edit(parkedLine, "parked", "refused")), says: "ready"},
		"started, and ready":             {change: readyPod, log: reportAt(5, startedLine), gate: migration.GateStarted},
		"of another server":              {log: reportAt(5, edit(parkedLine, "id=5", "id=9")), says: "one of server 9"},
		"of another ordinal":             {log: reportAt(5, edit(parkedLine, "ordinal=1", "ordinal=2")), says: "ordinal 2"},
		"refused, does not know who":     {log: reportAt(5, edit(edit(parkedLine, "parked ordinal=1", "refused ordinal=-1"), "id=5", "id=0")), gate: migration.GateRefused},
		"from the future":                {log: logAt(5, ahead), says: "ahead"},
		"relayed late":                   {log: logAt(20, edit(parkedLine, "at=0", fmt.Sprintf("at=%d", when(15).Unix()))), gate: migration.GateParked, stale: true},
		"none, and ready":                {change: readyPod, gate: migration.GateStarted, stale: true},
		"none":                           {},
		"a pod of an earlier release":    {change: withoutRelay, log: reportAt(5, parkedLine)},
		"the same, and it serves":        {change: func(p *corev1.Pod) { withoutRelay(p); readyPod(p) }, log: reportAt(5, parkedLine), gate: migration.GateStarted, stale: true},
		"its relay has not run yet":      {change: func(p *corev1.Pod) { p.Status.ContainerStatuses = p.Status.ContainerStatuses[:1] }, log: reportAt(5, parkedLine), gate: migration.GateParked},
		"as an earlier release wrote it": {log: logAt(5, edit(parkedLine, "pod=u1 at=0 ", ""))},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var changes []func(*corev1.Pod)
			if tc.change != nil {
				changes = append(changes, tc.change)
			}
			c := New(fake.NewClientset(podObject(changes...)))
			c.logs = func(_ context.Context, _, _ string, o *corev1.PodLogOptions) ([]byte, error) {
				if o.Container != render.RelayName {
					t.Errorf("container %s was asked", o.Container)
				}
				return []byte(tc.log), nil
			}
			views, err := c.Observe(t.Context(), record())
			if err != nil {
				t.Fatal(err)
			}
			p := views[5].Pod
			if p.Report.State != tc.gate || p.Report.Fresh != (tc.gate != "" && !tc.stale) || !strings.Contains(p.Report.Detail, tc.says) {
				t.Errorf("gate %q, fresh %t, %q", p.Report.State, p.Report.Fresh, p.Report.Detail)
			}
			if tc.gate == "" && (p.Report.HostClosed() || p.Report.Volume != (migration.Volume{}) || p.Report.Generation != 0) {
				t.Errorf("a report that does not count left %+v", p)
			}
		})
	}
}

// TestWithoutItsRelay: where the relay does not run nothing is known, and why is said.
func TestWithoutItsRelay(t *testing.T) {
	for name, tc := range map[string]struct {
		state corev1.ContainerState
		says  string
	}{
		"being created": {state: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}},
		"crashing": {
			state: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off"}},
			says:  "its container gate, which passes on the gate's reports, does not run: CrashLoopBackOff: back-off",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := New(fake.NewClientset(podObject(func(p *corev1.Pod) { p.Status.ContainerStatuses[1].State = tc.state })))
			c.logs = func(context.Context, string, string, *corev1.PodLogOptions) ([]byte, error) { return nil, nil }
			views, err := c.Observe(t.Context(), record())
			if err != nil {
				t.Fatal(err)
			}
			if p := views[5].Pod; p.Report.State != migration.GateUnknown || p.Problem != tc.says || (p.EarlierLog == migration.GateContainer) != (tc.says != "") {
				t.Errorf("gate %q, problem %q, log of %q", p.Report.State, p.Problem, p.EarlierLog)
			}
		})
	}
}

// TestHostileLogs: whatever the relay's log holds, it costs little and is no report.
func TestHostileLogs(t *testing.T) {
	noise := make([]byte, 300<<10)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise)
	stamp := strings.TrimSuffix(logAt(5, ""), "\n")
	for name, log := range map[string]string{
		"one huge line":           stamp + parkedLine + strings.Repeat("x", 1<<20),
		"a huge detail":           stamp + strings.Replace(parkedLine, "waits", strings.Repeat("x", 1<<20), 1),
		"no end of line":          stamp + parkedLine[:100],
		"control characters":      stamp + strings.Replace(parkedLine, "waits", "\x1b[2Jwaits", 1) + "\n",
		"a carriage return":       stamp + strings.Replace(parkedLine, "waits", "x\rzkmigrate-gate", 1) + "\n",
		"a zero byte":             stamp + strings.Replace(parkedLine, "id=5", "id=\x005", 1) + "\n",
		"letters of another kind": stamp + strings.Replace(parkedLine, "waits", "wartet schön", 1) + "\n",
		"binary":                  string(noise),
		"a million empty lines":   strings.Repeat("\n", 1<<20),
		"a million stamps":        strings.Repeat(stamp+"\n", 10_000),
		"tabs between fields":     stamp + strings.ReplaceAll(parkedLine, " ordinal", "\tordinal") + "\n",
		"two reports in a line":   stamp + parkedLine + " " + parkedLine + "\n",
		"a report within a line":  stamp + "INFO " + parkedLine + "\n",
		"no stamp":                parkedLine + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := New(fake.NewClientset(podObject()))
			c.logs = func(context.Context, string, string, *corev1.PodLogOptions) ([]byte, error) { return []byte(log), nil }
			views, err := c.Observe(t.Context(), record())
			if err != nil {
				t.Fatal(err)
			}
			if p := views[5].Pod; p.Report.State != migration.GateUnknown || p.Report.Fresh {
				t.Errorf("read as %+v", p)
			}
		})
	}
}

// TestLogsAreBounded: a node, or something in between, that never ends its answer
// is cut off at the limit that was asked for, and one that says nothing after a while.
func TestLogsAreBounded(t *testing.T) {
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for block := bytes.Repeat([]byte("x"), 64<<10); ; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	defer served.Close()
	kube, err := kubernetes.NewForConfig(&rest.Config{Host: served.URL})
	if err != nil {
		t.Fatal(err)
	}
	limit := int64(100 << 10)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	data, err := New(kube).logs(ctx, "zk", "main-pod-1", &corev1.PodLogOptions{LimitBytes: &limit})
	if err != nil || int64(len(data)) != limit {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer silent.Close()
	if kube, err = kubernetes.NewForConfig(&rest.Config{Host: silent.URL}); err != nil {
		t.Fatal(err)
	}
	short, done := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer done()
	if _, err := New(kube).logs(short, "zk", "main-pod-1", &corev1.PodLogOptions{LimitBytes: &limit}); err == nil {
		t.Error("a silent node was waited for")
	}
}
