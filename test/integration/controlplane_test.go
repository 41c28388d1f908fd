//go:build integration

// Package integration runs our Kubernetes code against a real control plane:
// etcd, kube-apiserver and kube-controller-manager, without nodes. The tests
// play the kubelet where a pod must run.
//
//	make test-integration
//
// The Kubernetes binary is the one the lab builds and caches (test/lab), of the release that
// ZKLAB_KUBERNETES names; etcd is Debian's.
package integration

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

const (
	adminToken    = "admin-token"
	managerToken  = "manager-token"
	operatorToken = "operator-token"
	operatorUser  = "operator"
)

// controlPlane is a running API server with its controllers.
type controlPlane struct {
	dir, program string
	server       string
	admin        *kubernetes.Clientset
	procs        []*process
}

// process is a child that ends with the test run.
type process struct {
	name string
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{}
}

// start brings the control plane up, without some controllers; the caller stops it.
func start(ctx context.Context, without ...string) (*controlPlane, error) {
	kubernetesBinary, err := built(ctx)
	if err != nil {
		return nil, err
	}
	etcd, err := exec.LookPath("etcd")
	if err != nil {
		return nil, fmt.Errorf("etcd is missing: install Debian's etcd-server: %w", err)
	}
	dir, err := os.MkdirTemp("", "zkmigrate-integration-")
	if err != nil {
		return nil, err
	}
	cp := &controlPlane{dir: dir, program: kubernetesBinary}
	if err := cp.files(); err != nil {
		return cp, err
	}
	ports, err := freePorts(5)
	if err != nil {
		return cp, err
	}
	client, peer := fmt.Sprintf("http://127.0.0.1:%d", ports[0]), fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	cp.server = fmt.Sprintf("https://127.0.0.1:%d", ports[2])
	if err := cp.run(etcd, "etcd", "--data-dir", cp.path("etcd"), "--unsafe-no-fsync",
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default="+peer); err != nil {
		return cp, err
	}
	if err := cp.run(cp.program, "kube-apiserver", "kube-apiserver",
		"--etcd-servers", client, "--bind-address", "127.0.0.1", "--secure-port", fmt.Sprint(ports[2]), "--cert-dir", cp.path("certs"),
		"--service-cluster-ip-range", "10.96.0.0/16", "--authorization-mode", "RBAC", "--token-auth-file", cp.path("tokens.csv"),
		"--service-account-issuer", "https://kubernetes.default.svc",
		"--service-account-key-file", cp.path("sa.key"), "--service-account-signing-key-file", cp.path("sa.key"),
		"--disable-admission-plugins", "ServiceAccount", "--endpoint-reconciler-type", "none"); err != nil {
		return cp, err
	}
	if cp.admin, err = kubernetes.NewForConfig(cp.config(adminToken)); err != nil {
		return cp, err
	}
	if err := cp.ready(ctx); err != nil {
		return cp, err
	}
	for file, token := range map[string]string{"kubeconfig": adminToken, "manager.kubeconfig": managerToken} {
		if err := os.WriteFile(cp.path(file), []byte(kubeconfig(cp.server, token)), 0o600); err != nil {
			return cp, err
		}
	}
	return cp, cp.control(without...)
}

// control runs the controllers, in place of those that ran, without some.
//
// With an account per controller, as in clusters that people run: what a policy
// lets through is shown with their real names.
func (cp *controlPlane) control(without ...string) error {
	const name = "kube-controller-manager"
	cp.procs = slices.DeleteFunc(cp.procs, func(p *process) bool {
		if p.name == name {
			p.kill()
		}
		return p.name == name
	})
	// By the names that they have in all releases.
	controllers := []string{endpointsController, mirroringController, "endpointslice", "statefulset", "garbagecollector", "namespace", "disruption", "resourcequota"}
	controllers = slices.DeleteFunc(controllers, func(c string) bool { return slices.Contains(without, c) })
	return cp.run(cp.program, name, name,
		"--kubeconfig", cp.path("manager.kubeconfig"), "--leader-elect=false", "--secure-port", "0",
		"--use-service-account-credentials=true", "--service-account-private-key-file", cp.path("sa.key"),
		"--flex-volume-plugin-dir", cp.path("flex"), "--controllers", strings.Join(controllers, ","))
}

const (
	endpointsController = "endpoint"
	mirroringController = "endpointslicemirroring"
)

