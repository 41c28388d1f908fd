//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/faults"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestMigration is the whole road, and back for one server. On 3.8.0 commands are given one
// manifest and nothing else.
func TestMigration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, version string
		ids           []int
		waive         []string
	}{
		{"m380", "3.8.0", []int{1, 2, 3}, nil},
		{"m3413", "3.4.13", []int{1, 300, 1023}, nil},
		{"m393", "3.9.3", []int{0, 5, 9}, []string{"--waive=ZK002"}},
	} {
		t.Run(c.version, func(t *testing.T) {
			t.Parallel()
			s := scene.New(t, c.name, c.version, c.ids)
			check := append([]string{"check", s.Name}, s.Files()...)
			if len(c.waive) > 0 {
				// Refused by name first, then waived by name.
				r := s.Zkmigrate(3, check...)
				if !strings.Contains(r.Stdout, "ZOOKEEPER-4925") {
					t.Errorf("the refusal gives no reason:\n%s", r.Stdout)
				}
			}
			s.Zkmigrate(0, append(check, c.waive...)...)
			flags := c.waive
			if c.version == "3.8.0" {
				s.Declare()
				flags = append(flags, "--pod-template="+podTemplate(t, s))
			}
			s.Ready(flags...)
			again := s.Wrap(c.waive...)
			if strings.Contains(again.Stdout, "created") || !strings.Contains(again.Stdout, "unchanged") {
				t.Errorf("a second wrap changes something:\n%s", again.Stdout)
			}
			printedIsRecorded(t, s)
			before := s.Status()
			verdict := s.WatchSlices()
			plan := s.Plan()
			if diff := cmp.Diff(plan, s.PlanOfKept()); diff != "" {
				t.Errorf("a look that was kept gives another plan (-now +kept):\n%s", diff)
			}
			consent, said := scene.AcceptLoss, ""
			if c.version == "3.8.0" {
				order, err := plan.Order("replace")
				if err != nil {
					t.Fatal(err)
				}
				consent, said = clientsLeft(t, s, order)
			}
			said += s.Replace(0, "--all", consent).Stderr
			asPlanned(t, plan, said, c.version)
			if says := faults.Elsewhere(t, "kube-proxy-nftables").Verdict.Says; !strings.Contains(said, says) {
				t.Errorf("it does not say %q:\n%s", says, said)
			}
			after := s.Status()
			if !after.Healthy || after.Replaced != len(c.ids) {
				t.Errorf("after the replacements: %+v", after)
			}
			s.Zkmigrate(0, "diff", s.Name)
			if c.version == "3.8.0" {
				asTemplate(t, s)
			}
			if n := after.Epoch - before.Epoch; n != 1 {
				t.Errorf("%d elections in the replacements, want 1 (the leader's)", n)
			}
			for i := range after.Servers {
				if after.Servers[i].ClusterIP != before.Servers[i].ClusterIP {
					t.Errorf("server %d changed its address", after.Servers[i].ID)
				}
			}
			s.Revert(c.ids[0])
			if st := s.Status(); !st.Healthy || st.Servers[0].Place != "host" {
				t.Errorf("after the revert: %+v", st)
			}
			s.Replace(0, fmt.Sprintf("--id=%d", c.ids[0]))
			verdict()
			s.NothingLost()
		})
	}
}

