// Package scene is what tests on the lab stand on: an ensemble on hosts, an
// operator with the published Role, a client that writes throughout, and the
// witnesses at the end.
package scene

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// labName is another one where two runs share a machine.
func labName() string {
	if name := os.Getenv("E2E_LAB"); name != "" {
		return name
	}
	return "e2e"
}

// Main brings one lab up for all tests of a package, runs them, takes it down
// and returns the exit code; ensembles come and go with each test. up are
// further arguments of zklab up.
func Main(m *testing.M, up ...string) int {
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	lab := &labkit.Lab{Name: labName(), Bin: bin, Echo: os.Stderr}
	ctx := context.Background()
	if _, err := labkit.Must(lab.Zklab(ctx, append([]string{"up", "--clients", "1"}, up...)...)); err != nil {
		fmt.Fprintln(os.Stderr, "the lab does not come up:", err)
		return 1
	}
	code := m.Run()
	if os.Getenv("E2E_KEEP") == "" {
		if _, err := labkit.Must(lab.Zklab(ctx, "down")); err != nil {
			fmt.Fprintln(os.Stderr, "the lab does not go down:", err)
			return 1
		}
	}
	return code
}

// Scene is one ensemble on hosts, a namespace with an operator, and a client.
type Scene struct {
	T   *testing.T
	Lab *labkit.Lab
	// Name is the ensemble's and the namespace's.
	Name    string
	Version string
	IDs     []int
	Hosts   []labkit.Host
	// Kube has all rights, for looking and for breaking things; commands run as
	// the operator.
	Kube kubernetes.Interface
	// Znodes and Size are the data there is when the client begins.
	Znodes, Size int
	// Pace is the pause of each of the client's writers between two writes.
	Pace time.Duration
	load *labkit.Process
	// laptop is where the operator's commands run; nil for a machine of the lab's network.
	laptop *labkit.Lab
	// declared is the manifest that commands are given; empty where they get flags.
	declared string
}

// New adds an ensemble to the lab; it goes when the test ends.
func New(t *testing.T, name, version string, ids []int, extra ...string) *Scene {
	t.Helper()
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	s := &Scene{T: t, Name: name, Version: version, IDs: ids, Znodes: 500, Size: 100, Pace: 25 * time.Millisecond, Lab: &labkit.Lab{Name: labName(), Bin: bin, Dir: t.TempDir()}}
	ctx := t.Context()
	var words []string
	for _, id := range ids {
		words = append(words, fmt.Sprint(id))
	}
	spec := strings.Join(append([]string{name, "version=" + version, "ids=" + strings.Join(words, ":")}, extra...), ",")
	s.Must(s.Lab.Zklab(ctx, "ensemble", "add", spec))
	t.Cleanup(func() {
		s.StopLoad()
		after := context.WithoutCancel(ctx)
		if t.Failed() {
			s.diagnose(after)
		}
		// Namespaced objects go with the namespace; volumes with the ensemble.
		_ = s.admin().CoreV1().Namespaces().Delete(after, name, *DeleteNow())
		if _, err := labkit.Must(s.Lab.Zklab(after, "ensemble", "delete", name)); err != nil {
			t.Log(err)
		}
	})
	role, err := filepath.Abs("../../docs/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if s.Lab.Kubeconfig, err = s.Lab.Operator(ctx, name, role); err != nil {
		t.Fatal(err)
	}
	if s.Hosts, err = s.Lab.Hosts(ctx, name); err != nil {
		t.Fatal(err)
	}
	s.Kube = s.admin()
	return s
}

// Image gives the lab's nodes the image of another version, as they get it for an ensemble.
func (s *Scene) Image(version string) {
	s.T.Helper()
	name := s.Name + "-image"
	s.Must(s.Lab.Zklab(s.T.Context(), "ensemble", "add", name+",version="+version+",ids=1"))
	s.Must(s.Lab.Zklab(s.T.Context(), "ensemble", "delete", name))
}

// For is the same scene in a subtest, with files and a client of its own.
func (s *Scene) For(t *testing.T) *Scene {
	t.Helper()
	lab := *s.Lab
	lab.Dir = t.TempDir()
	sub := *s
	sub.T, sub.Lab, sub.load = t, &lab, nil
	t.Cleanup(func() {
		if t.Failed() {
			sub.diagnose(context.WithoutCancel(t.Context()))
		}
	})
	return &sub
}

// admin is a client with all rights, for looking; commands run as the operator.
func (s *Scene) admin() kubernetes.Interface {
	s.T.Helper()
	r, err := labkit.Must(s.Lab.Zklab(context.WithoutCancel(s.T.Context()), "kubeconfig"))
	if err != nil {
		s.T.Fatal(err)
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", strings.TrimSpace(r.Stdout))
	if err != nil {
		s.T.Fatal(err)
	}
	cfg.WarningHandler = nil
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		s.T.Fatal(err)
	}
	return kube
}

