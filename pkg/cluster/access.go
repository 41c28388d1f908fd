package cluster

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// need is one permission of the published Role.
type need struct {
	group, resource, subresource string
	verbs                        []string
	// copying: for --data=copy alone.
	copying bool
}

// needs lists what the commands use; docs/rbac/role.yaml grants exactly these.
func needs() []need {
	return []need{
		{"", "services", "", []string{"get", "list", "create", "patch"}, false},
		{"", "endpoints", "", []string{"get", "create", "update", "delete"}, false},
		{"discovery.k8s.io", "endpointslices", "", []string{"list", "create", "update", "delete"}, false},
		{"", "configmaps", "", []string{"get", "list", "create", "update", "patch"}, false},
		{"coordination.k8s.io", "leases", "", []string{"get", "create", "update"}, false},
		{"apps", "statefulsets", "", []string{"get", "create", "patch"}, false},
		{"policy", "poddisruptionbudgets", "", []string{"get", "create", "patch"}, false},
		{"", "pods", "", []string{"get", "list", "patch", "delete"}, false},
		{"", "pods", "log", []string{"get"}, false},
		{"", "pods", "exec", []string{"get", "create"}, true},
		{"", "persistentvolumeclaims", "", []string{"get"}, false},
	}
}

// Denied lists, in words, every permission the user lacks in the namespace, but
// for what only --data=copy needs: to run programs in pods is much, and many do
// without. Asking is allowed to every authenticated user (system:basic-user).
func (c *Client) Denied(ctx context.Context, namespace string) ([]string, error) {
	return c.denied(ctx, namespace, false)
}

// DeniedCopy lists what is lacking for --data=copy.
func (c *Client) DeniedCopy(ctx context.Context, namespace string) ([]string, error) {
	return c.denied(ctx, namespace, true)
}

func (c *Client) denied(ctx context.Context, namespace string, copying bool) ([]string, error) {
	type question struct {
		n    need
		verb string
	}
	var questions []question
	for _, n := range needs() {
		if n.copying != copying {
			continue
		}
		for _, v := range n.verbs {
			questions = append(questions, question{n, v})
		}
	}
	denied := make([]string, len(questions))
	errs := make([]error, len(questions))
	var wg sync.WaitGroup
	for i, q := range questions {
		wg.Go(func() {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: namespace, Verb: q.verb, Group: q.n.group, Resource: q.n.resource, Subresource: q.n.subresource,
				},
			}}
			answer, err := c.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			if err != nil {
				errs[i] = err
				return
			}
			if !answer.Status.Allowed {
				what := q.n.resource
				if q.n.subresource != "" {
					what += "/" + q.n.subresource
				}
				denied[i] = fmt.Sprintf("%s %s in namespace %s", q.verb, what, namespace)
			}
		})
	}
	wg.Wait()
	var out []string
	for i := range questions {
		if errs[i] != nil {
			return nil, fmt.Errorf("asking for permissions: %w", errs[i])
		}
		if denied[i] != "" {
			out = append(out, denied[i])
		}
	}
	return out, nil
}

// KubernetesMinor returns the minor version of the API server (34 for 1.34).
func (c *Client) KubernetesMinor() (int, error) {
	v, err := c.kube.Discovery().ServerVersion()
	if err != nil {
		return 0, fmt.Errorf("asking for the server's version: %w", err)
	}
	minor, err := strconv.Atoi(strings.TrimRight(v.Minor, "+"))
	if err != nil {
		return 0, fmt.Errorf("the server's minor version is %q", v.Minor)
	}
	return minor, nil
}

// Clashes lists Services that have one of our names and do not carry our label.
func (c *Client) Clashes(ctx context.Context, rec migration.Record) ([]string, error) {
	var out []string
	for _, s := range rec.Servers {
		name := render.ServiceName(rec.Name, s.ID)
		svc, err := c.kube.CoreV1().Services(rec.Namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, failed(err, "get", "Service", rec.Namespace, name)
		}
		if svc.Labels[render.EnsembleLabel] != rec.Name {
			out = append(out, fmt.Sprintf("Service %s/%s exists and is not ours", rec.Namespace, name))
		}
	}
	return out, nil
}
