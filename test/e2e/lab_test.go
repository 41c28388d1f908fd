//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/slicewatch"
)

// labName is another one where two runs share a machine.
func labName() string {
	if name := os.Getenv("E2E_LAB"); name != "" {
		return name
	}
	return "e2e"
}

// TestMain brings one lab up for all tests; ensembles come and go with each.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	lab := &labkit.Lab{Name: labName(), Bin: bin, Echo: os.Stderr}
	ctx := context.Background()
	if _, err := labkit.Must(lab.Zklab(ctx, "up", "--clients", "1")); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: the lab does not come up:", err)
		return 1
	}
	code := m.Run()
	if os.Getenv("E2E_KEEP") == "" {
		if _, err := labkit.Must(lab.Zklab(ctx, "down")); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			return 1
		}
	}
	return code
}

// scene is one ensemble on hosts, a namespace with an operator, and a client.
type scene struct {
	t       *testing.T
	lab     *labkit.Lab
	name    string
	version string
	ids     []int
	hosts   []labkit.Host
	kube    kubernetes.Interface
	load    *labkit.Process
}

// newScene adds an ensemble to the lab; it goes when the test ends.
func newScene(t *testing.T, name, version string, ids []int, extra ...string) *scene {
	t.Helper()
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, name: name, version: version, ids: ids, lab: &labkit.Lab{Name: labName(), Bin: bin, Dir: t.TempDir()}}
	ctx := t.Context()
	var words []string
	for _, id := range ids {
		words = append(words, fmt.Sprint(id))
	}
	spec := strings.Join(append([]string{name, "version=" + version, "ids=" + strings.Join(words, ":")}, extra...), ",")
	s.must(s.lab.Zklab(ctx, "ensemble", "add", spec))
	t.Cleanup(func() {
		s.stopLoad()
		after := context.WithoutCancel(ctx)
		if t.Failed() {
			s.diagnose(after)
		}
		// Namespaced objects go with the namespace; volumes with the ensemble.
		_ = s.admin().CoreV1().Namespaces().Delete(after, name, *deleteNow())
		if _, err := labkit.Must(s.lab.Zklab(after, "ensemble", "delete", name)); err != nil {
			t.Log(err)
		}
	})
	role, err := filepath.Abs("../../docs/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if s.lab.Kubeconfig, err = s.lab.Operator(ctx, name, role); err != nil {
		t.Fatal(err)
	}
	if s.hosts, err = s.lab.Hosts(ctx, name); err != nil {
		t.Fatal(err)
	}
	s.kube = s.admin()
	return s
}

