package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// recordWithPods is record with the settings that pods are made with.
func recordWithPods() migration.Record {
	rec := record()
	rec.Pods = migration.PodOptions{
		Image: "zk:3.8.0", StorageSize: "1Gi", Memory: "1Gi", CPU: "500m", AntiAffinity: "required", RunAsUser: 1000,
		ZooCfg: "dataDir=" + migration.PodDataDir + "\n",
	}
	return rec
}

func record() migration.Record {
	rec := migration.Record{Name: "main", Namespace: "zk", EndpointsAPI: migration.EndpointSlices}
	for i, id := range []ensemble.ID{2, 5, 9} {
		rec.Servers = append(rec.Servers, migration.ServerRecord{
			Server: ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1, ClientPort: 2181,
				PeerAddress: ensemble.PeerAddress{PeerPort: 2888, ElectionPort: 3888}},
			HostIP: "10.1.0." + id.String(), Ordinal: i, Service: render.ServiceName("main", id),
		})
	}
	return rec
}

func podObject(change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "main-pod-1", Namespace: "zk", UID: "u1", Labels: render.Labels("main")},
		Spec:       corev1.PodSpec{NodeName: "node1", Containers: []corev1.Container{{Name: render.ContainerName, Image: "zk:3.8.0"}, {Name: render.RelayName, Image: "zk:3.8.0"}}},
		Status: corev1.PodStatus{
			PodIP: "10.244.0.1",
			ContainerStatuses: []corev1.ContainerStatus{
				{Name: render.ContainerName, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(when(0))}}},
				{Name: render.RelayName, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(when(0))}}},
			},
		},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func waiting(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
}

func unscheduled(p *corev1.Pod) {
	p.Spec.NodeName = ""
	p.Status = corev1.PodStatus{Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules",
	}}}
}

// conditions are Ready and ContainersReady.
func conditions(ready, containers corev1.ConditionStatus) []corev1.PodCondition {
	return []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}, {Type: corev1.ContainersReady, Status: containers}}
}

func TestProblems(t *testing.T) {
	class := "fast"
	claim := func(phase corev1.PersistentVolumeClaimPhase) *corev1.PersistentVolumeClaim {
		return &corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: "data-main-pod-1", Namespace: "zk"},
			Spec:       corev1.PersistentVolumeClaimSpec{StorageClassName: &class},
			Status:     corev1.PersistentVolumeClaimStatus{Phase: phase},
		}
	}
	tests := map[string]struct {
		change func(*corev1.Pod)
		claim  runtime.Object
		want   string
	}{
		"anti-affinity": {unscheduled, claim(corev1.ClaimBound), "no node takes the pod: 0/3 nodes are available"},
		"a cordon": {func(p *corev1.Pod) {
			unscheduled(p)
			p.Status.Conditions[0].Message = "0/3 nodes are available: 1 node(s) were unschedulable"
		}, claim(corev1.ClaimBound), "some are cordoned: uncordon them when their work is done"},
		"claim pending": {unscheduled, claim(corev1.ClaimPending), `volume claim data-main-pod-1 is not bound (it asks storage class "fast")`},
		"claim lost":    {unscheduled, claim(corev1.ClaimLost), "has lost its volume"},
		"no claim":      {unscheduled, nil, "volume claim data-main-pod-1 does not exist yet"},
		"image":         {waiting("ImagePullBackOff", "not found"), nil, "image zk:3.8.0 cannot be pulled: not found"},
		"config":        {waiting("CreateContainerConfigError", "configmap \"x\" not found"), nil, "node node1 cannot create the container: configmap"},
		"creating":      {waiting("ContainerCreating", ""), nil, "node node1 prepares the pod"},
		"crash": {func(p *corev1.Pod) {
			waiting("CrashLoopBackOff", "back-off")(p)
			p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 127, Reason: "Error"}
		}, nil, "the container keeps ending: it ended with exit code 127"},
		"memory": {func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}}
		}, nil, "it was killed for using more memory than its limit"},
		"evicted": {func(p *corev1.Pod) {
			p.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "low on disk"}
		}, nil, "the pod was ended by Kubernetes: Evicted: low on disk"},
		"not begun": {func(p *corev1.Pod) { p.Status = corev1.PodStatus{} }, nil, "node node1 has not begun"},
		"node lost": {func(p *corev1.Pod) {
			p.Status.Conditions = conditions(corev1.ConditionFalse, corev1.ConditionTrue)
		}, nil, "node node1 does not report"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			objects := []runtime.Object{podObject(tc.change)}
			if tc.claim != nil {
				objects = append(objects, tc.claim)
			}
			c := New(fake.NewClientset(objects...))
			c.logs = func(context.Context, string, string, *corev1.PodLogOptions) ([]byte, error) { return nil, nil }
			views, err := c.Observe(t.Context(), record())
			if err != nil {
				t.Fatal(err)
			}
			if got := views[5].Pod.Problem; !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want it to say %q", got, tc.want)
			}
			if got := views[5].Pod.EarlierLog; (got != "") != (name == "crash") {
				t.Errorf("the log of container %q says more", got)
			}
			if got := views[5].Pod.Container; (got == migration.ContainerPreparing) != (name == "creating" || name == "not begun") {
				t.Errorf("its container: %q", got)
			}
		})
	}
}

