package cluster

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

type asked = authorizationv1.ResourceAttributes

// authorizer answers SelfSubjectAccessReviews.
func authorizer(answer func(asked) (bool, error)) *Client {
	kube := fake.NewClientset()
	var mu sync.Mutex
	kube.PrependReactor("create", "selfsubjectaccessreviews", func(action kubetesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		review := action.(kubetesting.CreateAction).GetObject().(*authorizationv1.SelfSubjectAccessReview)
		var err error
		review.Status.Allowed, err = answer(*review.Spec.ResourceAttributes)
		return true, review, err
	})
	return New(kube)
}

func scope(copies bool) access.Scope {
	return access.Scope{Namespace: "zk", Name: "main", Servers: []ensemble.ID{1, 2}, EndpointsAPI: migration.EndpointSlices, Copy: copies}
}

func lacks(t *testing.T, c *Client, s access.Scope, command access.Command) []string {
	t.Helper()
	lacking, err := c.Lacking(t.Context(), s, access.WithWayBack(command))
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, l := range lacking {
		text := l.Verb + " " + l.Object()
		for _, n := range l.Names {
			text += " " + n
		}
		if l.Unknown != "" {
			text += "?"
		}
		out = append(out, text)
	}
	return out
}

// TestLacking: what is refused in general may be allowed by name, and no answer
// is no permission.
func TestLacking(t *testing.T) {
	reviews := schema.GroupResource{Group: "authorization.k8s.io", Resource: "selfsubjectaccessreviews"}
	for name, c := range map[string]struct {
		answer  func(asked) (bool, error)
		copies  bool
		command access.Command
		want    []string
	}{
		"all allowed":                       {func(asked) (bool, error) { return true, nil }, false, access.Replace, []string{}},
		"many may not run programs in pods": {func(a asked) (bool, error) { return a.Subresource != "exec", nil }, false, access.Replace, []string{}},
		"a copy asks for it": {func(a asked) (bool, error) { return a.Subresource != "exec", nil }, true, access.Replace,
			[]string{"get pods/exec", "create pods/exec"}},
		"by name": {func(a asked) (bool, error) { return a.Verb != "delete" || a.Resource != "pods" || a.Name != "", nil }, false, access.Replace, []string{}},
		"one name is missing": {func(a asked) (bool, error) {
			return a.Verb != "delete" || a.Resource != "pods" || a.Name == "main-pod-0", nil
		}, false, access.Replace, []string{"delete pods main-pod-1"}},
		"the way back": {func(a asked) (bool, error) { return a.Verb != "delete" || a.Resource != "endpoints", nil }, false, access.Replace, []string{"delete endpoints"}},
		"may not ask": {func(a asked) (bool, error) {
			if a.Verb == "patch" && a.Resource == "pods" {
				return false, apierrors.NewForbidden(reviews, "", errors.New("no"))
			}
			return true, nil
		}, false, access.Replace, []string{"patch pods?"}},
		"another resource's subresource": {func(a asked) (bool, error) { return a.Subresource != "log", nil }, false, access.Revert, []string{"get pods/log"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, lacks(t, authorizer(c.answer), scope(c.copies), c.command)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestWhatTheClientHoldsBackIsNoAnswer: near the end of the time the client's own
// limit refuses to ask, which says nothing of the API server.
func TestWhatTheClientHoldsBackIsNoAnswer(t *testing.T) {
	why := &lastReason{}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	c := authorizer(func(asked) (bool, error) {
		if n++; n == 1 {
			return false, errors.New("an HTML page came back")
		}
		cancel()
		return false, errors.New("client rate limiter Wait returned an error: rate: Wait(n=1) would exceed context deadline")
	})
	if _, unknown := c.allowed(ctx, "zk", access.Need{Verb: "get", Resource: "pods"}, "", why); !strings.Contains(unknown, "HTML page") {
		t.Errorf("%q", unknown)
	}
	if _, unknown := c.allowed(ctx, "zk", access.Need{Verb: "get", Resource: "services"}, "", why); !strings.Contains(unknown, "HTML page") {
		t.Errorf("one that there was no time for: %q", unknown)
	}
}

// TestAnUnansweredQuestionIsAskedAgain: one lost answer is no verdict.
func TestAnUnansweredQuestionIsAskedAgain(t *testing.T) {
	failed := map[string]bool{}
	c := authorizer(func(a asked) (bool, error) {
		key := a.Verb + a.Resource + a.Subresource
		if !failed[key] && a.Resource == "leases" {
			failed[key] = true
			return false, apierrors.NewInternalError(errors.New("once"))
		}
		return true, nil
	})
	if got := lacks(t, c, scope(false), access.Replace); len(got) > 0 || len(failed) != 3 {
		t.Errorf("lacking %v after %d lost answers", got, len(failed))
	}
}
