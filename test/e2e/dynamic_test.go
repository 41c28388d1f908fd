//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestDynamicEnsemble moves an ensemble whose servers keep their list in a
// dynamic file of their own (reconfigEnabled=true), and one server back and
// forth. At the end every list names the Services: those of the pods, those of
// the hosts, and /zookeeper/config, which clients read. Meanwhile somebody changes
// the membership by hand, twice.
func TestDynamicEnsemble(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "dynamic", "3.8.0", []int{1, 2, 3}, "dynamic=true", "zoo-cfg-line=skipACL=yes")
	for _, h := range s.Hosts {
		file, list := dynamicFile(t, h)
		if !strings.Contains(list, h.Address) {
			t.Fatalf("server %d keeps no list in %s:\n%s", h.ID, file, list)
		}
	}
	s.Ready()
	st := s.Status()
	want := map[string]string{}
	for _, server := range st.Servers {
		want[fmt.Sprintf("server.%d", server.ID)] = fmt.Sprintf("%s:2888:3888:participant;0.0.0.0:2181", server.ClusterIP)
	}
	listed := func(when, where, text string) {
		t.Helper()
		if diff := cmp.Diff(want, serverLines(text)); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", when, where, diff)
		}
	}
	everywhere := func(when string) {
		t.Helper()
		for _, server := range s.Status().Servers {
			text := configNode(t, s, fmt.Sprintf("%s:2181", server.ClusterIP))
			listed(when, fmt.Sprintf("/zookeeper/config of server %d", server.ID), text)
			if server.Place == "host" {
				_, text = dynamicFile(t, s.Host(server.ID))
			} else {
				text = s.Kubectl("exec", server.Pod, "--", "bash", "-c", `f=$(sed -n s/^dynamicConfigFile=//p /zookeeper/conf/zoo.cfg) && cat "$f"`)
			}
			listed(when, fmt.Sprintf("file of server %d on its %s", server.ID, server.Place), text)
		}
	}
	everywhere("after the rolling restart")
	verdict := s.WatchSlices()
	s.Replace(0, "--id=1")
	putBack := func(out string) {
		t.Helper()
		setMembers(t, s, out)
		everywhereServes(t, s)
	}
	removeMember(t, s, 2)
	putBack(s.Replace(3, "--id=2").Stderr)
	putBack(removedWhileJoining(t, s, 2))
	s.Replace(0, "--all")
	everywhere("after the replacements")
	s.Revert(2)
	everywhere("after the revert")
	s.Replace(0, "--id=2")
	verdict()
	everywhere("at the end")
	after := s.Status()
	if !after.Healthy || after.Replaced != 3 {
		t.Errorf("at the end: %+v", after)
	}
	s.NothingLost()
}

// removeMember takes a server out of the list by hand, as another operator would.
// Where it leads, the leader steps down before it answers.
func removeMember(t *testing.T, s *scene.Scene, id int) {
	t.Helper()
	server := s.Status().Servers[0].ClusterIP + ":2181"
	conn := connect(t, s, server)
	defer conn.Close()
	if _, err := conn.IncrementalReconfig(nil, []string{fmt.Sprint(id)}, -1); err != nil && !errors.Is(err, zk.ErrConnectionClosed) {
		t.Fatalf("remove server %d: %v", id, err)
	}
	scene.Eventually(t, "the server is out of the list", func() error {
		data, _, err := conn.Get("/zookeeper/config")
		if err == nil && strings.Contains(string(data), fmt.Sprintf("server.%d=", id)) {
			err = errors.New(string(data))
		}
		return err
	})
}

// removedWhileJoining replaces a server and takes it out of the list while its pod
// joins: the command must not call it replaced. It returns what the command said.
func removedWhileJoining(t *testing.T, s *scene.Scene, id int) string {
	t.Helper()
	p, err := s.Lab.Start(t.Context(), "removed.log", "kubectl", "zkmigrate", "replace", s.Name, fmt.Sprintf("--id=%d", id), "--yes",
		"--host-hook", s.Lab.HookCommand(), "-n", s.Name)
	if err != nil {
		t.Fatal(err)
	}
	scene.Eventually(t, "the gate is open", func() error { return scene.Contains(p.Log(), "ok    open the gate") })
	removeMember(t, s, id)
	code, err := p.Exit(5 * time.Minute)
	if out := p.Log(); err != nil || code == 0 {
		t.Fatalf("server %d was taken out of the list while it joined, exit code %d, %v:\n%s", id, code, err, out)
	}
	return p.Log()
}

// setMembers follows the command that a refusal prints where the list differs.
func setMembers(t *testing.T, s *scene.Scene, out string) {
	t.Helper()
	_, members, ok := strings.Cut(out, " reconfig -members ")
	if !ok || !strings.Contains(out, "["+string(migration.CodeListDiffers)+"]") {
		t.Fatalf("no way to put the list back in:\n%s", out)
	}
	members, _, _ = strings.Cut(members, "\n")
	conn := connect(t, s, s.Status().Servers[0].ClusterIP+":2181")
	defer conn.Close()
	if _, err := conn.Reconfig(strings.Split(strings.Trim(members, "'"), ","), -1); err != nil && !errors.Is(err, zk.ErrConnectionClosed) {
		t.Fatalf("set the members to %s: %v", members, err)
	}
}

// everywhereServes waits until every server is in the list and serves.
func everywhereServes(t *testing.T, s *scene.Scene) {
	t.Helper()
	scene.Eventually(t, "the list is the recorded one", func() error {
		for _, p := range s.Status().Problems {
			if p.Class == string(migration.ClassWrong) {
				return errors.New(p.Text)
			}
		}
		return nil
	})
}

// dynamicFile is the file with a host's server list, and what it holds.
func dynamicFile(t *testing.T, h labkit.Host) (path, text string) {
	t.Helper()
	static, err := os.ReadFile(h.ZooCfg)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(static)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "dynamicConfigFile="); ok {
			path = filepath.Join(filepath.Dir(h.ZooCfg), filepath.Base(name))
		}
	}
	list, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("server %d: %v; its zoo.cfg:\n%s", h.ID, err, static)
	}
	return path, string(list)
}

// serverLines are the server.N lines of a list.
func serverLines(text string) map[string]string {
	lines := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && strings.HasPrefix(key, "server.") {
			lines[key] = strings.ReplaceAll(value, ":participant;2181", ":participant;0.0.0.0:2181")
		}
	}
	return lines
}

// configNode is what a client of one server finds in /zookeeper/config.
func configNode(t *testing.T, s *scene.Scene, server string) string {
	t.Helper()
	conn := connect(t, s, server)
	defer conn.Close()
	data, _, err := conn.Get("/zookeeper/config")
	if err != nil {
		t.Fatalf("/zookeeper/config of %s: %v", server, err)
	}
	return string(data)
}

// connect opens a session at one server, from the lab's client machine.
func connect(t *testing.T, s *scene.Scene, server string) *zk.Conn {
	t.Helper()
	dial := func(_, address string, _ time.Duration) (net.Conn, error) { return s.Lab.Dial(t.Context(), address) }
	conn, _, err := zk.Connect([]string{server}, 10*time.Second, zk.WithDialer(dial), zk.WithLogInfo(false))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
