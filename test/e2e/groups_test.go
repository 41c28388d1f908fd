//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestGroups moves an ensemble whose quorum is two of three groups: server 1 is
// one of them, 2 another (5 beside it has no weight), 3 and 4 are the third, in
// which 3 weighs more than half. So 3, 4 and 5 are three of five and no quorum,
// while 1 and 2 are one: who counts servers errs both ways.
func TestGroups(t *testing.T) {
	t.Parallel()
	lines := []string{"group.1=3:4", "group.2=1", "group.3=2:5", "weight.3=2", "weight.5=0"}
	s := newGroups(t, "groups", "3.4.13", append(lines, "syncLimit=4"))
	s.Ready("--anti-affinity=preferred")
	before := s.Status()
	one, other := 1, 2
	if before.Leader == one {
		one, other = 2, 1
	}

	// One group is down: a majority of servers would be left without the other,
	// and no quorum, as is seen when it is stopped all the same.
	s.host("stop", one)
	r := s.Replace(3, fmt.Sprintf("--id=%d", other))
	for _, part := range []string{
		"refused: not every server is in sync: the ensemble must be whole before one is taken away [" + string(migration.CodeDegraded) + "]",
		fmt.Sprintf("  - server %d: connections to it are refused", one), "next: on host " + s.Host(one).Address + ": start the server (unmask its unit first if it is masked)\n", "Nothing was changed.",
	} {
		if !strings.Contains(r.Stderr, part) {
			t.Errorf("with server %d down, server %d is refused without %q:\n%s", one, other, part, r.Stderr)
		}
	}
	if st := s.Status(); st.Leader == 0 || len(st.Problems) != 1 {
		t.Errorf("with server %d down and %d refused: %+v", one, other, st)
	}
	s.host("stop", other)
	s.commitNothing(3, 4, 5)
	s.host("start", one, other)
	s.whole()

	before = s.Status()
	verdict := s.WatchSlices()
	s.Replace(0, "--all")
	after := s.Status()
	if !after.Healthy || after.Replaced != 5 || after.Epoch-before.Epoch != 1 {
		t.Errorf("after the replacements: %+v; want all in pods, and one election since epoch %d", after, before.Epoch)
	}
	for _, server := range after.Servers {
		s.carried(server.Pod, lines)
	}
	back := scene.But([]int{3, 4}, after.Leader)[0]
	s.Revert(back)
	verdict()

	// In their pods 1 and 2 are a quorum as they were on their hosts.
	s.scale(2)
	s.host("stop", back)
	scene.Eventually(t, "only servers 1 and 2 are left", func() error {
		if st := s.Status(); st.Leader != 1 && st.Leader != 2 || len(st.Problems) != 3 {
			return fmt.Errorf("server %d leads, %v", st.Leader, st.Problems)
		}
		return nil
	})
	acknowledged := s.Acknowledged()
	scene.Eventually(t, "they commit", func() error {
		if n := s.Acknowledged(); n <= acknowledged {
			return fmt.Errorf("%d writes were acknowledged before, %d now", acknowledged, n)
		}
		return nil
	})
	s.scale(5)
	s.host("start", back)
	s.whole()
	s.NothingLost()
}

