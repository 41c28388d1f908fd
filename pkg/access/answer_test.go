package access_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
)

// TestUnanswered: two dozen questions that failed for one reason are one line, and
// every other reason keeps its own.
func TestUnanswered(t *testing.T) {
	lack := func(verb, why string) access.Lack {
		return access.Lack{Need: access.Need{Verb: verb, Resource: "pods", Why: "move"}, Namespace: "zk", Unknown: why}
	}
	got := access.Unanswered([]access.Lack{lack("get", "no answer"), lack("list", ""), lack("patch", "no answer"), lack("delete", "login")})
	if len(got) != 2 || got[0] != "whether you have 2 permissions is not known (get pods, patch pods): no answer" ||
		!strings.HasPrefix(got[1], "delete pods in namespace zk") || !strings.HasSuffix(got[1], "login") || slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "list") }) {
		t.Errorf("%q", got)
	}
}
