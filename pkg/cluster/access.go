package cluster

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

const (
	// askPatience bounds the questions for permissions, all together, and
	// askPause is between two tries of one that nobody answered.
	askPatience = 10 * time.Second
	askPause    = 500 * time.Millisecond
	// asksAtOnce bounds how many are asked side by side.
	asksAtOnce = 16
)

// Lacking asks, for each permission, whether the user has it, and returns those
// that are refused and those about which nobody answered (access.Lack.Unknown).
// Each is asked for in general first, which covers every name, and only where
// that is refused for each object by its name; what is optional is not asked for. Asking is allowed to every
// authenticated user (system:basic-user). An error means that the context ended.
func (c *Client) Lacking(ctx context.Context, scope access.Scope, needs []access.Need) ([]access.Lack, error) {
	asking, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	answers, why := make([]*access.Lack, len(needs)), &lastReason{}
	slots := make(chan struct{}, asksAtOnce)
	var wg sync.WaitGroup
	for i, n := range needs {
		if !scope.Wants(n) || n.Optional() {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			answers[i] = c.lack(asking, scope, n, why)
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var out []access.Lack
	for _, a := range answers {
		if a != nil {
			out = append(out, *a)
		}
	}
	return out, nil
}

// lack is nil for a permission that the user has.
func (c *Client) lack(ctx context.Context, scope access.Scope, n access.Need, why *lastReason) *access.Lack {
	l := access.Lack{Need: n, Namespace: scope.Namespace}
	allowed, unknown := c.allowed(ctx, scope.Namespace, n, "", why)
	if allowed {
		return nil
	}
	names := scope.Names(n)
	if unknown != "" || len(names) == 0 {
		l.Unknown = unknown
		return &l
	}
	for _, name := range names {
		allowed, unknown := c.allowed(ctx, scope.Namespace, n, name, why)
		switch {
		case unknown != "":
			l.Names, l.Unknown = []string{name}, unknown
			return &l
		case !allowed:
			l.Names = append(l.Names, name)
		}
	}
	if len(l.Names) == 0 {
		return nil
	}
	if len(l.Names) == len(names) {
		// All of them: the names add nothing.
		l.Names = nil
	}
	return &l
}

// allowed asks one question until it is answered; unknown says why it was not.
// No answer is no permission.
func (c *Client) allowed(ctx context.Context, namespace string, n access.Need, name string, why *lastReason) (allowed bool, unknown string) {
	resource, subresource, _ := strings.Cut(n.Resource, "/")
	attributes := &authorizationv1.ResourceAttributes{
		Namespace: namespace, Verb: n.Verb, Group: n.Group, Resource: resource, Subresource: subresource, Name: name,
	}
	answered := false
	_ = wait.PollUntilContextCancel(ctx, askPause, true, func(ctx context.Context) (bool, error) { // unknown says how it ended
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes}}
		answer, err := c.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		switch {
		case err == nil:
			allowed, unknown = answer.Status.Allowed, ""
		case apierrors.IsForbidden(err):
			unknown = "you may not create selfsubjectaccessreviews (Kubernetes allows that to every user: ClusterRole system:basic-user)"
		case apierrors.IsUnauthorized(err):
			unknown = "the API server does not accept your login"
		default:
			// Asked again. A time that is over, or too short for the client's own limit
			// of requests, says less than the answer before it.
			if ctx.Err() == nil && !strings.Contains(err.Error(), "client rate limiter") {
				why.set(fmt.Sprintf("the API server did not say so within %s: %s", askPatience, c.words(err)))
			}
			return false, nil
		}
		answered = true
		return true, nil
	})
	if !answered {
		return false, why.get()
	}
	return allowed, unknown
}

// lastReason is why the latest question was not answered. It stands for those that
// there was no time to ask, too.
type lastReason struct {
	mu   sync.Mutex
	text string
}

func (r *lastReason) set(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = text
}

func (r *lastReason) get() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.text == "" {
		return fmt.Sprintf("the API server did not answer within %s", askPatience)
	}
	return r.text
}

// WhoAmI is the user's name as the API server knows it; empty where it does not
// say (before Kubernetes 1.28).
func (c *Client) WhoAmI(ctx context.Context) string {
	answer, err := c.kube.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return ""
	}
	return answer.Status.UserInfo.Username
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