// podTemplate is a file with what no flag sets.
func podTemplate(t *testing.T, s *scene.Scene) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pods.yaml")
	text := `metadata:
  labels: {team: search}
spec:
  priorityClassName: system-cluster-critical
  tolerations: [{key: zk, operator: Exists}]
  containers:
  - name: zookeeper
    resources: {limits: {cpu: "2"}}
  - name: sidecar
    image: zklab.local/zookeeper:3.8.0
    command: [bash, -c, "trap 'exit 0' TERM; read -r < <(:; sleep infinity)"]
    resources: {requests: {cpu: 1m, memory: 16Mi}, limits: {memory: 16Mi}}
    volumeMounts: [{name: data, mountPath: /data, readOnly: true}]
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// asTemplate: the pods that serve have what the template says, and a root file system that
// nobody writes to.
func asTemplate(t *testing.T, s *scene.Scene) {
	t.Helper()
	pods, err := s.Kube.CoreV1().Pods(s.Name).List(t.Context(), metav1.ListOptions{LabelSelector: "team=search"})
	if err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 3 {
		t.Errorf("%d pods have the template's label", len(pods.Items))
	}
	for _, p := range pods.Items {
		zk, cpu := p.Spec.Containers[0], p.Spec.Containers[0].Resources.Limits["cpu"]
		tolerates := slices.ContainsFunc(p.Spec.Tolerations, func(x corev1.Toleration) bool { return x.Key == "zk" })
		if p.Spec.PriorityClassName != "system-cluster-critical" || !tolerates || len(p.Spec.Containers) != 3 || cpu.String() != "2" || !*zk.SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("pod %s: %+v", p.Name, p.Spec)
		}
	}
	// To take away what serving pods have reaches nobody.
	empty := filepath.Join(t.TempDir(), "empty.yaml")
	if err := os.WriteFile(empty, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.Zkmigrate(1, "diff", s.Name, "--pod-template="+empty)
	s.Zkmigrate(3, "replace", s.Name, "--all", "--pod-template="+empty)
}

// printedIsRecorded prints what is recorded as a manifest and gives it back: nothing changes.
func printedIsRecorded(t *testing.T, s *scene.Scene) {
	t.Helper()
	printed := s.Zkmigrate(0, "wrap", s.Name, "--dry-run=server", "-o", "ensemble")
	file := s.File("printed.yaml")
	if err := os.WriteFile(file, []byte(printed.Stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	again := s.Zkmigrate(0, "wrap", "-f", file, "--dry-run=server", "-o", "ensemble")
	if diff := cmp.Diff(printed.Stdout, again.Stdout); diff != "" {
		t.Errorf("what was printed asks for something else (-printed +given back):\n%s", diff)
	}
}

// asPlanned compares what plan said before the replacements with what
// happened: the order, and one election.
func asPlanned(t *testing.T, plan scene.Plan, said, version string) {
	t.Helper()
	want, err := plan.Order("replace")
	if err != nil {
		t.Error(err)
	}
	var got []int
	for line := range strings.Lines(said) {
		var id int
		if n, _ := fmt.Sscanf(line, "Replacing server %d of", &id); n == 1 {
			got = append(got, id)
		}
	}
	got = slices.Compact(got) // one whose stop was refused first
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 3 {
		t.Errorf("order (-planned +happened):\n%s", diff)
	}
	if plan.Elections != 1 {
		t.Errorf("%d elections planned, want 1", plan.Elections)
	}
	// Only 3.4 has no guard of its own among the versions here.
	if old := strings.HasPrefix(version, "3.4."); old != (len(plan.Advice) == 1) {
		t.Errorf("advice for %s: %+v", version, plan.Advice)
	}
}

// TestObserver moves three voters and an observer, whose id has a gap before
// it; the observer goes last, and follows a follower, whose port for that is on its
// Service. Four pods share three nodes.
func TestObserver(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "observer", "3.8.0", []int{1, 2, 3, 9}, "observers=9", "zoo-cfg-line=observerMasterPort=2191")
	s.Ready("--anti-affinity=preferred")
	before := s.Status()
	verdict := s.WatchSlices()
	r := s.Replace(0, "--all")
	if last := strings.LastIndex(r.Stderr, "Replacing server 9"); last < 0 || strings.Contains(r.Stderr[last:], "Replacing server 1 ") {
		t.Errorf("the observer does not go last:\n%s", r.Stderr)
	}
	verdict()
	after := s.Status()
	if !after.Healthy || after.Replaced != 4 || after.Epoch-before.Epoch != 1 {
		t.Errorf("after the replacements: %+v (epoch before %d)", after, before.Epoch)
	}
	s.NothingLost()
}

// TestEndpointsAPI goes the whole road with v1 Endpoints.
func TestEndpointsAPI(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "legacy", "3.8.0", []int{1, 2, 3})
	s.Ready("--endpoints-api=endpoints")
	s.Replace(0, "--all")
	s.Revert(2)
	s.Replace(0, "--id=2")
	if st := s.Status(); !st.Healthy || st.Replaced != 3 {
		t.Errorf("at the end: %+v", st)
	}
	s.NothingLost()
}

// TestDryRunClient: the objects are printed without a cluster, and are what the
// API server takes.
func TestDryRunClient(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "dry", "3.8.0", []int{1, 2, 3})
	out := s.File("objects.yaml")
	cmd := "KUBECONFIG=/nonexistent kubectl-zkmigrate wrap " + s.Name + " -f " + s.Hosts[0].ZooCfg + " --dry-run=client -o yaml -n " + s.Name
	r := s.Must(s.Lab.OnClient(t.Context(), "sh", "-c", cmd))
	if err := os.WriteFile(out, []byte(r.Stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	// As an administrator: kubectl apply reads what it is about to create, which
	// the plugin's own Role does not need.
	s.Kubectl("apply", "--dry-run=server", "-f", out)
	server := s.Zkmigrate(0, append([]string{"wrap", s.Name, "--dry-run=server"}, s.Files()...)...)
	if !strings.Contains(server.Stdout, "created (server dry run)") {
		t.Errorf("server dry run:\n%s", server.Stdout)
	}
	if list, err := s.Kube.CoreV1().Services(s.Name).List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) != 0 {
		t.Errorf("a dry run left %d Services (%v)", len(list.Items), err)
	}
}

// TestRefusedInput: nothing is written, exit code 2, the line is named.
func TestRefusedInput(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "bad", "3.8.0", []int{1, 2, 3})
	good := "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/d\nclientPort=2181\n"
	for name, c := range map[string]struct{ text, says string }{
		"two voters":        {good + "server.1=10.77.2.1:2888:3888\nserver.2=10.77.2.2:2888:3888\n", "three"},
		"duplicate id":      {good + "server.1=10.77.2.1:2888:3888\nserver.01=10.77.2.2:2888:3888\nserver.3=10.77.2.3:2888:3888\n", "server.01"},
		"loopback":          {good + "server.1=127.0.0.1:2888:3888\nserver.2=10.77.2.2:2888:3888\nserver.3=10.77.2.3:2888:3888\n", "loopback"},
		"unresolvable host": {good + "server.1=nowhere.invalid:2888:3888\nserver.2=10.77.2.2:2888:3888\nserver.3=10.77.2.3:2888:3888\n", "nowhere.invalid"},
		"a port missing":    {good + "server.1=10.77.2.1:2888\nserver.2=10.77.2.2:2888:3888\nserver.3=10.77.2.3:2888:3888\n", "election port"},
		"no zoo.cfg":        {"apiVersion: v1\nkind: Pod\n", "zoo.cfg"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "zoo.cfg")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			r := s.Zkmigrate(2, "wrap", s.Name, "-f", file)
			if !strings.Contains(r.Stderr, c.says) {
				t.Errorf("the error does not say %q:\n%s", c.says, r.Stderr)
			}
		})
	}
	if list, err := s.Kube.CoreV1().Services(s.Name).List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) != 0 {
		t.Errorf("refused input left %d Services (%v)", len(list.Items), err)
	}
}
