package access

import (
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"
)

// TestNothingBreaksOutOfACELString: a quoted text holds no quote, no backslash
// but those of its own escapes, and nothing but printable ASCII.
func TestNothingBreaksOutOfACELString(t *testing.T) {
	harmless := func(s string) bool {
		q := celString(s)
		if len(q) < 2 || q[0] != '\'' || q[len(q)-1] != '\'' {
			return false
		}
		inner := q[1 : len(q)-1]
		for len(inner) > 0 {
			if inner[0] == '\\' {
				if len(inner) < 10 || inner[1] != 'U' {
					return false
				}
				inner = inner[10:]
				continue
			}
			if inner[0] < ' ' || inner[0] > '~' || inner[0] == '\'' || inner[0] == '"' {
				return false
			}
			inner = inner[1:]
		}
		return true
	}
	if err := quick.Check(harmless, nil); err != nil {
		t.Error(err)
	}
	for _, s := range []string{`'] || true || [''`, `\`, "\n", `\'`, "é\u2028"} {
		if !harmless(s) {
			t.Errorf("%q becomes %s", s, celString(s))
		}
	}
}

// TestSubjects: who is let through, as the API server names them.
func TestSubjects(t *testing.T) {
	to := Subjects{Users: []string{"alice"}, Groups: []string{"sre"}, ServiceAccounts: []string{"ci:robot"}}
	if diff := cmp.Diff([]string{"alice", "system:serviceaccount:ci:robot"}, to.names()); diff != "" {
		t.Error(diff)
	}
	kinds := []string{}
	for _, s := range main259(false).Binding(to).Subjects {
		kinds = append(kinds, s.Kind+" "+s.Namespace+" "+s.Name)
	}
	if diff := cmp.Diff([]string{"User  alice", "Group  sre", "ServiceAccount ci robot"}, kinds); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "a\nb", "a\x1b[0m", strings.Repeat("a", maxSubject+1)} {
		if ValidSubject(bad) {
			t.Errorf("%q is taken for a user", bad)
		}
	}
	if ValidAccount("ns", "") || ValidAccount("", "x") || ValidAccount("n s", "x") || !ValidAccount("ns", "robot.1") {
		t.Error("service accounts are judged wrongly")
	}
}