// when is a second in the life of a pod whose containers started at 0.
func when(sec int) time.Time { return time.Unix(1767323040+int64(sec), 0).UTC() }

// reportAt is a report of that second, and its line in the log of the next instant.
func reportAt(sec int, text string) string {
	return logAt(sec, strings.Replace(text, "at=0", fmt.Sprintf("at=%d.000000", when(sec).Unix()), 1))
}

func logAt(sec int, text string) string {
	return when(sec).Add(500*time.Millisecond).Format(time.RFC3339Nano) + " " + text + "\n"
}

const (
	parkedLine  = `zkmigrate-gate pod=u1 at=0 state=parked ordinal=1 id=5 generation=7 host-client=open host-election=unasked closed=0 cause=- seed=- synced=- data=0 since=- version=- listens=yes detail="waits"`
	closedLine  = `zkmigrate-gate pod=u1 at=0 state=parked ordinal=1 id=5 generation=8 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- version=- listens=- detail="waits"`
	startedLine = `zkmigrate-gate pod=u1 at=0 state=started ordinal=1 id=5 generation=9 host-client=closed host-election=closed closed=0 cause=- seed=- synced=- data=0 since=- version=- listens=- detail="generation 9"`
)

func TestReadGate(t *testing.T) {
	at := reportAt
	tests := map[string]struct {
		young, all string
		err        error
		want       migration.PodView
		fails      bool
	}{
		"the newest counts": {
			young: at(1, parkedLine) + at(2, closedLine),
			want:  migration.PodView{Report: migration.Report{State: migration.GateParked, Generation: 8, Detail: "waits", Volume: migration.Volume{State: migration.VolumeUnused}, HostClosedFor: new(time.Duration), At: when(2), Fresh: true}},
		},
		"a broken last line does not hide the one before": {
			young: at(1, parkedLine) + at(2, closedLine[:60]),
			want:  migration.PodView{Report: migration.Report{State: migration.GateParked, Generation: 7, Detail: "waits", Volume: migration.Volume{State: migration.VolumeUnused}, At: when(1), Fresh: true, Listens: migration.Listens}},
		},
		"old": {
			all:  at(1, parkedLine),
			want: migration.PodView{Report: migration.Report{State: migration.GateParked, Generation: 7, Detail: "waits", Volume: migration.Volume{State: migration.VolumeUnused}, At: when(1), Listens: migration.Listens}},
		},
		"repeated long after": {
			young: logAt(64, strings.Replace(startedLine, "at=0", fmt.Sprintf("at=%d", when(4).Unix()), 1)),
			want:  migration.PodView{Report: migration.Report{State: migration.GateStarted, Generation: 9, Detail: "generation 9", Volume: migration.Volume{State: migration.VolumeUnused}, HostClosedFor: new(time.Duration), At: when(4)}},
		},
		"nothing yet":        {},
		"node down":          {err: errors.New("dial tcp 10.0.0.1:10250: i/o timeout"), want: migration.PodView{Problem: "its log cannot be read, so its gate is unknown: dial tcp 10.0.0.1:10250: i/o timeout"}},
		"no right to read":   {err: apierrors.NewForbidden(schema.GroupResource{Resource: "pods/log"}, "main-pod-1", nil), fails: true},
		"lines of no format": {young: "x\n\n", all: "garbage\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := New(fake.NewClientset(podObject()))
			c.logs = func(_ context.Context, ns, pod string, o *corev1.PodLogOptions) ([]byte, error) {
				if o.Container == render.ContainerName {
					return nil, nil // see TestReadJoin
				}
				if ns != "zk" || pod != "main-pod-1" || o.Container != render.RelayName || !o.Timestamps {
					t.Errorf("asked for the log of %s/%s with %+v", ns, pod, o)
				}
				if o.SinceSeconds != nil {
					return []byte(tc.young), tc.err
				}
				return []byte(tc.all), tc.err
			}
			views, err := c.Observe(t.Context(), record())
			if tc.fails {
				if !IsReason(err, Forbidden) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := views[5].Pod
			want := tc.want
			want.Name, want.UID, want.IP, want.Node, want.Container = "main-pod-1", "u1", "10.244.0.1", "node1", migration.ContainerRunning
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPodTroubles: what rules print other commands for.
func TestPodTroubles(t *testing.T) {
	class := "fast"
	pending := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data-main-pod-1", Namespace: "zk"},
		Spec:       corev1.PersistentVolumeClaimSpec{StorageClassName: &class},
		Status:     corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending},
	}
	refused := func(message string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { unscheduled(p); p.Status.Conditions[0].Message = message }
	}
	killed := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}}
	type troubles struct {
		Unbound           bool
		OutOfMemory, Lost bool
	}
	tests := map[string]struct {
		change func(*corev1.Pod)
		want   troubles
	}{
		"none": {func(*corev1.Pod) {}, troubles{}},
		"the class does not exist": {
			refused("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"), troubles{Unbound: true},
		},
		"the class has no volume": {
			refused("0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind."), troubles{Unbound: true},
		},
		"no room, and the claim waits for a node": {refused("0/3 nodes are available: 3 Insufficient cpu."), troubles{}},
		"killed just now":                         {func(p *corev1.Pod) { p.Status.ContainerStatuses[0].State = killed }, troubles{OutOfMemory: true}},
		"killed before it was started again":      {func(p *corev1.Pod) { p.Status.ContainerStatuses[0].LastTerminationState = killed }, troubles{OutOfMemory: true}},
		"killed once, and ended otherwise since": {func(p *corev1.Pod) {
			p.Status.ContainerStatuses[0].LastTerminationState = killed
			p.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 1}}
		}, troubles{}},
		"its gate waits": {func(p *corev1.Pod) { p.Status.Conditions = conditions(corev1.ConditionFalse, corev1.ConditionFalse) }, troubles{}},
		"it serves":      {func(p *corev1.Pod) { p.Status.Conditions = conditions(corev1.ConditionTrue, corev1.ConditionTrue) }, troubles{}},
		"its node gives it up": {func(p *corev1.Pod) {
			p.Status.Conditions = append(conditions(corev1.ConditionFalse, corev1.ConditionFalse), corev1.PodCondition{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue})
		}, troubles{Lost: true}},
		"its node does not report": {func(p *corev1.Pod) {
			p.Status.Conditions = conditions(corev1.ConditionFalse, corev1.ConditionTrue)
		}, troubles{Lost: true}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := New(fake.NewClientset(podObject(tc.change), pending))
			c.logs = func(context.Context, string, string, *corev1.PodLogOptions) ([]byte, error) { return nil, nil }
			views, err := c.Observe(t.Context(), record())
			if err != nil {
				t.Fatal(err)
			}
			got := views[5].Pod
			if diff := cmp.Diff(tc.want, troubles{Unbound: got.Unbound, OutOfMemory: got.OutOfMemory, Lost: got.NodeLost}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A node that does not answer must not hold up the look at the others.
func TestALostNodeDoesNotStopTheLook(t *testing.T) {
	c := New(fake.NewClientset(podObject()))
	c.logs = func(ctx context.Context, _, _ string, _ *corev1.PodLogOptions) ([]byte, error) {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("the question has no time limit")
		}
		return nil, context.DeadlineExceeded
	}
	views, err := c.Observe(t.Context(), record())
	if err != nil {
		t.Fatal(err)
	}
	if p := views[5].Pod; p.Report.State != migration.GateUnknown || p.Problem == "" {
		t.Errorf("%+v", p)
	}
}

// TestAddressOfTheHostsFamily: in a cluster with both families, a pod's first address may be of the
// other one.
func TestAddressOfTheHostsFamily(t *testing.T) {
	both := []corev1.PodIP{{IP: "10.244.0.1"}, {IP: "fd00:78::1"}}
	for _, c := range []struct {
		host, first string
		all         []corev1.PodIP
		want        string
	}{
		{"10.1.0.5", "10.244.0.1", both, "10.244.0.1"},
		{"fd00::5", "10.244.0.1", both, "fd00:78::1"},
		{"fd00::5", "fd00:78::1", both[1:], "fd00:78::1"},
		{"10.1.0.5", "10.244.0.1", nil, "10.244.0.1"},
		{"fd00::5", "10.244.0.1", both[:1], ""},
		{"fd00::5", "", nil, ""},
	} {
		rec := record()
		s, _ := rec.Server(5)
		s.HostIP = c.host
		pod := podObject(func(p *corev1.Pod) { p.Status.PodIP, p.Status.PodIPs = c.first, c.all })
		if got := address(*s, pod); got != c.want {
			t.Errorf("host %s, pod %v: %q, want %q", c.host, c.all, got, c.want)
		}
	}
}
