//go:build integration

package integration

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// calls records what an operator asked of the API server, in the words of a
// Role.
type calls struct {
	mu   sync.Mutex
	seen map[string]bool
}

func newCalls() *calls { return &calls{seen: map[string]bool{}} }

// wrap records every request on its way.
func (c *calls) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if what := inWords(r); what != "" {
			c.mu.Lock()
			c.seen[what] = true
			c.mu.Unlock()
		}
		return next.RoundTrip(r)
	})
}

func (c *calls) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for what := range c.seen {
		out = append(out, what)
	}
	slices.Sort(out)
	return out
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip makes the function a transport.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// inWords is "group/resource/subresource verb", as in role_test.go of
// pkg/cluster; empty for what needs no Role.
func inWords(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	group := ""
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		group, parts = parts[1]+"/", parts[3:]
	default:
		return ""
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	resource := parts[0]
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	verb := map[string]string{
		http.MethodGet: "get", http.MethodPost: "create", http.MethodPut: "update",
		http.MethodPatch: "patch", http.MethodDelete: "delete",
	}[r.Method]
	if r.Method == http.MethodGet && len(parts) == 1 {
		verb = "list"
	}
	if group == "authorization.k8s.io/" {
		return ""
	}
	return group + resource + " " + verb
}
