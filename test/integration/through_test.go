//go:build integration

package integration

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cli"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestThroughAPodWithLess: who lacks a verb of those that --probe-via=pod needs is told which. No
// kubelet runs here, so the stream into the probe pod is refused or fails after it was allowed.
func TestThroughAPodWithLess(t *testing.T) {
	for name, c := range map[string]struct {
		// without are verbs of resources that the operator does not have.
		without map[string][]string
		want    []string
	}{
		"list pods":     {map[string][]string{"pods": {"list"}}, []string{"list", "pods", "kubectl zkmigrate rbac"}},
		"create pods":   {map[string][]string{"pods": {"create"}}, []string{"create", "pods", "kubectl zkmigrate rbac"}},
		"get pods":      {map[string][]string{"pods": {"get"}}, []string{"get", "pods", "kubectl zkmigrate rbac"}},
		"delete pods":   {map[string][]string{"pods": {"delete"}}, []string{"delete", "pods", "kubectl zkmigrate rbac"}},
		"run a program": {map[string][]string{"pods/exec": {"get", "create"}}, []string{"create", "pods/exec", "to ask ZooKeeper from a pod", "kubectl zkmigrate rbac"}},
		// What WebSocket is refused for, SPDY, which is a create, is tried for.
		"get pods/exec": {map[string][]string{"pods/exec": {"get"}}, nil},
		"nothing":       {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, migration.EndpointSlices)
			s.wrap()
			s.must("journal", journal.New(s.kube, s.ns, "main").Create(s.ctx, s.rec))
			s.takeAway(c.without)
			if !slices.Contains(c.without["pods"], "create") && !slices.Contains(c.without["pods"], "list") {
				go s.kubelet(render.ProbePodNames("main")[0], "10.244.9.1")
			}
			code, said := s.command("status", "main", "--probe-via=pod", "--timeout=20s")
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if c.want == nil && strings.Contains(said, "rbac") {
				t.Error("something is said to be lacking")
			}
			t.Logf("exit code %d\n%s", code, said)
		})
	}
}

// takeAway takes verbs from the operator's Role, and waits until the API server knows.
func (s *site) takeAway(without map[string][]string) {
	s.t.Helper()
	roles := s.cp.admin.RbacV1().Roles(s.ns)
	list, err := roles.List(s.ctx, metav1.ListOptions{})
	s.must("roles", err)
	role := &list.Items[0]
	for i, r := range role.Rules {
		gone := without[r.Resources[0]]
		role.Rules[i].Verbs = slices.DeleteFunc(r.Verbs, func(v string) bool { return slices.Contains(gone, v) })
	}
	role.Rules = slices.DeleteFunc(role.Rules, func(r rbacv1.PolicyRule) bool { return len(r.Verbs) == 0 })
	_, err = roles.Update(s.ctx, role, metav1.UpdateOptions{})
	s.must("take verbs away", err)
	if len(without) > 0 {
		scope := access.Of(s.rec, true)
		scope.Through = true
		eventually(s.t, "the authorizer has noticed", func() (bool, string) {
			lacking, err := s.c.Lacking(s.ctx, scope, access.For(access.Migration()...))
			return len(lacking) > 0, errText(err)
		})
	}
}

// kubelet plays it for a pod that a command makes, until the test ends.
func (s *site) kubelet(name, ip string) {
	_ = wait.PollUntilContextCancel(s.ctx, 20*time.Millisecond, true, func(context.Context) (bool, error) {
		_, err := s.started(name, ip)
		return err == nil, nil
	})
}

// command runs one of ours as the operator, and returns its exit code and all that it printed.
func (s *site) command(args ...string) (int, string) {
	s.t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{Server: s.cp.server, InsecureSkipTLSVerify: true}
	config.AuthInfos["u"] = &clientcmdapi.AuthInfo{Token: operatorToken}
	config.Contexts["x"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "u", Namespace: s.ns}
	config.CurrentContext = "x"
	file := filepath.Join(s.t.TempDir(), "kubeconfig")
	s.must("write a kubeconfig", clientcmd.WriteToFile(*config, file))
	var out bytes.Buffer
	code := cli.Main(s.ctx, append(args, "--kubeconfig="+file), genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &out})
	return code, out.String()
}
