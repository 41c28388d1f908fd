//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/test/faults"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestHostWithoutKubeProxy: a host that reaches no Service is found out before its file is
// changed and its server restarted, and the restarts go on once it has kube-proxy's rules.
func TestHostWithoutKubeProxy(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "noproxy", "3.4.13", []int{1, 2, 3})
	s.Wrap()
	s.StartLoad()
	followers := scene.But(s.IDs, s.Status().Leader)
	for _, id := range followers {
		s.Must(s.Lab.Zklab(t.Context(), "daemon", "pause", fmt.Sprintf("kube-proxy-%s-%d", s.Name, id)))
		for _, how := range []string{"-F", "-X"} {
			s.Must(s.Lab.Zklab(t.Context(), "exec", fmt.Sprintf("%s/%d", s.Name, id), "--", "iptables", "-t", "nat", how))
		}
	}
	reconfigure := append([]string{"reconfigure", s.Name, "--host-hook", s.Lab.HookCommand(), "--timeout", "30s", "--verbose"}, s.Files()...)
	r := s.Zkmigrate(124, reconfigure...)
	row := faults.Elsewhere(t, "host-without-kube-proxy").Verdict
	for _, want := range []string{"[" + string(row.Code) + "]", row.Says, row.Next, "to host"} {
		if !strings.Contains(r.Stderr, want) {
			t.Errorf("it does not say %q:\n%s", want, r.Stderr)
		}
	}
	if strings.Contains(r.Stderr, "stop the server on its host") {
		t.Errorf("a server was stopped:\n%s", r.Stderr)
	}
	for _, id := range followers {
		s.Must(s.Lab.Zklab(t.Context(), "daemon", "resume", fmt.Sprintf("kube-proxy-%s-%d", s.Name, id)))
	}
	s.Reconfigure()
	s.NothingLost()
}
