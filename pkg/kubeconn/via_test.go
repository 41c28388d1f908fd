package kubeconn_test

import (
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/kubeconn"
)

// TestAdviceIsForTheSameCluster: what is to be run when a cluster does not answer
// must not ask another one.
func TestAdviceIsForTheSameCluster(t *testing.T) {
	flags := genericclioptions.NewConfigFlags(true)
	*flags.Context, *flags.KubeConfig, *flags.Impersonate = "no such", "/none", "me"
	via := kubeconn.Via(flags)
	if via.String() != "--kubeconfig=/none --context='no such' --as=me" {
		t.Fatalf("got %s", via)
	}
	*flags.Insecure, *flags.ImpersonateGroup = true, []string{"a", "b c"}
	*flags.BearerToken, *flags.CAFile = "secret", "/ca.crt"
	if got, want := kubeconn.Via(flags), "--kubeconfig=/none --context='no such' --certificate-authority=/ca.crt --as=me --as-group=a --as-group='b c' --insecure-skip-tls-verify=true"; got.String() != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if none := kubeconn.Via(genericclioptions.NewConfigFlags(true)).String(); none != "" {
		t.Errorf("no flags were given, got %s", none)
	}
	status := func(code int32, kind string) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Code: code, Details: &metav1.StatusDetails{Kind: kind, Name: "zk"}}}
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{status(http.StatusUnauthorized, ""), "auth whoami"},
		{status(http.StatusForbidden, ""), "auth can-i --list -n NAMESPACE"},
		{status(http.StatusNotFound, "namespaces"), "create namespace zk"},
		{status(http.StatusTooManyRequests, ""), "get --raw /readyz?verbose"},
	} {
		e, ok := kubeconn.Explain(c.err, via)
		if !ok || !strings.Contains(e.Next, "kubectl "+via.String()+" "+c.want) {
			t.Errorf("got %+v, want %s", e, c.want)
		}
		if e, _ := kubeconn.Explain(c.err, command.Via{}); !strings.Contains(e.Next, "kubectl "+c.want) {
			t.Errorf("without flags: %s", e.Next)
		}
	}
}