// admin is a client with all rights, for looking; commands run as the operator.
func (s *scene) admin() kubernetes.Interface {
	s.t.Helper()
	r, err := labkit.Must(s.lab.Zklab(context.WithoutCancel(s.t.Context()), "kubeconfig"))
	if err != nil {
		s.t.Fatal(err)
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", strings.TrimSpace(r.Stdout))
	if err != nil {
		s.t.Fatal(err)
	}
	cfg.WarningHandler = nil
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return kube
}

func (s *scene) must(r labkit.Result, err error) labkit.Result {
	s.t.Helper()
	if _, err := labkit.Must(r, err); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// zkmigrate runs the plugin as the operator and wants that exit code.
func (s *scene) zkmigrate(code int, args ...string) labkit.Result {
	s.t.Helper()
	began := time.Now()
	r, err := s.lab.Zkmigrate(s.t.Context(), append(args, "-n", s.name)...)
	if err != nil {
		s.t.Fatal(err)
	}
	if r.Code != code {
		s.t.Fatalf("kubectl zkmigrate %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), r.Code, code, r.Stdout, r.Stderr)
	}
	s.t.Logf("kubectl zkmigrate %s: %d in %.1f s", strings.Join(args, " "), r.Code, time.Since(began).Seconds())
	return r
}

// files are the -f flags for every host's zoo.cfg.
func (s *scene) files() []string {
	var out []string
	for _, h := range s.hosts {
		out = append(out, "-f", fmt.Sprintf("%d=%s", h.ID, h.ZooCfg))
	}
	return out
}

func (s *scene) wrap(extra ...string) labkit.Result {
	s.t.Helper()
	return s.zkmigrate(0, append(append(append([]string{"wrap", s.name}, s.files()...), labkit.PodFlags(s.version, s.name)...), extra...)...)
}

// ready wraps, moves the client and restarts the hosts with the new list.
func (s *scene) ready(extra ...string) {
	s.t.Helper()
	s.wrap(extra...)
	s.startLoad()
	s.zkmigrate(0, append([]string{"reconfigure", s.name, "--host-hook", s.lab.HookCommand()}, s.files()...)...)
}

func (s *scene) replace(code int, args ...string) labkit.Result {
	s.t.Helper()
	return s.zkmigrate(code, append([]string{"replace", s.name, "--yes", "--host-hook", s.lab.HookCommand(), "--timeout", "4m"}, args...)...)
}

func (s *scene) revert(id int) {
	s.t.Helper()
	s.zkmigrate(0, "revert", s.name, "--yes", "--host-hook", s.lab.HookCommand(), "--timeout", "4m", fmt.Sprintf("--id=%d", id))
}

// status is what the tests read of status -o json.
type status struct {
	Healthy  bool     `json:"healthy"`
	Problems []string `json:"problems"`
	Leader   int      `json:"leader"`
	Epoch    uint32   `json:"epoch"`
	Replaced int      `json:"replaced"`
	Servers  []struct {
		ID        int    `json:"id"`
		Place     string `json:"place"`
		ClusterIP string `json:"clusterIP"`
		Pod       string `json:"pod"`
	} `json:"servers"`
}

func (s *scene) status() status {
	s.t.Helper()
	var st status
	if err := json.Unmarshal([]byte(s.zkmigrate(0, "status", s.name, "-o", "json").Stdout), &st); err != nil {
		s.t.Fatal(err)
	}
	return st
}

// newConnection is the connection string of the Services.
func (s *scene) newConnection() string {
	s.t.Helper()
	var r struct {
		New string `json:"new"`
	}
	if err := json.Unmarshal([]byte(s.zkmigrate(0, "clients", s.name, "-o", "json").Stdout), &r); err != nil {
		s.t.Fatal(err)
	}
	return r.New
}

func (s *scene) file(name string) string { return filepath.Join(s.lab.Dir, name) }

// startLoad starts a client on the hosts' addresses and moves it to the
// Services', as its owner would.
func (s *scene) startLoad() {
	s.t.Helper()
	ctx := s.t.Context()
	s.must(s.lab.OnClient(ctx, "zkload", "prepare", "--connect", labkit.Connect(s.hosts), "--znodes", "500"))
	var err error
	// Its end is ours to ask for, also after a failure.
	s.load, err = s.lab.Start(context.WithoutCancel(ctx), "load.log", "zkload", "run", "--connect", labkit.Connect(s.hosts), "--report", s.file("load.json"), "--control", s.file("load.sock"), "--session-timeout", "30s", "--writers", "2", "--pace", "25ms")
	if err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "the client writes", func() error {
		_, err := labkit.Must(s.lab.OnClient(ctx, "zkload", "ctl", "--control", s.file("load.sock"), "status"))
		return err
	})
	s.must(s.lab.OnClient(ctx, "zkload", "ctl", "--control", s.file("load.sock"), "connect", s.newConnection()))
}

func (s *scene) stopLoad() {
	if s.load == nil {
		return
	}
	if err := s.load.Stop(); err != nil {
		s.t.Errorf("the client: %v", err)
	}
	s.load = nil
}

// nothingLost ends the client and counts.
func (s *scene) nothingLost() {
	s.t.Helper()
	s.stopLoad()
	data, err := os.ReadFile(s.file("load.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	var load struct {
		Acknowledged int `json:"acknowledged"`
		Sessions     struct {
			Lost int `json:"lost"`
		} `json:"sessions"`
		EphemeralHeld bool `json:"ephemeralHeld"`
		LongestStall  struct {
			Seconds float64 `json:"seconds"`
		} `json:"longestStall"`
	}
	if err := json.Unmarshal(data, &load); err != nil {
		s.t.Fatal(err)
	}
	if load.Acknowledged == 0 || load.Sessions.Lost != 0 || !load.EphemeralHeld {
		s.t.Errorf("the client: %+v; want writes, no session lost, the ephemeral node held", load)
	}
	r := s.must(s.lab.OnClient(s.t.Context(), "zkload", "verify", "--connect", s.newConnection(), "--report", s.file("load.json")))
	s.t.Logf("longest write stall %.2f s; %s", load.LongestStall.Seconds, strings.TrimSpace(r.Stderr))
}

// services are the names of the servers' Services.
func (s *scene) services() []string {
	var out []string
	for _, id := range s.ids {
		out = append(out, fmt.Sprintf("%s-%d", s.name, id))
	}
	return out
}

// watchSlices starts the witness of I2 and returns its verdict.
func (s *scene) watchSlices() func() {
	s.t.Helper()
	w, err := slicewatch.Start(s.t.Context(), s.kube, s.name)
	if err != nil {
		s.t.Fatal(err)
	}
	return func() {
		s.t.Helper()
		events, err := w.Stop()
		if err != nil {
			s.t.Errorf("the slices' watch broke off: %v", err)
		}
		for _, v := range slicewatch.Violations(events, s.services()) {
			s.t.Errorf("not exactly one address: %s", v)
		}
		if len(events) == 0 {
			s.t.Error("the slices' watch saw nothing")
		}
		s.t.Logf("%d slice events, exactly one address after each", len(events))
	}
}

// diagnose prints what an engineer would look at first.
func (s *scene) diagnose(ctx context.Context) {
	for _, args := range [][]string{
		{"kubectl", "zkmigrate", "status", s.name, "-o", "wide", "-n", s.name},
		{"kubectl", "get", "pods,endpointslices,services", "-o", "wide", "-n", s.name},
		{"kubectl", "get", "configmap", s.name + "-zkmigrate", "-n", s.name, "-o", "jsonpath={.data.record\\.json}"},
	} {
		r, err := s.lab.OnClient(ctx, args...)
		s.t.Logf("%s:\n%s%s%v", strings.Join(args, " "), r.Stdout, r.Stderr, err)
	}
}

// eventually polls a condition until it holds, a minute at most.
func eventually(t *testing.T, what string, f func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within a minute: %v", what, err)
		case <-tick.C:
		}
	}
}