// built is the path of the lab's Kubernetes, which is built unless it is there.
func built(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "../../bin/zklab", "build")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("the lab's Kubernetes (make build makes zklab): %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func (cp *controlPlane) path(name string) string { return filepath.Join(cp.dir, name) }

func (cp *controlPlane) files() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(cp.path("sa.key"), block, 0o600); err != nil {
		return err
	}
	tokens := adminToken + ",admin,1,system:masters\n" + operatorToken + "," + operatorUser + ",2\n" +
		managerToken + ",system:kube-controller-manager,3\n"
	return os.WriteFile(cp.path("tokens.csv"), []byte(tokens), 0o600)
}

func kubeconfig(server, token string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "%s", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: %s}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
`, server, token)
}

func (cp *controlPlane) config(token string) *rest.Config {
	return &rest.Config{
		Host: cp.server, BearerToken: token, QPS: 500, Burst: 500,
		TLSClientConfig: rest.TLSClientConfig{Insecure: true}, WarningHandler: rest.NoWarnings{},
	}
}

func freePorts(n int) ([]int, error) {
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out, nil
}

func (cp *controlPlane) run(program, name string, args ...string) error {
	log, err := os.Create(cp.path(name + ".log"))
	if err != nil {
		return err
	}
	p := &process{name: name, cmd: exec.Command(program, args...), log: log, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// A killed test run takes its children along.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	cp.procs = append(cp.procs, p)
	return nil
}

// ready waits until the API server says so.
func (cp *controlPlane) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		body, err := cp.admin.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		if err == nil && string(body) == "ok" {
			return nil
		}
		last = err
		for _, p := range cp.procs {
			select {
			case <-p.done:
				return fmt.Errorf("%s has ended: %s", p.name, p.tail())
			default:
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server is not ready: %w", last)
		case <-tick.C:
		}
	}
}

func (p *process) tail() string {
	data, _ := os.ReadFile(p.log.Name())
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-8):], []byte("\n")))
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
	_ = p.log.Close()
}

func (cp *controlPlane) stop() {
	for i := len(cp.procs) - 1; i >= 0; i-- {
		cp.procs[i].kill()
	}
	_ = os.RemoveAll(cp.dir)
}

// plane shares one control plane among the tests of the package.
type plane struct {
	once sync.Once
	cp   *controlPlane
	err  error
}

// shared is the test run's control plane; TestMain stops it.
var shared plane

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.cp != nil {
		if code != 0 {
			for _, p := range shared.cp.procs {
				fmt.Fprintf(os.Stderr, "--- %s\n%s\n", p.name, p.tail())
			}
		}
		shared.cp.stop()
	}
	os.Exit(code)
}

// plain is the control plane, brought up once, with a new namespace.
func plain(t *testing.T) (cp *controlPlane, ns string) {
	t.Helper()
	shared.once.Do(func() { shared.cp, shared.err = start(context.Background()) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cp, shared.cp.namespace(t, nil)
}

// namespace makes one with these labels.
func (cp *controlPlane) namespace(t *testing.T, labels map[string]string) string {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "zk-", Labels: labels}}
	made, err := cp.admin.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made.Name
}

// namespace is a new namespace with an operator who has the published Role, and
// nothing else.
func namespace(t *testing.T) (cp *controlPlane, ns string) {
	t.Helper()
	cp, ns = plain(t)
	cp.publishedRole(t, ns)
	return cp, ns
}

// publishedRole gives the operator the Role that is published.
func (cp *controlPlane) publishedRole(t *testing.T, ns string) {
	t.Helper()
	data, err := os.ReadFile("../../docs/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.Role
	if err := yaml.UnmarshalStrict(data, &role); err != nil {
		t.Fatal(err)
	}
	cp.grant(t, ns, &role, operatorUser)
}

// grant gives a user a Role.
func (cp *controlPlane) grant(t *testing.T, ns string, role *rbacv1.Role, user string) {
	t.Helper()
	role = role.DeepCopy()
	role.Namespace = ns
	if _, err := cp.admin.RbacV1().Roles(ns).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	cp.bind(t, ns, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name}, user)
}

// bind binds a user to a Role or ClusterRole in a namespace.
func (cp *controlPlane) bind(t *testing.T, ns string, ref rbacv1.RoleRef, user string) {
	t.Helper()
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: ref.Name + "-" + user}, RoleRef: ref,
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	}
	if _, err := cp.admin.RbacV1().RoleBindings(ns).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// eventually asks until ok, for as long as a slow machine may need.
func eventually(t *testing.T, what string, ok func() (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		done, state := ok()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within 60 s: %s", what, strings.TrimSpace(state))
		case <-tick.C:
		}
	}
}
