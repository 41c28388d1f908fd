//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/test/faults"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestKerberosMigration: servers that let nobody in but by Kerberos are not begun with, for
// their lists differ on the way. With that put off they go the whole road, and one goes back;
// clients, and this tool, authenticate by Kerberos throughout.
func TestKerberosMigration(t *testing.T) {
	s := &secured{scene.New(t, "krb38", "3.8.0", []int{1, 2, 3}, "sasl=kerberos")}
	called := func(id int) string { return fmt.Sprintf("krb38-%d.zklab.test", id) }
	run := func(code int, args ...string) labkit.Result {
		t.Helper()
		return s.Zkmigrate(code, append(args, "--credentials="+s.kerberos(called))...)
	}
	hook := []string{"--host-hook", s.Lab.HookCommand(), "--timeout", "4m"}
	wrap := append(append([]string{"wrap", s.Name}, s.Files()...), labkit.PodFlags(s.Version, s.Name)...)
	wrap = append(wrap, "--files-secret="+s.Name+"-files", "--jvm-flags", "-Xmx128m -Djava.security.auth.login.config=/etc/zookeeper/jaas.conf -Djava.security.krb5.conf=/etc/zookeeper/krb5.conf")
	s.makeFiles()
	if r := run(3, wrap...); !strings.Contains(r.Stderr, "ZK034") || !strings.Contains(r.Stderr, "quorum.auth.serverRequireSasl=false") {
		t.Errorf("that servers will reject each other is not told:\n%s", r.Stderr)
	}
	// In this order: who does not authenticate is let in by nobody who requires it.
	s.relax("serverRequireSasl")
	s.relax("learnerRequireSasl")
	run(0, wrap...)
	s.as(called(1), fmt.Sprintf("%s:%d", s.Hosts[0].Address, s.Hosts[0].ClientPort), "create", "/k", "before")
	run(0, append(append([]string{"reconfigure", s.Name}, s.Files()...), hook...)...)
	if !testing.Short() {
		// Server 1 has the key of server 2.
		dir := s.files()
		key, err := os.ReadFile(filepath.Join(dir, "2.zookeeper.keytab"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "1.zookeeper.keytab"), key, 0o600); err != nil {
			t.Fatal(err)
		}
		s.putFiles(dir)
		s.refused(run, faults.Elsewhere(t, "keytab-of-another-server"))
		s.makeFiles()
	}
	run(0, append([]string{"replace", s.Name, "--all", "--yes", scene.AcceptLoss}, hook...)...)
	for _, h := range s.Hosts {
		s.as(called(h.ID), fmt.Sprintf("%s:%d", s.clusterIP(h.ID), h.ClientPort), "set", "/k", fmt.Sprintf("in pod %d", h.ID))
	}
	run(0, append([]string{"revert", s.Name, "--id=1", "--yes"}, hook...)...)
	if got := s.as(called(1), fmt.Sprintf("%s:%d", s.clusterIP(1), s.Hosts[0].ClientPort), "get", "/k"); !strings.Contains(got, "in pod 3") {
		t.Errorf("/k is %s", got)
	}
}

// relax has all servers do without, one after the other.
func (s *secured) relax(key string) {
	s.T.Helper()
	for _, h := range s.Hosts {
		text, err := os.ReadFile(h.ZooCfg)
		if err != nil {
			s.T.Fatal(err)
		}
		relaxed := strings.Replace(string(text), key+"=true", key+"=false", 1)
		if relaxed == string(text) {
			s.T.Fatalf("there is no %s=true:\n%s", key, text)
		}
		if err := os.WriteFile(h.ZooCfg, []byte(relaxed), 0o600); err != nil {
			s.T.Fatal(err)
		}
		s.Must(s.Lab.Zklab(s.T.Context(), "host", "restart", fmt.Sprintf("%s/%d", s.Name, h.ID)))
		scene.Eventually(s.T, fmt.Sprintf("server %d is back without %s", h.ID, key), func() error {
			_, err := s.mode(h, h.ClientFiles)
			return err
		})
	}
}

// kerberos is a file for --credentials.
func (s *secured) kerberos(called func(id int) string) string {
	s.T.Helper()
	dir := s.Hosts[0].ClientFiles
	text := fmt.Sprintf("sasl:\n  mechanism: GSSAPI\n  principal: client@ZKLAB.TEST\n  keytab: %[1]s/client.keytab\n  krb5Conf: %[1]s/krb5.conf\n  hosts:\n", dir)
	for _, id := range s.IDs {
		text += fmt.Sprintf("    %q: %s\n", fmt.Sprint(id), called(id))
	}
	file := filepath.Join(s.Lab.Dir, "credentials.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.T.Fatal(err)
	}
	return file
}

// as runs ZooKeeper's own command line at one server, which has a principal for that host.
func (s *secured) as(host, server string, args ...string) string {
	s.T.Helper()
	words := []string{"env", "ZK_SERVERS=" + server, "JVMFLAGS=-Dzookeeper.server.principal=zookeeper/" + host + "@ZKLAB.TEST", filepath.Join(s.Hosts[0].ClientFiles, "zkCli.sh")}
	r := s.Must(s.Lab.OnClient(s.T.Context(), append(words, args...)...))
	return r.Stdout + r.Stderr
}