// TestIndispensableServer: four of five servers are up and there is no quorum, for
// one group's weight is all in server 4. It is refused before anything is written.
// With the weights spread the ensemble can be moved.
func TestIndispensableServer(t *testing.T) {
	t.Parallel()
	s := newGroups(t, "weights", "3.8.0", []string{"group.1=1:2:3", "group.2=4:5", "weight.5=0"})
	s.host("stop", 4)
	s.commitNothing(1, 2, 3, 5)
	s.host("start", 4)
	check := append([]string{"check", s.Name, "-n", s.Name}, s.Files()...)
	says := "without server 4 the other 3 voters are no quorum"
	scene.Eventually(t, "all servers are back, and the check refuses server 4 alone", func() error {
		r, err := s.Lab.Zkmigrate(t.Context(), check...)
		if err != nil {
			return err
		}
		if r.Code != 3 || strings.Count("\n"+r.Stdout, "\nfail ") != 1 || !strings.Contains(r.Stdout, says) || !strings.Contains(r.Stdout, "spread its weights and groups") {
			return fmt.Errorf("exit code %d:\n%s", r.Code, r.Stdout)
		}
		return nil
	})
	if r := s.Zkmigrate(3, append([]string{"wrap", s.Name}, s.Files()...)...); !strings.Contains(r.Stderr, says) {
		t.Errorf("the refused wrap does not say %q:\n%s", says, r.Stderr)
	}
	if list, err := s.Kube.CoreV1().Services(s.Name).List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) != 0 {
		t.Errorf("the refused wrap left %d Services (%v)", len(list.Items), err)
	}

	lines := []string{"group.1=1:2:3", "group.2=4", "group.3=5"}
	for _, h := range s.Hosts {
		text, err := os.ReadFile(h.ZooCfg)
		if err != nil {
			t.Fatal(err)
		}
		spread := strings.NewReplacer("group.2=4:5", "group.2=4\ngroup.3=5", "weight.5=0\n", "").Replace(string(text))
		if err := os.WriteFile(h.ZooCfg, []byte(spread), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.host("stop", s.IDs...)
	s.host("start", s.IDs...)
	scene.Eventually(t, "the checks pass", func() error {
		_, err := labkit.Must(s.Lab.Zkmigrate(t.Context(), check...))
		return err
	})
	s.Ready("--anti-affinity=preferred")
	id := scene.But([]int{4, 5}, s.Status().Leader)[0]
	verdict := s.WatchSlices()
	s.Replace(0, fmt.Sprintf("--id=%d", id))
	verdict()
	server := s.Status().Servers[id-1]
	s.carried(server.Pod, lines)
	for _, line := range lines {
		if conf := s.conf(server.ClusterIP); !strings.Contains(conf, "\n"+line+"\n") {
			t.Errorf("the server in its pod does not run with %s:\n%s", line, conf)
		}
	}
	s.NothingLost()
}

// groups is a scene of five servers whose quorum is one of groups.
type groups struct{ *scene.Scene }

func newGroups(t *testing.T, name, version string, lines []string) groups {
	t.Helper()
	var extra []string
	for _, line := range lines {
		extra = append(extra, "zoo-cfg-line="+line)
	}
	return groups{scene.New(t, name, version, []int{1, 2, 3, 4, 5}, extra...)}
}

// host does something to the servers' hosts.
func (s groups) host(action string, ids ...int) {
	s.T.Helper()
	for _, id := range ids {
		s.OnHost(id, action)
	}
}

// whole waits until all servers are in sync.
func (s groups) whole() {
	s.T.Helper()
	scene.Eventually(s.T, "the ensemble is whole", func() error {
		if st := s.Status(); !st.Healthy {
			return fmt.Errorf("%v", st.Problems)
		}
		return nil
	})
}

// scale leaves the first n pods, which are those of the lowest ids.
func (s groups) scale(n int) {
	s.T.Helper()
	s.Kubectl("scale", "statefulset", s.Name+"-pod", fmt.Sprintf("--replicas=%d", n))
}

// commitNothing wants that nobody can open a session with these servers on their
// hosts: a session is a write, which a quorum refuses for no longer than an
// election takes.
func (s groups) commitNothing(ids ...int) {
	t := s.T
	t.Helper()
	var servers []string
	for _, id := range ids {
		servers = append(servers, fmt.Sprintf("%s:%d", s.Host(id).Address, s.Host(id).ClientPort))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	dial := func(_, address string, _ time.Duration) (net.Conn, error) { return s.Lab.Dial(ctx, address) }
	conn, events, err := zk.Connect(servers, 10*time.Second, zk.WithDialer(dial), zk.WithLogger(silent{}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for {
		select {
		case e := <-events:
			if e.State == zk.StateHasSession {
				t.Errorf("servers %v commit, and should be no quorum", ids)
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// silent is a client's log: to be refused is what some of them are for.
type silent struct{}

func (silent) Printf(string, ...any) {}

// carried wants a pod's zoo.cfg to have the groups and weights of the hosts', and
// no others.
func (s groups) carried(pod string, want []string) {
	s.T.Helper()
	var got []string
	for line := range strings.Lines(s.Kubectl("exec", pod, "--", "cat", "/zookeeper/conf/zoo.cfg")) {
		if strings.HasPrefix(line, "group") || strings.HasPrefix(line, "weight") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.T.Errorf("%s: groups and weights (-hosts +pod):\n%s", pod, diff)
	}
}

// conf is what a server says it runs with (3.5 and later show the list).
func (s groups) conf(address string) string {
	t := s.T
	t.Helper()
	conn, err := s.Lab.Dial(t.Context(), net.JoinHostPort(address, "2181"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "conf"); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