// ToLaptop has the operator's commands run where nothing but the API server can be reached.
func (s *Scene) ToLaptop() {
	s.T.Helper()
	r := s.Must(s.Lab.Zklab(s.T.Context(), "kubeconfig", "--user", "operator-"+s.Name, "--in-lab=false"))
	laptop := *s.Lab
	laptop.Machine, laptop.Kubeconfig = labkit.Laptop, strings.TrimSpace(r.Stdout)
	s.laptop = &laptop
}

// Behind has the laptop reach the API server through somebody who forwards to its address.
func (s *Scene) Behind(forward func(server string) (address string)) {
	s.T.Helper()
	cfg, err := clientcmd.LoadFromFile(s.laptop.Kubeconfig)
	if err != nil {
		s.T.Fatal(err)
	}
	for _, c := range cfg.Clusters {
		at, err := url.Parse(c.Server)
		if err != nil {
			s.T.Fatal(err)
		}
		at.Host = forward(at.Host)
		c.Server = at.String()
	}
	s.laptop.Kubeconfig = filepath.Join(s.T.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*cfg, s.laptop.Kubeconfig); err != nil {
		s.T.Fatal(err)
	}
}

// desk is the operator's machine.
func (s *Scene) desk() *labkit.Lab {
	if s.laptop != nil {
		return s.laptop
	}
	return s.Lab
}

// Start starts the plugin in the background.
func (s *Scene) Start(log string, args ...string) *labkit.Process {
	s.T.Helper()
	p, err := s.desk().Start(context.WithoutCancel(s.T.Context()), log, s.desk().Plugin(append(args, "-n", s.Name)...)...)
	if err != nil {
		s.T.Fatal(err)
	}
	return p
}

// Must wants exit code 0.
func (s *Scene) Must(r labkit.Result, err error) labkit.Result {
	s.T.Helper()
	if _, err := labkit.Must(r, err); err != nil {
		s.T.Fatal(err)
	}
	return r
}

// Zkmigrate runs the plugin as the operator and wants that exit code.
func (s *Scene) Zkmigrate(code int, args ...string) labkit.Result {
	s.T.Helper()
	began := time.Now()
	r, err := s.desk().Zkmigrate(s.T.Context(), append(args, "-n", s.Name)...)
	if err != nil {
		s.T.Fatal(err)
	}
	if r.Code != code {
		s.T.Fatalf("kubectl zkmigrate %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), r.Code, code, r.Stdout, r.Stderr)
	}
	s.T.Logf("kubectl zkmigrate %s: %d in %.1f s", strings.Join(args, " "), r.Code, time.Since(began).Seconds())
	return r
}

// Files are the -f flags for every host's zoo.cfg.
func (s *Scene) Files() []string {
	var out []string
	for _, h := range s.Hosts {
		out = append(out, "-f", fmt.Sprintf("%d=%s", h.ID, h.ZooCfg))
	}
	return out
}

// Wrap wraps with flags for pods that fit the lab.
func (s *Scene) Wrap(extra ...string) labkit.Result {
	s.T.Helper()
	return s.Zkmigrate(0, append(s.told("wrap", append(s.Files(), labkit.PodFlags(s.Version, s.Name)...)...), extra...)...)
}

// Ready wraps, moves the client and restarts the hosts with the new list.
func (s *Scene) Ready(extra ...string) {
	s.T.Helper()
	s.Wrap(extra...)
	s.StartLoad()
	s.Reconfigure()
}

// Reconfigure restarts the hosts with the new list.
func (s *Scene) Reconfigure(extra ...string) {
	s.T.Helper()
	s.Zkmigrate(0, append(append(s.told("reconfigure", append(s.Files(), "--host-hook", s.Lab.HookCommand())...), "--yes"), extra...)...)
}

// AcceptLoss accepts what no look can tell: the client has moved, and may have been at no pod yet.
const AcceptLoss = "--accept-client-loss=100,unknown"

// Replace runs replace with the lab's hook and wants that exit code. The loss of clients is
// accepted, unless args say otherwise.
func (s *Scene) Replace(code int, args ...string) labkit.Result {
	s.T.Helper()
	return s.Zkmigrate(code, append(append(s.told("replace", "--host-hook", s.Lab.HookCommand()), "--yes", AcceptLoss, "--timeout", "4m"), args...)...)
}

// Revert brings a server back to its host.
func (s *Scene) Revert(id int) {
	s.T.Helper()
	s.Zkmigrate(0, append(s.told("revert", "--host-hook", s.Lab.HookCommand()), "--yes", "--timeout", "4m", fmt.Sprintf("--id=%d", id))...)
}

// diagnose prints what an engineer would look at first.
func (s *Scene) diagnose(ctx context.Context) {
	for _, args := range [][]string{
		{"kubectl", "zkmigrate", "status", s.Name, "-o", "wide", "-n", s.Name},
		{"kubectl", "get", "pods,endpointslices,services", "-o", "wide", "-n", s.Name},
		{"kubectl", "get", "configmap", s.Name + "-zkmigrate", "-n", s.Name, "-o", "jsonpath={.data.record\\.json}"},
	} {
		r, err := s.Lab.OnClient(ctx, args...)
		s.T.Logf("%s:\n%s%s%v", strings.Join(args, " "), r.Stdout, r.Stderr, err)
	}
}
