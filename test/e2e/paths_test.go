//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestPaths looks at every path between real hosts, pods and Services: all are there. Then it
// takes one after the other away, and wants the right cell of the grid, the check of its kind
// and the cause; a replacement does not begin meanwhile. What is mended is ok again.
func TestPaths(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "paths", "3.8.0", []int{1, 2, 3})
	s.Ready()
	host, service := func(id int) string { return s.Host(id).Address }, func(id int) string {
		return s.Kubectl("get", "service", fmt.Sprintf("paths-%d", id), "-o", "jsonpath={.spec.clusterIP}")
	}
	askPaths(s, "--from-pods").want(t, 12+3*3*2+3*3*2)
	for name, c := range map[string]struct {
		spoil, mend []string
		args        []string
		// lost are the paths that are, by where they begin and the server they lead to.
		check string
		lost  func(preflight.Path) bool
		cause preflight.CauseCode
	}{
		"a firewall before one port": {
			spoil: []string{"zklab net drop paths/3 --port 3888 --from " + host(1)}, mend: []string{"zklab net heal paths/3"},
			check: "NET001", cause: preflight.Firewall,
			lost: func(p preflight.Path) bool {
				return p.From.Server.Is(1) && p.To == 3 && p.Port == ensemble.PortElection
			},
		},
		"no route": {
			spoil: []string{"zklab exec paths/1 -- ip route add unreachable " + service(2) + "/32"}, mend: []string{"zklab exec paths/1 -- ip route del unreachable " + service(2) + "/32"},
			check: "NET001", cause: preflight.NoRoute,
			lost: func(p preflight.Path) bool { return p.From.Server.Is(1) && p.To == 2 },
		},
		"no kube-proxy": {
			spoil: append([]string{"zklab daemon pause kube-proxy-paths-2"}, flushed("paths/2")...), mend: append([]string{"zklab daemon resume kube-proxy-paths-2"}, flushed("paths/2")...),
			check: "NET001", cause: preflight.NoKubeProxy,
			lost: func(p preflight.Path) bool { return p.From.Server.Is(2) },
		},
		"pods that may not leave their nodes": {
			spoil: nodes("zklab net drop %s --from 10.78.0.0/16 --to " + strings.Join([]string{host(1), host(2), host(3)}, ",")), mend: nodes("zklab net heal %s"),
			args: []string{"--from-pods"}, check: "NET002", cause: preflight.NetworkPolicy,
			lost: func(p preflight.Path) bool { return p.From.Place == preflight.InPod && p.Via == vantage.ViaHost },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := s.For(t)
			run(s, c.spoil...)
			mended := false
			defer func() {
				if !mended {
					run(s, c.mend...)
				}
			}()
			scene.Eventually(t, "the lost paths are found", func() error {
				return askPaths(s, c.args...).only(c.check, c.cause, c.lost)
			})
			if c.check == "NET001" {
				if r := s.Replace(3, "--id=3"); !strings.Contains(r.Stderr, "NET001: ") {
					t.Errorf("replace says\n%s", r.Stderr)
				}
			}
			run(s, c.mend...)
			mended = true
			scene.Eventually(t, "every path is there again", func() error {
				return askPaths(s, c.args...).only("", "", func(preflight.Path) bool { return false })
			})
		})
	}
	moved := scene.But(s.IDs, s.Status().Leader)[0]
	s.Replace(0, fmt.Sprintf("--id=%d", moved))
	// From two hosts and three pods, the parked ones among them.
	askPaths(s, "--from-pods").want(t, 2*2*2+2*2+3*2*2+3*2*2)
	s.NothingLost()
}

// paths is what check tells of paths.
type paths struct {
	Checks []preflight.Finding
	Paths  []preflight.Path
}

// askPaths has the hosts asked by the lab's hook.
func askPaths(s *scene.Scene, args ...string) paths {
	s.T.Helper()
	r, err := s.Lab.Zkmigrate(s.T.Context(), append([]string{"check", s.Name, "-n", s.Name, "-o", "json", "--host-hook", s.Lab.HookCommand()}, args...)...)
	if err != nil {
		s.T.Fatal(err)
	}
	var out paths
	if err := json.Unmarshal([]byte(r.Stdout), &out); err != nil {
		s.T.Fatalf("exit code %d: %v\n%s%s", r.Code, err, r.Stdout, r.Stderr)
	}
	return out
}

// want wants that many paths, all tried, and none lost.
func (p paths) want(t *testing.T, n int) {
	t.Helper()
	if err := p.only("", "", func(preflight.Path) bool { return false }); err != nil {
		t.Error(err)
	}
	for _, path := range p.Paths {
		if path.Verdict == preflight.PathUnknown {
			t.Errorf("not known: %+v", path)
		}
	}
	if len(p.Paths) != n {
		t.Errorf("%d paths, want %d", len(p.Paths), n)
	}
}

// only wants exactly those paths lost, for that cause, and the check of their kind to fail.
func (p paths) only(check string, cause preflight.CauseCode, lost func(preflight.Path) bool) error {
	for _, path := range p.Paths {
		switch is := path.Verdict == preflight.PathLost; {
		case lost(path) && (!is || path.Cause == nil || path.Cause.Code != cause):
			return fmt.Errorf("want it lost for %s: %+v, cause %+v", cause, path, path.Cause)
		case is && !lost(path) && path.Check == check:
			return fmt.Errorf("lost: %+v, cause %+v", path, path.Cause)
		case is && check == "":
			return fmt.Errorf("lost: %+v, cause %+v", path, path.Cause)
		}
	}
	if i := slices.IndexFunc(p.Checks, func(f preflight.Finding) bool { return f.ID == check }); check != "" && p.Checks[i].Result != preflight.Fail {
		return fmt.Errorf("%s is %s: %q", check, p.Checks[i].Result, p.Checks[i].Detail)
	}
	return nil
}

// run runs lines of zklab.
func run(s *scene.Scene, lines ...string) {
	s.T.Helper()
	for _, line := range lines {
		s.Must(s.Lab.Zklab(s.T.Context(), strings.Fields(line)[1:]...))
	}
}

// flushed takes all rules of a machine away; a kube-proxy that runs puts its own back when it sees that.
func flushed(machine string) (lines []string) {
	for _, table := range []string{"nat", "mangle", "filter"} {
		for _, how := range []string{"-F", "-X"} {
			lines = append(lines, fmt.Sprintf("zklab exec %s -- iptables -t %s %s", machine, table, how))
		}
	}
	return lines
}

func nodes(line string) (lines []string) {
	for _, n := range []string{"node1", "node2", "node3"} {
		lines = append(lines, fmt.Sprintf(line, n))
	}
	return lines
}
